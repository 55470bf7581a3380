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


async def test_an_order_has_its_tickets(tickets: Asking[TicketsClient]) -> None:
    order_id, person_id = an_id("web asks tickets: order"), an_id("web asks tickets: buyer")
    async with tickets.expects(
        "the tickets of an order",
        a_state("an order with tickets", order_id=order_id, person_id=person_id),
        ask(GET_TICKETS, order_id=order_id, person=person_id),
        Answer(200, {"items": matchers.several(A_TICKET)}),
    ) as client:
        (ticket,) = await client.of_order(TOKEN, order_id)
        assert (ticket.seat_label, ticket.state) == ("Row A, seat 1", "valid")


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
    heard = entry(
        any_of("tickets", "fact_heard"),
        trace=matchers.nothing(),
        span=matchers.nothing(),
        kind="events.orders.order_confirmed.v1",
        reference=matchers.text("an id"),
    )
    told = entry(
        "fact_told",
        kind="events.tickets.tickets_issued.v1",
        reference=matchers.text("an id"),
        attempt=matchers.integer(1),
        ended_at=matchers.timestamp(),
    )
    async with tickets.expects(
        "the records of an order whose tickets were issued",
        a_state("an order whose tickets were issued and told of", order_id=order_id, person_id=person_id),
        ask(GET_RECORDS, order_id=order_id),
        Answer(200, records(heard, entry("tickets_issued", places=1, state="valid"), told)),
    ) as client:
        found = await client.records(order_id)
        assert [each.what for each in found.entries] == ["fact_heard", "tickets_issued", "fact_told"]
