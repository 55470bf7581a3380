"""Bugs as code: faults of services that oversell, lose or double, switched on at run time (`chassis/drills.py`).

`ORDERS_DRILL=rehearsal.bugs.code:keeps-the-places` lets orders start with one. Each replaces a part that is really there: if it is
renamed, planting fails.
"""

import dataclasses
from collections.abc import Mapping
from typing import Any
from uuid import UUID, uuid4

from chassis import inbox, work
from chassis.db import Transaction
from chassis.drills import Faults, Switch
from chassis.relay import Relay
from rehearsal.bugs.model import CodeBug, TestedBug
from services.inventory import queries as inventory_queries
from services.notifications.service import Notifications
from services.orders.clients.inventory import InventoryClient
from services.orders.clients.payments import PaymentsClient
from services.orders.service import transitions
from services.payments import queries as payments_queries
from services.payments.clients.bank import BankGateway
from services.tickets import service as tickets_service


def acknowledges_first(faults: Faults) -> None:
    """Each second message is acknowledged before its transaction, which then fails."""
    seen = 0

    async def take_effect(delivery: Any, event: Any, span: Any) -> None:
        nonlocal seen
        seen += 1
        if seen % 2:
            await good(delivery, event, span)

    good = faults.replace(inbox._Delivery, "_take_effect", take_effect)  # noqa: SLF001  # it stands in for a part of it


def marks_as_sent_first(faults: Faults) -> None:
    """A fact is marked as sent, and what sends it dies before it does."""

    async def send(_relay: Relay, _publisher: Any, _row: Any) -> int:
        return 0

    faults.replace(Relay, "_send", send)


def keeps_the_places(faults: Faults) -> None:
    """The compensation is forgotten: a cancelled order does not give its places back."""

    async def release(_inventory: InventoryClient, _event_id: UUID, _hold_id: UUID) -> None: ...

    faults.replace(InventoryClient, "release", release)


def keeps_the_money(faults: Faults) -> None:
    """The compensation is forgotten: a cancelled order's money stays reserved."""

    async def void(_payments: PaymentsClient, _payment_id: UUID) -> bool:
        return True

    faults.replace(PaymentsClient, "void", void)


def captures_before_commit(faults: Faults) -> None:
    """Money is taken and the order confirmed before inventory has sold the places."""

    async def commit(_inventory: InventoryClient, _event_id: UUID, _hold_id: UUID) -> None: ...

    faults.replace(InventoryClient, "commit", commit)


def confirms_in_silence(faults: Faults) -> None:
    """An order is confirmed, and its fact is not written in that transaction."""

    def fact_of(becoming: Any, happening: Any) -> Any:
        fact = good(becoming, happening)
        return None if becoming.state == "confirmed" else fact

    good = faults.replace(transitions, "_fact_of", fact_of)


def asks_for_too_much(faults: Faults) -> None:
    """Payments is asked for more than the order costs: a fee was added at one of two places."""

    async def begin(payments: PaymentsClient, payment_id: UUID, **terms: Any) -> Any:
        return await good(payments, payment_id, **{**terms, "amount_minor": terms["amount_minor"] + 100})

    good = faults.replace(PaymentsClient, "begin", begin)


def releases_twice(faults: Faults) -> None:
    """What is given back is given back twice: whoever releases a hold does not look whether it is released."""

    async def add_to_counters(tx: Transaction, held: dict[UUID, int], sold: dict[UUID, int]) -> None:
        back = {key: number for key, number in sold.items() if number < 0 and not held}
        await good(tx, held, {key: number + back.get(key, 0) for key, number in sold.items()})

    good = faults.replace(inventory_queries, "add_to_counters", add_to_counters)


def counts_nothing(faults: Faults) -> None:
    """Places are sold and not counted, so that more can be sold than there are."""

    async def add_to_counters(_tx: Transaction, _held: dict[UUID, int], _sold: dict[UUID, int]) -> None: ...

    faults.replace(inventory_queries, "add_to_counters", add_to_counters)


def issues_one_too_many(faults: Faults) -> None:
    """Ordinals count from 0 to the quantity: off by one."""

    def places_of(order: Any) -> list[tuple[Any, int]]:
        places = good(order)
        return [*places, (places[-1][0], places[-1][1] + 1)]

    good = faults.replace(tickets_service, "places_of", places_of)


