"""A bounded cache in memory whose concurrent misses share one request, and that keeps an old answer for an outage."""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from opentelemetry import trace

from chassis.http import ProviderUnavailable

K = TypeVar("K")
V = TypeVar("V")


@dataclass(frozen=True)
class Cached(Generic[V]):
    """An answer, and whether it is an old one because its provider could not be reached."""

    value: V
    stale: bool = False


@dataclass
class _Entry(Generic[V]):
    value: V
    loaded_at: float
    fresh_until: float


class Cache(Generic[K, V]):
    """At most `size` answers, each asked again after `ttl_seconds` or after `drop`.

    A dropped answer is not thrown away: if the provider then fails, the last answer is given, marked as stale.
    `least_age_seconds` bounds how often one key is asked while facts about it rain down: an answer younger
    than that is given although it was dropped. Each answer is an event `cache` of the span that asks.
    """

    def __init__(
        self,
        *,
        name: str,
        size: int,
        ttl_seconds: float,
        least_age_seconds: float = 0.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._name = name
        self._size = size
        self._ttl_seconds = ttl_seconds
        self._least_age_seconds = least_age_seconds
        self._clock = clock
        self._entries: OrderedDict[K, _Entry[V]] = OrderedDict()
        self._loading: dict[K, asyncio.Task[V]] = {}
        self._drops: dict[K, int] = {}

    async def get(self, key: K, load: Callable[[], Awaitable[V]]) -> Cached[V]:
        """The answer for a key; `load` asks for it if need be. Raises what `load` raises if nothing is kept."""
        entry = self._entries.get(key)
        if entry is not None:
            self._entries.move_to_end(key)
            if self._clock() < entry.fresh_until:
                self._note("hit", entry)
                return Cached(entry.value)
        self._note("shared" if key in self._loading else "miss", entry)
        try:
            return Cached(await self._load_once(key, load))
        except ProviderUnavailable:
            kept = self._entries.get(key)
            if kept is None:
                raise
            self._note("stale", kept)
            return Cached(kept.value, stale=True)

    def _note(self, outcome: str, entry: _Entry[V] | None) -> None:
        attributes: dict[str, str | int] = {"onsale.cache.name": self._name, "onsale.cache.outcome": outcome}
        if entry is not None:
            attributes["onsale.cache.age_ms"] = int((self._clock() - entry.loaded_at) * 1000)
        trace.get_current_span().add_event("cache", attributes)

    async def _load_once(self, key: K, load: Callable[[], Awaitable[V]]) -> V:
        task = self._loading.get(key)
        if task is None:
            task = asyncio.ensure_future(self._load(key, load))
            self._loading[key] = task
            # Whoever waits sees the error. If all who waited have gone, asyncio would log it as never retrieved.
            task.add_done_callback(lambda done: done.cancelled() or done.exception())
        # One visitor who leaves must not take the answer away from the others.
        return await asyncio.shield(task)

    async def _load(self, key: K, load: Callable[[], Awaitable[V]]) -> V:
        drops = self._drops.setdefault(key, 0)
        try:
            value = await load()
            # An answer that was dropped while it was on its way may already be out of date.
            dropped_meanwhile = self._drops.get(key, 0) != drops
            self._keep(key, value, self._least_age_seconds if dropped_meanwhile else self._ttl_seconds)
            return value
        finally:
            self._loading.pop(key, None)
            self._drops.pop(key, None)

    def _keep(self, key: K, value: V, fresh_seconds: float) -> None:
        now = self._clock()
        self._entries[key] = _Entry(value, now, now + fresh_seconds)
        self._entries.move_to_end(key)
        while len(self._entries) > self._size:
            self._entries.popitem(last=False)

    def drop(self, key: K) -> None:
        """What is kept for this key is out of date."""
        if key in self._drops:
            self._drops[key] += 1
        entry = self._entries.get(key)
        if entry is not None:
            entry.fresh_until = min(entry.fresh_until, entry.loaded_at + self._least_age_seconds)

    def drop_all(self) -> None:
        """Everything that is kept is out of date."""
        for key in list(self._entries) + [key for key in self._drops if key not in self._entries]:
            self.drop(key)
