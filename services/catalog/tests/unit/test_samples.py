from collections import Counter
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from services.catalog.domain import sellable
from services.catalog.samples.collection import sample_events, sample_plans

NOW = datetime(2026, 11, 22, 21, 30, tzinfo=UTC)


def test_the_theatre_has_60_seats_and_the_hall_2000_in_four_categories() -> None:
    theatre, hall = sample_plans()
    assert Counter(seat.category for seat in theatre.seats()) == {"Front": 30, "Rear": 30}
    categories = Counter(seat.category for seat in hall.seats())
    assert categories == {"Premium": 240, "Stalls": 720, "Circle": 560, "Balcony": 480}


def test_all_seats_of_the_samples_lie_apart_and_within_their_plan() -> None:
    for plan in sample_plans():
        seats = plan.seats()
        assert all(0 < seat.x < plan.width and 0 < seat.y < plan.height for seat in seats)
        cells = {(round(seat.x / 15), round(seat.y / 15)) for seat in seats}
        assert len(cells) > len(seats) * 0.97
        assert len({(seat.x, seat.y) for seat in seats}) == len(seats)


def test_the_festival_has_20000_places_in_three_classes() -> None:
    (festival,) = (draft for draft in sample_events(NOW) if "festival" in draft.identifier)
    assert [cls.capacity for cls in festival.classes] == [14_000, 4_000, 2_000]


def test_every_sample_event_can_be_sold_with_its_plan() -> None:
    seats = {plan.name: {seat.seat_id: seat.category for seat in plan.seats()} for plan in sample_plans()}
    for draft in sample_events(NOW):
        assert sellable(draft, seats.get(draft.plan_name or "", {})).classes


@given(st.integers(0, 24 * 365 * 10).map(lambda hours: NOW + timedelta(hours=hours)))
def test_samples_lie_ahead_and_start_at_whole_hours_whenever_they_are_loaded(now: datetime) -> None:
    for draft in sample_events(now):
        assert draft.starts_at > now + timedelta(days=3)
        assert draft.starts_at.astimezone(ZoneInfo(draft.time_zone)).minute == 0


def test_samples_have_the_same_ids_whenever_they_are_loaded() -> None:
    later = sample_events(NOW + timedelta(days=400))
    assert [draft.event_id for draft in sample_events(NOW)] == [draft.event_id for draft in later]
