"""What web needs of orders: to place one, to see it, to pay it, to cancel it; and each refusal that a page explains."""

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

import pytest

from chassis.asking import Use
from chassis.http import ProviderUnavailable
from contracts import matchers
from contracts.consumer import Answer, Ask, Asking, a_state, an_id, ask, asks, problem
from services.web.clients import orders as client_of_orders
from services.web.clients.orders import (
    CANCEL,
    CHECK_OUT,
    FIND_ORDERS,
    GET_ORDER,
    LIST_ORDERS,
    PROLONG,
    REFRESH,
    TAKE_ALONG,
    OrdersClient,
)
from services.web.clients.records import GET_RECORDS
from services.web.tests.contract.orders_shapes import (
    A_HEAD,
    A_PAGE_TO_PAY,
    A_PASS,
    A_SEAT,
    BEING_PLACED,
    HELD_SECONDS,
    KEY,
    RETURN_URL,
    THE_EVENT,
    TO_THE_LETTER,
    TOKEN,
    WITH_SEATS,
    an_order,
    ask_to_place,
    ids,
    refused,
)
from services.web.tests.contract.recorded import any_of, entry, records

orders = asks("web", "orders", OrdersClient)


async def test_placing_an_order_takes_the_places_away_for_a_while(orders: Asking[OrdersClient]) -> None:
    _, buyer = ids("placed")
    event_id, class_id = an_id("web asks orders: event"), an_id("web asks orders: class")
    async with orders.expects(
        "an order of two places",
        a_state("an event with free places", event_id=event_id, class_id=class_id),
        ask_to_place(buyer, event_id, class_id),
        Answer(201, an_order(None, "held", **TO_THE_LETTER, event_id=str(event_id))),
    ) as client:
        order = await client.place(TOKEN, event_id, {class_id: 2}, [], KEY)
        assert (order.state, order.total_minor, order.lines[0].quantity) == ("held", 5000, 2)


async def test_the_same_click_again_gets_the_same_order(orders: Asking[OrdersClient]) -> None:
    order_id, buyer = ids("clicked twice")
    event_id, class_id = an_id("web asks orders: event, clicked twice"), an_id("web asks orders: class, clicked twice")
    asked = ask_to_place(buyer, event_id, class_id)
    made = {"event_id": event_id, "class_id": class_id, "order_id": order_id, "number": "WEBS-2222"}
    async with orders.expects(
        "an order that the same click has placed before",
        a_state("an order that was placed before", **made, person_id=buyer, key=KEY, body=asked.body),
        asked,
        Answer(201, an_order(order_id, "held", **TO_THE_LETTER, event_id=str(event_id), number="WEBS-2222")),
    ) as client:
        assert (await client.place(TOKEN, event_id, {class_id: 2}, [], KEY)).order_id == order_id


@pytest.mark.parametrize(
    ("words", "status", "code", "facts"),
    [
        ("whose places are sold out", 409, "sold_out", {"available": 0}),
        ("that is not on sale", 409, "not_on_sale", {"begins_at": matchers.nothing()}),
        ("whose sale lies ahead", 409, "not_on_sale", {"begins_at": "2031-01-10T09:00:00Z"}),
        ("that is cancelled", 409, "event_cancelled", {}),
        ("that nobody knows", 404, "event_unknown", {}),
    ],
)
async def test_an_order_that_cannot_be_is_refused_with_what_its_page_says(
    orders: Asking[OrdersClient], words: str, status: int, code: str, facts: dict[str, Any]
) -> None:
    _, buyer = ids(words)
    event_id, class_id = an_id(f"web asks orders: event {words}"), an_id(f"web asks orders: class {words}")
    more = {**facts, "class_id": str(class_id)} if code == "sold_out" else facts
    state = a_state(f"an event {words}", event_id=event_id, class_id=class_id)
    asked = ask_to_place(buyer, event_id, class_id)
    async with refused(orders, f"an order for an event {words}", state, asked, status, code, **more) as client:
        await client.place(TOKEN, event_id, {class_id: 2}, [], KEY)


