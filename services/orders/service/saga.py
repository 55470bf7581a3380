"""The saga: what an order does by itself, resumed by any worker after any crash.

Each step asks somebody over the network outside of any transaction, and then applies what happened in one. Every request is
safe to repeat, so a step that died in between is simply done again.
"""

import asyncio
from collections.abc import Awaitable, Callable
from uuid import UUID

from chassis.db import Database
from chassis.errors import ChassisError
from chassis.http import ProviderProblem, ProviderUnavailable
from chassis.logs import log
from chassis.work import Backoff, claim, let_go, put_off, take, wait
from services.orders import queries
from services.orders.clients.inventory import HoldLost, InventoryClient
from services.orders.clients.payments import CaptureRefused, PaymentsClient, PaymentState
from services.orders.domain import (
    OPEN_STATES,
    Happening,
    ImpossibleTransition,
    Order,
    OrderState,
    declined,
    is_ended_by_its_event,
)
from services.orders.service.transitions import OrderTransitions, attributes_of, money_attributes_of
from tracing.spans import continued, mark_failed, span

# While the buyer is at the bank, payments is asked this often, in case no webhook ever comes.
ASK_PAYMENTS_SECONDS = 30.0
MAX_STEPS = 12
BACKOFF = Backoff(first_seconds=0.2, longest_seconds=60.0)
# In these an order waits for its buyer; a transition into them has set the timer and ended the lease.
WAITING_STATES = frozenset({OrderState.HELD, OrderState.PAYING})

_LOG = log(__name__)


