"""An event that moves reaches tickets, their PDFs and their holders; the codes stay, unless the organiser wants others."""

from typing import Any
from uuid import UUID

import asyncpg
import pypdfium2
import pytest

from chassis.ids import uuid7
from chassis.testing import Harness, RunningApp
from services.tickets import event_changes
from services.tickets.settings import TicketsSettings
from services.tickets.tests.integration.orders import ORDER_CONFIRMED, TICKETS_ISSUED, a_line, order_confirmed

EVENT_CHANGED = "events.catalog.event_changed.v1"
TICKETS_CHANGED = "events.tickets.tickets_changed.v1"


def event_changed(event_id: str, version: int = 2, **changes: Any) -> dict[str, Any]:
    return {
        "event_id": event_id,
        "version": version,
        "state": "rescheduled",
        "changes": ["state", "starts_at", "venue"],
        "title": "Żółta łódź",
        "starts_at": "2027-01-15T19:00:00Z",
        "doors_at": "2027-01-15T18:00:00Z",
        "time_zone": "Europe/Berlin",
        "venue_name": "Halle 7",
        "venue_street": "Hafenweg 2",
        "venue_city": "Bonn",
        "venue_country": "DE",
        "previous_starts_at": "2026-12-31T19:00:00Z",
        "image": None,
    } | changes


class Holder:
    """Somebody with tickets of one event."""

    def __init__(self, harness: Harness, app: RunningApp) -> None:
        self.harness = harness
        self.app = app
        self.person_id = uuid7()
        self.event_id = str(uuid7())
        self.order_id = ""

    async def buy(self, **changes: Any) -> str:
        order = order_confirmed(a_line(), person_id=self.person_id, event_id=self.event_id, **changes)
        await self.harness.tell(ORDER_CONFIRMED, order, aggregate_id=order["order_id"])
        await self.harness.heard(TICKETS_ISSUED)
        self.order_id = order["order_id"]
        return self.order_id

    async def change(self, version: int = 2, **changes: Any) -> None:
        fact = event_changed(self.event_id, version, **changes)
        await self.harness.tell(EVENT_CHANGED, fact, aggregate_id=self.event_id)

    async def get(self, path: str) -> Any:
        headers = self.harness.headers("web", to="tickets", person=self.person_id)
        return await self.app.http.get(path, headers=headers)

    async def ticket(self) -> dict[str, Any]:
        [ticket] = (await self.get(f"/orders/{self.order_id}/tickets")).json()["items"]
        return dict(ticket)

    async def printed(self) -> str:
        pdf = (await self.get(f"/orders/{self.order_id}/tickets.pdf")).content
        document: Any = pypdfium2.PdfDocument(pdf)  # type: ignore[no-untyped-call]
        return " ".join(document[0].get_textpage().get_text_range().split())

    async def until_version(self, version: int) -> dict[str, Any]:
        async def reached() -> dict[str, Any] | None:
            ticket = await self.ticket()
            return ticket if ticket["event_version"] == version else None

        found: dict[str, Any] = await self.harness.eventually(reached)
        return found


async def until_all_are_notified(harness: Harness, settings: TicketsSettings) -> None:
    async def all_notified() -> bool:
        connection = await asyncpg.connect(settings.database_url.get_secret_value())
        try:
            return bool(await connection.fetchval("SELECT told_version = version AND told_after IS NULL FROM event"))
        finally:
            await connection.close()

    await harness.eventually(all_notified)


@pytest.fixture
def holder(harness: Harness, running: RunningApp) -> Holder:
    return Holder(harness, running)


async def test_a_new_date_and_place_are_on_ticket_list_and_pdf_and_the_code_stays(holder: Holder) -> None:
    await holder.buy()
    before, printed_before = await holder.ticket(), await holder.printed()
    await holder.change()
    after = await holder.until_version(2)
    assert (after["code"], after["ticket_id"], after["state"]) == (before["code"], before["ticket_id"], "valid")
    assert (after["starts_at"], after["doors_at"]) == ("2027-01-15T19:00:00Z", "2027-01-15T18:00:00Z")
    assert (after["venue_name"], after["venue_street"], after["venue_city"]) == ("Halle 7", "Hafenweg 2", "Bonn")
    assert (after["event_state"], after["previous_starts_at"]) == ("rescheduled", "2026-12-31T19:00:00Z")
    [listed] = (await holder.get("/tickets")).json()["items"]
    assert listed == after
    printed = await holder.printed()
    assert "Thursday 31 December 2026" in printed_before
    for said in ("Friday 15 January 2027", "19:00 CET", "20:00 CET", "Halle 7", "Hafenweg 2, Bonn"):
        assert said in printed
    assert "New date. It was Thursday 31 December 2026, 20:00 CET." in printed


