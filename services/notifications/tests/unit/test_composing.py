"""The mail: readable by people, safe against what people typed."""

from dataclasses import replace
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notifications.composing import Sender, compose, when
from services.notifications.domain import Contact, Delivery, NotDelivered, Template, message_id_of

ORDER_ID = UUID("01930000-0000-7000-8000-0000000000aa")
NOW = datetime(2026, 11, 2, 10, 30, tzinfo=UTC)
SENDER = Sender("Onsale <tickets@onsale.example>", "https://shop.example/")
CONTACT = Contact("Zoë Müller", "zoe@example.org")
CONTENT: dict[str, Any] = {
    "event_title": "Żółta łódź",
    "venue_name": "Theater am Fluss",
    "starts_at": "2026-12-31T19:00:00Z",
    "time_zone": "Europe/Berlin",
    "tickets": [
        {"class_name": "Stehplatz", "seat_label": None},
        {"class_name": "Parkett", "seat_label": "Row 7, seat 12"},
    ],
}
TICKETS = Delivery(
    delivery_id=ORDER_ID,
    lease_id=ORDER_ID,
    order_id=ORDER_ID,
    order_number="K7Q2-9MXA",
    person_id=ORDER_ID,
    template=Template.TICKETS,
    content=CONTENT,
    message_id=message_id_of(ORDER_ID, Template.TICKETS, "onsale.example"),
    attempt=1,
    traceparent=None,
)
MONEY = replace(
    TICKETS, template=Template.MONEY_RETURNED, content={"event_title": "Żółta łódź", "reason": "places_gone"}
)


def sent(delivery: Delivery = TICKETS, contact: Contact = CONTACT, sender: Sender = SENDER) -> EmailMessage:
    """The message as it arrives: written to bytes and read again."""
    pdf = b"%PDF-1.3 tickets" if delivery.template is Template.TICKETS else None
    message = message_from_bytes(compose(delivery, contact, pdf, sender, NOW).as_bytes(), policy=default)
    assert isinstance(message, EmailMessage)
    return message


def body(message: EmailMessage, kind: str) -> str:
    part = message.get_body((kind,))
    assert part is not None
    return str(part.get_content())


def test_the_tickets_mail_has_text_html_and_the_pdf() -> None:
    message = sent()
    assert message["Subject"] == "Your tickets for Żółta łódź"
    assert message["To"] == "Zoë Müller <zoe@example.org>"
    assert message["From"] == "Onsale <tickets@onsale.example>"
    assert message["Message-ID"] == f"<tickets.{ORDER_ID}@onsale.example>"
    assert message["Date"].datetime == NOW
    assert message["Auto-Submitted"] == "auto-generated"
    for kind in ("plain", "html"):
        text = body(message, kind)
        for expected in (
            "Zoë Müller",
            "Żółta łódź",
            "Thursday 31 December 2026, 20:00 CET",
            "Theater am Fluss",
            "Row 7, seat 12",
            "K7Q2-9MXA",
            f"https://shop.example/orders/{ORDER_ID}",
        ):
            assert expected in text
    [attachment] = message.iter_attachments()
    assert isinstance(attachment, EmailMessage)
    assert (attachment.get_content_type(), attachment.get_filename()) == ("application/pdf", "onsale-K7Q2-9MXA.pdf")
    assert attachment.get_content() == b"%PDF-1.3 tickets"


def test_the_text_reads_well() -> None:
    lines = body(sent(), "plain").replace("\r\n", "\n")
    assert lines.startswith(
        "Hello Zoë Müller,\n\nhere are your 2 tickets for Żółta łódź.\n\n"
        "  Thursday 31 December 2026, 20:00 CET\n  Theater am Fluss\n\n"
        "  - Stehplatz\n  - Parkett, Row 7, seat 12\n\nThe PDF is attached"
    )


@pytest.mark.parametrize(
    ("reason", "sentence"),
    [
        ("expired", "The time to pay had run out"),
        ("places_gone", "the places were gone"),
        ("buyer", "You cancelled the order."),
        ("a reason of next year", "The order could not be completed."),
    ],
)
def test_a_cancelled_order_says_plainly_that_the_money_was_given_back(reason: str, sentence: str) -> None:
    message = sent(replace(MONEY, content={"event_title": "Żółta łódź", "reason": reason}))
    assert message["Subject"] == "Your money was given back: Żółta łódź"
    assert list(message.iter_attachments()) == []
    assert "Your money was given back in full." in body(message, "plain")
    assert "Your money was given back" in body(message, "html")
    for kind in ("plain", "html"):
        assert sentence in body(message, kind)


def test_a_guest_without_a_name_and_a_shop_without_an_address_leave_no_holes() -> None:
    message = sent(contact=Contact(None, "zoe@example.org"), sender=replace(SENDER, shop_url=None))
    assert body(message, "plain").startswith("Hello,")
    assert "None" not in body(message, "plain") + body(message, "html")
    assert "http" not in body(message, "plain")


def test_the_mail_names_the_trace_that_it_belongs_to() -> None:
    trace_id = "ab" * 16
    assert sent(replace(TICKETS, traceparent=f"00-{trace_id}-{'1' * 16}-01"))["Onsale-Trace"] == trace_id
    assert sent()["Onsale-Trace"] is None


def test_what_people_typed_is_never_markup() -> None:
    evil = "<script>alert(1)</script>"
    content = CONTENT | {
        "event_title": evil,
        "venue_name": evil,
        "tickets": [{"class_name": evil, "seat_label": evil}],
    }
    html = body(sent(replace(TICKETS, content=content), replace(CONTACT, name=evil)), "html")
    assert "<script" not in html
    assert html.count("&lt;script&gt;") == 6


@given(text=st.text(max_size=60) | st.sampled_from(["a\r\nBcc: x@evil.example", "a\n\nbody", "a\x00b", "\u2028Bcc: x"]))
def test_what_people_typed_adds_no_header(text: str) -> None:
    delivery = replace(TICKETS, content=CONTENT | {"event_title": text})
    message = sent(delivery, replace(CONTACT, name=text))
    assert set(message.keys()) == {
        "From",
        "To",
        "Subject",
        "Message-ID",
        "Date",
        "Auto-Submitted",
        "X-Auto-Response-Suppress",
        "MIME-Version",
        "Content-Type",
    }
    assert [address.addr_spec for address in message["To"].addresses] == ["zoe@example.org"]


@pytest.mark.parametrize(
    "email", [None, "", "zoe", "zoe@", "@example.org", "zoe@example.org\r\nBcc: x@evil.example", "a@b, c@d"]
)
def test_an_address_that_cannot_be_written_to_is_given_up_without_telling_it(email: str | None) -> None:
    with pytest.raises(NotDelivered) as failed:
        sent(contact=Contact("Zoë", email))
    assert failed.value.permanent
    assert not email or email not in str(failed.value)
    assert failed.value.__cause__ is None


def test_a_domain_in_another_script_is_written_as_hosts_are() -> None:
    assert sent(contact=Contact("Zoë", "zoe@bücher.example"))["To"].addresses[0].domain == "xn--bcher-kva.example"


def test_an_unknown_zone_is_told_in_utc() -> None:
    assert when(NOW, "Mars/Olympus") == "Monday 2 November 2026, 10:30 UTC"


def test_a_contact_does_not_show_itself_in_logs() -> None:
    assert "zoe" not in repr(CONTACT)
