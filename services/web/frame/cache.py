"""A bounded cache in memory whose concurrent misses share one request, and that keeps an old answer for an outage or a long wait."""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from opentelemetry import trace

from chassis.http import ProviderUnavailable

K = TypeVar("K")
V = TypeVar("V")


@dataclass(frozen=True)
class Cached(Generic[V]):
    """An answer, and whether it is an old one because its provider could not be reached, or takes too long."""

    value: V
    stale: bool = False


@dataclass
class _Entry(Generic[V]):
    """`asked_at` is when it was asked for: what happened since then may be missing from it."""

    value: V
    asked_at: float
    fresh_until: float


@dataclass(eq=False)
class _Load(Generic[V]):
    """A request for an answer. `asked_at` is None until it is sent; `is_dropped`: it was sent before something changed."""

    task: "asyncio.Task[V]" = field(init=False)
    asked_at: float | None = None
    is_dropped: bool = False


class _TooLong(Exception):
    """Whoever waits has waited long enough, and may have the old answer."""


class Cache(Generic[K, V]):
    """At most `size` answers, each asked again after `ttl_seconds` or after `drop`.

    A dropped answer is not thrown away: if the provider then fails, or has not answered after `patience_seconds`, the last answer is
    given, marked as stale; a late one is kept for who comes next. Without a patience everybody waits for the provider.
    `least_age_seconds` bounds how often one key is asked while facts about it rain down: an answer younger
    than that is given although it was dropped. The age of an answer counts from when it was asked for, however long it took:
    who asks after a drop does not share a request that was sent earlier than that. Each answer is an event `cache` of the span
    that asks.
    """

    def __init__(
        self,
        *,
        name: str,
        size: int,
        ttl_seconds: float,
        least_age_seconds: float = 0.0,
        patience_seconds: float | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._name = name
        self._size = size
        self._ttl_seconds = ttl_seconds
        self._least_age_seconds = least_age_seconds
        self._patience_seconds = patience_seconds
        self._clock = clock
        self._entries: OrderedDict[K, _Entry[V]] = OrderedDict()
        # The request that who asks now shares; those that were dropped meanwhile are awaited only by who asked before.
        self._loading: dict[K, _Load[V]] = {}

    async def get(self, key: K, load: Callable[[], Awaitable[V]]) -> Cached[V]:
        """The answer for a key; `load` asks for it if need be. Raises what `load` raises if nothing is kept."""
        entry = self._entries.get(key)
        if entry is not None:
            self._entries.move_to_end(key)
            if self._clock() < entry.fresh_until:
                self._note("hit", entry)
                return Cached(entry.value)
        loading = self._loading.get(key)
        self._note("miss" if loading is None or loading.is_dropped else "shared", entry)
        try:
            return Cached(await self._load_once(key, load, self._patience_seconds if entry is not None else None))
        except (ProviderUnavailable, _TooLong):
            kept = self._entries.get(key)
            if kept is None:
                raise
            self._note("stale", kept)
            return Cached(kept.value, stale=True)

    def _note(self, outcome: str, entry: _Entry[V] | None) -> None:
        attributes: dict[str, str | int] = {"onsale.cache.name": self._name, "onsale.cache.outcome": outcome}
        if entry is not None:
            attributes["onsale.cache.age_ms"] = int((self._clock() - entry.asked_at) * 1000)
        trace.get_current_span().add_event("cache", attributes)

    async def _load_once(self, key: K, load: Callable[[], Awaitable[V]], seconds: float | None) -> V:
        loading = self._loading.get(key)
        if loading is None or loading.is_dropped:
            loading = self._begin(key, load, earlier=loading)
        # One visitor who leaves must not take the answer away from the others, and neither must one who waits no longer.
        done, _ = await asyncio.wait({loading.task}, timeout=seconds)
        if not done:
            raise _TooLong
        return loading.task.result()

    def _begin(self, key: K, load: Callable[[], Awaitable[V]], earlier: _Load[V] | None) -> _Load[V]:
        begun: _Load[V] = _Load()
        self._loading[key] = begun
        begun.task = asyncio.ensure_future(self._load(key, load, begun, earlier))
        # Whoever waits sees the error. If all who waited have gone, asyncio would log it as never retrieved.
        begun.task.add_done_callback(lambda done: done.cancelled() or done.exception())
        return begun

    async def _load(self, key: K, load: Callable[[], Awaitable[V]], begun: _Load[V], earlier: _Load[V] | None) -> V:
        try:
            if earlier is not None and (young := await self._young_answer(key, earlier)) is not None:
                return young.value
            begun.asked_at = self._clock()
            value = await load()
            # An answer that was dropped while it was on its way may already be out of date.
            self._keep(key, value, begun.asked_at, self._least_age_seconds if begun.is_dropped else self._ttl_seconds)
            return value
        finally:
            if self._loading.get(key) is begun:
                del self._loading[key]

    async def _young_answer(self, key: K, earlier: _Load[V]) -> _Entry[V] | None:
        """The answer of a request that was dropped, if it comes while it is young enough to be given all the same."""
        if earlier.asked_at is not None:
            left = earlier.asked_at + self._least_age_seconds - self._clock()
            await asyncio.wait({earlier.task}, timeout=max(0.0, left))
        entry = self._entries.get(key)
        return entry if entry is not None and self._clock() < entry.fresh_until else None

    def _keep(self, key: K, value: V, asked_at: float, fresh_seconds: float) -> None:
        kept = self._entries.get(key)
        if kept is not None and kept.asked_at > asked_at:
            return
        self._entries[key] = _Entry(value, asked_at, asked_at + fresh_seconds)
        self._entries.move_to_end(key)
        while len(self._entries) > self._size:
            self._entries.popitem(last=False)

    def drop(self, key: K) -> None:
        """What is kept for this key is out of date, and what was asked for and has not come yet."""
        loading = self._loading.get(key)
        if loading is not None and loading.asked_at is not None:
            loading.is_dropped = True
        entry = self._entries.get(key)
        if entry is not None:
            entry.fresh_until = min(entry.fresh_until, entry.asked_at + self._least_age_seconds)

    def drop_all(self) -> None:
        """Everything that is kept is out of date."""
        for key in {*self._entries, *self._loading}:
            self.drop(key)
