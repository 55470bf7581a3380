"""Asks the gateway to do one thing under one key, and writes down what became of it.

The operation's row stands as `unknown` before the gateway is asked. Whatever cuts the answer off (a time-out, a crash, a
deadline) leaves it so, and it is asked about again: first how far the payment is, then with the same key.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from uuid import UUID

from opentelemetry import trace

from chassis.clock import utc_now
from chassis.db import Database, Transaction
from chassis.logs import log
from chassis.work import Work
from services.payments import gateway_queries, queries
from services.payments.domain import (
    ACHIEVED_BY,
    EFFECT,
    SOURCES,
    GatewayUnavailable,
    Operation,
    OperationKind,
    OperationState,
    Payment,
    PaymentState,
    PaymentUnknown,
    steps_to,
)
from services.payments.events import fact_of
from services.payments.gateway import Gateway, GatewayRefused, GatewaySilent, Seen
from services.payments.service.under_way import UnderWay
from tracing.spans import span

_LOG = log(__name__)

CALLED_OFF = "called_off"
SILENT = "the gateway is silent"


@dataclass(frozen=True)
class Outcome:
    """What the gateway shows after it was asked; `refusal` says why the operation did not and will not happen."""

    seen: Seen
    refusal: str | None


@dataclass(frozen=True)
class Applied:
    """A payment after what the gateway showed was applied, and which operations that has shown to have succeeded."""

    payment: Payment
    achieved: frozenset[OperationKind]


class MovedOn(Exception):
    """A payment has left the state in which it was read."""


class GatewayOperations:
    """Carries operations out at the gateway, and applies to payments what the gateway shows."""

    def __init__(self, database: Database, gateway: Gateway, *, ask_again_seconds: float) -> None:
        self._database = database
        self._gateway = gateway
        self.under_way = UnderWay()
        self._ask_again_seconds = ask_again_seconds

    async def carry_out(self, operation: Operation, *, from_others: bool = True) -> Payment | None:
        """Asks for a capture, void or refund until it is known. Raises GatewayUnavailable; the row stays unknown then.

        Returns the payment as it is then; None if there was nothing to ask.

        `from_others`: the operation is taken even if another process or request is at it now.
        """
        async with self._database.writer(single=True) as tx:
            taken = await gateway_queries.take_operation(
                tx, operation.key, self._ask_again_seconds, from_others=from_others
            )
        if taken is None or taken.payment.gateway_payment_id is None:
            return None
        asked = {"onsale.operation": taken.operation.kind.value, "onsale.attempt": taken.operation.attempts}
        ids = (taken.payment.payment_id, taken.payment.gateway_payment_id)
        with span("payments.ask_gateway", taken.payment.attributes() | asked), self.under_way.asking(*ids):
            return await self._ask_and_record(taken, taken.payment.gateway_payment_id)

    async def _ask_and_record(self, taken: gateway_queries.Taken, gateway_id: str) -> Payment:
        operation = taken.operation
        called_off = operation.kind is OperationKind.CAPTURE and taken.is_called_off
        try:
            outcome = await self._ask(gateway_id, operation, called_off=called_off)
        except GatewaySilent as error:
            _LOG.warning(SILENT, operation=operation.key, attempts=operation.attempts, error=str(error))
            await self.ask_again_later(taken.work, error)
            raise GatewayUnavailable from error
        return await self._record(taken.payment, operation, outcome)

    async def ask_again_later(self, work: Work, error: GatewaySilent) -> None:
        """The gateway said nothing about an operation."""
        async with self._database.writer(single=True) as tx:
            await gateway_queries.ask_again_later(tx, queries.OPERATIONS, work, error.problem, self._ask_again_seconds)

    async def refresh(self, payment: Payment) -> Payment:
        """Asks the gateway how far a payment is, and applies what is new. Raises GatewayUnavailable."""
        if payment.gateway_payment_id is None:
            return payment
        with self.under_way.asking(payment.payment_id, payment.gateway_payment_id):
            try:
                seen = await self._gateway.look_up(payment.gateway_payment_id)
            except GatewaySilent as error:
                raise GatewayUnavailable from error
            if _is_known(payment, seen):
                return payment
            if (applied := await self._apply_alone(payment, seen)) is not None:
                return applied.payment
            async with self._database.writer() as tx:
                return (await self.apply(tx, payment, seen)).payment

    async def _ask(self, gateway_id: str, operation: Operation, *, called_off: bool) -> Outcome:
        kind = operation.kind
        if operation.attempts > 1 or called_off:
            seen = await self._gateway.look_up(gateway_id)
            if seen.state in EFFECT[kind]:
                return Outcome(seen, None)
            if called_off or seen.state not in SOURCES[kind]:
                return Outcome(seen, CALLED_OFF if called_off else f"gateway_says_{seen.state}")
        try:
            return Outcome(await self._call(kind)(gateway_id, operation.key), None)
        except GatewayRefused as refused:
            seen = await self._gateway.look_up(gateway_id)
            return Outcome(seen, None if seen.state in EFFECT[kind] else refused.code)

    def _call(self, kind: OperationKind) -> Callable[[str, str], Awaitable[Seen]]:
        if kind is OperationKind.CAPTURE:
            return self._gateway.capture
        if kind is OperationKind.VOID:
            return self._gateway.void
        return self._gateway.refund

    async def _record(self, payment: Payment, operation: Operation, outcome: Outcome) -> Payment:
        is_done = outcome.refusal is None and ACHIEVED_BY.get(outcome.seen.state) is operation.kind
        # What is called off may need more than its step: see `_follow_void`.
        alone = is_done and operation.kind is not OperationKind.VOID
        if alone and (applied := await self._apply_alone(payment, outcome.seen)) is not None:
            return applied.payment
        async with self._database.writer() as tx:
            if operation.kind is OperationKind.VOID:
                payment = await self._locked(tx, payment.payment_id)
            applied = await self.apply(tx, payment, outcome.seen)
            if outcome.refusal is not None or operation.kind not in applied.achieved:
                await gateway_queries.settle_operation(tx, operation.payment_id, operation.kind, outcome.refusal)
            if operation.kind is OperationKind.VOID:
                await self._follow_void(tx, applied.payment)
        return applied.payment

    async def _follow_void(self, tx: Transaction, payment: Payment) -> None:
        """What was to be voided ends without money, whichever way it went meanwhile."""
        if payment.state is PaymentState.CAPTURED:
            await gateway_queries.insert_operation(tx, payment, OperationKind.REFUND)
        elif payment.state is PaymentState.DECLINED:
            await self.step(tx, payment, PaymentState.VOIDED)
        elif payment.state is PaymentState.VOIDED:
            await gateway_queries.settle_operation(tx, payment.payment_id, OperationKind.CAPTURE, CALLED_OFF)

    async def _apply_alone(self, payment: Payment, seen: Seen) -> Applied | None:
        """The same as `apply` where that is one step, whose statement is a transaction of its own: most often it is.

        None, with nothing written, if it takes more than that, or if the payment has moved on.
        """
        if len(steps_to(payment.state, seen.state) or ()) != 1:
            return None
        try:
            async with self._database.writer(single=True) as tx:
                return await self._take_steps(tx, payment, seen)
        except MovedOn:
            return None

    async def apply(self, tx: Transaction, payment: Payment, seen: Seen) -> Applied:
        """Brings a payment to where the gateway has it: each step with its fact and its booking.

        `payment` is as it was read, perhaps a while ago: if it has moved on meanwhile, it goes on from where it is now.
        """
        try:
            applied = await self._take_steps(tx, payment, seen)
        except MovedOn:
            applied = await self._take_steps(tx, await self._locked(tx, payment.payment_id), seen)
        payment = applied.payment
        if seen.was_authorised and not payment.was_authorised:
            payment = await queries.note_authorised(tx, payment.payment_id)
        if payment.state is PaymentState.VOIDED and seen.state in SOURCES[OperationKind.VOID]:
            # Called off here while the gateway still holds a session or an authorisation: it is given up there as well.
            payment = await self._locked(tx, payment.payment_id)
            await gateway_queries.insert_operation(tx, payment, OperationKind.VOID)
        return Applied(payment, applied.achieved)

    async def _take_steps(self, tx: Transaction, payment: Payment, seen: Seen) -> Applied:
        steps = steps_to(payment.state, seen.state) or []
        for step in steps:
            payment = await self.step(tx, payment, step, reason=seen.decline_reason, was_authorised=seen.was_authorised)
        return Applied(payment, frozenset(ACHIEVED_BY[step] for step in steps if step in ACHIEVED_BY))

    async def _locked(self, tx: Transaction, payment_id: UUID) -> Payment:
        payment = await queries.locked_payment(tx, payment_id)
        if payment is None:
            raise PaymentUnknown(payment_id)
        return payment

    async def step(
        self,
        tx: Transaction,
        payment: Payment,
        step: PaymentState,
        *,
        reason: str | None = None,
        was_authorised: bool = False,
    ) -> Payment:
        """One transition. Raises MovedOn, with nothing written, if the payment is not in its state any more: never if it is locked."""
        now = utc_now()
        captured_at = now if step is PaymentState.CAPTURED else None
        decline_reason = (reason or "unknown") if step is PaymentState.DECLINED else None
        await tx.publish(fact_of(payment, step, reason=decline_reason, at=now))
        moved = await queries.move_payment(
            tx, payment, step, decline_reason=decline_reason, captured_at=captured_at, was_authorised=was_authorised
        )
        if moved is None:
            raise MovedOn
        changed = moved.attributes() | ({"onsale.reason": decline_reason} if decline_reason else {})
        tx.after_commit(lambda: trace.get_current_span().add_event("payment changed", changed))
        return moved


def _is_known(payment: Payment, seen: Seen) -> bool:
    """Whether what the gateway shows is where the payment is anyway."""
    return seen.state is payment.state and (payment.was_authorised or not seen.was_authorised)


def is_refused(operation: Operation) -> bool:
    """Whether an operation will never happen."""
    return operation.state is OperationState.REFUSED
