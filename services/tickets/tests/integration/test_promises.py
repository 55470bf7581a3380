"""What tickets promises is kept by the database itself, whatever the code does."""

from chassis.testing import Harness, RunningApp
from services.tickets.settings import TicketsSettings
from services.tickets.tests.integration.orders import ORDER_CONFIRMED, TICKETS_ISSUED, a_line, order_confirmed


async def test_a_line_of_a_seat_has_one_ticket(
    harness: Harness, running: RunningApp, settings: TicketsSettings
) -> None:
    await harness.tell(ORDER_CONFIRMED, order_confirmed(a_line(seat_id="A1", seat_label="A 1")))
    await harness.heard(TICKETS_ISSUED)
    url = settings.database_url.get_secret_value()
    assert "a_seat_is_one_place" in await harness.refused(url, "UPDATE ticket SET ordinal = 2")


async def test_an_older_word_of_an_event_does_not_overwrite_a_newer_one(harness: Harness) -> None:
    known = """
        INSERT INTO event (event_id, version, state, changes, title, starts_at, time_zone, venue_name, venue_city, told_version)
        VALUES (gen_random_uuid(), 3, 'cancelled', '[]', '', now(), '', '', '', 2)
    """
    went_on = ["UPDATE event SET version = 4", "UPDATE event SET version = 4, told_version = 3"]
    said = await harness.refused(harness.database_url("tickets"), known, *went_on, "UPDATE event SET version = 3")
    assert "what is older does not stand above it" in said