async def test_a_taken_seat_is_named(orders: Asking[OrdersClient]) -> None:
    _, buyer = ids("taken seat")
    event_id, class_id = an_id("web asks orders: event, taken"), an_id("web asks orders: class, taken")
    state = a_state("an event whose seat is taken", event_id=event_id, class_id=class_id, taken="A1")
    asked = ask_to_place(buyer, event_id, None, ("A1",))
    async with refused(orders, "an order of a taken seat", state, asked, 409, "seats_taken", seat_ids=["A1"]) as client:
        await client.place(TOKEN, event_id, {}, ["A1"], KEY)


async def test_an_order_of_more_than_one_buyer_may_have_is_refused(orders: Asking[OrdersClient]) -> None:
    _, buyer = ids("too many")
    event_id, class_id = an_id("web asks orders: event, too many"), an_id("web asks orders: class, too many")
    state = a_state("an event with free places", event_id=event_id, class_id=class_id)
    asked = ask_to_place(buyer, event_id, class_id, quantity=50)
    async with refused(orders, "an order of too many places", state, asked, 422, "too_many_places") as client:
        await client.place(TOKEN, event_id, {class_id: 50}, [], KEY)


async def test_who_holds_as_much_as_one_order_may_have_is_led_to_the_open_order(orders: Asking[OrdersClient]) -> None:
    order_id, buyer = ids("still open")
    event_id, class_id = an_id("web asks orders: event, still open"), an_id("web asks orders: class, still open")
    given = {"event_id": event_id, "class_id": class_id, "order_id": order_id, "person_id": buyer}
    state = a_state("an event of which the buyer holds unpaid places", **given)
    asked = ask_to_place(buyer, event_id, class_id)
    facts = {"order_id": str(order_id)}
    async with refused(orders, "an order beside an open one", state, asked, 409, "order_still_open", **facts) as client:
        await client.place(TOKEN, event_id, {class_id: 2}, [], KEY)


async def test_with_a_pass_of_the_waiting_room_places_are_held(orders: Asking[OrdersClient]) -> None:
    _, buyer = ids("with a pass")
    event_id, class_id = an_id("web asks orders: event, pass"), an_id("web asks orders: class, pass")
    async with orders.expects(
        "an order with a pass of the waiting room",
        a_state("an event with free places", event_id=event_id, class_id=class_id),
        ask_to_place(buyer, event_id, class_id, admission=A_PASS),
        Answer(201, an_order(None, "held", **TO_THE_LETTER, event_id=str(event_id))),
    ) as client:
        assert (await client.place(TOKEN, event_id, {class_id: 2}, [], KEY, admission=A_PASS)).state == "held"


@pytest.mark.parametrize(
    ("words", "status", "code", "admission"),
    [
        ("for which one needs a pass", 403, "pass_needed", None),
        ("whose pass was used for other places", 409, "pass_used", A_PASS),
    ],
)
async def test_who_has_no_good_pass_is_told_so(
    orders: Asking[OrdersClient], words: str, status: int, code: str, admission: str | None
) -> None:
    _, buyer = ids(words)
    event_id, class_id = an_id(f"web asks orders: event {words}"), an_id(f"web asks orders: class {words}")
    state = a_state(f"an event {words}", event_id=event_id, class_id=class_id)
    asked = ask_to_place(buyer, event_id, class_id, admission=admission)
    async with refused(orders, f"an order for an event {words}", state, asked, status, code) as client:
        await client.place(TOKEN, event_id, {class_id: 2}, [], KEY, admission=admission)


async def test_an_order_of_nothing_is_refused(orders: Asking[OrdersClient]) -> None:
    _, buyer = ids("nothing")
    event_id, class_id = an_id("web asks orders: event, nothing"), an_id("web asks orders: class, nothing")
    state = a_state("an event with free places", event_id=event_id, class_id=class_id)
    asked = ask_to_place(buyer, event_id, None)
    async with refused(orders, "an order of nothing", state, asked, 422, "no_places") as client:
        await client.place(TOKEN, event_id, {}, [], KEY)


