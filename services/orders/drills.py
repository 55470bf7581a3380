"""Faults of orders to practise on. Loaded only when one is switched on (chassis/drills.py)."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from uuid import UUID

from chassis.consistency import stale
from chassis.db import Transaction
from chassis.drills import Faults, Switch
from chassis.statements import text
from services.orders import api, queries
from services.orders.domain import Happening, Order
from services.orders.operations import LineOut, OrderOut
from services.orders.service.begin_payment import BeginPayment
from services.orders.service.cancel_order import CancelOrder
from services.orders.service.find_orders import FindOrders
from services.orders.service.transitions import OrderTransitions


def sum_of_unit_prices(faults: Faults) -> None:
    """The amount is added up anew from the lines, by somebody who knew only orders of seats: a line is one place there."""

    async def begin(begin_payment: BeginPayment, order: Order, return_url: str) -> Order:
        amount_minor = sum(line.unit_price_minor for line in order.lines)
        begun: Order = await good(begin_payment, replace(order, total_minor=amount_minor), return_url)
        return begun

    good = faults.replace(BeginPayment, "_begin", begin)


def read_again_before_writing(faults: Faults) -> None:
    """The log was full of transitions that somebody else had made impossible: now the order is read anew just before each change.

    What the change compares itself with is so always what is there, and whoever is slower wins; the rule by which the database
    would refuse that was in the way, and stands aside for such a change. Who cancels does
    not take the order from whoever is at it any more: nothing is impossible now.
    """

    async def change_order(
        tx: Transaction, order: Order, happening: Happening, changes: dict[str, Any], also: queries.Also
    ) -> Order | None:
        newest = await queries.lock_order(tx, order.order_id) or order
        if newest.state is order.state:
            changed: Order | None = await good(tx, newest, happening, changes, also)
            return changed
        await tx.execute(_ASIDE, name="orders.set_rule_aside")
        changed = await good(tx, newest, happening, changes, also)
        await tx.execute(_AGAIN, name="orders.set_rule_again")
        return changed

    async def apply(transitions: OrderTransitions, order: Order, happening: Happening, **values: Any) -> Order:
        async with transitions._database.writer() as tx:  # noqa: SLF001  # it stands in for a method of that class
            return await transitions.apply_in(tx, order, happening, **values)

    async def cancel(cancelling: CancelOrder, order_id: UUID, person_id: UUID) -> Order:
        find_by_id = cancelling._find_orders.by_id  # noqa: SLF001  # it stands in for a method of that class
        order = await find_by_id(order_id, person_id)
        await cancelling._transitions.apply(order, Happening.BUYER_CANCELLED)  # noqa: SLF001  # see above
        await cancelling._saga.drive(order_id)  # noqa: SLF001  # see above
        return await find_by_id(order_id, person_id)

    good = faults.replace(queries, "change_order", change_order)
    faults.replace(OrderTransitions, "apply", apply)
    faults.replace(CancelOrder, "_cancel", cancel)


def before_lines_named_their_seats(faults: Faults) -> None:
    """The release before the one in which an order's lines name their seats."""

    def shown(order: Order, hold_longest_seconds: int) -> OrderOut:
        answer: OrderOut = good(order, hold_longest_seconds)
        fields = LineOut.model_fields.keys() - {"seat_label"}
        lines = [LineOut.model_construct(**line.model_dump(include=set(fields))) for line in answer.lines]
        return answer.model_copy(update={"lines": lines})

    good = faults.replace(api, "_shown", shown)


def a_list_may_be_old(faults: Faults) -> None:
    """Somebody measured how often lists are read and how seldom they change, and let the replica have them all."""

    async def of_person(
        find_orders: FindOrders, person_id: UUID, after: UUID | None, limit: int, open_for: UUID | None = None
    ) -> list[Order]:
        async with find_orders._database.reader(_OLD) as reads:  # noqa: SLF001  # it stands in for a method of that class
            return await queries.orders_of_person(reads, person_id, after, limit, open_for)

    faults.replace(FindOrders, "of_person", of_person)


_OLD = stale(300, "A list that is read a thousand times for each time that it changes.")
_ASIDE = text("ALTER TABLE purchase_order DISABLE TRIGGER order_takes_its_steps")
_AGAIN = text("ALTER TABLE purchase_order ENABLE TRIGGER order_takes_its_steps")

SWITCHES: Mapping[str, Switch] = {
    "sum-of-unit-prices": sum_of_unit_prices,
    "read-again-before-writing": read_again_before_writing,
    "before-lines-named-their-seats": before_lines_named_their_seats,
    "a-list-may-be-old": a_list_may_be_old,
}
