"""What telephones, keyboards and clipboards make of what people mean; and what chats show of a link."""

from functools import partial

import pytest
from starlette.datastructures import FormData

from services.web.pages.ordering import choice_of
from services.web.pages.orders import Contact, contact_errors
from services.web.pages.support import normal_number
from services.web.tests.integration.conftest import Browser, Stage

ORDER = "K7Q2-9MXA"
CLASS = "01a205b0-c255-711d-9c68-c06507fece3f"


@pytest.mark.parametrize(
    "typed",
    [
        "K7Q2-9MXA",
        "k7q29mxa",
        " K7Q2\u20139MXA ",
        "K7Q2\u20149MXA",
        "K7Q2 9MXA",
        "K7Q2\u22129MXA",
        "\uff2b\uff17\uff31\uff12\uff0d\uff19\uff2d\uff38\uff21",
        "K7Q2\u00a0\u20119MXA",
    ],
)
def test_an_order_number_is_found_however_a_telephone_writes_its_dash(typed: str) -> None:
    assert normal_number(typed) == ORDER


@pytest.mark.parametrize("digits", ["3", "03", "\uff13", " 3 "])
def test_digits_of_another_width_are_digits(digits: str) -> None:
    assert choice_of(FormData([(f"quantity-{CLASS}", digits)])).places == 3


@pytest.mark.parametrize(
    "email", ["zoe\uff20example\uff0eorg", "<zoe@example.org>", "zoe@example.org;", "mailto:zoe@example.org"]
)
def test_a_pasted_address_is_not_refused_before_accounts_has_seen_it(email: str) -> None:
    assert contact_errors(Contact("Zoë", email)) == {}


async def test_a_shared_event_has_a_title_a_date_and_a_picture_that_chats_can_show(stage: Stage) -> None:
    browser = await stage.browser()
    html = (await browser.http.get(f"/events/{stage.play}", headers={"Accept-Language": "de"})).text
    told = dict(
        line.split('" content="') for line in html.split('<meta property="')[1:] for line in [line.split('">')[0]]
    )
    assert told["og:title"] == "Der zerbrochne Krug"
    assert told["og:description"] == "Fri 5 Dec 2031, 19:30, Kleines Schauspielhaus, Köln"
    assert told["og:url"] == f"http://shop.example/events/{stage.play}"
    picture = await browser.http.get(told["og:image"].removeprefix("http://shop.example"))
    assert (picture.status_code, picture.headers["content-type"]) == (200, "image/png")
    assert picture.content.startswith(b"\x89PNG")
    size = (int.from_bytes(picture.content[16:20], "big"), int.from_bytes(picture.content[20:24], "big"))
    assert size == (int(told["og:image:width"]), int(told["og:image:height"])) == (1200, 630)


async def test_every_drawing_has_a_picture_for_chats(stage: Stage) -> None:
    for image in ("theatre", "hall", "festival", "something-else"):
        stage.neighbours.events[str(stage.play)]["image"] = image
        await stage.harness.tell("events.catalog.event_published.v1", {"event_id": str(stage.play)})
        browser = await stage.browser()

        shown = partial(_shows, browser, stage, image if image != "something-else" else "default")
        assert await stage.harness.eventually(shown)


async def _shows(browser: Browser, stage: Stage, key: str) -> bool:
    return f"/static/share-{key}." in (await browser.http.get(f"/events/{stage.play}")).text


async def test_browsers_find_an_icon_where_they_look_for_it(stage: Stage) -> None:
    browser = await stage.browser()
    icon = await browser.http.get("/favicon.ico", follow_redirects=True)
    assert (icon.status_code, icon.headers["content-type"]) == (200, "image/svg+xml")
