"""Moments that a real bank shows too rarely: a gateway whose answers are scripted, on a real database."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from chassis.db import Database
from chassis.ids import uuid7
from chassis.testing import Harness
from services.payments import gateway_queries, ledger
from services.payments.domain import (
    CaptureRefused,
    GatewayUnavailable,
    Operation,
    OperationKind,
    OperationState,
    PaymentCalledOff,
    PaymentState,
    Terms,
)
from services.payments.gateway import GatewayRefused, GatewaySilent, Seen
from services.payments.service import under_way
from services.payments.service.ask_gateway_again import AskGatewayAgain
from services.payments.service.capture_payment import CapturePayment
from services.payments.service.gateway_operations import GatewayOperations
from services.payments.service.look_up_payment import LookUpPayment
from services.payments.service.open_payment import OpenPayment
from services.payments.service.void_or_refund_payment import VoidOrRefundPayment
from services.payments.settings import PaymentsSettings

S = PaymentState
Hook = Callable[[], Awaitable[None]]


@dataclass
class ScriptedGateway:
    """One payment, moved by calls; `silent` calls answer nothing, `hooks` run in the middle of a call."""

    state: PaymentState = S.CREATED
    calls: list[tuple[str, str]] = field(default_factory=list)
    silent: set[str] = field(default_factory=set)
    hooks: dict[str, Hook] = field(default_factory=dict)

    def seen(self) -> Seen:
        return Seen("pay_1", self.state, "http://bank.test/pay/pay_1", None, was_authorised=False)

    async def _do(self, name: str, key: str, sources: set[PaymentState], target: PaymentState) -> Seen:
        self.calls.append((name, key))
        if hook := self.hooks.pop(name, None):
            await hook()
        if name in self.silent:
            raise GatewaySilent
        if self.state is not target and self.state not in sources:
            raise GatewayRefused(f"{name}_not_possible")
        self.state = target
        return self.seen()

    async def open_session(self, key: str, terms: Terms) -> Seen:
        return await self._do("open_session", key, {S.CREATED}, self.state)

    def told(self, kind: str) -> PaymentState | None:
        raise AssertionError("There are no webhooks here.")

    async def look_up(self, gateway_payment_id: str) -> Seen:
        return self.seen()

    async def capture(self, gateway_payment_id: str, key: str) -> Seen:
        return await self._do("capture", key, {S.AUTHORISED}, S.CAPTURED)

    async def void(self, gateway_payment_id: str, key: str) -> Seen:
        return await self._do("void", key, {S.CREATED, S.AUTHORISED}, S.VOIDED)

    async def refund(self, gateway_payment_id: str, key: str) -> Seen:
        return await self._do("refund", key, {S.CAPTURED}, S.REFUNDED)

    def done(self) -> list[str]:
        return [name for name, _ in self.calls if name != "open_session"]


@dataclass
class Desk:
    """The use cases on a database, with a scripted gateway."""

    database: Database
    gateway: ScriptedGateway
    open_payment: OpenPayment
    look_up_payment: LookUpPayment
    capture_payment: CapturePayment
    void_or_refund_payment: VoidOrRefundPayment
    asking: AskGatewayAgain
    terms: Terms

    async def open_authorised(self) -> None:
        await self.open_payment(self.terms)
        self.gateway.state = S.AUTHORISED
        await self.look_up_payment(self.terms.payment_id, refresh=True)

    async def state(self) -> PaymentState:
        return (await self.look_up_payment(self.terms.payment_id, refresh=False)).state

    async def operations(self) -> dict[OperationKind, OperationState]:
        async with self.database.reader() as reads:
            found = await gateway_queries.operations_of(reads, self.terms.payment_id)
        return {kind: operation.state for kind, operation in found.items() if kind is not OperationKind.AUTHORISE}

    async def work(self) -> None:
        """What the worker does until nothing is due (pauses are zero here)."""
        for _ in range(5):
            await self.asking.ask_about_operations()

    async def balance(self) -> set[int]:
        async with self.database.reader() as reads:
            return set((await ledger.balances(reads)).values())


@pytest.fixture
async def desk(harness: Harness) -> AsyncIterator[Desk]:
    settings = harness.settings(
        PaymentsSettings, bank_url="http://unused.test", bank_api_key="unused-key", bank_webhook_secret="unused-secret"
    )
    database, gateway = Database(settings), ScriptedGateway()
    operations = GatewayOperations(database, gateway, ask_again_seconds=0)
    open_payment = OpenPayment(database, gateway, operations, ask_after_seconds=0, ask_again_seconds=0)
    terms = Terms(uuid7(), uuid7(), 4200, "EUR", "2 places", "http://s.test/", datetime.now(UTC) + timedelta(hours=1))
    yield Desk(
        database,
        gateway,
        open_payment,
        LookUpPayment(database, operations),
        CapturePayment(database, operations, ask_again_seconds=0),
        VoidOrRefundPayment(database, operations, ask_again_seconds=0),
        AskGatewayAgain(database, operations, open_payment, ask_again_seconds=0),
        terms,
    )
    await database.close()


async def test_an_unknown_capture_is_not_done_again_once_the_payment_is_called_off(desk: Desk) -> None:
    await desk.open_authorised()
    desk.gateway.silent = {"capture", "void"}
    with pytest.raises(GatewayUnavailable):
        await desk.capture_payment(desk.terms.payment_id)
    with pytest.raises(GatewayUnavailable):
        await desk.void_or_refund_payment(desk.terms.payment_id)
    desk.gateway.silent = {"void"}
    await desk.work()
    assert desk.gateway.done().count("capture") == 1
    assert desk.gateway.state is S.AUTHORISED
    desk.gateway.silent = set()
    await desk.work()
    assert await desk.state() is S.VOIDED
    assert OperationState.UNKNOWN not in (await desk.operations()).values()


async def test_a_capture_that_took_effect_unseen_is_found_by_looking_and_not_called_again(desk: Desk) -> None:
    await desk.open_authorised()

    async def take_effect() -> None:
        desk.gateway.state = S.CAPTURED

    desk.gateway.hooks["capture"] = take_effect
    desk.gateway.silent = {"capture"}
    with pytest.raises(GatewayUnavailable):
        await desk.capture_payment(desk.terms.payment_id)
    assert (await desk.capture_payment(desk.terms.payment_id)).state is S.CAPTURED
    assert desk.gateway.done() == ["capture"]
    assert await desk.balance() == {4200, -4200}


async def test_a_payment_that_is_called_off_after_its_capture_was_decided_is_not_captured(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    await desk.open_authorised()
    carry_out = GatewayOperations.carry_out

    async def after_a_void(operations: GatewayOperations, operation: Operation) -> None:
        monkeypatch.setattr(GatewayOperations, "carry_out", carry_out)
        with pytest.raises(GatewayUnavailable):
            await desk.void_or_refund_payment(desk.terms.payment_id)
        await carry_out(operations, operation)

    monkeypatch.setattr(GatewayOperations, "carry_out", after_a_void)
    desk.gateway.silent = {"void"}
    with pytest.raises(CaptureRefused):
        await desk.capture_payment(desk.terms.payment_id)
    assert "capture" not in desk.gateway.done()


async def test_captures_that_are_decided_together_are_one_operation(desk: Desk) -> None:
    await desk.open_authorised()
    captured = await asyncio.gather(*(desk.capture_payment(desk.terms.payment_id) for _ in range(4)))
    assert {payment.state for payment in captured} == {S.CAPTURED}
    assert len({key for name, key in desk.gateway.calls if name == "capture"}) == 1
    assert await desk.balance() == {4200, -4200}


async def test_an_unknown_capture_is_asked_for_again_with_the_same_key(desk: Desk) -> None:
    await desk.open_authorised()
    desk.gateway.silent = {"capture"}
    for _ in range(2):
        with pytest.raises(GatewayUnavailable):
            await desk.capture_payment(desk.terms.payment_id)
    desk.gateway.silent = set()
    await desk.work()
    assert await desk.state() is S.CAPTURED
    assert len({key for name, key in desk.gateway.calls if name == "capture"}) == 1


async def test_money_that_was_captured_while_a_void_was_unknown_is_refunded_by_the_worker(desk: Desk) -> None:
    await desk.open_authorised()
    desk.gateway.silent = {"void"}
    with pytest.raises(GatewayUnavailable):
        await desk.void_or_refund_payment(desk.terms.payment_id)
    desk.gateway.state = S.CAPTURED
    await desk.work()
    assert await desk.state() is S.REFUNDED
    assert desk.gateway.state is S.REFUNDED
    assert await desk.balance() == {0}


async def test_a_session_that_opens_while_its_payment_is_called_off_is_given_up_at_the_gateway(desk: Desk) -> None:
    async def call_off() -> None:
        await desk.void_or_refund_payment(desk.terms.payment_id)

    desk.gateway.hooks["open_session"] = call_off
    with pytest.raises(PaymentCalledOff):
        await desk.open_payment(desk.terms)
    await desk.work()
    assert desk.gateway.state is S.VOIDED
    assert await desk.state() is S.VOIDED


async def test_what_the_gateway_said_a_while_ago_does_not_turn_a_payment_back(desk: Desk) -> None:
    await desk.open_authorised()
    old = desk.gateway.seen()
    captured = await desk.capture_payment(desk.terms.payment_id)
    async with desk.database.writer() as tx:
        applied = await GatewayOperations(desk.database, desk.gateway, ask_again_seconds=0).apply(tx, captured, old)
    assert applied.payment.state is S.CAPTURED
    assert await desk.balance() == {4200, -4200}


async def test_a_payment_that_moved_on_since_it_was_read_takes_each_step_once(desk: Desk) -> None:
    await desk.open_payment(desk.terms)
    read = await desk.look_up_payment(desk.terms.payment_id, refresh=False)
    desk.gateway.state = S.AUTHORISED
    await desk.look_up_payment(desk.terms.payment_id, refresh=True)
    desk.gateway.state = S.CAPTURED
    operations = GatewayOperations(desk.database, desk.gateway, ask_again_seconds=0)
    applied = [await operations.refresh(read) for _ in range(2)]
    assert [payment.state for payment in applied] == [S.CAPTURED] * 2
    assert await desk.balance() == {4200, -4200}
    async with desk.database.reader() as reads:
        told = await reads.execute(text("SELECT subject FROM outbox ORDER BY event_id"), name="test.told")
    assert [subject.split(".")[2] for subject in told.scalars()] == ["payment_authorised", "payment_captured"]


async def test_many_who_see_the_same_at_the_gateway_book_it_once(desk: Desk) -> None:
    await desk.open_authorised()
    read = await desk.look_up_payment(desk.terms.payment_id, refresh=False)
    desk.gateway.state = S.CAPTURED
    operations = GatewayOperations(desk.database, desk.gateway, ask_again_seconds=0)
    applied = await asyncio.gather(*(operations.refresh(read) for _ in range(5)))
    assert {payment.state for payment in applied} == {S.CAPTURED}
    assert await desk.balance() == {4200, -4200}


async def test_who_looks_while_the_same_payment_is_asked_about_waits_until_the_answer_is_written(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    await desk.open_payment(desk.terms)
    desk.gateway.state = S.AUTHORISED
    asked, answers, states = asyncio.Event(), asyncio.Event(), list[PaymentState]()

    async def look_up(gateway: ScriptedGateway, gateway_payment_id: str) -> Seen:
        states.append(await desk.state())
        asked.set()
        await answers.wait()
        return gateway.seen()

    monkeypatch.setattr(under_way, "MOMENT_SECONDS", 10)
    monkeypatch.setattr(ScriptedGateway, "look_up", look_up)
    looking = [asyncio.create_task(desk.look_up_payment(desk.terms.payment_id, refresh=True))]
    await asked.wait()
    looking.append(asyncio.create_task(desk.look_up_payment(desk.terms.payment_id, refresh=True)))
    await asyncio.sleep(0.1)
    answers.set()
    assert [payment.state for payment in await asyncio.gather(*looking)] == [S.AUTHORISED] * 2
    assert states == [S.CREATED, S.AUTHORISED]


async def test_captures_that_are_decided_in_the_same_moment_are_one(desk: Desk) -> None:
    """The second key of the row must not refuse what the first one would have found: a race that one in some hundred loses."""
    async with desk.database.writer() as tx:
        await tx.execute(text(_AUTHORISED_PAYMENTS), {"many": MANY_PAYMENTS}, name="test.pay")
        payments = (await tx.execute(text("SELECT payment_id FROM payment"), name="test.payments")).scalars()

    for payment_id in payments:
        decisions = (desk.capture_payment._decide_capture(payment_id) for _ in range(8))
        found = [operation for _, operation in await asyncio.gather(*decisions)]
        assert None not in found
        assert len({operation.key for operation in found if operation}) == 1


MANY_PAYMENTS = 150
_AUTHORISED_PAYMENTS = """
    INSERT INTO payment (payment_id, order_id, attempt, amount_minor, currency, description, return_url, pay_by, state)
    SELECT gen_random_uuid(), gen_random_uuid(), 1, 100, 'EUR', '', '', now(), 'authorised'
    FROM generate_series(1, :many)
"""
