"""Each buyer gets each mail once, through whatever happens on the way."""

from io import BytesIO
from typing import Any

import pypdfium2
import pytest
import zxingcpp

from chassis.ids import uuid7
from services.notifications.app import create_app
from services.notifications.settings import NotificationsSettings
from services.notifications.tests.integration.conftest import ADDRESS, TICKETS_ISSUED, World
from services.notifications.tests.integration.neighbours import CODE, tickets_issued


async def test_issued_tickets_are_mailed_to_their_buyer_with_the_pdf(world: World) -> None:
    async with world.harness.running(create_app, world.settings):
        fact = await world.issue()
        [delivery] = await world.until("sent")
    [envelope], [message] = world.mail.envelopes, world.mail.messages
    assert envelope.rcpt_tos == [ADDRESS]
    assert message["Message-ID"] == delivery["message_id"] == f"<tickets.{fact['order_id']}@onsale.example>"
    assert message["Subject"] == "Your tickets for Żółta łódź"
    [attachment] = message.iter_attachments()
    document: Any = pypdfium2.PdfDocument(BytesIO(attachment.get_content()))  # type: ignore[no-untyped-call]
    [found] = zxingcpp.read_barcodes(document[0].render(scale=1.5).to_pil().convert("L"))
    assert found.text == CODE
    assert (delivery["attempts"], delivery["leased_until"], delivery["last_problem"]) == (1, None, None)


async def test_the_providers_are_asked_as_this_service_and_tickets_is_told_what_accounts_said_of_the_holder(
    world: World,
) -> None:
    async with world.harness.running(create_app, world.settings):
        await world.issue()
        await world.until("sent")
    contact, pdf = world.neighbours.requests
    assert contact.headers["authorization"].startswith("Bearer ")
    assert "onsale-person" not in contact.headers
    assert world.neighbours.holders == [{"name": "Zoë Müller", "language": "en"}]
    assert not pdf.query_params, "A name stands in no address."


async def test_a_paid_order_that_was_cancelled_says_that_the_money_was_given_back(world: World) -> None:
    async with world.harness.running(create_app, world.settings):
        await world.cancel(paid=False, reason="buyer")
        paid = await world.cancel(reason="places_gone")
        await world.until("sent")
    [delivery] = await world.deliveries()
    assert str(delivery["order_id"]) == paid["order_id"]
    [message] = world.mail.messages
    assert message["Subject"] == "Your money was given back: Żółta łódź"
    assert list(message.iter_attachments()) == []


async def test_a_fact_published_twice_and_one_published_anew_give_one_mail(world: World) -> None:
    async with world.harness.running(create_app, world.settings):
        event_id, fact = uuid7(), tickets_issued()
        world.know(fact)
        for same_or_new in (event_id, event_id, uuid7()):
            await world.harness.tell(TICKETS_ISSUED, fact, event_id=same_or_new, aggregate_id=fact["order_id"])
        last = await world.issue()
        await world.until("sent", 2)

        async def all_heard() -> bool:
            return len(await world.rows("SELECT FROM inbox")) == 3

        await world.harness.eventually(all_heard)
    ids = sorted(str(message["Message-ID"]) for message in world.mail.messages)
    assert ids == sorted(f"<tickets.{each['order_id']}@onsale.example>" for each in (fact, last))


async def test_a_mail_server_that_was_down_gets_the_mail_once_when_it_is_up(world: World) -> None:
    await world.mail.stop()
    async with world.harness.running(create_app, world.settings):
        await world.issue()

        async def tried_in_vain() -> bool:
            [*rows] = await world.deliveries("waiting")
            return bool(rows) and rows[0]["attempts"] >= 2 and rows[0]["last_problem"] is not None

        await world.harness.eventually(tried_in_vain)
        await world.mail.start()
        [delivery] = await world.until("sent")
    [message] = world.mail.messages
    assert message["Message-ID"] == delivery["message_id"]
    # The row counts the try that is under way: the second one may have been the good one.
    assert delivery["attempts"] >= 2
    assert delivery["last_problem"].startswith("no conversation with the mail server")