async def test_while_the_first_click_is_not_answered_the_second_waits(
    orders: Asking[OrdersClient], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client_of_orders, "FIRST_CLICK_LOOKS", 1)
    _, buyer = ids("first click")
    event_id, class_id = an_id("web asks orders: event, first click"), an_id("web asks orders: class, first click")
    asked = ask_to_place(buyer, event_id, class_id)
    given = {"event_id": event_id, "class_id": class_id, "person_id": buyer, "key": KEY, "body": asked.body}
    async with orders.expects(
        "an order whose first click is not answered yet",
        a_state("an order whose first click is not answered yet", **given),
        asked,
        problem(409, "still_in_progress"),
    ) as client:
        with pytest.raises(ProviderUnavailable):
            await client.place(TOKEN, event_id, {class_id: 2}, [], KEY)


@pytest.mark.parametrize("provider", ["inventory", "catalog"])
async def test_without_inventory_or_catalog_nothing_is_known(orders: Asking[OrdersClient], provider: str) -> None:
    _, buyer = ids(f"{provider} away")
    event_id = an_id(f"web asks orders: event, {provider} away")
    class_id = an_id(f"web asks orders: class, {provider} away")
    async with orders.expects(
        f"an order while {provider} is away",
        a_state(f"{provider} does not answer", event_id=event_id, class_id=class_id),
        ask_to_place(buyer, event_id, class_id),
        problem(503, f"{provider}_unavailable"),
    ) as client:
        with pytest.raises(ProviderUnavailable):
            await client.place(TOKEN, event_id, {class_id: 2}, [], KEY)


