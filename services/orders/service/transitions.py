"""Applies a transition to an order: with what changes by it, its fact, and its message on the bus."""

import asyncio
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from opentelemetry import trace

from chassis.bus import Bus
from chassis.clock import utc_now
from chassis.db import Database, Transaction
from chassis.facts import Fact
from chassis.failpoints import failpoint
from services.orders import queries
from services.orders.domain import (
    DRIVEN_STATES,
    OPEN_STATES,
    REASONS,
    Happening,
    ImpossibleTransition,
    Line,
    Order,
    OrderState,
    next_state,
    total_of,
)
from services.orders.events import ConfirmedLine, OrderCancelled, OrderChanged, OrderConfirmed


class OrderTransitions:
    """The only way in which an order changes its state."""

    def __init__(self, database: Database, bus: Bus, tickets_within_seconds: float = 30.0) -> None:
        self._database = database
        self._tickets_within_seconds = tickets_within_seconds
        self._bus = bus
        self._publishing: set[asyncio.Task[None]] = set()

    async def apply(self, order: Order, happening: Happening, **values: Any) -> Order:
        """Moves an order on in a transaction of its own, which is one statement, and returns it as it is then.

        Raises `ImpossibleTransition` if the table does not have it, or if somebody else was faster.
        """
        async with self._database.writer(single=True) as tx:
            return await self.apply_in(tx, order, happening, **values)

    async def apply_and_take(self, order: Order, happening: Happening) -> Order:
        """The same for a request that carries the order on itself: its lease comes with the change, before any worker's."""
        return await self.apply(order, happening, fence=order.fence + 1)

    async def hold(self, order: Order, lines: tuple[Line, ...], expires_at: datetime) -> Order:
        """Its places are held: now it has lines, and a price."""
        held = {"total_minor": total_of(lines), "hold_expires_at": expires_at}
        return await self.apply(order, Happening.HOLD_GRANTED, lines=lines, **held)

    async def apply_in(
        self,
        tx: Transaction,
        order: Order,
        happening: Happening,
        *,
        lines: tuple[Line, ...] = (),
        of_payment: UUID | None = None,
        **values: Any,
    ) -> Order:
        """The same within a transaction that does more. With a new `fence` the lease is taken, too.

        `lines` are those that it has from now on; `of_payment`: see `queries.Also`.
        """
        state = next_state(order.state, happening)
        failpoint(f"orders.before.{happening}")
        becoming = replace(order, state=state, **values, **_consequences(order, state, happening))
        columns = {name: getattr(becoming, name) for name in ("reason", "paid", "confirmed_at", *values)}
        timer = {"due_and_ours": queries.SAGA.lease_seconds} if "fence" in values else _timer(becoming, values)
        if fact := _fact_of(becoming, happening):
            await tx.publish(fact)
        within = self._tickets_within_seconds if state is OrderState.CONFIRMED else None
        also = queries.Also(lines, within, of_payment)
        changed = await queries.change_order(tx, order, happening, {"state": state.value, **columns, **timer}, also)
        if changed is None:
            raise ImpossibleTransition(order.state, happening)
        if lines:
            changed = replace(changed, lines=lines)
        tx.after_commit(lambda: _note_change(changed, happening))
        tx.after_commit(lambda: failpoint(f"orders.after.{happening}"))
        tx.after_commit(lambda: self._publish(changed))
        return changed

    def _publish(self, order: Order) -> None:
        message = OrderChanged(order_id=order.order_id, state=order.state)
        publishing = asyncio.create_task(self._bus.say(message))
        self._publishing.add(publishing)
        publishing.add_done_callback(self._publishing.discard)


def attributes_of(order: Order) -> dict[str, Any]:
    """Which order this is, for spans."""
    return {
        "onsale.order_id": str(order.order_id),
        "onsale.order_number": order.number,
        "onsale.event_id": str(order.event_id),
        "onsale.order_state": order.state.value,
    }


def money_attributes_of(order: Order) -> dict[str, Any]:
    """Which order, and what it costs, for spans of money."""
    money = {"onsale.total_minor": order.total_minor, "onsale.currency": order.currency}
    return attributes_of(order) | money | ({"onsale.payment_id": str(order.payment_id)} if order.payment_id else {})


def _note_change(changed: Order, happening: Happening) -> None:
    attributes = {"onsale.happening": happening.value} | attributes_of(changed)
    trace.get_current_span().add_event(
        "order changed", attributes | ({"onsale.reason": changed.reason} if changed.reason else {})
    )


def _consequences(order: Order, state: OrderState, happening: Happening) -> dict[str, Any]:
    """What follows from the transition itself."""
    consequences: dict[str, Any] = {}
    if state in {OrderState.CANCELLING, OrderState.CANCELLED} and order.reason is None:
        consequences["reason"] = REASONS[happening]
    if happening is Happening.PAYMENT_AUTHORISED:
        consequences["paid"] = True
    if state is OrderState.CONFIRMED:
        consequences["confirmed_at"] = utc_now()
    return consequences


def _timer(becoming: Order, values: dict[str, Any]) -> dict[str, Any]:
    """When the saga looks at the order again: at once, when the hold ends, or never."""
    if becoming.state in DRIVEN_STATES:
        return {"due_in_seconds": 0.0}
    if becoming.state not in OPEN_STATES:
        return {"ended": True}
    return {"due_at_expiry": values.get("hold_expires_at")}


def _fact_of(becoming: Order, happening: Happening) -> Fact | None:
    """What the world is told of a change, if anything."""
    if becoming.state is OrderState.CONFIRMED:
        return confirmation_of(becoming)
    return _cancelled(becoming) if happening is Happening.GIVEN_BACK else None


def confirmation_of(order: Order) -> OrderConfirmed:
    """The fact that a confirmed order is."""
    assert order.lines, "An order has lines since its places are held."  # noqa: S101
    assert order.confirmed_at is not None, "A confirmed order has a time: the table's constraint says so."  # noqa: S101
    return OrderConfirmed(
        order_id=order.order_id,
        number=order.number,
        person_id=order.person_id,
        event_id=order.event_id,
        event_title=order.event_title,
        event_version=order.event_version,
        venue_name=order.venue_name,
        venue_city=order.venue_city,
        venue_street=order.venue_street,
        venue_country=order.venue_country,
        doors_at=order.event_doors_at,
        starts_at=order.event_starts_at,
        time_zone=order.event_time_zone,
        currency=order.currency,
        total_minor=order.total_minor,
        confirmed_at=order.confirmed_at,
        lines=[ConfirmedLine.model_validate(line) for line in order.lines],
    )


def _cancelled(order: Order) -> OrderCancelled:
    return OrderCancelled(
        order_id=order.order_id,
        number=order.number,
        person_id=order.person_id,
        event_id=order.event_id,
        event_title=order.event_title,
        reason=order.reason or "refused",
        paid=order.paid,
        cancelled_at=utc_now(),
    )
