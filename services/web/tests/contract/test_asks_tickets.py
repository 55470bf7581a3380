"""What web needs of tickets: the buyer's tickets, to show, print and carry."""

from typing import get_args

import pytest

from chassis.http import ProviderProblem, ProviderUnavailable
from contracts import matchers
from contracts.consumer import Answer, Asking, a_state, an_id, ask, asks, problem
from services.web.clients.records import GET_RECORDS
from services.web.clients.tickets import GET_PDF, GET_TICKETS, LIST_TICKETS, PdfFormat, TicketsClient
from services.web.tests.contract.recorded import any_of, entry, records

tickets = asks("web", "tickets", TicketsClient)

TOKEN = "a.persons.token"
A_PDF = b"%PDF-1.4\n%%EOF\n"
A_TICKET = {
    "ticket_id": matchers.identifier(an_id("web asks tickets: ticket")),
    "order_id": matchers.identifier(an_id("web asks tickets: order of ticket")),
    "event_id": matchers.identifier(an_id("web asks tickets: event")),
    "event_title": matchers.text("Hamlet"),
    "venue_name": matchers.text("Globe"),
    "starts_at": matchers.timestamp(),
    "time_zone": matchers.text("Europe/Berlin"),
    "class_name": matchers.text("Stalls"),
    "seat_label": matchers.text("Row A, seat 1"),
    "state": matchers.one_of("valid", "void"),
    "code": matchers.text("OS1.ABC", r"^OS1\.\S+$"),
}
# What the states of tickets build, to the letter.
TO_THE_LETTER = {
    "event_title": "Hamlet",
    "venue_name": "Globe",
    "starts_at": "2031-06-21T18:00:00Z",
    "time_zone": "Europe/Berlin",
    "class_name": "Stalls",
    "state": "valid",
}


async def test_an_order_has_its_tickets_in_the_order_of_its_seats(tickets: Asking[TicketsClient]) -> None:
    ids = {name: an_id(f"web asks tickets: {name}") for name in ("order_id", "event_id", "person_id")}
    of_order = {"order_id": str(ids["order_id"]), "event_id": str(ids["event_id"])}
    labels = ["Row A, seat 1", "Row A, seat 2"]
    async with tickets.expects(
        "the tickets of an order of two seats",
        a_state("an order with tickets of two seats", **ids),
        ask(GET_TICKETS, order_id=ids["order_id"], person=ids["person_id"]),
        Answer(200, {"items": [{**A_TICKET, **TO_THE_LETTER, **of_order, "seat_label": label} for label in labels]}),
    ) as client:
        found = await client.of_order(TOKEN, ids["order_id"])
        assert [(ticket.seat_label, ticket.state) for ticket in found] == [(label, "valid") for label in labels]


async def test_a_ticket_of_general_admission_has_no_seat(tickets: Asking[TicketsClient]) -> None:
    order_id, person_id = an_id("web asks tickets: order of places"), an_id("web asks tickets: buyer of places")
    async with tickets.expects(
        "the tickets of an order of places",
        a_state("an order with tickets of general admission", order_id=order_id, person_id=person_id),
        ask(GET_TICKETS, order_id=order_id, person=person_id),
        Answer(200, {"items": matchers.several({**A_TICKET, "seat_label": matchers.nothing()})}),
    ) as client:
        (ticket,) = await client.of_order(TOKEN, order_id)
        assert ticket.seat_label is None


async def test_an_order_without_tickets_has_none_yet(tickets: Asking[TicketsClient]) -> None:
    order_id, person_id = an_id("web asks tickets: order without"), an_id("web asks tickets: buyer without")
    async with tickets.expects(
        "the tickets of an order that has none yet",
        None,
        ask(GET_TICKETS, order_id=order_id, person=person_id),
        problem(404, "tickets_unknown"),
    ) as client:
        assert await client.of_order(TOKEN, order_id) == []


@pytest.mark.parametrize("pdf_format", get_args(PdfFormat))
async def test_tickets_are_printed_and_carried(tickets: Asking[TicketsClient], pdf_format: PdfFormat) -> None:
    order_id, person_id = an_id(f"web asks tickets: order, {pdf_format}"), an_id("web asks tickets: printing buyer")
    async with tickets.expects(
        f"the tickets of an order as PDF, {pdf_format}",
        a_state("an order with tickets", order_id=order_id, person_id=person_id),
        ask(GET_PDF, query={"format": pdf_format}, order_id=order_id, person=person_id),
        Answer(200, content=A_PDF, content_type="application/pdf"),
    ) as client:
        assert await client.pdf(TOKEN, order_id, pdf_format) == A_PDF


async def test_there_is_nothing_to_print_before_there_are_tickets(tickets: Asking[TicketsClient]) -> None:
    order_id, person_id = an_id("web asks tickets: nothing to print"), an_id("web asks tickets: early buyer")
    async with tickets.expects(
        "the PDF of an order that has no tickets yet",
        None,
        ask(GET_PDF, query={"format": "a4"}, order_id=order_id, person=person_id),
        problem(404, "tickets_unknown"),
    ) as client:
        with pytest.raises(ProviderProblem) as refused:
            await client.pdf(TOKEN, order_id, "a4")
        assert refused.value.problem_code == "tickets_unknown"


