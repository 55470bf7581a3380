"""All SQL of this service."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping, Table, select, tuple_
from sqlalchemy.dialects.postgresql import insert

from chassis.db import Reads, Transaction
from services.tickets.domain import Ticket, TicketState
from services.tickets.tables import TicketRow

_TICKET: Table = TicketRow.metadata.tables["ticket"]


async def insert_tickets(tx: Transaction, tickets: Sequence[Ticket]) -> int:
    """Writes the tickets that are not there yet, and returns how many that were."""
    statement = (
        insert(_TICKET)
        .on_conflict_do_nothing(index_elements=["order_id", "line_id", "ordinal"])
        .returning(_TICKET.c.ticket_id)
    )
    rows: list[dict[str, Any]] = [asdict(ticket) for ticket in tickets]
    return len((await tx.execute(statement, rows, name="tickets.insert_tickets")).all())


async def tickets_of_order(reads: Reads, order_id: UUID) -> list[Ticket]:
    """The tickets of an order, in the order of its lines."""
    statement = select(_TICKET).where(_TICKET.c.order_id == order_id).order_by(_TICKET.c.ticket_id)
    return [_ticket(row) for row in (await reads.execute(statement, name="tickets.of_order")).mappings()]


async def ticket_by_id(reads: Reads, ticket_id: UUID) -> Ticket | None:
    """A ticket, if there is one with this id."""
    statement = select(_TICKET).where(_TICKET.c.ticket_id == ticket_id)
    row = (await reads.execute(statement, name="tickets.by_id")).mappings().one_or_none()
    return _ticket(row) if row else None


async def tickets_of_person(
    reads: Reads, person_id: UUID, *, after: tuple[datetime, UUID] | None, limit: int
) -> list[Ticket]:
    """A person's tickets by start, beginning behind the ticket that `after` names."""
    key = tuple_(_TICKET.c.starts_at, _TICKET.c.ticket_id)
    statement = select(_TICKET).where(_TICKET.c.person_id == person_id)
    if after is not None:
        statement = statement.where(key > after)
    statement = statement.order_by(_TICKET.c.starts_at, _TICKET.c.ticket_id).limit(limit)
    return [_ticket(row) for row in (await reads.execute(statement, name="tickets.of_person")).mappings()]


def _ticket(row: RowMapping) -> Ticket:
    return Ticket(**{**row, "state": TicketState(row["state"])})
