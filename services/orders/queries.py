"""All SQL of orders. Whoever changes an order compares (state, fence) in the same statement: the slower one changes nothing."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any
from uuid import UUID

import orjson

from chassis import work
from chassis.db import Reads, Transaction
from chassis.inbox import HEARD, Received
from chassis.outbox import insert_with
from chassis.statements import Result, Row, text
from chassis.work import Columns, Queue, Work
from services.orders.domain import Happening, Line, OpenOrder, Order, OrderState, Wish
from tracing.spans import current_span_id, current_trace_id

# The last one a day and a half after the first, at 30 seconds; then somebody has to look.
PUBLICATIONS_MAX = 13
# A page's beginning is a value and no condition of its own: then one plan, by the index, serves the first page and all others.
_BEYOND_ALL = UUID(int=2**128 - 1)
_GO_ON = "make trace ORDER=... shows which neighbour it waits for; it goes on by itself once that answers."

# What is read of an order. It shows its event as it was bought, or as catalog published it since if that is newer; its lines come
# along, so that whoever has an order has all of it.
_COLUMNS = """
    own.order_id, own.number, own.person_id, own.state, own.reason, own.event_id, own.event_version,
    COALESCE(event.title, own.event_title) AS event_title, COALESCE(event.starts_at, own.event_starts_at) AS event_starts_at,
    COALESCE(event.time_zone, own.event_time_zone) AS event_time_zone, COALESCE(event.venue_name, own.venue_name) AS venue_name,
    COALESCE(event.venue_city, own.venue_city) AS venue_city, COALESCE(event.state, 'scheduled') AS event_state,
    event.previous_starts_at AS event_previous_starts_at, own.venue_street, own.venue_country, own.event_doors_at, own.currency,
    own.total_minor, own.hold_id, own.hold_expires_at,
    own.payment_id, own.payment_attempt, own.redirect_url, own.last_decline, own.paid, own.traceparent, own.trace_id,
    own.created_at, own.confirmed_at, own.fence, own.tries,
    CAST(EXTRACT(EPOCH FROM own.hold_expires_at - now()) AS double precision) AS hold_seconds_left,
    (
        SELECT jsonb_agg(jsonb_build_object('line_id', line_id, 'class_id', class_id, 'class_name', class_name, 'seat_id', seat_id,
            'seat_label', seat_label, 'quantity', quantity, 'unit_price_minor', unit_price_minor)
            ORDER BY class_name, seat_label, line_id)
        FROM order_line WHERE order_line.order_id = own.order_id
    ) AS lines
"""


def _read(source: str) -> str:
    """Reads orders whole from where their rows are: the table, or what a statement has changed."""
    known = "event.event_id = own.event_id AND event.version >= own.event_version"
    return f"SELECT {_COLUMNS} FROM {source} AS own LEFT JOIN event ON {known}"  # noqa: S608  # names of this module


# Orders that are not at their end.
SAGA = Queue(
    name="orders.advance_order",
    table="purchase_order",
    key="order_id",
    waits="due_at IS NOT NULL",
    columns=Columns(problem="last_error"),
    lease_seconds=30,
    go_on=_GO_ON,
    read=_read("leased"),
)
# Of these, those that this person is paying, or has paid and not got yet.
IN_PAYMENT = "person_id = :person_id AND state IN ('paying', 'authorised', 'committed')"
# Confirmed orders without tickets: they are published again.
AWAITED = Queue(
    name="orders.tell_again",
    table="awaited_tickets",
    key="order_id",
    waits=f"tellings < {PUBLICATIONS_MAX}",
    columns=Columns(tries="tellings"),
    lease_seconds=30,
    since="since",
    dead=f"tellings >= {PUBLICATIONS_MAX}",
    dead_at="since",
    traceparent="(SELECT traceparent FROM purchase_order WHERE purchase_order.order_id = awaited_tickets.order_id)",
    go_on="Look why tickets does not issue them (its log, its dead letters); set tellings to 1 to let it be published again.",
)


@dataclass(frozen=True)
class Also:
    """What a change of an order brings along: its lines, and that its tickets are awaited. `of_payment`: the change is about this
    payment, and counts while it is the order's, whoever holds the lease."""

    lines: tuple[Line, ...] = ()
    tickets_within_seconds: float | None = None
    of_payment: UUID | None = None