async def test_a_printer_that_is_busy_is_to_be_asked_later(tickets: Asking[TicketsClient]) -> None:
    order_id, person_id = an_id("web asks tickets: order of a crowd"), an_id("web asks tickets: buyer in a crowd")
    async with tickets.expects(
        "the tickets of an order as PDF while very many print",
        a_state("an order with tickets while very many print", order_id=order_id, person_id=person_id),
        ask(GET_PDF, query={"format": "a4"}, order_id=order_id, person=person_id),
        problem(503, "printer_busy"),
    ) as client:
        with pytest.raises(ProviderUnavailable):
            await client.pdf(TOKEN, order_id, "a4")


async def test_a_place_in_the_list_that_nobody_named_is_refused(tickets: Asking[TicketsClient]) -> None:
    async with tickets.expects(
        "the tickets of a person after what is no place in the list",
        None,
        ask(LIST_TICKETS, query={"after": "nowhere", "limit": "24"}, person=an_id("web asks tickets: lost")),
        problem(422, "cursor_invalid"),
    ) as client:
        with pytest.raises(ProviderProblem) as refused:
            await client.mine(TOKEN, "nowhere", 24)
        assert refused.value.problem_code == "cursor_invalid"


async def test_a_person_has_tickets_of_several_orders(tickets: Asking[TicketsClient]) -> None:
    order_id, person_id = an_id("web asks tickets: order of mine"), an_id("web asks tickets: collector")
    async with tickets.expects(
        "a person's tickets",
        a_state("an order with tickets", order_id=order_id, person_id=person_id),
        ask(LIST_TICKETS, query={"limit": "24"}, person=person_id),
        Answer(200, {"items": matchers.several(A_TICKET), "next": matchers.nothing()}),
    ) as client:
        page = await client.mine(TOKEN, None, 24)
        assert (len(page.items), page.next) == (1, None)


# By start, and those that start together by their ids; the second and the third are on different pages.
ON_PAGES: list[dict[str, str]] = [
    {
        **TO_THE_LETTER,
        "ticket_id": str(ticket_id),
        "order_id": str(an_id(f"web asks tickets: order of pages, {title}")),
        "event_id": str(an_id(f"web asks tickets: event of pages, {title}")),
        "event_title": title,
        "starts_at": starts_at,
        "seat_label": f"Row {title[0]}, seat 1",
        "state": state,
    }
    for ticket_id, title, starts_at, state in zip(
        sorted(an_id(f"web asks tickets: ticket of pages {number}") for number in (1, 2, 3)),
        ("Hamlet", "Macbeth", "Othello"),
        ("2031-06-21T18:00:00Z", "2031-07-05T18:00:00Z", "2031-07-05T18:00:00Z"),
        ("valid", "valid", "void"),
        strict=True,
    )
]
# What tickets makes of the second. Web does not look into it, but a marker in a page that is still open must go on.
BEHIND_THE_SECOND = "MjAzMS0wNy0wNVQxODowMDowMCswMDowMCAyNzdkMGVhYi1iNGJlLTU5NzAtOTQ4ZC00MzVhZGQwZTlkZGU="


async def test_a_person_turns_the_pages_of_their_tickets_to_the_end(tickets: Asking[TicketsClient]) -> None:
    person_id = an_id("web asks tickets: buyer of pages")
    state = a_state("tickets of several orders", person_id=person_id, tickets=ON_PAGES)
    after = None
    for which, shown, following in (("first", ON_PAGES[:2], BEHIND_THE_SECOND), ("last", ON_PAGES[2:], None)):
        items = [{**ticket, "code": A_TICKET["code"]} for ticket in shown]
        async with tickets.expects(
            f"the {which} page of a person's tickets",
            state,
            ask(LIST_TICKETS, query={"limit": "2"} | ({"after": after} if after else {}), person=person_id),
            Answer(200, {"items": items, "next": following or matchers.nothing()}),
        ) as client:
            page = await client.mine(TOKEN, after, 2)
            assert [str(ticket.ticket_id) for ticket in page.items] == [ticket["ticket_id"] for ticket in shown]
            after = page.next
    assert after is None


async def test_a_person_without_tickets_has_none(tickets: Asking[TicketsClient]) -> None:
    async with tickets.expects(
        "the tickets of a person who has none",
        None,
        ask(LIST_TICKETS, query={"limit": "24"}, person=an_id("web asks tickets: nobody")),
        Answer(200, {"items": [], "next": matchers.nothing()}),
    ) as client:
        assert (await client.mine(TOKEN, None, 24)).items == []


async def test_issued_tickets_have_their_story(tickets: Asking[TicketsClient]) -> None:
    order_id, person_id = an_id("web asks tickets: order of story"), an_id("web asks tickets: buyer of story")
    heard_id = an_id("web asks tickets: fact of story")
    heard = entry(
        any_of("tickets", "fact_heard"),
        trace=matchers.nothing(),
        span=matchers.nothing(),
        kind="events.orders.order_confirmed.v1",
        reference=str(heard_id),
    )
    published = entry(
        "fact_told",
        kind="events.tickets.tickets_issued.v1",
        reference=matchers.text("an id"),
        attempt=1,
        ended_at=matchers.from_now(0),
    )
    async with tickets.expects(
        "the records of an order whose tickets were issued",
        a_state(
            "an order whose tickets were issued and told of", order_id=order_id, person_id=person_id, heard_id=heard_id
        ),
        ask(GET_RECORDS, order_id=order_id),
        Answer(200, records(heard, entry("tickets_issued", places=1, state="valid"), published)),
    ) as client:
        found = await client.records(order_id)
        assert [each.what for each in found.entries] == ["fact_heard", "tickets_issued", "fact_told"]
