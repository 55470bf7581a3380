"""The mail: readable by people, safe against what people typed."""

import re
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

from services.notifications.composing import Sender, compose, pass_until, when
from services.notifications.domain import (
    Contact,
    Delivery,
    NotDelivered,
    Template,
    kind_of_change,
    message_id_of,
)

ORDER_ID = UUID("01930000-0000-7000-8000-0000000000aa")
NOW = datetime(2026, 11, 2, 10, 30, tzinfo=UTC)
SENDER = Sender("Onsale <tickets@onsale.example>", "https://shop.example/")
CONTACT = Contact("Zoë Müller", "zoe@example.org")
CONTENT: dict[str, Any] = {
    "event_title": "Żółta łódź",
    "venue_name": "Theater am Fluss",
    "venue_street": "Uferweg 7",
    "venue_city": "Köln",
    "doors_at": "2026-12-31T18:00:00Z",
    "currency": "EUR",
    "paid_minor": 8500,
    "starts_at": "2026-12-31T19:00:00Z",
    "time_zone": "Europe/Berlin",
    "tickets": [
        {"class_name": "Stehplatz", "seat_label": None},
        {"class_name": "Parkett", "seat_label": "Row 7, seat 12"},
    ],
}
TICKETS = Delivery(
    delivery_id=ORDER_ID,
    fence=1,
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
    message = message_from_bytes(compose(delivery, contact, pdf, sender, NOW).data, policy=default)
    assert isinstance(message, EmailMessage)
    return message


def body(message: EmailMessage, kind: str) -> str:
    part = message.get_body((kind,))
    assert part is not None
    return str(part.get_content())


@pytest.mark.parametrize(
    ("language", "paid"), [("en", "€85.00"), ("de", "85,00\u00a0€"), ("fr", "85,00\u00a0€"), ("nl", "€\u00a085,00")]
)
def test_what_was_paid_is_written_in_the_buyers_way(language: str, paid: str) -> None:
    message = sent(contact=replace(CONTACT, language=language))
    assert f"Paid: {paid}" in body(message, "plain")
    assert paid in body(message, "html")


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
            "Doors open at 19:00 CET",
            "Uferweg 7, Köln",
            "€85.00",
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
        "  Thursday 31 December 2026, 20:00 CET\n  Doors open at 19:00 CET\n  Theater am Fluss\n  Uferweg 7, Köln\n\n"
        "  - Stehplatz\n  - Parkett, Row 7, seat 12\n\n  Paid: €85.00\n\nThe PDF is attached"
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
    assert "&lt;script&gt;alert(1)&lt; script&gt;" in html  # the name, broken up


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
        "Content-Language",
    }
    assert [address.addr_spec for address in message["To"].addresses] == ["zoe@example.org"]


@pytest.mark.parametrize(
    "email", [None, "", "zoe", "zoe@", "@example.org", "zoe@example.org\r\nBcc: x@evil.example", "a@b, c@d"]
)
def test_an_address_that_cannot_be_written_to_is_given_up_and_shown_nowhere(email: str | None) -> None:
    with pytest.raises(NotDelivered) as failed:
        sent(contact=Contact("Zoë", email))
    assert failed.value.permanent
    assert not email or email not in str(failed.value)
    assert failed.value.__cause__ is None


def test_a_domain_in_another_script_is_written_as_hosts_are() -> None:
    assert sent(contact=Contact("Zoë", "zoe@bücher.example"))["To"].addresses[0].domain == "xn--bcher-kva.example"


def test_an_unknown_zone_is_written_in_utc() -> None:
    assert when(NOW, "Mars/Olympus") == "Monday 2 November 2026, 10:30 UTC"


def test_a_contact_does_not_show_itself_in_logs() -> None:
    assert "zoe" not in repr(CONTACT)


CHANGED: dict[str, Any] = {
    "event_title": "Żółta łódź",
    "state": "rescheduled",
    "changes": ["starts_at", "venue"],
    "starts_at": "2027-01-15T19:00:00Z",
    "previous_starts_at": "2026-12-31T19:00:00Z",
    "doors_at": None,
    "time_zone": "Europe/Berlin",
    "venue_name": "Halle 7",
    "venue_street": None,
    "venue_city": "Bonn",
}


def mail_of_change(**changes: Any) -> EmailMessage:
    """The mail about an event that is not as it was."""
    content = CHANGED | changes
    template = kind_of_change(content["state"], content["changes"])
    return sent(replace(TICKETS, template=template, content=content, edition=2))