def forgets_the_mail(faults: Faults) -> None:
    """The fact is heard, and the mail that it calls for is written down after the commit, which never happens."""

    async def note(
        _notifications: Notifications, tx: Transaction, *_: Any, received: inbox.Received, **__: Any
    ) -> bool:
        return await inbox.hear(tx, received)

    faults.replace(Notifications, "note", note)


def takes_a_new_key(faults: Faults) -> None:
    """Each request to the bank has a key of its own, so that one that is sent again is another one."""

    async def capture(gateway: BankGateway, gateway_payment_id: str, _key: str) -> Any:
        return await good(gateway, gateway_payment_id, str(uuid4()))

    good = faults.replace(BankGateway, "capture", capture)


def books_half(faults: Faults) -> None:
    """A capture is booked at half of its amount: a share was subtracted twice."""

    def entries_of(step: Any, amount_minor: int) -> Any:
        return good(step, amount_minor // 2)

    good = faults.replace(payments_queries, "entries_of", entries_of)


def drops_the_fence(faults: Faults) -> None:
    """Who slept through its lease still writes what it found out, over what the next one has done."""
    faults.replace(work, "_ours", lambda queue: f"{queue.key} = :key AND :fence > 0 AND ({queue.waits})")


def takes_what_is_taken(faults: Faults) -> None:
    """A lease is not looked at, so that two do the same work."""
    faults.replace(work, "_free", lambda _queue: "true")


@dataclasses.dataclass(frozen=True)
class _Planted:
    bug: CodeBug
    switch: Switch


_PLANTED = (
    _Planted(
        CodeBug("acknowledges-first", "a message is acknowledged before its commit", 8, "tickets"), acknowledges_first
    ),
    _Planted(CodeBug("marks-as-sent-first", "a fact is marked as sent before it is", 8, "orders"), marks_as_sent_first),
    _Planted(CodeBug("keeps-the-places", "a cancelled order's places are not released", 3, "orders"), keeps_the_places),
    _Planted(CodeBug("keeps-the-money", "a cancelled order's money is not voided", 12, "orders"), keeps_the_money),
    _Planted(
        CodeBug("captures-before-commit", "money is taken before places are sold", 3, "orders"), captures_before_commit
    ),
    _Planted(
        CodeBug("confirms-in-silence", "a confirmation is not published with its commit", 9, "orders"),
        confirms_in_silence,
    ),
    _Planted(CodeBug("asks-for-too-much", "more is charged than the order costs", 4, "orders"), asks_for_too_much),
    _Planted(CodeBug("releases-twice", "places are given back twice", 1, "inventory"), releases_twice),
    _Planted(CodeBug("counts-nothing", "places are sold and not counted", 1, "inventory"), counts_nothing),
    _Planted(
        CodeBug("issues-one-too-many", "an order has a ticket more than places", 3, "tickets"), issues_one_too_many
    ),
    _Planted(
        CodeBug("forgets-the-mail", "a fact is heard and its mail is lost", 11, "notifications"), forgets_the_mail
    ),
    _Planted(
        CodeBug("takes-a-new-key", "the bank is asked under a key that nobody wrote down", 6, "payments"),
        takes_a_new_key,
    ),
    _Planted(CodeBug("books-half", "a capture is booked at half its amount", 0, "payments"), books_half),
)
CODE_BUGS = tuple(each.bug for each in _PLANTED)
_OF_TESTS = {
    TestedBug(
        "drops-the-fence",
        "who slept through its lease overwrites what was done meanwhile",
        "chassis/tests/test_work.py::test_who_slept_through_the_lease_changes_nothing",
    ): drops_the_fence,
    TestedBug(
        "takes-what-is-taken",
        "two do the same work at the same time",
        "chassis/tests/test_work.py::test_the_longest_due_comes_first_and_nobody_else_gets_it",
    ): takes_what_is_taken,
    TestedBug(
        "charges-again-with-a-new-key",
        "a capture whose answer was lost is asked for under another key",
        "services/payments/tests/integration/test_cards.py"
        "::test_a_bank_that_answers_500_is_asked_again_with_the_same_key",
    ): takes_a_new_key,
}
TESTED_BUGS = tuple(_OF_TESTS)
SWITCHES: Mapping[str, Switch] = {
    **{each.bug.name: each.switch for each in _PLANTED},
    **{bug.name: switch for bug, switch in _OF_TESTS.items()},
}
