"""What orders reads in the facts of tickets."""

from sqlalchemy import text

from chassis.testing import Harness
from chassis.work import due
from contracts import matchers
from contracts.consumer import Hearing, an_id, deliver, hears
from services.orders import queries
from services.orders.domain import OrderState
from services.orders.tests.desk import open_desk

tickets = hears("orders", "tickets")


async def test_an_order_waits_for_its_tickets_until_they_are_issued(tickets: Hearing, harness: Harness) -> None:
    order_id = an_id("orders hears tickets: order")
    data = {"order_id": matchers.identifier(order_id)}
    async with open_desk(harness) as desk:
        await desk.order(
            order_id=order_id,
            hold_id=an_id("orders hears tickets: hold"),
            person_id=an_id("buyer"),
            state=OrderState.HELD,
        )
        async with desk.database.writer() as tx:
            awaited = text("INSERT INTO awaited_tickets (order_id) VALUES (:order_id)")
            await tx.execute(awaited, {"order_id": order_id}, name="test")
        with tickets.published("events.tickets.tickets_issued.v1", data, about=order_id, flavour="of places") as event:
            await deliver(desk.inbox, desk.database, event)
            async with desk.database.writer() as tx:
                assert await due(tx, queries.AWAITED) == []
