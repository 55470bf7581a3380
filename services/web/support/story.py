"""Gathers an order's story: asks every service for its records, and the trace store for what it still has."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from uuid import UUID

from chassis.http import ProviderProblem, ProviderUnavailable
from chassis.logs import log
from services.web.buying.words import STATE_WORDS
from services.web.clients.orders import OrderHead
from services.web.clients.records import Entry, Records
from services.web.frame import formats
from services.web.support.timeline import Line, joined, lines_of_records
from services.web.support.trace_lines import lines_of_trace
from services.web.support.words import duration
from tracing.reader import StoreUnreachable, Trace, TraceReader, TraceUnknown

# An order has its own trace, and those of what the bank and timers did for it.
MOST_TRACES = 6
STORE_SECONDS = 4.0

Ask = Callable[[UUID], Awaitable[Records]]

_LOG = log(__name__)


@dataclass(frozen=True)
class Story:
    """An order, all that happened to it, and what could not be found out (`notes`, sentences)."""

    head: OrderHead
    lines: list[Line]
    notes: list[str]

    @property
    def state_words(self) -> str:
        return STATE_WORDS[self.head.state][0]

    @property
    def tone(self) -> str:
        return STATE_WORDS[self.head.state][1]

    @property
    def total(self) -> str:
        return formats.price(self.head.total_minor, self.head.currency)

    @property
    def took_seconds(self) -> float | None:
        """From the hold to the confirmation."""
        head = self.head
        if head.held_at is None or head.confirmed_at is None:
            return None
        return max(0.0, (head.confirmed_at - head.held_at).total_seconds())

    @property
    def took(self) -> str | None:
        return duration(self.took_seconds) if self.took_seconds is not None else None


class Storyteller:
    """Joins the records of all services. `store_url`: where traces can be read (Jaeger's API), None if nowhere."""

    def __init__(self, services: Mapping[str, Ask], store_url: str | None) -> None:
        self._services = services
        self._store_url = store_url

    async def story_of(self, head: OrderHead) -> Story:
        """The story of an order. Never fails: what does not answer is missing, and a note says so."""
        answers = await asyncio.gather(*(self._records(name, ask, head) for name, ask in self._services.items()))
        records = {name: found.entries for name, found in answers if found is not None}
        notes = [
            f"{name.capitalize()} does not answer at the moment; its part is missing."
            for name, found in answers
            if found is None
        ]
        notes += [
            f"{name.capitalize()} has very much to tell: some of the middle is left out."
            for name, found in answers
            if found is not None and found.is_cut
        ]
        further, note_on_traces = await self._from_traces(head, records)
        return Story(head, joined(records, further), [*notes, *note_on_traces])

    async def _records(self, name: str, ask: Ask, head: OrderHead) -> tuple[str, Records | None]:
        try:
            return name, await ask(head.order_id)
        except (ProviderUnavailable, ProviderProblem) as error:
            _LOG.warning("a part of a story is missing", service=name, order=head.number, error=type(error).__name__)
            return name, None

    async def _from_traces(self, head: OrderHead, records: Mapping[str, list[Entry]]) -> tuple[list[Line], list[str]]:
        if self._store_url is None:
            return [], []
        entries = [entry for each in records.values() for entry in each]
        ids = [head.trace_id, *(entry.trace_id for entry in entries)]
        wanted = list(dict.fromkeys(each for each in ids if each))[:MOST_TRACES]
        if not wanted:
            return [], ["It was never in a trace; what you read is from the records."]
        try:
            traces = await asyncio.to_thread(_read_traces, self._store_url, wanted)
        except StoreUnreachable:
            return [], ["The trace store does not answer at the moment; what you read is from the records."]
        if head.trace_id not in {trace.trace_id for trace in traces}:
            return [], ["The spans are gone; what you read is from the records."]
        known = [line for name, each in records.items() for line in lines_of_records(name, each)]
        references = {entry.facts.reference for entry in entries if entry.facts.reference}
        return [line for trace in traces for line in lines_of_trace(trace, known, references)], []


def _read_traces(store_url: str, trace_ids: list[str]) -> list[Trace]:
    found = []
    with TraceReader(store_url, timeout_seconds=STORE_SECONDS) as reader:
        for trace_id in trace_ids:
            try:
                found.append(reader.trace(trace_id))
            except (TraceUnknown, ValueError):
                continue
    return found