async def insert_order(
    tx: Transaction, order: Order, wish: Wish, due_in_seconds: float, request_key: str | None = None
) -> bool:
    """Writes a new order. False if its number is taken, or if this request has an order that is not cancelled."""
    query = text("""
        INSERT INTO purchase_order (order_id, number, person_id, state, event_id, event_version, event_title, event_starts_at,
            event_time_zone, venue_name, venue_city, venue_street, venue_country, event_doors_at, currency, total_minor, wish,
            request_key, hold_id, traceparent, trace_id, due_at)
        VALUES (:order_id, :number, :person_id, :state, :event_id, :event_version, :event_title, :event_starts_at,
            :event_time_zone, :venue_name, :venue_city, :venue_street, :venue_country, :event_doors_at, :currency, 0,
            CAST(:wish AS jsonb), :request_key, :hold_id, :traceparent, :trace_id, now() + make_interval(secs => :due_in_seconds))
        ON CONFLICT DO NOTHING
    """)
    names = (
        "order_id number person_id event_id event_version event_title event_starts_at event_time_zone venue_name venue_city "
        "venue_street venue_country event_doors_at currency hold_id traceparent trace_id"
    )
    parameters = {name: getattr(order, name) for name in names.split()} | {
        "state": order.state.value,
        "wish": orjson.dumps(asdict(replace(wish, admission=None)), default=str).decode(),
        "request_key": request_key,
        "due_in_seconds": due_in_seconds,
    }
    return bool((await tx.execute(query, parameters, name="orders.insert_order")).rowcount)


async def lock_open_orders(tx: Transaction, person_id: UUID, event_id: UUID, request_key: str) -> list[OpenOrder]:
    """What this person holds of an event and has not paid, the newest first, other requests' orders alone.

    Until the transaction ends nobody else counts for them, so that clicks at the same moment come one after the other.
    """
    lock = text("SELECT pg_advisory_xact_lock(hashtextextended(:key, 0))")
    await tx.execute(lock, {"key": f"open orders {person_id} {event_id}"}, name="orders.lock_open_orders")
    query = text("""
        SELECT order_id, number, jsonb_array_length(wish -> 'seats') + (
            SELECT COALESCE(sum(CAST(place ->> 1 AS integer)), 0) FROM jsonb_array_elements(wish -> 'places') AS place
        ) AS places
        FROM purchase_order
        WHERE person_id = :person_id AND event_id = :event_id AND state IN ('placing', 'held', 'paying') AND reason IS NULL
            AND request_key IS DISTINCT FROM :request_key
        ORDER BY order_id DESC
    """)
    parameters = {"person_id": person_id, "event_id": event_id, "request_key": request_key}
    rows = await tx.execute(query, parameters, name="orders.open_orders")
    return [OpenOrder(row.order_id, row.number, row.places) for row in rows]


async def places_of_buyer(tx: Transaction, person_id: UUID, event_id: UUID, request_key: str) -> int:
    """How many places of an event this person holds and has, in other requests' orders. Call it after `lock_open_orders`."""
    query = text("""
        SELECT COALESCE(sum(jsonb_array_length(wish -> 'seats') + (
            SELECT COALESCE(sum(CAST(place ->> 1 AS integer)), 0) FROM jsonb_array_elements(wish -> 'places') AS place
        )), 0)
        FROM purchase_order
        WHERE person_id = :person_id AND event_id = :event_id AND reason IS NULL
            AND request_key IS DISTINCT FROM :request_key
    """)
    parameters = {"person_id": person_id, "event_id": event_id, "request_key": request_key}
    return int((await tx.execute(query, parameters, name="orders.places_of_buyer")).scalar())