async def test_holders_are_notified_once_for_each_version(harness: Harness, holder: Holder) -> None:
    order_id = await holder.buy()
    await holder.change()
    fact = (await harness.heard(TICKETS_CHANGED))["data"]
    assert (fact["order_id"], fact["order_number"]) == (order_id, "K7Q2-9MXA")
    assert (fact["person_id"], fact["event_id"], fact["version"]) == (str(holder.person_id), holder.event_id, 2)
    assert (fact["state"], fact["changes"]) == ("rescheduled", ["state", "starts_at", "venue"])
    await holder.change()  # published twice
    await holder.change(version=1, venue_name="Nowhere")  # and out of order
    await holder.change(version=3, changes=["title"], title="A new name")
    assert (await harness.heard(TICKETS_CHANGED))["data"]["version"] == 3
    assert (await holder.ticket())["event_title"] == "A new name"


async def test_an_older_version_never_overwrites_a_newer_one(harness: Harness, holder: Holder) -> None:
    await holder.buy()
    await holder.change(version=5, venue_name="Halle 5")
    await holder.until_version(5)
    await harness.heard(TICKETS_CHANGED)
    await holder.change(version=4, venue_name="Halle 4")
    await holder.change(version=6, venue_name="Halle 6")
    assert (await holder.until_version(6))["venue_name"] == "Halle 6"


async def test_what_was_bought_stands_above_an_older_version_that_is_heard_late(
    harness: Harness, holder: Holder, settings: TicketsSettings
) -> None:
    order_id = await holder.buy(event_version=5, venue_name="Halle 5", starts_at="2027-03-01T19:00:00Z")
    await holder.change(version=4, venue_name="Halle 4")
    await until_all_are_notified(harness, settings)
    later_order = await holder.buy(event_version=5, venue_name="Halle 5", starts_at="2027-03-01T19:00:00Z")
    ticket = await holder.until_version(5)
    assert (ticket["venue_name"], ticket["starts_at"]) == ("Halle 5", "2027-03-01T19:00:00Z")
    assert (ticket["event_state"], ticket["previous_starts_at"]) == ("scheduled", None)
    assert "Halle 5" in await holder.printed()
    [listed, _] = (await holder.get("/tickets")).json()["items"]
    assert listed["venue_name"] == "Halle 5"
    # Nobody is notified of what was before they bought; of what comes after it both are.
    await holder.change(version=6, venue_name="Halle 6")
    notified = [(await harness.heard(TICKETS_CHANGED))["data"] for _ in range(2)]
    assert {(each["order_id"], each["version"]) for each in notified} == {(order_id, 6), (later_order, 6)}
    assert (await holder.until_version(6))["venue_name"] == "Halle 6"


async def test_tickets_of_orders_that_tell_no_version_are_read_through_any(harness: Harness, holder: Holder) -> None:
    await holder.buy(event_version=None)
    await holder.change(version=1, venue_name="Halle 1")
    assert (await holder.until_version(1))["venue_name"] == "Halle 1"
    assert (await harness.heard(TICKETS_CHANGED))["data"]["version"] == 1


async def test_every_order_is_notified_in_bounded_batches(
    harness: Harness, holder: Holder, settings: TicketsSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event_changes, "BATCH", 2)
    orders = {await holder.buy() for _ in range(5)}
    await holder.change()
    notified = {(await harness.heard(TICKETS_CHANGED))["data"]["order_id"] for _ in range(5)}
    assert notified == orders
    await until_all_are_notified(harness, settings)


