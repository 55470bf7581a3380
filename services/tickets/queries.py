"""All SQL of this service. A ticket is read through its event: what catalog published last of it stands above what was bought,
unless it is older than that.
"""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import FromClause, Select, Table, and_, bindparam, case, func, literal, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert

from chassis.db import Reads, Transaction
from chassis.statements import Row, text
from services.tickets.domain import Change, EventChange, EventState, Holding, Ticket, TicketState, Unnotified
from services.tickets.tables import EventRow, TicketRow
from tracing.spans import current_traceparent

_TICKET: Table = TicketRow.metadata.tables["ticket"]
_EVENT: Table = EventRow.metadata.tables["event"]

# What an event may have become, beside the column of the ticket that says what was bought.
_OF_THE_EVENT = {
    "event_title": "title",
    "starts_at": "starts_at",
    "doors_at": "doors_at",
    "time_zone": "time_zone",
    "venue_name": "venue_name",
    "venue_street": "venue_street",
    "venue_city": "venue_city",
    "venue_country": "venue_country",
}
_HAS_CHANGED = _EVENT.c.event_id.is_not(None)
# The edition of codes is read without regard to the version that was bought: a code that was refused once stays refused.
_ANY_VERSION = _EVENT.alias()
_STARTS_AT = func.coalesce(_EVENT.c.starts_at, _TICKET.c.starts_at)
_BOUGHT = [column.name for column in _TICKET.c]


def _read_through(ticket: FromClause) -> Select[Any]:
    """Tickets through their event, from where their rows are: the table, or what a statement has written."""
    bought_version = func.coalesce(ticket.c.event_version, literal(0))
    edition = select(_ANY_VERSION.c.code_edition).where(_ANY_VERSION.c.event_id == ticket.c.event_id).scalar_subquery()
    own = [column for column in ticket.c if column.name not in {*_OF_THE_EVENT, "event_version", "epoch"}]
    # Not COALESCE: doors that were known and are not any more are not known.
    seen = [case((_HAS_CHANGED, _EVENT.c[now]), else_=ticket.c[was]).label(was) for was, now in _OF_THE_EVENT.items()]
    of_this_event = and_(_EVENT.c.event_id == ticket.c.event_id, _EVENT.c.version >= bought_version)
    return select(
        *own,
        *seen,
        func.coalesce(_EVENT.c.state, EventState.SCHEDULED.value).label("event_state"),
        func.coalesce(_EVENT.c.version, bought_version).label("event_version"),
        _EVENT.c.previous_starts_at,
        func.greatest(ticket.c.epoch, edition).label("epoch"),
    ).select_from(ticket.outerjoin(_EVENT, of_this_event))


_TICKETS = _read_through(_TICKET)
_OF_ORDER = _TICKETS.where(_TICKET.c.order_id == bindparam("order_id")).order_by(_TICKET.c.ticket_id)
_BY_ID = _TICKETS.where(_TICKET.c.ticket_id == bindparam("ticket_id"))
_GIVEN = text(f"""
    SELECT {", ".join(_BOUGHT)} FROM jsonb_populate_recordset(CAST(NULL AS ticket), CAST(:tickets AS jsonb))
""")  # noqa: S608  # names from this service's tables
_WRITTEN = (
    insert(_TICKET)
    .from_select(_BOUGHT, _GIVEN.columns(*_TICKET.c))
    .on_conflict_do_nothing(index_elements=["order_id", "line_id", "ordinal"])
    .returning(*_TICKET.c)
    .cte("written")
)
_INSERT = _read_through(_WRITTEN).order_by(_WRITTEN.c.ticket_id)


async def hold_event_still(tx: Transaction, event_id: UUID) -> None:
    """Until the transaction ends nothing new is kept of the event; others may hold it still too."""
    await tx.execute(_HOLD_STILL, {"key": f"event {event_id}"}, name="events.hold_still")


async def insert_tickets(tx: Transaction, tickets: Sequence[Ticket]) -> list[Ticket]:
    """Writes the tickets that are not there yet. These, as `tickets_of_order` reads them."""
    rows = [{name: getattr(ticket, name) for name in _BOUGHT} for ticket in tickets]
    parameters = {"tickets": orjson.dumps(rows).decode()}
    written = await tx.execute(_INSERT, parameters, name="tickets.insert_tickets")
    return [_ticket(row) for row in written.mappings()]


async def tickets_of_order(reads: Reads, order_id: UUID) -> list[Ticket]:
    """The tickets of an order, in the order of its lines."""
    rows = await reads.execute(_OF_ORDER, {"order_id": order_id}, name="tickets.of_order")
    return [_ticket(row) for row in rows.mappings()]