async def order_of_request(reads: Reads, person_id: UUID, request_key: str) -> Order | None:
    """The order that a request of this person has placed, with its lines: the one that is not cancelled, else the newest."""
    mine = "FROM purchase_order WHERE person_id = :person_id AND request_key = :request_key"
    query = text(f"""
        {_read("purchase_order")} WHERE own.order_id = COALESCE(
            (SELECT order_id {mine} AND reason IS NULL),
            (SELECT order_id {mine} AND reason IS NOT NULL ORDER BY order_id DESC LIMIT 1)
        )
    """)
    parameters = {"person_id": person_id, "request_key": request_key}
    return _first(await reads.execute(query, parameters, name="orders.order_of_request"))


async def cancelling_of_request(reads: Reads, person_id: UUID, request_key: str) -> list[UUID]:
    """Orders of a request that came to nothing and have not given their places back yet."""
    query = text("""
        SELECT order_id FROM purchase_order
        WHERE person_id = :person_id AND request_key = :request_key AND state = 'cancelling' AND reason IS NOT NULL
    """)
    parameters = {"person_id": person_id, "request_key": request_key}
    return [row.order_id for row in await reads.execute(query, parameters, name="orders.cancelling_of_request")]


async def order_by_id(reads: Reads, order_id: UUID, person_id: UUID | None = None) -> Order | None:
    """An order with its lines; of this person only, if one is given."""
    query = text(f"""
        {_read("purchase_order")}
        WHERE order_id = :order_id AND (CAST(:person_id AS uuid) IS NULL OR person_id = :person_id)
    """)
    parameters = {"order_id": order_id, "person_id": person_id}
    return _first(await reads.execute(query, parameters, name="orders.order_by_id"))


async def orders_of_person(
    reads: Reads, person_id: UUID, after: UUID | None, limit: int, open_for: UUID | None = None
) -> list[Order]:
    """Orders of a person, newest first, by keyset: ids grow with time. `open_for`: only those that hold places of this event.

    What never held a place is left out: to its buyer it was a sentence on the page of the event, and no order.
    """
    is_shown = "reason IS DISTINCT FROM 'refused'"
    if open_for is not None:
        is_shown = "own.event_id = :open_for AND reason IS NULL AND confirmed_at IS NULL"
    query = text(f"""
        {_read("purchase_order")}
        WHERE person_id = :person_id AND order_id < COALESCE(CAST(:after AS uuid), :beyond_all) AND {is_shown}
        ORDER BY order_id DESC LIMIT :limit
    """)
    parameters = {
        "person_id": person_id,
        "after": after,
        "beyond_all": _BEYOND_ALL,
        "limit": limit,
        "open_for": open_for,
    }
    return [order_of(row) for row in await reads.execute(query, parameters, name="orders.orders_of_person")]


async def change_person(tx: Transaction, was: UUID, person_id: UUID) -> list[UUID]:
    """Hands a person's open orders to another one. Their ids.

    Whoever carries such an order on at this moment knows the old person: a new fence stops them, and the saga begins anew with
    what is there now. One that is still being placed has let nobody know its person yet. A request that the other person has
    made as well keeps its own order. They are locked in the order of their ids, as by everybody who changes several.
    """
    query = text("""
        WITH locked AS MATERIALIZED (
            SELECT order_id FROM purchase_order
            WHERE person_id = :was AND reason IS NULL AND confirmed_at IS NULL ORDER BY order_id FOR UPDATE
        )
        UPDATE purchase_order AS own SET person_id = :person_id,
            fence = CASE WHEN state = 'placing' THEN fence ELSE fence + 1 END,
            leased_until = CASE WHEN state = 'placing' THEN leased_until END,
            due_at = CASE WHEN state IN ('authorised', 'committed') THEN now() ELSE due_at END,
            request_key = CASE WHEN NOT EXISTS (
                SELECT 1 FROM purchase_order AS theirs WHERE theirs.person_id = :person_id
                    AND theirs.request_key = own.request_key AND theirs.reason IS NULL
            ) THEN request_key END
        FROM locked WHERE own.order_id = locked.order_id RETURNING own.order_id
    """)
    parameters = {"was": was, "person_id": person_id}
    return [row.order_id for row in await tx.execute(query, parameters, name="orders.change_person")]


