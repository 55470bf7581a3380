"""What notifications needs of tickets: the PDF that goes with the mail."""

import pytest

from chassis.http import ProviderProblem, ProviderUnavailable
from contracts.consumer import Answer, Asking, a_state, an_id, ask, asks, problem
from services.notifications.clients.tickets import PDF, TicketsClient
from services.notifications.domain import Contact

tickets = asks("notifications", "tickets", TicketsClient)

# The smallest file that is known by its beginning to be a PDF.
A_PDF = b"%PDF-1.4\n%%EOF\n"
BUYER = Contact("Ada Lovelace", "ada@example.org", language="de")
HOLDER = {"name": "Ada Lovelace", "language": "de"}


async def test_the_tickets_of_an_order_come_as_a_pdf(tickets: Asking[TicketsClient]) -> None:
    order_id = an_id("notifications asks tickets: order")
    async with tickets.expects(
        "the PDF of an order's tickets",
        a_state("an order with tickets", order_id=order_id, person_id=an_id("notifications asks tickets: buyer")),
        ask(PDF, body=HOLDER, order_id=order_id),
        Answer(200, content=A_PDF, content_type="application/pdf"),
    ) as client:
        assert await client.pdf_of(order_id, BUYER) == A_PDF


async def test_an_order_without_tickets_has_no_pdf(tickets: Asking[TicketsClient]) -> None:
    order_id = an_id("notifications asks tickets: order without tickets")
    async with tickets.expects(
        "the PDF of an order without tickets",
        None,
        ask(PDF, body=HOLDER, order_id=order_id),
        problem(404, "tickets_unknown"),
    ) as client:
        with pytest.raises(ProviderProblem) as refused:
            await client.pdf_of(order_id, BUYER)
        assert refused.value.problem_code == "tickets_unknown"


async def test_a_printer_that_is_busy_is_to_be_asked_later(tickets: Asking[TicketsClient]) -> None:
    order_id = an_id("notifications asks tickets: order of a crowd")
    buyer = an_id("notifications asks tickets: buyer in a crowd")
    async with tickets.expects(
        "the PDF of an order's tickets while very many print",
        a_state("an order with tickets while very many print", order_id=order_id, person_id=buyer),
        ask(PDF, body=HOLDER, order_id=order_id),
        problem(503, "printer_busy"),
    ) as client:
        with pytest.raises(ProviderUnavailable):
            await client.pdf_of(order_id, BUYER)