@pytest.mark.parametrize(
    ("state", "answer"),
    [
        ("an order that is being placed", BEING_PLACED),
        ("a held order", {"state": "held"}),
        ("a held order of a seat", {"state": "held", "lines": matchers.several(A_SEAT)}),
        ("a held order of seats and places", {"state": "held", **WITH_SEATS}),
        ("an order at the bank", {"state": "paying", **A_PAGE_TO_PAY}),
        ("an order whose card was declined", {"state": "held", "last_decline": "insufficient_funds"}),
        ("an order whose money is reserved", {"state": "authorised", **A_PAGE_TO_PAY}),
        ("an order whose places are sold", {"state": "committed", **A_PAGE_TO_PAY}),
        ("a confirmed order", {"state": "confirmed", **A_PAGE_TO_PAY}),
        ("an order that its buyer cancelled", {"state": "cancelled", "reason": "buyer"}),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_an_order_is_shown_as_it_stands(orders: Asking[OrdersClient], state: str, answer: dict[str, Any]) -> None:
    order_id, buyer = ids(f"shown: {state}")
    async with orders.expects(
        f"the page of {state}",
        a_state(state, order_id=order_id, person_id=buyer),
        ask(GET_ORDER, order_id=order_id, person=buyer),
        Answer(200, an_order(order_id, **answer)),
    ) as client:
        assert (await client.order(TOKEN, order_id)).state == answer["state"]


async def test_somebody_elses_order_is_unknown(orders: Asking[OrdersClient]) -> None:
    order_id, buyer = ids("somebody else's")
    state = a_state("a held order", order_id=order_id, person_id=buyer)
    asked = ask(GET_ORDER, order_id=order_id, person=an_id("web asks orders: a curious person"))
    async with refused(orders, "the page of somebody else's order", state, asked, 404, "order_unknown") as client:
        await client.order(TOKEN, order_id)


async def test_a_person_sees_their_orders(orders: Asking[OrdersClient]) -> None:
    order_id, buyer = ids("listed")
    async with orders.expects(
        "a person's orders",
        a_state("a held order", order_id=order_id, person_id=buyer),
        ask(LIST_ORDERS, query={"limit": "24"}, person=buyer),
        Answer(200, {"items": [an_order(order_id, "held")], "next": matchers.nothing()}),
    ) as client:
        page = await client.orders(TOKEN, None, 24)
        assert [order.order_id for order in page.items] == [order_id]


async def test_a_person_without_orders_sees_none(orders: Asking[OrdersClient]) -> None:
    async with orders.expects(
        "the orders of a person who has none",
        None,
        ask(LIST_ORDERS, query={"limit": "24"}, person=an_id("web asks orders: nobody")),
        Answer(200, {"items": [], "next": matchers.nothing()}),
    ) as client:
        assert (await client.orders(TOKEN, None, 24)).items == []


async def test_a_person_turns_the_pages_of_their_orders_to_the_end(orders: Asking[OrdersClient]) -> None:
    buyer = an_id("web asks orders: buyer of pages")
    # Ids of orders grow with time.
    oldest, older, newest = sorted(an_id(f"web asks orders: order of pages, {number}") for number in range(3))
    state = a_state("three held orders", order_ids=[str(each) for each in (oldest, older, newest)], person_id=buyer)
    after = None
    # What `next` says is what the next page is asked for.
    for which, shown, following in (("first", [newest, older], older), ("last", [oldest], None)):
        items = [an_order(order_id, "held", **TO_THE_LETTER) for order_id in shown]
        async with orders.expects(
            f"the {which} page of a person's orders",
            state,
            ask(LIST_ORDERS, query={"limit": "2"} | ({"after": str(after)} if after else {}), person=buyer),
            Answer(200, {"items": items, "next": str(following) if following else matchers.nothing()}),
        ) as client:
            page = await client.orders(TOKEN, after, 2)
            assert [order.order_id for order in page.items] == shown
            after = UUID(page.next) if page.next else None
    assert after is None


def ask_to_pay(order_id: UUID, buyer: UUID) -> Ask:
    return ask(CHECK_OUT, body={"return_url": RETURN_URL}, order_id=order_id, person=buyer)


async def test_checking_out_leads_to_the_bank(orders: Asking[OrdersClient]) -> None:
    order_id, buyer = ids("checked out")
    async with orders.expects(
        "the checkout of an order",
        a_state("a held order", order_id=order_id, person_id=buyer),
        ask_to_pay(order_id, buyer),
        Answer(200, an_order(order_id, "paying", **TO_THE_LETTER, **A_PAGE_TO_PAY)),
    ) as client:
        order = await client.check_out(TOKEN, order_id, RETURN_URL)
        assert (order.state, order.redirect_url) == ("paying", "http://bank.test/pay/1")


async def test_an_order_that_is_paid_cannot_be_paid_again(orders: Asking[OrdersClient]) -> None:
    order_id, buyer = ids("paid twice")
    state = a_state("a confirmed order", order_id=order_id, person_id=buyer)
    asked = ask_to_pay(order_id, buyer)
    async with refused(orders, "the checkout of a paid order", state, asked, 409, "order_not_payable") as client:
        await client.check_out(TOKEN, order_id, RETURN_URL)


async def test_an_order_whose_time_is_over_cannot_be_paid(orders: Asking[OrdersClient]) -> None:
    order_id, buyer = ids("too late")
    state = a_state("an order whose time to pay is over", order_id=order_id, person_id=buyer)
    asked = ask_to_pay(order_id, buyer)
    async with refused(
        orders, "the checkout of an order that is too late", state, asked, 410, "hold_expired"
    ) as client:
        await client.check_out(TOKEN, order_id, RETURN_URL)


@pytest.mark.parametrize(("state", "code"), [("cancelled", "event_cancelled"), ("postponed", "not_on_sale")])
async def test_an_order_whose_event_does_not_take_place_as_planned_cannot_be_paid(
    orders: Asking[OrdersClient], state: str, code: str
) -> None:
    order_id, buyer = ids(f"of an event that is {state}")
    given = a_state("a held order of an event that stands otherwise", order_id=order_id, person_id=buyer, state=state)
    facts = {"begins_at": matchers.nothing()} if code == "not_on_sale" else {}
    what = f"the checkout of an order whose event is {state}"
    async with refused(orders, what, given, ask_to_pay(order_id, buyer), 409, code, **facts) as client:
        await client.check_out(TOKEN, order_id, RETURN_URL)


async def test_an_order_tells_that_its_event_has_moved(orders: Asking[OrdersClient]) -> None:
    order_id, buyer = ids("moved event")
    given = a_state(
        "a held order of an event that stands otherwise", order_id=order_id, person_id=buyer, state="rescheduled"
    )
    moved = {
        "event_state": "rescheduled",
        "event_previous_starts_at": "2031-06-21T18:00:00Z",
        "event_starts_at": "2031-06-30T18:00:00Z",
    }
    async with orders.expects(
        "an order whose event has moved",
        given,
        ask(GET_ORDER, order_id=order_id, person=buyer),
        Answer(200, an_order(order_id, "held", **moved)),
    ) as client:
        found = await client.order(TOKEN, order_id)
        assert (found.event_state, found.event_previous_starts_at is None) == ("rescheduled", False)


async def test_without_payments_nobody_is_sent_to_the_bank(orders: Asking[OrdersClient]) -> None:
    order_id, buyer = ids("payments away")
    async with orders.expects(
        "the checkout of an order while payments is away",
        a_state("a held order while payments does not answer", order_id=order_id, person_id=buyer),
        ask_to_pay(order_id, buyer),
        problem(503, "payments_unavailable"),
    ) as client:
        with pytest.raises(ProviderUnavailable):
            await client.check_out(TOKEN, order_id, RETURN_URL)


async def test_whoever_comes_back_from_the_bank_sees_how_it_stands(orders: Asking[OrdersClient]) -> None:
    order_id, buyer = ids("came back")
    async with orders.expects(
        "an order whose buyer came back from the bank",
        a_state("an order at the bank", order_id=order_id, person_id=buyer),
        ask(REFRESH, order_id=order_id, person=buyer),
        Answer(200, an_order(order_id, "paying", **TO_THE_LETTER, **A_PAGE_TO_PAY)),
    ) as client:
        assert (await client.refresh(TOKEN, order_id)).state == "paying"


async def test_an_order_is_cancelled_by_its_buyer(orders: Asking[OrdersClient]) -> None:
    order_id, buyer = ids("cancelled")
    state = matchers.one_of("cancelled", "cancelling")
    async with orders.expects(
        "the end of an order",
        a_state("a held order", order_id=order_id, person_id=buyer),
        ask(CANCEL, order_id=order_id, person=buyer),
        Answer(200, an_order(order_id, state, **TO_THE_LETTER, reason="buyer")),
    ) as client:
        assert (await client.cancel(TOKEN, order_id)).reason == "buyer"


async def test_an_order_that_is_paid_cannot_be_cancelled(orders: Asking[OrdersClient]) -> None:
    order_id, buyer = ids("too late to cancel")
    state = a_state("a confirmed order", order_id=order_id, person_id=buyer)
    asked = ask(CANCEL, order_id=order_id, person=buyer)
    async with refused(orders, "the end of a paid order", state, asked, 409, "order_not_cancellable") as client:
        await client.cancel(TOKEN, order_id)


Step = Callable[[OrdersClient, UUID], Awaitable[object]]


@pytest.mark.parametrize(
    ("use", "step", "body", "take"),
    [
        (
            CHECK_OUT,
            "checkout",
            {"return_url": RETURN_URL},
            lambda client, order_id: client.check_out(TOKEN, order_id, RETURN_URL),
        ),
        (REFRESH, "refresh", None, lambda client, order_id: client.refresh(TOKEN, order_id)),
        (CANCEL, "cancel", None, lambda client, order_id: client.cancel(TOKEN, order_id)),
    ],
    ids=["checkout", "refresh", "cancel"],
)
async def test_nothing_can_be_done_with_an_order_that_nobody_knows(
    orders: Asking[OrdersClient], use: Use[Any], step: str, body: dict[str, str] | None, take: Step
) -> None:
    order_id, buyer = ids(f"unknown: {step}")
    asked = ask(use, body=body, order_id=order_id, person=buyer)
    async with refused(
        orders, f"the {step} of an order that nobody knows", None, asked, 404, "order_unknown"
    ) as client:
        await take(client, order_id)


async def test_support_finds_an_order_by_its_number(orders: Asking[OrdersClient]) -> None:
    order_id, buyer = ids("numbered")
    async with orders.expects(
        "the order of a number",
        a_state("an order with a number that is being placed", order_id=order_id, person_id=buyer, number="WEBS-2345"),
        ask(FIND_ORDERS, query={"number": "WEBS-2345"}),
        Answer(200, {"items": [{**A_HEAD, "order_id": str(order_id), "number": "WEBS-2345"}]}),
    ) as client:
        (head,) = await client.with_number("WEBS-2345")
        assert (head.order_id, head.state) == (order_id, "placing")


async def test_support_finds_an_order_by_its_id(orders: Asking[OrdersClient]) -> None:
    order_id, buyer = ids("looked for by id")
    async with orders.expects(
        "the order of an id",
        a_state("an order with a number that is being placed", order_id=order_id, person_id=buyer, number="WEBS-2346"),
        ask(FIND_ORDERS, query={"order_id": str(order_id)}),
        Answer(200, {"items": [{**A_HEAD, "order_id": str(order_id), "number": "WEBS-2346"}]}),
    ) as client:
        (head,) = await client.with_id(order_id)
        assert (head.order_id, head.number) == (order_id, "WEBS-2346")


async def test_no_order_has_some_numbers(orders: Asking[OrdersClient]) -> None:
    async with orders.expects(
        "the order of a number that none has",
        None,
        ask(FIND_ORDERS, query={"number": "WEBS-9999"}),
        Answer(200, {"items": []}),
    ) as client:
        assert await client.with_number("WEBS-9999") == []


async def test_support_finds_the_orders_of_a_trace_in_the_order_in_which_they_were_placed(
    orders: Asking[OrdersClient],
) -> None:
    order_id, buyer = ids("traced")
    later_id, _ = ids("traced, later")
    trace_id = an_id("web asks orders: trace").hex
    ages = {"created_at": 2400, "held_at": 1800, "confirmed_at": 1200}
    both = {**A_HEAD, **THE_EVENT, "attempts": 0, "trace_id": trace_id}
    sold = {name: matchers.from_now(-seconds) for name, seconds in ages.items()}
    first = {"state": "confirmed", "places": 2, "total_minor": 5000, **sold}
    then = {"state": "held", "places": 4, "total_minor": 13500, "held_at": matchers.from_now(0)}
    async with orders.expects(
        "the orders of a trace",
        a_state(
            "the orders of a trace",
            order_id=order_id,
            later_id=later_id,
            person_id=buyer,
            trace_id=trace_id,
            seconds_ago=ages,
        ),
        ask(FIND_ORDERS, query={"trace_id": trace_id}),
        Answer(
            200,
            {"items": [{**both, "order_id": str(order_id), **first}, {**both, "order_id": str(later_id), **then}]},
        ),
    ) as client:
        heads = await client.of_trace(trace_id)
        assert [(head.order_id, head.state) for head in heads] == [(order_id, "confirmed"), (later_id, "held")]


async def test_an_order_has_its_story(orders: Asking[OrdersClient]) -> None:
    order_id, buyer = ids("story")
    untraced = {"span": matchers.nothing()}
    held = {"places": 2, "amount_minor": 5000, "currency": "EUR", "until": matchers.from_now(HELD_SECONDS)}
    waited = entry(
        "waited",
        state="authorised",
        attempt=1,
        reason="inventory_unavailable",
        until=matchers.from_now(60),
        trace=matchers.nothing(),
        **untraced,
    )
    async with orders.expects(
        "the records of an order that waits for inventory",
        a_state("an order that waits for inventory", order_id=order_id, person_id=buyer),
        ask(GET_RECORDS, order_id=order_id),
        Answer(
            200,
            records(
                entry(any_of("orders", "placed"), state="placing"),
                entry("hold_granted", state="held", **held, **untraced),
                entry("payment_begun", state="paying", **untraced),
                entry("payment_authorised", state="authorised", **untraced),
                waited,
            ),
        ),
    ) as client:
        found = await client.records(order_id)
        assert [each.facts.state for each in found.entries][-2:] == ["authorised", "authorised"]


async def test_an_order_gets_more_time(orders: Asking[OrdersClient]) -> None:
    order_id, buyer = ids("more time")
    async with orders.expects(
        "more time for an order",
        a_state("a held order", order_id=order_id, person_id=buyer, seconds_left=60),
        ask(PROLONG, order_id=order_id, person=buyer),
        Answer(200, an_order(order_id, "held", **TO_THE_LETTER)),
    ) as client:
        assert (await client.prolong(TOKEN, order_id)).hold_expires_at is not None


async def test_an_order_that_is_over_gets_no_more_time(orders: Asking[OrdersClient]) -> None:
    order_id, buyer = ids("no more time")
    state = a_state("an order that its buyer cancelled", order_id=order_id, person_id=buyer)
    asked = ask(PROLONG, order_id=order_id, person=buyer)
    async with refused(orders, "more time for an order that is over", state, asked, 409, "order_not_payable") as client:
        await client.prolong(TOKEN, order_id)


async def test_an_order_whose_time_is_over_gets_no_more_time(orders: Asking[OrdersClient]) -> None:
    order_id, buyer = ids("expired before more time")
    state = a_state("an order that expired", order_id=order_id, person_id=buyer)
    asked = ask(PROLONG, order_id=order_id, person=buyer)
    async with refused(orders, "more time for an order that expired", state, asked, 410, "hold_expired") as client:
        await client.prolong(TOKEN, order_id)


async def test_nobody_prolongs_somebody_elses_order(orders: Asking[OrdersClient]) -> None:
    order_id, buyer = ids("somebody else's more time")
    state = a_state("a held order", order_id=order_id, person_id=buyer)
    asked = ask(PROLONG, order_id=order_id, person=an_id("web asks orders: somebody else"))
    async with refused(orders, "more time for somebody else's order", state, asked, 404, "order_unknown") as client:
        await client.prolong(TOKEN, order_id)


async def test_without_inventory_nothing_is_prolonged(orders: Asking[OrdersClient]) -> None:
    order_id, buyer = ids("more time without inventory")
    async with orders.expects(
        "more time for an order while inventory does not answer",
        a_state("a held order while inventory does not answer", order_id=order_id, person_id=buyer),
        ask(PROLONG, order_id=order_id, person=buyer),
        problem(503, "inventory_unavailable"),
    ) as client:
        with pytest.raises(ProviderUnavailable):
            await client.prolong(TOKEN, order_id)


async def test_a_person_sees_what_they_hold_of_an_event(orders: Asking[OrdersClient]) -> None:
    order_id, buyer = ids("open for an event")
    event_id = an_id("orders: event")
    async with orders.expects(
        "what a person holds of an event",
        a_state("a held order", order_id=order_id, person_id=buyer),
        ask(LIST_ORDERS, query={"limit": "5", "open_for": str(event_id)}, person=buyer),
        Answer(200, {"items": [an_order(order_id, "held", event_id=str(event_id))], "next": matchers.nothing()}),
    ) as client:
        assert [order.order_id for order in await client.open_for(TOKEN, event_id)] == [order_id]


@pytest.mark.parametrize("again", ["", " again"])
async def test_a_guests_orders_go_along_when_they_sign_in(orders: Asking[OrdersClient], again: str) -> None:
    order_id, guest = ids(f"taken along{again}")
    account = an_id(f"web asks orders: account{again}")
    given = {"order_id": order_id, "person_id": guest}
    first = a_state("a held order", **given)
    async with orders.expects(
        f"a guest's orders{again} for the account that they signed in with",
        a_state("a held order that went along", **given, account_id=account) if again else first,
        ask(TAKE_ALONG, person=account, guest=guest),
        Answer(200),
    ) as client:
        await client.take_along(TOKEN, "a.guests.token")
