"""Edges as a running system shows them: what services needed of each other in traces, held against the contracts."""

from collections.abc import Iterable, Mapping

from contracts.completeness.edges import Need
from contracts.completeness.services import SUBJECT_WORDS, message_of
from contracts.pactfile import Edge
from tracing.model import Span, Trace

# Every service reads people's keys at accounts, by the chassis and not by a client of its own: a standard document (RFC 7517)
# that any library reads, and the chassis's own tests cover. It is no need of one consumer.
OF_THE_CHASSIS = {("accounts", "GET /.well-known/jwks.json")}


def seen(traces: Iterable[Trace], services: Iterable[str]) -> dict[Need, str]:
    """What services needed of each other in traces, and a trace that shows it.

    The bank and the mailbox are strangers, and send no spans; health is asked by nobody within, and has none. What a browser
    or a test asks has no span of a service above it, and is no edge.
    """
    found: dict[Need, str] = {}
    known = set(services)
    for trace in traces:
        for span in trace.spans:
            need = _asked_by(trace, span) if span.kind == "server" else _received_by(span)
            if need is None or not {need.edge.consumer, need.edge.provider} <= known:
                continue
            if (need.edge.provider, need.what) not in OF_THE_CHASSIS:
                found.setdefault(need, trace.trace_id)
    return found


def unlike_contracts(seen_needs: Mapping[Need, str], contract: Mapping[Need, str]) -> list[str]:
    """A sentence for each need that was seen and is not under contract, and for each that is and was never seen."""
    found = []
    for need in sorted(seen_needs.keys() - contract.keys()):
        edge = need.edge
        found.append(
            f"{edge.consumer} {edge.kind} {need.what} of {edge.provider} in trace {seen_needs[need]}, but that is under no "
            f"contract. Write it in services/{edge.consumer}/tests/contract/test_{edge.kind}_{edge.provider}.py."
        )
    for need in sorted(contract.keys() - seen_needs.keys()):
        edge = need.edge
        found.append(
            f"{edge.consumer} has a contract for {need.what} of {edge.provider} ({contract[need]}), but never {edge.kind} it in "
            "the running system. Let the tour meet it (tests/system/test_edges.py), or delete the contract."
        )
    return found


def _asked_by(trace: Trace, span: Span) -> Need | None:
    caller = trace.get(span.parent_id)
    if caller is None or caller.kind != "client" or caller.service == span.service:
        return None
    what = f"{span.attributes.get('http.request.method')} {span.attributes.get('http.route')}"
    return Need(Edge(caller.service, "asks", span.service), what)


def _received_by(span: Span) -> Need | None:
    """A consumer's span of a fact or a bus message, or a listener's of a fact."""
    heard, _, subject = span.name.partition(" ")
    words = subject.split(".")
    if heard not in {"process", "hear"} or len(words) < SUBJECT_WORDS:
        return None
    if words[0] == "events":
        return Need(Edge(span.service, "hears", words[1]), subject)
    return Need(Edge(span.service, "watches", words[1]), message_of(subject)) if words[0] == "bus" else None