async def lock_order(tx: Transaction, order_id: UUID) -> Order | None:
    """Locks an order against other changes until this transaction ends."""
    query = text(f"{_read('purchase_order')} WHERE order_id = :order_id FOR UPDATE OF own")
    return _first(await tx.execute(query, {"order_id": order_id}, name="orders.lock_order"))


async def change_order(
    tx: Transaction, order: Order, happening: Happening, changes: dict[str, Any], also: Also
) -> Order | None:
    """Moves an order on, with all that belongs to the change, in one statement: the order as it is then. Its lines are those that
    were there before. None if somebody else was faster: the state is another one, or the fence (or the payment, see `Also`).
    """
    # The names come from `transitions.py`, never from outside.
    assignments = [_SPECIAL.get(name, f"{name} = :{name}") for name in changes]
    facts = tx.facts_to_write()
    parts = (
        _ADD_LINES if also.lines else "",
        _AWAIT_TICKETS if also.tickets_within_seconds else "",
        _TELL if facts else "",
    )
    query = text(f"""
        WITH changed AS (
            UPDATE purchase_order SET {", ".join(assignments)}
            WHERE order_id = :order_id AND state = :expected_state AND {_FENCE if also.of_payment is None else _OF_PAYMENT}
            RETURNING *
        ), noted AS (
            INSERT INTO order_change (order_id, change_no, happening, state, trace_id, span_id)
            SELECT order_id, (SELECT count(*) + 1 FROM order_change WHERE order_id = :order_id), :happening, state,
                :trace_id, :span_id
            FROM changed
        ){"".join(parts)}
        {_read("changed")}
    """)  # noqa: S608  # names from this project's code
    parameters = (
        changes
        | facts
        | {
            "order_id": order.order_id,
            "expected_state": order.state.value,
            "expected_fence": order.fence,
            "expected_payment": also.of_payment,
            "happening": happening.value,
            "trace_id": current_trace_id() or order.trace_id,
            "span_id": current_span_id(),
            "lines": orjson.dumps([asdict(line) for line in also.lines], default=str).decode(),
            "tickets_within": also.tickets_within_seconds,
        }
    )
    return _first(await tx.execute(query, parameters, name=f"orders.{happening.value}"))


_FENCE = "fence = :expected_fence"
_OF_PAYMENT = "payment_id = :expected_payment"
_ADD_LINES = """, added AS (
            INSERT INTO order_line (order_id, line_id, class_id, class_name, seat_id, seat_label, quantity, unit_price_minor)
            SELECT changed.order_id, line.* FROM changed, jsonb_to_recordset(CAST(:lines AS jsonb)) AS line (line_id uuid,
                class_id uuid, class_name text, seat_id text, seat_label text, quantity integer, unit_price_minor bigint)
        )"""
# That the order's tickets are to come, and when its confirmation is published again if they do not.
_AWAIT_TICKETS = """, awaited AS (
            INSERT INTO awaited_tickets (order_id, due_at)
            SELECT order_id, now() + make_interval(secs => :tickets_within) FROM changed ON CONFLICT DO NOTHING
        )"""
_TELL = f", told AS ({insert_with('changed')})"