@pytest.mark.parametrize(
    ("changes", "subject", "said", "unsaid"),
    [
        (
            {},
            "New date",
            ["Friday 15 January 2027", "Before, it was: Thursday 31 December 2026", "new, too"],
            ["go there"],
        ),
        ({"changes": ["starts_at"]}, "New date", ["Halle 7", "Bonn", "PDF"], ["new, too"]),
        ({"changes": ["venue"], "previous_starts_at": None}, "New place", ["Halle 7", "Bonn", "PDF"], ["Before"]),
        ({"changes": ["doors_at"], "doors_at": "2027-01-15T18:00:00Z"}, "Changed", ["Doors open at 19:00 CET"], []),
        ({"changes": ["starts_at", "codes"]}, "New date", ["new codes", "PDF", "refused at the door"], ["same codes"]),
        ({"changes": ["codes"]}, "Changed", ["new codes", "PDF", "refused at the door"], ["same codes"]),
        (
            {"state": "postponed", "changes": ["state", "codes"]},
            "Postponed",
            ["stay valid", "new codes", "PDF", "refused at the door"],
            ["same codes"],
        ),
        ({"state": "cancelled", "changes": ["state", "codes"]}, "Cancelled", [], ["codes", "PDF"]),
        ({"state": "cancelled"}, "Cancelled", ["does not take place", "do not go there"], ["PDF", "Halle 7"]),
        ({"state": "postponed"}, "Postponed", ["not known yet", "stay valid"], ["PDF", "Friday"]),
        ({"state": "moved_online"}, "Online instead", ["takes place online", "Friday 15"], ["PDF", "Halle 7"]),
    ],
)
def test_an_event_that_is_not_as_it_was_is_announced_in_a_mail_of_its_kind(
    changes: dict[str, Any], subject: str, said: list[str], unsaid: list[str]
) -> None:
    message = mail_of_change(**changes)
    assert message["Subject"] == f"{subject}: Żółta łódź"
    for kind in ("plain", "html"):
        text = body(message, kind)
        for expected in (*said, "Zoë Müller", "K7Q2-9MXA", f"https://shop.example/orders/{ORDER_ID}"):
            assert expected in text
        for unexpected in (*unsaid, "None", "Undefined"):
            assert unexpected not in text


def test_a_mail_about_each_version_has_a_name_of_its_own() -> None:
    ids = {message_id_of(ORDER_ID, Template.NEW_DATE, "onsale.example", edition) for edition in (None, 1, 2)}
    assert len(ids) == 3


def test_one_ticket_is_one_ticket_and_a_free_one_is_free() -> None:
    content = CONTENT | {"tickets": CONTENT["tickets"][:1], "paid_minor": 0}
    message = sent(replace(TICKETS, content=content))
    assert "here is your ticket for" in body(message, "plain")
    assert "Paid: Free" in body(message, "plain")
    assert "1 ticket. Paid" in body(message, "html")


@pytest.mark.parametrize(
    ("minor", "currency", "written"), [(4800, "JPY", "¥4,800"), (12500, "JOD", "JOD\u00a012.500"), (1, "EUR", "€0.01")]
)
def test_the_amount_has_the_digits_of_its_currency(minor: int, currency: str, written: str) -> None:
    message = sent(replace(TICKETS, content=CONTENT | {"paid_minor": minor, "currency": currency}))
    assert f"Paid: {written}" in body(message, "plain")


def test_tickets_that_were_published_by_an_older_version_leave_no_holes() -> None:
    known = {"event_title", "venue_name", "starts_at", "time_zone", "tickets"}
    message = sent(replace(TICKETS, content={name: CONTENT[name] for name in known}))
    for kind in ("plain", "html"):
        text = body(message, kind)
        assert "Theater am Fluss" in text
        for unexpected in ("None", "Paid", "Doors"):
            assert unexpected not in text


def test_what_is_read_from_right_to_left_stands_apart_and_turns_nothing_around() -> None:
    content = CONTENT | {"event_title": "ליל מוזיקה 21", "venue_name": "مسرح المدينة"}
    message = sent(replace(TICKETS, content=content), replace(CONTACT, name="علی"))
    plain, html = body(message, "plain"), body(message, "html")
    assert "Hello \u2068علی\u2069," in plain
    assert "for \u2068ליל מוזיקה 21\u2069." in plain
    assert '<html lang="en" dir="ltr">' in html
    assert "Hello <bdi>علی</bdi>," in html
    assert '<h1 dir="auto"' in html
    assert "<bdi>مسرح المدينة</bdi>" in html
    assert message["Content-Language"] == "en"


@pytest.mark.parametrize(
    "name",
    [
        "https://evil.example/win",
        "Win at evil.example",
        "www.evil.example",
        "mailto:x@evil.example",
        "evil。example",
        "HTTPS:\\\\evil.example",
        "ftp://1.2.3.4",
        "пример.рф",
        "x@evil.example",
    ],
)
def test_a_name_never_becomes_a_link(name: str) -> None:
    message = sent(contact=replace(CONTACT, name=name))
    link = re.compile(r"://|www\.\w|\w[.。]\w|\w@\w|\\\\\\\\", re.IGNORECASE)
    for kind in ("plain", "html"):
        greeting = re.search("Hello (.*?),", body(message, kind))
        assert greeting is not None
        assert not link.search(greeting[1].replace("<bdi>", "").replace("</bdi>", ""))
    assert not link.search(message["To"].addresses[0].display_name)


@pytest.mark.parametrize(
    "name", ["Zoë Müller", "O’Neill-Smith", "J. R. R. Tolkien", "علی‌رضا", "山田 太郎", "Dr. Ada, PhD"]
)
def test_a_name_that_is_one_stays_as_it_is(name: str) -> None:
    assert f"Hello {name}," in body(sent(contact=replace(CONTACT, name=name)), "plain").replace("\u2068", "").replace(
        "\u2069", ""
    )


def test_a_guests_link_opens_the_order_on_another_device_and_ends_after_the_event() -> None:
    message = sent(contact=replace(CONTACT, order_pass="aa.bb-_.cc"))
    for kind in ("plain", "html"):
        assert f"https://shop.example/orders/{ORDER_ID}/open?key=aa.bb-_.cc" in body(message, kind)
    assert pass_until(TICKETS) == datetime(2027, 1, 2, 19, tzinfo=UTC)
    assert pass_until(MONEY) is None
