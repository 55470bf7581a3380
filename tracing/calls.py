"""Calls between services as traces show them: the client's span on one host, the server's on another."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tracing.model import Span, Trace


@dataclass(frozen=True)
class Call:
    """One call. `server` is None if no span of the callee is there: it was never reached, or has died with its spans."""

    client: Span
    server: Span | None

    @property
    def is_between_hosts(self) -> bool:
        """Whether caller and callee are on different hosts, as far as both are known."""
        return self.server is not None and self.client.resource.get("host.name") != self.server.resource.get(
            "host.name"
        )

    @property
    def on_the_way_seconds(self) -> float:
        """How long the caller waited beyond the callee's own work: for the network, and to be served."""
        server_ns = self.server.duration_ns if self.server else 0
        return (self.client.duration_ns - server_ns) / 1e9


def calls(traces: Sequence[Trace], caller: str, *callees: str) -> list[Call]:
    """All calls of a service to these others."""
    return [call for trace in traces for call in calls_in(trace) if _is_wanted(call, caller, callees)]


def calls_in(trace: Trace) -> Iterator[Call]:
    """Every call over HTTP in a trace, by when it began."""
    for span in trace.spans:
        if span.kind == "client" and "http.request.method" in span.attributes:
            server = next((child for child in trace.children_of(span) if child.kind == "server"), None)
            yield Call(span, server)


def _is_wanted(call: Call, caller: str, callees: Sequence[str]) -> bool:
    return call.client.service == caller and call.client.attributes.get("peer.service") in callees
