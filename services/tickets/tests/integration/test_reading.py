"""Tickets are shown and printed for who bought them."""

import base64
from io import BytesIO
from typing import Any
from uuid import UUID

import pypdfium2
import pytest
import zxingcpp

from chassis.ids import uuid7
from chassis.testing import Harness, RunningApp
from services.tickets.tests.integration.orders import ORDER_CONFIRMED, TICKETS_ISSUED, a_line, order_confirmed


async def bought(harness: Harness, person_id: UUID, *lines: dict[str, Any], **changes: Any) -> str:
    """The id of an order that has its tickets."""
    order = order_confirmed(*lines, person_id=person_id, **changes)
    await harness.tell(ORDER_CONFIRMED, order)
    await harness.heard(TICKETS_ISSUED)
    return str(order["order_id"])


def text_of(pdf: bytes) -> str:
    document: Any = pypdfium2.PdfDocument(BytesIO(pdf))  # type: ignore[no-untyped-call]  # the library has no types
    return str(document[0].get_textpage().get_text_range())


def codes_in(pdf: bytes) -> list[str]:
    document: Any = pypdfium2.PdfDocument(BytesIO(pdf))  # type: ignore[no-untyped-call]  # the library has no types
    images = [page.render(scale=1.6).to_pil().convert("L") for page in document]
    return [found.text for image in images for found in zxingcpp.read_barcodes(image)]


async def test_somebody_elses_order_looks_like_one_without_tickets(harness: Harness, running: RunningApp) -> None:
    order_id = await bought(harness, uuid7())
    stranger = harness.headers("web", to="tickets", person=uuid7())
    for path in (f"/orders/{order_id}/tickets", f"/orders/{order_id}/tickets.pdf"):
        response = await running.http.get(path, headers=stranger)
        assert (response.status_code, response.json()["code"]) == (404, "tickets_unknown")
    unknown = await running.http.get(f"/orders/{uuid7()}/tickets", headers=stranger)
    assert unknown.json()["detail"] == response.json()["detail"]


@pytest.mark.parametrize("page", ["a4", "phone"])
async def test_the_pdf_holds_the_codes_of_the_order(harness: Harness, running: RunningApp, page: str) -> None:
    person_id = uuid7()
    order_id = await bought(harness, person_id, a_line(2))
    headers = harness.headers("web", to="tickets", person=person_id)
    items = (await running.http.get(f"/orders/{order_id}/tickets", headers=headers)).json()["items"]
    pdf = await running.http.get(f"/orders/{order_id}/tickets.pdf?format={page}", headers=headers)
    assert pdf.headers["content-type"] == "application/pdf"
    assert pdf.headers["content-disposition"] == 'inline; filename="onsale-K7Q2-9MXA.pdf"'
    assert pdf.headers["cache-control"] == "private, no-store"
    assert codes_in(pdf.content) == [item["code"] for item in items]


async def test_web_prints_only_for_a_person(harness: Harness, running: RunningApp) -> None:
    person_id = uuid7()
    url = f"/orders/{await bought(harness, person_id)}/tickets.pdf"
    assert (await running.http.get(url, headers=harness.headers("web", to="tickets"))).status_code == 401
    assert (await running.http.get(url, headers=harness.headers("notifications", to="tickets"))).status_code == 403
    assert (await running.http.get(url)).status_code == 401
    wrong = await running.http.get(f"{url}?format=a5", headers=harness.headers("web", to="tickets", person=person_id))
    assert wrong.status_code == 422


async def test_notifications_says_for_whom_tickets_are_printed(harness: Harness, running: RunningApp) -> None:
    url = f"/orders/{await bought(harness, uuid7())}/tickets.pdf"
    own, others = (harness.headers(name, to="tickets") for name in ("notifications", "web"))
    holder = {"name": "Ada Lovelace", "language": "de"}
    printed = await running.http.post(url, json=holder, headers=own)
    assert (printed.status_code, printed.headers["content-type"]) == (200, "application/pdf")
    assert "Ada Lovelace" in text_of(printed.content)
    nobody = await running.http.post(url, json={}, headers=own)
    assert "NAME" not in text_of(nobody.content)
    assert (await running.http.post(url, json={"name": "x" * 201}, headers=own)).status_code == 422
    assert (await running.http.post(url, json=holder, headers=others)).status_code == 403
    unknown = await running.http.post(f"/orders/{uuid7()}/tickets.pdf", json=holder, headers=own)
    assert (unknown.status_code, unknown.json()["code"]) == (404, "tickets_unknown")


async def test_the_tickets_themselves_are_not_for_notifications(harness: Harness, running: RunningApp) -> None:
    person_id = uuid7()
    order_id = await bought(harness, person_id)
    headers = harness.headers("notifications", to="tickets", person=person_id)
    assert (await running.http.get(f"/orders/{order_id}/tickets", headers=headers)).status_code == 403
    assert (await running.http.get("/tickets", headers=headers)).status_code == 403


async def test_my_tickets_come_by_start_in_pages_and_are_only_mine(harness: Harness, running: RunningApp) -> None:
    person_id = uuid7()
    await bought(harness, person_id, a_line(2), starts_at="2027-03-01T19:00:00Z")
    await bought(harness, uuid7(), a_line(2))
    await bought(harness, person_id, a_line(3), starts_at="2026-12-01T19:00:00Z")
    headers = harness.headers("web", to="tickets", person=person_id)
    pages, after = [], ""
    while True:
        page = (await running.http.get(f"/tickets?limit=2{after}", headers=headers)).json()
        pages.append(page["items"])
        if page["next"] is None:
            break
        after = f"&after={page['next']}"
    assert [len(items) for items in pages] == [2, 2, 1]
    months = [item["starts_at"][:7] for items in pages for item in items]
    assert months == ["2026-12"] * 3 + ["2027-03"] * 2
    assert len({item["ticket_id"] for items in pages for item in items}) == 5


# A moment of the first or last day of the calendar, which is none in UTC.
BEYOND_THE_CALENDAR = [
    base64.urlsafe_b64encode(f"{moment} 7cf01236-4bdc-5dca-8a49-a0f9248adc3d".encode()).decode()
    for moment in ("0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00")
]


@pytest.mark.parametrize(
    "after", ["nonsense", "MjAyNg==", "w7w=", "MjAyNi0wMS0wMVQwMDowMDowMCAxMjM=", *BEYOND_THE_CALENDAR]
)
async def test_a_made_up_page_is_refused(harness: Harness, running: RunningApp, after: str) -> None:
    headers = harness.headers("web", to="tickets", person=uuid7())
    response = await running.http.get("/tickets", params={"after": after}, headers=headers)
    assert (response.status_code, response.json()["code"]) == (422, "cursor_invalid")
