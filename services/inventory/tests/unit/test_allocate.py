"""The rules of allocation, without any database."""

from uuid import UUID, uuid4

from hypothesis import given
from hypothesis import strategies as st

from services.inventory.domain import (
    ClassKind,
    ClassRow,
    Granted,
    PlaceUnknown,
    SeatRow,
    SeatsTaken,
    SeatState,
    SoldOut,
    Stock,
    TooManyPlaces,
    Wish,
    allocate,
)

STANDING = UUID(int=1)
STALLS = UUID(int=2)


def wish(*places: tuple[UUID, int], seats: tuple[str, ...] = ()) -> Wish:
    return Wish(uuid4(), uuid4(), places, seats, 600)


def stock(capacity: int = 10, held: int = 0, sold: int = 0, seats: str = "") -> Stock:
    rows = {name: SeatRow(name, STALLS, name, SeatState.FREE) for name in seats.split()}
    return Stock({STANDING: ClassRow(STANDING, ClassKind.GENERAL, capacity, held, sold)}, rows)


def test_a_wish_gets_what_is_left() -> None:
    (outcome,) = allocate([wish((STANDING, 3))], stock(capacity=10, held=4, sold=3))
    assert isinstance(outcome, Granted)


def test_a_wish_for_more_than_is_left_learns_how_much_is_left() -> None:
    (outcome,) = allocate([wish((STANDING, 4))], stock(capacity=10, held=4, sold=3))
    assert isinstance(outcome, SoldOut)
    assert outcome.available == 3


def test_a_large_wish_does_not_refuse_the_small_ones_behind_it() -> None:
    outcomes = allocate([wish((STANDING, 11)), wish((STANDING, 2))], stock(capacity=10))
    assert [type(outcome) for outcome in outcomes] == [SoldOut, Granted]


def test_seats_are_all_or_nothing() -> None:
    outcomes = allocate(
        [wish(seats=("A1", "A2")), wish(seats=("A2", "A3")), wish(seats=("A3",))], stock(seats="A1 A2 A3")
    )
    assert [type(outcome) for outcome in outcomes] == [Granted, SeatsTaken, Granted]
    assert isinstance(outcomes[1], SeatsTaken)
    assert outcomes[1].seat_ids == ["A2"]


def test_a_refused_seat_leaves_general_admission_untouched() -> None:
    rows = stock(capacity=1)
    refused, granted = allocate([wish((STANDING, 1), seats=("Z9",)), wish((STANDING, 1))], rows)
    assert isinstance(refused, PlaceUnknown)
    assert isinstance(granted, Granted)


def test_nothing_and_too_much_are_refused() -> None:
    outcomes = allocate([wish(), wish((STANDING, 51))], stock(capacity=100))
    assert [type(outcome) for outcome in outcomes] == [TooManyPlaces, TooManyPlaces]


@given(
    capacity=st.integers(0, 60),
    held=st.integers(0, 20),
    quantities=st.lists(st.integers(1, 50), max_size=30),
    choices=st.lists(st.sets(st.sampled_from("ABCDEFGH"), min_size=1, max_size=4), max_size=20),
)
def test_whatever_is_wished_no_place_is_promised_twice(
    capacity: int, held: int, quantities: list[int], choices: list[set[str]]
) -> None:
    rows = stock(capacity=capacity + held, held=held, seats="A B C D E F G H")
    wishes = [wish((STANDING, quantity)) for quantity in quantities] + [wish(seats=tuple(sorted(c))) for c in choices]
    granted = [outcome for outcome in allocate(wishes, rows) if isinstance(outcome, Granted)]
    assert sum(line.quantity for each in granted for line in each.lines if line.seat_id is None) <= capacity
    seats = [line.seat_id for each in granted for line in each.lines if line.seat_id is not None]
    assert len(seats) == len(set(seats))
    assert rows.classes[STANDING].available >= 0
