"""Mail over real SMTP, read back over real HTTP."""

import smtplib
from collections.abc import AsyncIterator
from email.message import EmailMessage
from pathlib import Path
from typing import Literal

import aiosmtplib
import pytest

from simulators.mailbox.store import Store
from simulators.mailbox.testing import RunningMailbox, running_mailbox
from simulators.tests.chromium import assert_accessible, phone

PDF = b"%PDF-1.7 not really, but bytes \x00\xff"
PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture
async def mailbox(tmp_path: Path) -> AsyncIterator[RunningMailbox]:
    async with running_mailbox(tmp_path / "mail") as found:
        yield found


def tickets(to: str = "ada@example.test", subject: str = "Your tickets: Fête & más") -> EmailMessage:
    message = EmailMessage()
    message["From"] = "Onsale <tickets@onsale.test>"
    message["To"] = to
    message["Subject"] = subject
    message["Message-ID"] = "<order-1@onsale.test>"
    message.set_content("Here they are.\n.a line that begins with a dot\n")
    message.add_alternative(
        '<p id="hello">Here they are.</p><img src="cid:qr"><script>document.title = "taken over"</script>',
        subtype="html",
    )
    html = message.get_payload()[1]  # type: ignore[index]  # multipart/alternative: a list
    html.add_related(PNG, "image", "png", cid="<qr>")  # type: ignore[union-attr]
    message.add_attachment(PDF, maintype="application", subtype="pdf", filename="tickets été.pdf")
    return message


async def send(mailbox: RunningMailbox, message: EmailMessage) -> None:
    await aiosmtplib.send(message, hostname="127.0.0.1", port=mailbox.smtp_port, start_tls=False)


async def test_a_message_is_kept_with_its_text_html_and_attachment(mailbox: RunningMailbox) -> None:
    await send(mailbox, tickets())
    (item,) = (await mailbox.http.get("/api/messages")).json()["items"]
    assert item["message_id"] == "<order-1@onsale.test>"
    assert (item["subject"], item["to"]) == ("Your tickets: Fête & más", ["ada@example.test"])
    (attachment,) = item["attachments"]
    assert (attachment["filename"], attachment["size_bytes"]) == ("tickets été.pdf", len(PDF))
    whole = (await mailbox.http.get(f"/api/messages/{item['id']}")).json()
    assert whole["text"].replace("\r\n", "\n") == "Here they are.\n.a line that begins with a dot\n"
    assert 'src="data:image/png;base64,' in whole["html"]
    file = await mailbox.http.get(f"/api/messages/{item['id']}/attachments/1")
    assert file.content == PDF
    assert file.headers["content-type"] == "application/pdf"
    assert file.headers["content-disposition"].startswith("attachment")


async def test_what_was_sent_twice_is_there_twice(mailbox: RunningMailbox) -> None:
    for _ in range(2):
        await send(mailbox, tickets())
    items = (await mailbox.http.get("/api/messages")).json()["items"]
    assert [item["message_id"] for item in items] == ["<order-1@onsale.test>"] * 2


async def test_mail_is_found_by_address_and_by_what_came_after(mailbox: RunningMailbox) -> None:
    for to in ("ada@example.test", "bob@example.test", "Ada@Example.Test"):
        await send(mailbox, tickets(to))
    first = (await mailbox.http.get("/api/messages?to=ADA@example.test&limit=1")).json()
    rest = (await mailbox.http.get(f"/api/messages?to=ada@example.test&after={first['next']}")).json()
    assert (len(first["items"]), len(rest["items"])) == (1, 1)
    none = (await mailbox.http.get(f"/api/messages?after={rest['next']}")).json()
    assert none == {"items": [], "next": rest["next"]}


async def test_pages_list_newest_first_and_never_run_what_came_by_mail(mailbox: RunningMailbox) -> None:
    await send(mailbox, tickets(subject="first <b>"))
    await send(mailbox, tickets(subject="second"))
    page = (await mailbox.http.get("/")).text
    assert page.index("second") < page.index("first &lt;b&gt;")
    shown = await mailbox.http.get("/messages/1/html")
    assert shown.headers["content-security-policy"].startswith("sandbox; default-src 'none'")
    assert "sandbox title=" in (await mailbox.http.get("/messages/1")).text


async def test_a_message_that_is_not_there_is_a_sentence(mailbox: RunningMailbox) -> None:
    assert "no such message" in (await mailbox.http.get("/api/messages/7")).json()["detail"]
    page = await mailbox.http.get("/messages/7")
    assert page.status_code == 404
    assert "There is no such message" in page.text
    await send(mailbox, tickets())
    assert (await mailbox.http.get("/api/messages/1/attachments/2")).status_code == 404


async def test_a_broken_message_is_shown_as_well_as_it_can_be(mailbox: RunningMailbox) -> None:
    raw = b"Subject: =?utf-8?q?broken\r\nContent-Type: text/plain; charset=klingon\r\n\r\n\xff\xfe caf\xe9\r\n"
    with smtplib.SMTP("127.0.0.1", mailbox.smtp_port) as smtp:
        smtp.sendmail("a@example.test", ["b@example.test"], raw)
    (item,) = (await mailbox.http.get("/api/messages")).json()["items"]
    assert "caf" in (await mailbox.http.get(f"/api/messages/{item['id']}")).json()["text"]
    assert (await mailbox.http.get(f"/messages/{item['id']}")).status_code == 200


async def test_mail_survives_a_restart(tmp_path: Path) -> None:
    async with running_mailbox(tmp_path) as before:
        await send(before, tickets())
    async with running_mailbox(tmp_path) as after:
        assert len((await after.http.get("/api/messages")).json()["items"]) == 1


async def test_it_says_that_it_lives_and_is_ready(mailbox: RunningMailbox) -> None:
    assert [(await mailbox.http.get(path)).status_code for path in ("/livez", "/readyz")] == [200, 200]


def test_the_oldest_messages_are_dropped_beyond_the_bounds() -> None:
    store = Store(":memory:", max_messages=3, max_bytes=25)
    for number in range(5):
        store.add("a@example.test", ["b@example.test"], b"x" * number)
    assert [caught.id for caught in store.after(0, None, 10)] == [3, 4, 5]
    store.add("a@example.test", ["b@example.test"], b"x" * 24)
    assert [caught.id for caught in store.after(0, "b@example.test", 10)] == [6]
    store.close()


@pytest.mark.browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_pages_are_accessible_and_a_message_cannot_run_scripts(
    mailbox: RunningMailbox, scheme: Literal["light", "dark"]
) -> None:
    await send(mailbox, tickets())
    async with phone(scheme) as page:
        await page.goto(mailbox.url)
        await assert_accessible(page)
        await page.get_by_role("link", name="Your tickets").click()
        await page.frame_locator("iframe").locator("#hello").wait_for()
        await assert_accessible(page)
        await page.goto(f"{mailbox.url}/messages/1/html")
        assert await page.title() == ""