class Saga:
    """Drives orders to their end."""

    def __init__(
        self, database: Database, transitions: OrderTransitions, inventory: InventoryClient, payments: PaymentsClient
    ) -> None:
        self._database = database
        self._transitions = transitions
        self._inventory = inventory
        self._payments = payments
        self._steps: dict[OrderState, Callable[[Order], Awaitable[Order | None]]] = {
            OrderState.PLACING: self._abandon,
            OrderState.HELD: self._expire,
            OrderState.PAYING: self._ask_payments,
            OrderState.AUTHORISED: self._commit_places,
            OrderState.COMMITTED: self._capture,
            OrderState.CANCELLING: self._give_back,
        }

    async def advance_due(self) -> int:
        """Advances a bounded number of orders whose time has come. How many."""
        async with self._database.writer(single=True) as tx:
            claimed = queries.orders_of(await claim(tx, queries.SAGA))
        await asyncio.gather(*(self._advance_in_its_trace(order) for order in claimed))
        return len(claimed)

    async def drive(self, order_id: UUID) -> Order | None:
        """Advances one order now, in the current request, unless somebody is at it already. See `carry_on`."""
        async with self._database.writer(single=True) as tx:
            taken = await take(tx, queries.SAGA, order_id, is_noted=False)
        return await self.carry_on(*queries.orders_of([taken])) if taken is not None else None

    async def drive_for_payer(self, order_id: UUID, person_id: UUID) -> Order | None:
        """The same for the person who pays it, as long as it is being paid or paid for."""
        async with self._database.writer(single=True) as tx:
            taken = await take(tx, queries.SAGA, order_id, is_noted=False, only=queries.IN_PAYMENT, person_id=person_id)
        return await self.carry_on(*queries.orders_of([taken])) if taken is not None else None

    async def _advance_in_its_trace(self, order: Order) -> None:
        attributes = {**attributes_of(order), "onsale.attempt": order.tries}
        with continued("orders.advance_order", order.traceparent, attributes, repeated=order.tries > 1) as current:
            try:
                await self.carry_on(order)
            except Exception as error:  # noqa: BLE001  # its neighbours go on; the lease ends, and it is tried again
                mark_failed(current, type(error).__name__)
                _LOG.exception("an order could not be advanced", order_id=str(order.order_id))

    async def carry_on(self, order: Order) -> Order | None:
        """Takes step after step with an order whose lease is ours, until it has to wait for somebody, or is taken over.

        The order as its last step has left it; None if it waits, or somebody else has it: then it must be read.
        """
        contested = False
        moved: Order | None = order
        for _ in range(MAX_STEPS):
            if order.state not in OPEN_STATES:
                return order
            try:
                moved = await self._step(order)
            except ImpossibleTransition:
                moved = await self._read_if_ours(order)
                contested = True
            except (ProviderUnavailable, ProviderProblem, ChassisError) as error:
                await self._try_later(order, error)
                return None
            if moved is None or moved.state in WAITING_STATES:
                break
            order = moved
        if contested:
            async with self._database.writer(single=True) as tx:
                await let_go(tx, queries.SAGA, queries.work_of(order))
        return moved

    async def _step(self, order: Order) -> Order | None:
        if is_ended_by_its_event(order):
            return await self._transitions.apply(order, Happening.EVENT_CANCELLED)
        return await self._steps[order.state](order)

    async def _read_if_ours(self, order: Order) -> Order | None:
        """A fact arrived in the middle of a step and moved the order on: go on from there, if the lease is still ours."""
        async with self._database.reader() as reads:
            fresh = await queries.order_by_id(reads, order.order_id)
        return fresh if fresh is not None and fresh.fence == order.fence else None

    async def _abandon(self, order: Order) -> Order:
        return await self._transitions.apply(order, Happening.ABANDONED)

    async def _expire(self, order: Order) -> Order | None:
        if await self._postponed_until_expiry(order):
            return None
        return await self._transitions.apply(order, Happening.HOLD_EXPIRED)

    async def _ask_payments(self, order: Order) -> Order | None:
        """The webhook may be late or lost, and a late payment still counts: the bank is asked before a hold is given up."""
        payment = await self._payments.look_up(order.payment_id) if order.payment_id else None
        state = payment.state if payment else PaymentState.CREATED
        if state in {PaymentState.AUTHORISED, PaymentState.CAPTURED}:
            return await self._transitions.apply(order, Happening.PAYMENT_AUTHORISED)
        if payment is not None and state is PaymentState.DECLINED:
            return await self._transitions.apply(
                order, Happening.PAYMENT_DECLINED, **declined(order, payment.decline_reason)
            )
        if state in {PaymentState.VOIDED, PaymentState.REFUNDED}:
            return await self._transitions.apply(order, Happening.PAYMENT_FAILED)
        if await self._postponed_until_expiry(order, at_most_seconds=ASK_PAYMENTS_SECONDS):
            return None
        return await self._transitions.apply(order, Happening.HOLD_EXPIRED)

    async def _commit_places(self, order: Order) -> Order:
        with span("orders.commit_places", {**attributes_of(order), "onsale.hold_id": str(order.hold_id)}):
            try:
                await self._inventory.commit(order.event_id, order.hold_id)
            except HoldLost:
                return await self._transitions.apply(order, Happening.PLACES_GONE)
            return await self._transitions.apply(order, Happening.PLACES_COMMITTED)

    async def _capture(self, order: Order) -> Order:
        """The pivot: after it there are tickets. Unknown is a state: it is asked again with the same key, for ever."""
        with span("orders.capture_payment", money_attributes_of(order)):
            if order.payment_id is not None:
                try:
                    await self._payments.capture(order.payment_id)
                except CaptureRefused:
                    return await self._transitions.apply(order, Happening.CAPTURE_REFUSED)
            return await self._transitions.apply(order, Happening.CAPTURED)

    async def _give_back(self, order: Order) -> Order:
        reason = {"onsale.reason": order.reason} if order.reason else {}
        with span(
            "orders.give_back_places", {**money_attributes_of(order), **reason, "onsale.hold_id": str(order.hold_id)}
        ):
            paid = order.paid
            if order.payment_id is not None:
                # The payer may have authorised in the moment of the cancellation: then nobody here has heard of it before.
                paid |= await self._payments.void(order.payment_id)
            await self._inventory.release(order.event_id, order.hold_id)
            return await self._transitions.apply(order, Happening.GIVEN_BACK, paid=paid)

    async def _postponed_until_expiry(self, order: Order, at_most_seconds: float = float("inf")) -> bool:
        """Its row is read with the lease, or with the step before: a hold that is prolonged later moves the timer itself."""
        left = order.hold_seconds_left or 0.0
        if left <= 0:
            return False
        async with self._database.writer(single=True) as tx:
            await wait(tx, queries.SAGA, queries.work_of(order), min(left + 1, at_most_seconds))
        return True

    async def _try_later(self, order: Order, error: Exception) -> None:
        work = queries.work_of(order)
        _LOG.warning("an order waits", order_id=str(order.order_id), state=order.state.value, error=str(error))
        async with self._database.writer(single=True) as tx:
            await put_off(tx, queries.SAGA, work, _problem_of(error), BACKOFF.after(work.attempt), order.state.value)


def _problem_of(error: Exception) -> str:
    """Why an order waits, as a code: sentences of others may say more than support is to read."""
    if isinstance(error, ProviderProblem):
        return f"{error.provider}_answered_{error.said}"
    return str(getattr(error, "code", type(error).__name__))
