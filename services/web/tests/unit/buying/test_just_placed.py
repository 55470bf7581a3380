"""What is kept of an order that was placed a moment ago: once, briefly, for its buyer, until it moves on."""

from datetime import UTC, datetime
from uuid import UUID, uuid4

from services.web.buying import just_placed
from services.web.buying.just_placed import SOON_SECONDS, JustPlaced
from services.web.frame.sessions import Session
from services.web.frame.visitors import Visitor
from services.web.tests.unit.buying.test_views import order

SUBJECT = "bus.orders.order_changed"


def visitor(person_id: UUID | None = None) -> Visitor:
    session = Session("cookie", person_id or uuid4(), True, None, "token", "again", datetime.now(UTC))
    return Visitor(session=session, session_cookie="cookie", visitor_id="visitor", is_new=False)


def test_a_buyer_sees_it_once() -> None:
    kept, buyer, placed = JustPlaced(), visitor(), order()
    kept.keep(buyer, placed)
    assert kept.take(visitor(), placed.order_id) is None
    assert kept.take(buyer, placed.order_id) is placed
    assert kept.take(buyer, placed.order_id) is None


def test_it_is_not_shown_later() -> None:
    now = [100.0]
    kept, buyer, placed = JustPlaced(lambda: now[0]), visitor(), order()
    kept.keep(buyer, placed)
    now[0] += SOON_SECONDS + 0.1
    assert kept.take(buyer, placed.order_id) is None


async def test_an_order_that_moved_on_is_asked_for() -> None:
    kept, buyer, placed = JustPlaced(), visitor(), order(state="held")
    for state, is_shown in (("held", True), ("cancelling", False)):
        kept.keep(buyer, placed)
        await kept.on_order_changed(SUBJECT, {"order_id": str(placed.order_id), "state": state})
        await kept.on_order_changed(SUBJECT, {"order_id": str(uuid4()), "state": "cancelling"})
        await kept.on_order_changed(SUBJECT, {"event_id": str(uuid4())})
        assert (kept.take(buyer, placed.order_id) is placed) is is_shown


def test_only_so_many_are_kept() -> None:
    kept, buyer, first = JustPlaced(), visitor(), order()
    kept.keep(buyer, first)
    for _ in range(just_placed.MOST_ORDERS):
        kept.keep(buyer, order(order_id=uuid4()))
    assert kept.take(buyer, first.order_id) is None
