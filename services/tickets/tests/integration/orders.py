"""What `orders` tells this service."""

from typing import Any
from uuid import UUID

from chassis.ids import uuid7

ORDER_CONFIRMED = "events.orders.order_confirmed.v1"
TICKETS_ISSUED = "events.tickets.tickets_issued.v1"


def a_line(quantity: int = 1, **changes: Any) -> dict[str, Any]:
    """A line of general admission, unless changed."""
    line = {
        "line_id": str(uuid7()),
        "class_id": str(uuid7()),
        "class_name": "Stehplatz",
        "seat_id": None,
        "seat_label": None,
        "quantity": quantity,
        "unit_price_minor": 4250,
    }
    return line | changes


def order_confirmed(*lines: dict[str, Any], person_id: UUID | None = None, **changes: Any) -> dict[str, Any]:
    """The data of the fact, with every field that it has (also those that nobody here reads)."""
    made = list(lines) or [a_line(2), a_line(class_name="Parkett", seat_id="p-7-12", seat_label="Row 7, seat 12")]
    return {
        "order_id": str(uuid7()),
        "number": "K7Q2-9MXA",
        "person_id": str(person_id or uuid7()),
        "event_id": str(uuid7()),
        "event_title": "Żółta łódź",
        "venue_name": "Theater am Fluss",
        "venue_city": "Köln",
        "starts_at": "2026-12-31T19:00:00Z",
        "time_zone": "Europe/Berlin",
        "currency": "EUR",
        "total_minor": sum(line["quantity"] * line["unit_price_minor"] for line in made),
        "confirmed_at": "2026-11-02T10:30:00Z",
        "lines": made,
    } | changes
