"""What is missing from a trace, and why: a process that is killed takes along the spans that it had not sent.

A gap is explained if a process that should have sent the missing span died at that time without a word (`tracing.lives`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from tracing.http_client import NOT_CONNECTED
from tracing.lives import Death, Lives, is_of
from tracing.model import Span, Trace
from tracing.reader import TraceReader

# How much of its last seconds a process that dies may lose: the time between two batches and one attempt to send, with room.
LOST_NS = 5_000_000_000
# A trace without its root began at most this long before its first span, since a purchase is over by then.
LONGEST_NS = 3_600_000_000_000
# A process that died with a span is followed by the next one within this time. It is longer than the pauses that a cluster makes
# between restarts, and short enough to leave out deaths of other days.
LATEST_NS = 300_000_000_000
WORDS_WITH_A_SERVICE = 2
NAMED = 3


@dataclass(frozen=True)
class Hole:
    """One span that should be there. `near` shows it: its child, or its parent. `services`: who may have made it."""

    what: str
    near: Span
    services: tuple[str, ...]


@dataclass(frozen=True)
class Gap:
    """Holes with one cause; `because` says why they are there, None if nobody knows."""

    holes: tuple[Hole, ...]
    because: str | None
    service: str

    @property
    def is_explained(self) -> bool:
        """Whether somebody who should have sent it died."""
        return self.because is not None

    def __str__(self) -> str:
        service, count = self.service, len(self.holes)
        named = [f"{hole.what} {hole.near.service} {hole.near.name}" for hole in self.holes[:NAMED]]
        if count > NAMED:
            named.append(f"{count - NAMED} more")
        subject = f"1 span of {service} is missing" if count == 1 else f"{count} spans of {service} are missing"
        why = self.because or "nobody died at that time. They may still be on their way: look again in a few seconds."
        return f"{subject} ({', '.join(named)}): {why}"


def explain(trace: Trace, reader: TraceReader) -> list[Gap]:
    """The gaps of a trace, each with its cause if the store knows one. Raises StoreUnreachable."""
    known = set(reader.services())
    holes = list(holes_in(trace, known))
    if not holes:
        return []
    services = sorted({service for hole in holes for service in hole.services})
    return gaps_of(trace, holes, Lives.read(reader, services, trace.start_ns))


def holes_in(trace: Trace, services: set[str]) -> Iterator[Hole]:
    """The spans that should be in the trace and are not. `services` are those that send spans; no span of others is missing."""
    parents: set[str] = set()
    for span in trace.spans:
        if trace.is_orphan(span) and span.parent_id not in parents:
            parents.add(span.parent_id)
            yield Hole("the parent of", span, _parents_service(span, services))
        peer = str(span.attributes.get("peer.service", ""))
        children = trace.children_of(span)
        asked = span.kind == "client" and peer in services and not span.attributes.get(NOT_CONNECTED)
        if asked and not any(child.kind == "server" for child in children):
            yield Hole("what was asked by", span, (peer,))
        if span.kind == "producer" and span.name.startswith("create ") and _was_sent_unseen(children):
            yield Hole("the sending of", span, (span.service,))


def gaps_of(trace: Trace, holes: Sequence[Hole], lives: Lives) -> list[Gap]:
    """Holes with the same cause make one gap; each hole without a known cause is a gap by itself."""
    together: dict[tuple[str, str], list[Hole]] = {}
    gaps = []
    for hole in holes:
        causes = ((each, _cause(trace, hole, each, lives)) for each in hole.services)
        found = next(((service, because) for service, because in causes if because), None)
        if found is None:
            gaps.append(Gap((hole,), None, " or ".join(hole.services) or "somebody"))
        else:
            together.setdefault(found, []).append(hole)
    return [*(Gap(tuple(each), because, service) for (service, because), each in together.items()), *gaps]


def _parents_service(span: Span, services: set[str]) -> tuple[str, ...]:
    if span.kind == "server":
        caller = str(span.attributes.get("onsale.caller", ""))
        if caller or span.attributes.get("onsale.remembered_parent"):
            return (caller or span.service,)
        return tuple(sorted(services - {span.service}))  # it was asked by whom it lets in without a name
    if span.kind == "consumer":
        words = span.name.rpartition(" ")[2].split(".")
        return (words[1],) if len(words) >= WORDS_WITH_A_SERVICE else ()
    return (span.service,)


def _was_sent_unseen(children: Sequence[Span]) -> bool:
    """Whether the span that sent a fact is missing although somebody heard it. A fact that nobody heard may have been rolled back."""
    return any(child.kind == "consumer" for child in children) and not any(
        child.name.startswith("send ") for child in children
    )


def _cause(trace: Trace, hole: Hole, service: str, lives: Lives) -> str | None:
    near = hole.near
    deaths = [death for death in lives.deaths(trace, service) if _may_have_taken(death, near, trace)]
    if deaths:
        # The death of the process itself comes before that of another process of its service.
        death = min(deaths, key=lambda each: (not is_of(near, each.life), abs(each.before_ns - near.end_ns)))
        return (
            f"its process {death.life.instance} died between {_clock(death.after_ns)} and {_clock(death.before_ns)} without "
            f"sending them; {service} was started again at {_clock(death.before_ns)}."
        )
    for life, stopped_ns, followed_ns in lives.pauses(service):
        if hole.what == "what was asked by" and stopped_ns - LOST_NS <= near.end_ns and near.start_ns <= followed_ns:
            return (
                f"{service} was away: {life.instance} had stopped at {_clock(stopped_ns)}, and the next process began at "
                f"{_clock(followed_ns)}."
            )
    return None


def _may_have_taken(death: Death, near: Span, trace: Trace) -> bool:
    """Whether the process lived when the missing span was made, and died before it had surely sent it."""
    lived = death.life.started_ns <= near.end_ns
    # If the trace has no root, it began earlier than its first span.
    earliest = trace.start_ns if trace.roots else trace.start_ns - LONGEST_NS
    soon = death.before_ns <= near.end_ns + LATEST_NS
    return lived and soon and death.before_ns >= earliest and death.after_ns <= near.end_ns + LOST_NS


def _clock(time_ns: int) -> str:
    moment = datetime.fromtimestamp(time_ns / 1e9, UTC)
    return f"{moment:%H:%M:%S}.{moment.microsecond // 1000:03d}"
