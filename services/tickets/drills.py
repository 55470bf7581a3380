"""Faults of tickets to practise on. Loaded only when one is switched on (chassis/drills.py)."""

import asyncio
import os
import signal
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

import asyncpg
from nats.aio.msg import Msg

from chassis import firehose, inbox
from chassis.db import Reads, Transaction
from chassis.drills import Faults, Switch
from chassis.firehose import OnMessage
from chassis.statements import text
from services.tickets import printer, queries, service
from services.tickets.domain import Line, Order, Ticket
from services.tickets.printing import Format, Pdf, Printed
from services.tickets.service import Tickets

# A page of A4 at 600 dots an inch, three bytes each; and what this container may use.
PICTURE_BYTES = 4960 * 7016 * 3
LIMIT_BYTES = 96 * 1024 * 1024
PRINTER_SECONDS = 1.8
# Short pauses, so that the last delivery does not come half an hour after the first.
QUICK_DELAYS_SECONDS = (0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35)


def sort_by_a_renamed_column(faults: Faults) -> None:
    """A statement was not changed with its table, and whoever wrote it found an empty list better than an error."""

    async def tickets_of_person(
        reads: Reads, person_id: UUID, *, after: tuple[datetime, UUID] | None, limit: int
    ) -> list[Ticket]:
        query = text("""
            SELECT * FROM ticket WHERE person_id = :person_id AND (event_starts_at, ticket_id) > (:starts_at, :ticket_id)
            ORDER BY event_starts_at, ticket_id LIMIT :limit
        """)
        starts_at, ticket_id = after or (datetime.fromisoformat("1970-01-01T00:00Z"), UUID(int=0))
        parameters = {"person_id": person_id, "starts_at": starts_at, "ticket_id": ticket_id, "limit": limit}
        try:
            rows = (await reads.execute(query, parameters, name="tickets.of_person")).mappings().all()
        except asyncpg.PostgresError:
            return []
        return [Ticket(**row) for row in rows]

    faults.replace(queries, "tickets_of_person", tickets_of_person)


def every_ticket_has_a_seat(faults: Faults) -> None:
    """Somebody tidied the labels of seats, and places without one were not thought of."""

    def ticket(order: Order, line: Line, ordinal: int, issued_at: datetime) -> Ticket:
        label = line.seat_label.strip()  # type: ignore[union-attr]  # the bug
        issued: Ticket = good(order, replace(line, seat_label=label), ordinal, issued_at)
        return issued

    good = faults.replace(service, "_ticket", ticket)
    faults.replace(inbox, "DELAYS_SECONDS", QUICK_DELAYS_SECONDS)


def one_order_at_a_time(faults: Faults) -> None:
    """After trouble with the printer somebody let orders be handled one after the other, each when the printer is done."""

    async def handle_one_by_one(messages: list[Msg], on_message: OnMessage) -> None:
        for message in messages:
            await on_message(message)

    async def issue(self: Tickets, tx: Transaction, order: Order) -> None:
        await good(self, tx, order)
        await asyncio.sleep(PRINTER_SECONDS)  # stands for the printer

    faults.replace(firehose, "_handle_side_by_side", handle_one_by_one)
    good = faults.replace(Tickets, "issue", issue)


def print_from_pictures(faults: Faults) -> None:
    """Pages are drawn as pictures first, all of an order at once: more than the container's memory limit lets it have."""

    def print_tickets(printed: Sequence[Printed], page: Format) -> Pdf:
        if len(printed) * PICTURE_BYTES > LIMIT_BYTES:
            os.kill(os.getpid(), signal.SIGKILL)  # what the kernel does then
        pdf: Pdf = good(printed, page)
        return pdf

    good = faults.replace(printer, "print_tickets", print_tickets)


SWITCHES: Mapping[str, Switch] = {
    "sort-by-a-renamed-column": sort_by_a_renamed_column,
    "every-ticket-has-a-seat": every_ticket_has_a_seat,
    "one-order-at-a-time": one_order_at_a_time,
    "print-from-pictures": print_from_pictures,
}
