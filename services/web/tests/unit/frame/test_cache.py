"""The cache: one request for concurrent misses, old answers during an outage, bounded in size and in asking."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from chassis.http import ProviderUnavailable
from services.web.frame.cache import Cache, Cached
from tracing.spans import span
from tracing.testing import Kept


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class Source:
    """Counts how often it is asked, and fails when it has to."""

    def __init__(self) -> None:
        self.asked = 0
        self.fails = False
        self.gate = asyncio.Event()
        self.gate.set()

    def loading(self) -> Callable[[], Awaitable[int]]:
        async def load() -> int:
            self.asked += 1
            answer = self.asked
            await self.gate.wait()
            if self.fails:
                raise ProviderUnavailable("catalog")
            return answer

        return load


def make(
    clock: Clock, least_age_seconds: float = 0.0, size: int = 10, patience_seconds: float | None = None
) -> Cache[str, int]:
    return Cache(
        name="sample",
        size=size,
        ttl_seconds=10,
        least_age_seconds=least_age_seconds,
        patience_seconds=patience_seconds,
        clock=clock,
    )


async def until_asked(source: Source, times: int) -> None:
    async with asyncio.timeout(20):
        while source.asked < times:  # noqa: ASYNC110  # nothing else runs here
            await asyncio.sleep(0)


async def test_an_answer_is_kept_until_its_time_is_over() -> None:
    clock, source = Clock(), Source()
    cache = make(clock)

    assert await cache.get("a", source.loading()) == Cached(1)
    clock.now += 9.9
    assert await cache.get("a", source.loading()) == Cached(1)
    clock.now += 0.2
    assert await cache.get("a", source.loading()) == Cached(2)


async def test_concurrent_misses_share_one_request() -> None:
    source = Source()
    cache = make(Clock())
    source.gate.clear()
    waiting = [asyncio.create_task(cache.get("a", source.loading())) for _ in range(20)]
    await asyncio.sleep(0)
    source.gate.set()

    assert await asyncio.gather(*waiting) == [Cached(1)] * 20


async def test_one_who_leaves_does_not_take_the_answer_from_the_others() -> None:
    source = Source()
    cache = make(Clock())
    source.gate.clear()
    leaving = asyncio.create_task(cache.get("a", source.loading()))
    staying = asyncio.create_task(cache.get("a", source.loading()))
    await asyncio.sleep(0)
    leaving.cancel()
    source.gate.set()

    assert await staying == Cached(1)


async def test_a_dropped_answer_is_asked_again() -> None:
    source = Source()
    cache = make(Clock())
    await cache.get("a", source.loading())
    cache.drop("a")

    assert await cache.get("a", source.loading()) == Cached(2)


async def test_drops_that_rain_down_do_not_ask_more_often_than_the_least_age() -> None:
    clock, source = Clock(), Source()
    cache = make(clock, least_age_seconds=0.25)
    for _ in range(100):
        await cache.get("a", source.loading())
        cache.drop("a")
        clock.now += 0.01

    assert source.asked == 4


async def test_an_answer_that_was_dropped_on_its_way_is_not_kept() -> None:
    source = Source()
    cache = make(Clock())
    source.gate.clear()
    asking = asyncio.create_task(cache.get("a", source.loading()))
    await until_asked(source, 1)
    cache.drop("a")
    source.gate.set()
    await asking

    assert await cache.get("a", source.loading()) == Cached(2)


async def test_who_asks_after_a_drop_does_not_share_what_was_asked_before_it() -> None:
    clock, source = Clock(), Source()
    cache = make(clock, least_age_seconds=0.01)
    source.gate.clear()
    before = asyncio.create_task(cache.get("a", source.loading()))
    await until_asked(source, 1)
    cache.drop("a")
    clock.now += 1
    after = [asyncio.create_task(cache.get("a", source.loading())) for _ in range(20)]
    await until_asked(source, 2)
    source.gate.set()

    assert await before == Cached(1)
    assert await asyncio.gather(*after) == [Cached(2)] * 20
    assert await cache.get("a", source.loading()) == Cached(2)


async def test_a_slow_answer_is_as_old_as_its_question() -> None:
    clock, source = Clock(), Source()
    cache = make(clock)
    source.gate.clear()
    asking = asyncio.create_task(cache.get("a", source.loading()))
    await until_asked(source, 1)
    clock.now += 9.9
    source.gate.set()
    await asking
    assert await cache.get("a", source.loading()) == Cached(1)
    clock.now += 0.2

    assert await cache.get("a", source.loading()) == Cached(2)


async def test_who_has_an_old_answer_does_not_wait_for_a_provider_that_hangs() -> None:
    clock, source = Clock(), Source()
    cache = make(clock, patience_seconds=0.01)
    await cache.get("a", source.loading())
    clock.now += 11
    source.gate.clear()

    assert await cache.get("a", source.loading()) == Cached(1, stale=True)
    assert await asyncio.gather(*(cache.get("a", source.loading()) for _ in range(20))) == [Cached(1, stale=True)] * 20
    assert source.asked == 2, "All share the one request that is under way."
    source.gate.set()
    async with asyncio.timeout(20):
        while (late := await cache.get("a", source.loading())).stale:  # nothing else runs here
            pass
    assert late == Cached(2), "What came late is kept for who comes next."
    assert source.asked == 2


async def test_who_has_no_answer_waits_for_it() -> None:
    source = Source()
    cache = make(Clock(), patience_seconds=0.01)
    source.gate.clear()
    asking = asyncio.create_task(cache.get("a", source.loading()))
    await until_asked(source, 1)
    await asyncio.wait({asking}, timeout=0.05)
    assert not asking.done()
    source.gate.set()
    assert await asking == Cached(1)


async def test_an_answer_that_comes_late_does_not_replace_one_that_was_asked_for_later() -> None:
    clock, source, slow = Clock(), Source(), Source()
    cache = make(clock)
    slow.gate.clear()
    before = asyncio.create_task(cache.get("a", slow.loading()))
    await until_asked(slow, 1)
    cache.drop("a")
    source.asked = 1
    clock.now += 1
    assert await asyncio.wait_for(cache.get("a", source.loading()), 20) == Cached(2)
    slow.gate.set()
    assert await before == Cached(1)

    assert await cache.get("a", source.loading()) == Cached(2)


async def test_drops_that_rain_down_on_a_slow_provider_ask_no_more_often_either() -> None:
    clock, source = Clock(), Source()
    cache = make(clock, least_age_seconds=60)
    source.gate.clear()
    asking = []
    for _ in range(20):
        asking.append(asyncio.create_task(cache.get("a", source.loading())))
        await until_asked(source, 1)
        cache.drop("a")
        clock.now += 1
    source.gate.set()

    # The answer is younger than a minute: it is given to all, as one that is kept would be.
    assert await asyncio.gather(*asking) == [Cached(1)] * 20
    assert source.asked == 1


async def test_being_told_twice_asks_once() -> None:
    source = Source()
    cache = make(Clock())
    await cache.get("a", source.loading())
    for _ in range(2):
        cache.drop("a")
        cache.drop_all()

    assert await cache.get("a", source.loading()) == Cached(2)
    assert await cache.get("a", source.loading()) == Cached(2)


async def test_an_old_answer_is_given_while_the_provider_is_away() -> None:
    clock, source = Clock(), Source()
    cache = make(clock)
    await cache.get("a", source.loading())
    clock.now += 60
    source.fails = True

    assert await cache.get("a", source.loading()) == Cached(1, stale=True)


async def test_without_an_old_answer_the_outage_is_reported() -> None:
    source = Source()
    source.fails = True

    with pytest.raises(ProviderUnavailable):
        await make(Clock()).get("a", source.loading())


async def test_it_never_holds_more_than_its_size() -> None:
    source = Source()
    cache = make(Clock(), size=2)
    for key in "abc":
        await cache.get(key, source.loading())
    await cache.get("c", source.loading())
    await cache.get("b", source.loading())
    assert source.asked == 3

    await cache.get("a", source.loading())
    assert source.asked == 4


async def test_each_answer_says_how_old_it_is_and_where_it_came_from(kept_spans: Kept) -> None:
    clock, source = Clock(), Source()
    cache = make(clock)
    with span("GET /"):
        await cache.get("a", source.loading())
        clock.now += 2
        await cache.get("a", source.loading())
        clock.now += 10
        source.fails = True
        await cache.get("a", source.loading())
    outcomes = [
        (event.attributes["onsale.cache.outcome"], event.attributes.get("onsale.cache.age_ms"))
        for event in kept_spans.the("GET /").events
    ]
    assert outcomes == [("miss", None), ("hit", 2000), ("miss", 12_000), ("stale", 12_000)]


async def test_who_shares_a_request_says_so(kept_spans: Kept) -> None:
    source = Source()
    source.gate.clear()
    cache = make(Clock())
    with span("GET /"):
        asking = [asyncio.ensure_future(cache.get("a", source.loading())) for _ in range(2)]
        await asyncio.sleep(0)
        source.gate.set()
        await asyncio.gather(*asking)
    outcomes = [event.attributes["onsale.cache.outcome"] for event in kept_spans.the("GET /").events]
    assert outcomes == ["miss", "shared"]
