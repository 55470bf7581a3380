"""Who is let in when, without any database."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.waitingroom.domain import (
    Entry,
    EntryState,
    Sale,
    SaleState,
    check_times,
    commitment,
    drawn,
    expected_seconds,
    let_in,
    lot,
    next_rate,
)

NOON = datetime(2031, 1, 10, 12, tzinfo=UTC)
SEED = "a seed"


def a_sale(**changed: object) -> Sale:
    sale = Sale(
        event_id=uuid4(),
        doors_open_at=NOON - timedelta(hours=1),
        starts_at=NOON,
        rate=60,
        rate_now=60.0,
        most_active=100,
        seed=SEED,
        drawn_at=NOON,
        paused=False,
        ended=False,
        serving=0,
        credit=0.0,
        last_number=1000,
        advanced_at=NOON,
        places_left=500,
        places_in_carts=0,
    )
    return replace(sale, **changed)  # type: ignore[arg-type]


def seconds_later(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("changed", "now", "state"),
    [
        ({"drawn_at": None}, NOON - timedelta(hours=2), SaleState.ANNOUNCED),
        ({"drawn_at": None}, NOON - timedelta(hours=1), SaleState.DOORS_OPEN),
        ({"drawn_at": None}, NOON, SaleState.DOORS_OPEN),
        ({}, NOON, SaleState.SELLING),
        ({"paused": True}, NOON, SaleState.PAUSED),
        ({"paused": True, "ended": True}, NOON, SaleState.ENDED),
    ],
)
def test_a_sale_opens_draws_sells_and_ends(changed: dict[str, object], now: datetime, state: SaleState) -> None:
    assert a_sale(**changed).state(now) is state


@pytest.mark.parametrize(
    ("number", "until", "passed", "done", "state"),
    [
        (None, None, False, False, EntryState.EQUAL),
        (7, None, False, False, EntryState.WAITING),
        (7, seconds_later(1), False, False, EntryState.TURN),
        (7, seconds_later(1), True, False, EntryState.INSIDE),
        (7, NOON, False, False, EntryState.MISSED),
        (7, NOON, True, False, EntryState.MISSED),
        (7, seconds_later(1), True, True, EntryState.DONE),
    ],
)
def test_somebody_waits_has_their_turn_and_comes_in(
    number: int | None, until: datetime | None, passed: bool, done: bool, state: EntryState
) -> None:
    assert Entry(uuid4(), uuid4(), number, until, passed, done).state(NOON) is state


def test_doors_open_before_the_sale_starts() -> None:
    check_times(NOON, seconds_later(1))
    with pytest.raises(ValueError, match="doors open before"):
        check_times(NOON, NOON)


def test_anybody_can_draw_the_lots_again() -> None:
    entries = [UUID(int=number) for number in range(1, 6)]
    numbers = drawn(SEED, entries)
    assert sorted(numbers.values()) == [1, 2, 3, 4, 5]
    assert drawn(SEED, reversed(entries)) == numbers
    assert drawn("another seed", entries) != numbers
    first = min(entries, key=lambda entry: lot(SEED, entry))
    assert numbers[first] == 1
    # As `sha256sum` says it of the same text: no library of ours is needed.
    assert commitment(SEED) == "8f44d509e0492acec4fc109a030a5c751f063fb743cc388f0ed722bacc3bc66c"


@given(st.sets(st.uuids(), min_size=200, max_size=200))
def test_lots_favour_nobody_by_when_they_came(entries: set[UUID]) -> None:
    in_order = sorted(entries)
    numbers = drawn(SEED, in_order)
    early = [numbers[entry] for entry in in_order[:100]]
    # The mean of 100 of 200 numbers lies within six standard deviations of 100.5.
    assert 76 < sum(early) / 100 < 125


def test_people_are_let_in_at_the_rate() -> None:
    serving, credit = let_in(a_sale(), seconds_later(0.5), active=0)
    assert (serving, round(credit, 6)) == (0, 0.5)
    serving, credit = let_in(a_sale(credit=0.5), seconds_later(0.5), active=0)
    assert (serving, round(credit, 6)) == (1, 0.0)
    assert let_in(a_sale(rate=6000, rate_now=6000.0), seconds_later(1), active=0)[0] == 100


def test_never_more_than_may_be_inside_or_than_have_come() -> None:
    quick = a_sale(rate=6000, rate_now=6000.0)
    assert let_in(quick, seconds_later(2), active=95)[0] == 5
    assert let_in(quick, seconds_later(2), active=120)[0] == 0
    assert let_in(replace(quick, serving=990), seconds_later(2), active=0)[0] == 1000


def test_a_clock_that_goes_back_lets_nobody_in_and_takes_nobody_back() -> None:
    for credit in (0.0, 0.5, 7.0):
        sale = a_sale(rate=6000, rate_now=600.0, serving=50, credit=credit)
        assert let_in(sale, seconds_later(-3), active=0) == (50, credit)


def test_nobody_is_let_in_for_nothing() -> None:
    for changed in ({"paused": True}, {"ended": True}, {"places_left": 0}, {"drawn_at": None}):
        assert let_in(a_sale(serving=3, **changed), seconds_later(60), active=0)[0] == 3, changed


def test_what_a_pause_left_unused_does_not_come_at_once() -> None:
    serving, _ = let_in(a_sale(rate=600, rate_now=600.0, most_active=10_000), seconds_later(3600), active=0)
    assert serving <= 50


@given(
    st.lists(st.floats(0.01, 30), min_size=1, max_size=60),
    st.integers(1, 6000),
    st.integers(1, 500),
    st.integers(0, 900),
)
def test_admissions_never_exceed_the_rate(steps: list[float], rate: int, most: int, serving: int) -> None:
    sale = a_sale(rate=rate, rate_now=float(rate), most_active=most, serving=serving)
    now = NOON
    for step in steps:
        now += timedelta(seconds=step)
        up_to, credit = let_in(sale, now, active=0)
        assert serving <= up_to <= sale.last_number
        assert up_to - sale.serving <= most
        sale = replace(sale, serving=up_to, credit=credit, advanced_at=now)
    assert sale.serving - serving <= rate * sum(steps) / 60 + 1


def test_a_slow_shop_lets_fewer_people_in_and_a_quick_one_more() -> None:
    assert next_rate(100.0, 100, wait_seconds=1.0) == pytest.approx(70.0)
    assert next_rate(100.0, 100, wait_seconds=None) == pytest.approx(70.0)
    assert next_rate(70.0, 100, wait_seconds=0.0) == pytest.approx(77.0)
    assert next_rate(99.0, 100, wait_seconds=0.0) == 100.0
    assert next_rate(6.0, 100, wait_seconds=1.0) == 6.0
    assert next_rate(2.0, 2, wait_seconds=1.0) == 2.0


def test_how_long_it_takes_is_said_only_where_it_can_be() -> None:
    assert expected_seconds(a_sale(serving=40), 100, NOON) == pytest.approx(60.0)
    assert expected_seconds(a_sale(serving=100), 40, NOON) == 0.0
    assert expected_seconds(a_sale(paused=True), 100, NOON) is None
    assert expected_seconds(a_sale(places_left=0), 100, NOON) is None