async def test_a_cancelled_event_is_said_at_the_door_and_on_paper_and_the_code_stays_genuine(
    holder: Holder,
) -> None:
    await holder.buy()
    code = (await holder.ticket())["code"]
    await holder.change(state="cancelled", changes=["state"])
    await holder.until_version(2)
    verdict = (await holder.app.http.post("/verify", json={"code": code})).json()
    assert (verdict["valid"], verdict["reason"], verdict["event_state"]) == (True, "genuine", "cancelled")
    assert verdict["message"] == "This ticket is genuine and valid, but its event is cancelled."
    assert "This event is cancelled." in await holder.printed()


async def test_a_postponed_event_has_no_date_until_it_has_one(holder: Holder) -> None:
    await holder.buy()
    await holder.change(state="postponed", changes=["state"])
    await holder.until_version(2)
    printed = await holder.printed()
    assert "This event is postponed." in printed
    assert "To be announced" in printed
    assert "2027" not in printed


async def test_tickets_bought_before_and_issued_after_a_move_are_published_as_they_are_now(
    harness: Harness, holder: Holder
) -> None:
    await holder.change()
    order = order_confirmed(a_line(), person_id=holder.person_id, event_id=holder.event_id)
    await harness.tell(EVENT_CHANGED, event_changed(str(uuid7())))
    await harness.tell(ORDER_CONFIRMED, order, aggregate_id=order["order_id"])
    holder.order_id = order["order_id"]
    issued = (await harness.heard(TICKETS_ISSUED))["data"]
    assert UUID(issued["event_id"]) == UUID(holder.event_id)
    ticket = await holder.until_version(2)
    assert ticket["venue_name"] == "Halle 7"


async def test_my_tickets_are_in_the_order_of_the_new_dates(holder: Holder) -> None:
    await holder.buy(starts_at="2026-12-31T19:00:00Z")
    moved = holder.event_id
    holder.event_id = str(uuid7())
    await holder.buy(starts_at="2027-01-10T19:00:00Z")
    stays = holder.event_id
    holder.event_id = moved
    await holder.change(starts_at="2027-02-01T19:00:00Z")

    async def in_new_order() -> bool:
        first = (await holder.get("/tickets?limit=1")).json()
        second = (
            (await holder.get(f"/tickets?limit=1&after={first['next']}")).json() if first["next"] else {"items": []}
        )
        return [item["event_id"] for item in first["items"] + second["items"]] == [stays, moved]

    await holder.harness.eventually(in_new_order)


async def verified(holder: Holder, code: str) -> str:
    return str((await holder.app.http.post("/verify", json={"code": code})).json()["reason"])


async def test_an_organiser_may_want_other_codes_and_the_earlier_ones_are_refused(
    harness: Harness, holder: Holder
) -> None:
    order_id = await holder.buy()
    before = await holder.ticket()
    await holder.change(code_edition=2, changes=["starts_at", "codes"])
    after = await holder.until_version(2)
    assert after["ticket_id"] == before["ticket_id"]
    assert after["code"] != before["code"]
    assert [await verified(holder, each["code"]) for each in (before, after)] == ["replaced", "genuine"]
    fact = (await harness.heard(TICKETS_CHANGED))["data"]
    assert (fact["order_id"], fact["changes"]) == (order_id, ["starts_at", "codes"])
    # Another change, or one that is heard late, does not bring the first codes back.
    await holder.change(version=3, code_edition=2, changes=["venue"])
    assert (await holder.until_version(3))["code"] == after["code"]
    assert await verified(holder, before["code"]) == "replaced"


async def test_who_buys_the_newest_version_has_the_codes_that_are_asked_for_at_the_door(
    harness: Harness, holder: Holder
) -> None:
    await holder.change(code_edition=2, changes=["codes"])
    await holder.buy(event_version=5)
    bought = await holder.ticket()
    assert bought["event_version"] == 5
    await holder.change(version=6, code_edition=2, changes=["venue"])
    assert (await holder.until_version(6))["code"] == bought["code"]
    assert await verified(holder, bought["code"]) == "genuine"


async def test_whoever_had_their_tickets_before_the_new_codes_were_heard_of_is_notified(
    harness: Harness, holder: Holder
) -> None:
    order_id = await holder.buy(event_version=2)
    await holder.change(version=2, code_edition=2, changes=["codes"])
    assert (await harness.heard(TICKETS_CHANGED))["data"]["order_id"] == order_id
