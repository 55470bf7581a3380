"""Tickets to test with."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from services.tickets.domain import Ticket, TicketState

TICKET = Ticket(
    ticket_id=UUID("01930000-0000-7000-8000-000000000001"),
    order_id=UUID("01930000-0000-7000-8000-0000000000aa"),
    order_number="K7Q2-9MXA",
    person_id=UUID("01930000-0000-7000-8000-0000000000bb"),
    event_id=UUID("01930000-0000-7000-8000-0000000000cc"),
    event_title="Die Dreigroschenoper",
    venue_name="Theater am Fluss",
    venue_city="Köln",
    starts_at=datetime(2026, 12, 31, 19, 0, tzinfo=UTC),
    time_zone="Europe/Berlin",
    line_id=UUID("01930000-0000-7000-8000-0000000000dd"),
    ordinal=1,
    class_id=UUID("01930000-0000-7000-8000-0000000000ee"),
    class_name="Parkett",
    seat_id="p-7-12",
    seat_label="Row 7, seat 12",
    currency="EUR",
    unit_price_minor=4250,
    state=TicketState.VALID,
    epoch=1,
    issued_at=datetime(2026, 11, 2, 10, 30, tzinfo=UTC),
)


def a_ticket(**changes: Any) -> Ticket:
    """The example ticket, with changes."""
    return replace(TICKET, **changes)