async def ticket_by_id(reads: Reads, ticket_id: UUID) -> Ticket | None:
    """A ticket, if there is one with this id."""
    row = (await reads.execute(_BY_ID, {"ticket_id": ticket_id}, name="tickets.by_id")).mappings().one_or_none()
    return _ticket(row) if row else None


async def tickets_of_person(
    reads: Reads, person_id: UUID, *, after: tuple[datetime, UUID] | None, limit: int
) -> list[Ticket]:
    """A person's tickets by start, beginning behind the ticket that `after` names."""
    statement = _TICKETS.where(_TICKET.c.person_id == person_id)
    if after is not None:
        statement = statement.where(tuple_(_STARTS_AT, _TICKET.c.ticket_id) > after)
    statement = statement.order_by(_STARTS_AT, _TICKET.c.ticket_id).limit(limit)
    return [_ticket(row) for row in (await reads.execute(statement, name="tickets.of_person")).mappings()]


async def put_event(tx: Transaction, change: EventChange) -> bool:
    """Keeps what an event has become, to be made known to all who hold tickets of it. False if a newer version is known already.

    Waits for tickets of it that are being issued as it was: whoever walks through its holders must see them.
    Who was not notified of the version before yet will be notified of both together.
    """
    await tx.execute(_MOVE, {"key": f"event {change.event_id}"}, name="events.move")
    row = asdict(change) | {
        "state": change.state.value,
        "changes": list(change.changes),
        "told_version": 0,
        "traceparent": current_traceparent(),
    }
    statement = insert(_EVENT).values(row)
    new = statement.excluded
    is_unnotified = _EVENT.c.told_version < _EVENT.c.version
    statement = statement.on_conflict_do_update(
        index_elements=["event_id"],
        where=_EVENT.c.version < new.version,
        set_={name: new[name] for name in row if name not in {"event_id", "told_version", "changes"}}
        | {
            "changes": case((is_unnotified, _EVENT.c.changes.op("||")(new.changes)), else_=new.changes),
            "previous_starts_at": case(
                (is_unnotified, func.coalesce(_EVENT.c.previous_starts_at, new.previous_starts_at)),
                else_=new.previous_starts_at,
            ),
            "told_after": None,
            "heard_at": func.now(),
        },
    )
    return (await tx.execute(statement, name="events.put")).rowcount == 1


async def next_unnotified(tx: Transaction) -> Unnotified | None:
    """The event whose holders have waited longest to be notified, for this process alone until the transaction ends."""
    statement = (
        select(_EVENT)
        .where(_EVENT.c.told_version < _EVENT.c.version)
        .order_by(_EVENT.c.heard_at)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    row = (await tx.execute(statement, name="events.next_unnotified")).mappings().one_or_none()
    return Unnotified(_change(row), row["told_after"], row["traceparent"]) if row else None


async def holdings_of(reads: Reads, change: EventChange, *, after: UUID | None, limit: int) -> list[Holding]:
    """Orders that hold valid tickets of an event bought before this change, by id, beginning behind `after`.

    With new codes all orders: whoever bought the event as it is now may have their tickets from before this was heard.
    """
    about = {"event_id": change.event_id, "version": change.version, "all": Change.CODES in change.changes}
    rows = await reads.execute(
        _HOLDINGS, {**about, "after": after or UUID(int=0), "most": limit}, name="tickets.holdings"
    )
    return [Holding(**row) for row in rows.mappings()]


async def mark_notified(tx: Transaction, change: EventChange, *, after: UUID | None) -> None:
    """Notes up to which order the holders were notified; None: all were."""
    progress = {"told_version": change.version, "told_after": None} if after is None else {"told_after": after}
    statement = update(_EVENT).where(_EVENT.c.event_id == change.event_id).values(progress)
    await tx.execute(statement, name="events.mark_notified")


def _ticket(row: Row) -> Ticket:
    return Ticket(
        **{**row, "state": TicketState(row["state"]), "event_state": EventState(row["event_state"])},
    )


def _change(row: Row) -> EventChange:
    names = [name for name in EventChange.__dataclass_fields__ if name not in {"state", "changes"}]
    changes = tuple(map(Change, dict.fromkeys(row["changes"])))
    return EventChange(**{name: row[name] for name in names}, state=EventState(row["state"]), changes=changes)


_HOLD_STILL = text("SELECT pg_advisory_xact_lock_shared(hashtextextended(:key, 0))")
_MOVE = text("SELECT pg_advisory_xact_lock(hashtextextended(:key, 0))")
_HOLDINGS = text("""
    SELECT DISTINCT ON (order_id) order_id, order_number, person_id FROM ticket
    WHERE event_id = :event_id AND order_id > :after AND state = 'valid'
        AND (:all OR COALESCE(event_version, 0) < :version)
    ORDER BY order_id LIMIT :most
""")
