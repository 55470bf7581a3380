"""Who sits beside whom follows from where seats stand, whatever is painted on them."""

from services.catalog.adjacency import places_in_rows
from services.catalog.domain import Row, Seat, SeatingPlan, Zone


def a_row(name: str, *seats: tuple[str, float]) -> Row:
    made = tuple(Seat(f"{name}-{number}", number, number, x, 0.0, "Stalls") for number, x in seats)
    return Row(name, name, f"Row {name}", "both", made)


def places(*rows: Row) -> dict[str, int]:
    plan = SeatingPlan("House", 100, 100, (Zone("0", "", (), rows),), ())
    return {seat_id: place for seat_id, (_, place) in places_in_rows(plan).items()}


def test_seats_that_follow_each_other_are_neighbours_whatever_their_numbers() -> None:
    # Odd numbers to the left, as in many theatres, and a seat that was renumbered.
    assert places(a_row("A", ("5", 0), ("3", 10), ("1", 20), ("bis", 30))) == {"A-5": 1, "A-3": 2, "A-1": 3, "A-bis": 4}


def test_at_an_aisle_nobody_is_a_neighbour() -> None:
    assert places(a_row("A", ("1", 0), ("2", 10), ("3", 40), ("4", 50))) == {"A-1": 1, "A-2": 2, "A-3": 4, "A-4": 5}


def test_rows_are_apart_and_a_seat_alone_is_a_row() -> None:
    assert places(a_row("A", ("1", 0)), a_row("B", ("1", 0), ("2", 10))) == {"A-1": 1, "B-1": 1, "B-2": 2}


def test_seats_that_all_stand_in_one_place_are_neighbours() -> None:
    assert places(a_row("A", ("1", 0), ("2", 0), ("3", 0))) == {"A-1": 1, "A-2": 2, "A-3": 3}