# Times that the database's clock decides: seconds from now.
_SPECIAL = {
    # A lease stays: the process that applies this goes on at once with its first attempt at the next step, and another process only
    # after the first one has died.
    "due_in_seconds": "due_at = now() + make_interval(secs => :due_in_seconds), last_error = NULL, "
    "tries = CAST(COALESCE(leased_until > now(), false) AS integer)",
    # When the hold ends: as it is set with this change, or else as it was, however old what the caller knows of it.
    "due_at_expiry": "due_at = COALESCE(CAST(:due_at_expiry AS timestamptz), hold_expires_at) + interval '2 seconds', "
    "leased_until = NULL, tries = 0, last_error = NULL",
    "due_and_ours": "due_at = now(), leased_until = now() + make_interval(secs => :due_and_ours), tries = 1, last_error = NULL",
    "ended": "due_at = NULL, leased_until = NULL, tries = 0, last_error = NULL",
}


async def begin_payment(tx: Transaction, order: Order, payment_id: UUID) -> bool:
    """Remembers that a payment will be made, before it is: it can then always be found and given back."""
    query = text("""
        UPDATE purchase_order SET payment_id = :payment_id
        WHERE order_id = :order_id AND state = 'held' AND fence = :fence AND payment_attempt = :attempt
    """)
    parameters = {
        "payment_id": payment_id,
        "order_id": order.order_id,
        "fence": order.fence,
        "attempt": order.payment_attempt,
    }
    return bool((await tx.execute(query, parameters, name="orders.note_payment")).rowcount)


def work_of(order: Order) -> Work:
    """The order as a piece of remembered work."""
    return Work(order.order_id, order.fence, max(order.tries, 1))


async def make_due(tx: Transaction, order_id: UUID) -> None:
    """Lets the saga look at an open order now, whoever holds the lease."""
    await work.make_due(tx, SAGA, "order_id = :order_id", order_id=order_id)


async def make_due_for_event(tx: Transaction, event_id: UUID) -> None:
    """Lets the saga look at all open orders of an event now, whoever holds their leases."""
    await work.make_due(tx, SAGA, "event_id = :event_id", event_id=event_id)


async def put_event(tx: Transaction, event: dict[str, Any]) -> bool:
    """Learns how an event stands. False if something newer is known of it."""
    return bool((await tx.execute(_PUT_EVENT, event, name="orders.put_event")).rowcount)


_PUT_EVENT = text("""
    INSERT INTO event (event_id, version, state, title, starts_at, previous_starts_at, time_zone, venue_name, venue_city)
    VALUES (:event_id, :version, :state, :title, :starts_at, :previous_starts_at, :time_zone, :venue_name, :venue_city)
    ON CONFLICT (event_id) DO UPDATE SET version = excluded.version, state = excluded.state, title = excluded.title,
        starts_at = excluded.starts_at, previous_starts_at = excluded.previous_starts_at, time_zone = excluded.time_zone,
        venue_name = excluded.venue_name, venue_city = excluded.venue_city
    WHERE event.version < excluded.version
""")


async def note_tickets(tx: Transaction, order_id: UUID, received: Received) -> bool:
    """Notes that they came. False if that was heard before."""
    parameters = received.row() | {"order_id": order_id}
    return (await tx.execute(_NOTE_TICKETS, parameters, name="orders.note_tickets")).rowcount == 1


_NOTE_TICKETS = text(f"""
    WITH heard AS ({HEARD}), came AS (
        DELETE FROM awaited_tickets WHERE order_id = :order_id AND EXISTS (SELECT FROM heard)
    )
    SELECT event_id FROM heard
""")  # noqa: S608  # a constant of the chassis


def orders_of(leased: Sequence[Work]) -> list[Order]:
    """The orders that were claimed or taken."""
    return [order_of(work.row) for work in leased if work.row is not None]


def order_of(row: Row) -> Order:
    """A row as the domain knows it."""
    values = dict(row)
    lines = tuple(_line_of(line) for line in values["lines"] or ())
    return Order(**(values | {"state": OrderState(values["state"]), "lines": lines}))


def _line_of(stored: dict[str, Any]) -> Line:
    return Line(**(stored | {"line_id": UUID(stored["line_id"]), "class_id": UUID(stored["class_id"])}))


def _first(found: Result) -> Order | None:
    row = found.first()
    return order_of(row) if row is not None else None