async def test_providers_that_are_down_put_the_mail_off(world: World) -> None:
    world.neighbours.down = True
    async with world.harness.running(create_app, world.settings):
        await world.issue()

        async def put_off() -> bool:
            rows = await world.deliveries("waiting")
            return bool(rows) and rows[0]["last_problem"] == "accounts did not answer"

        await world.harness.eventually(put_off)
        world.neighbours.down = False
        await world.until("sent")
    assert len(world.mail.messages) == 1


async def test_tickets_that_cannot_be_read_yet_are_asked_for_again(world: World) -> None:
    async with world.harness.running(create_app, world.settings):
        fact = tickets_issued()
        world.know(fact)
        pdf = world.neighbours.pdfs.pop(fact["order_id"])
        await world.harness.tell(TICKETS_ISSUED, fact)

        async def put_off() -> bool:
            rows = await world.deliveries("waiting")
            return bool(rows) and rows[0]["last_problem"] == "tickets answered 404 tickets_unknown"

        await world.harness.eventually(put_off)
        world.neighbours.pdfs[fact["order_id"]] = pdf
        await world.until("sent")


@pytest.mark.parametrize(
    ("contact", "problem"),
    [
        (None, "accounts does not know the buyer"),
        ({"name": None, "email": None}, "the buyer left no address"),
        ({"name": "Zoë", "email": "zoe@x.example\r\nBcc: evil@x.example"}, "the buyer's address cannot be written to"),
    ],
)
async def test_a_buyer_who_cannot_be_written_to_is_given_up_at_once(
    world: World, contact: dict[str, Any] | None, problem: str
) -> None:
    async with world.harness.running(create_app, world.settings):
        fact = tickets_issued()
        world.know(fact)
        world.neighbours.contacts.pop(fact["person_id"])
        if contact is not None:
            world.neighbours.contacts[fact["person_id"]] = contact
        await world.harness.tell(TICKETS_ISSUED, fact)
        [delivery] = await world.until("failed")
    assert (delivery["attempts"], delivery["last_problem"]) == (1, problem)
    assert world.mail.messages == []


async def test_a_mailbox_that_does_not_exist_is_given_up_at_once(world: World) -> None:
    world.mail.refuse_recipient = f"550 5.1.1 <{ADDRESS}> no such mailbox"
    async with world.harness.running(create_app, world.settings):
        await world.issue()
        [delivery] = await world.until("failed")
    assert delivery["last_problem"] == "the mail server refused the mail: 550 5.1.1"
    assert delivery["attempts"] == 1


async def test_a_server_that_is_full_is_tried_a_bounded_number_of_times(world: World) -> None:
    world.mail.refuse_mail = "452 4.3.1 no space"
    settings = world.settings.model_copy(update={"retry_delays_seconds": (0.02, 0.02)})
    async with world.harness.running(create_app, settings):
        await world.issue()
        [delivery] = await world.until("failed")
    assert (delivery["attempts"], delivery["last_problem"]) == (3, "the mail server refused the mail: 452 4.3.1")


async def test_two_processes_send_each_mail_once(world: World) -> None:
    # On a slow machine a batch takes longer than the short leases of these tests.
    patient = world.settings.model_copy(update={"attempt_seconds": 60.0, "lease_seconds": 120.0})
    both = [patient, NotificationsSettings.model_validate(patient.model_dump())]
    async with world.harness.running(create_app, both[0]), world.harness.running(create_app, both[1]):
        facts = [await world.issue() for _ in range(25)]
        await world.until("sent", len(facts))
    ids = [str(message["Message-ID"]) for message in world.mail.messages]
    # A try may fail on a busy machine, and comes again; what two processes must not do is send.
    assert len(ids) == len(set(ids)) == len(facts)
