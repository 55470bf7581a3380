"""Names, titles and searches in people's own spelling: on pages, tickets and in mails."""

from uuid import uuid4

import pytest

from local.system import System
from tests.met_elsewhere.events import an_event, an_offer, load
from tests.met_elsewhere.shopping import Shopper, plain

pytestmark = pytest.mark.system

FREE = an_offer(price="0")
TITLES = {
    "Arabic": "ليلة الموسيقى العربية في قاعة القناة",
    "Japanese": "東京フィルハーモニー特別演奏会",
    "Hebrew": "קונצרט קיץ בחצר",
    "Hindi": "शास्त्रीय संगीत संध्या",
    "Thai": "คอนเสิร์ตฤดูร้อน",
    "Korean": "여름밤의 재즈 콘서트",
}
NAMES = ["\u0639\u0644\u06cc\u200c\u0631\u0636\u0627", "N" * 150, "Zoë Groß"]


@pytest.mark.parametrize("script", sorted(TITLES))
async def test_a_title_reads_alike_on_page_ticket_and_mail(system: System, script: str) -> None:
    # Digits have no direction of their own. Among letters from right to left, some viewers' copying puts a Latin word's
    # line in the order of its places on the paper, so letters here would sometimes turn the words around.
    title = f"{TITLES[script]} {uuid4().int % 10**8:08d}"
    code, printed = await load(system, an_event(title, title, offers=[FREE]))
    assert code == 0, printed
    async with Shopper(system) as shopper:
        order = await shopper.hold(await shopper.find(title))
        assert title in order.text
        await shopper.pay(order)
        mail = await shopper.mail(TITLES[script])
    assert plain(mail["subject"]).endswith(title)
    assert title in plain(mail["text"].replace("\u2068", "").replace("\u2069", ""))
    # What is copied out of the PDF is what was printed, letter by letter; lines may break between words.
    assert TITLES[script].replace(" ", "") in mail["tickets"].replace(" ", "")


@pytest.mark.parametrize("name", NAMES)
async def test_a_buyer_may_be_called_as_they_are(system: System, name: str) -> None:
    title = f"Names {uuid4().hex[:8]}"
    assert (await load(system, an_event(title, title, offers=[FREE])))[0] == 0
    async with Shopper(system) as shopper:
        order = await shopper.hold(await shopper.find(title))
        await shopper.pay(order, name=name)
        mail = await shopper.mail(title)
    assert name in mail["text"]
