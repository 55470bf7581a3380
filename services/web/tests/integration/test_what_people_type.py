"""What telephones, keyboards and clipboards make of what people mean; and what chats show of a link."""

from functools import partial
from typing import Any
from uuid import UUID

import pytest
from starlette.datastructures import FormData

from services.web.buying.domain import Contact, contact_errors
from services.web.buying.pages.ordering import wish_of
from services.web.clients.accounts import LONGEST_SECRET, LONGEST_TEXT
from services.web.clients.orders import LONGEST_SEAT_ID, MOST_CLASSES, MOST_PLACES
from services.web.support.domain import normal_number
from services.web.tests.integration.conftest import Browser, Stage
from services.web.tests.integration.people.test_sessions import PERSON
from services.web.tests.neighbours import problem

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
    assert wish_of(FormData([(f"quantity-{CLASS}", digits)])).places == 3


@pytest.mark.parametrize(
    "email", ["zoe\uff20example\uff0eorg", "<zoe@example.org>", "zoe@example.org;", "mailto:zoe@example.org"]
)
def test_a_pasted_address_is_not_refused_before_accounts_has_seen_it(email: str) -> None:
    assert contact_errors(Contact("Zoë", email)) == {}


def of_classes(number: int) -> dict[str, str]:
    """One place of each of so many classes."""
    return {f"quantity-{UUID(int=one)}": "1" for one in range(1, number + 1)}


@pytest.mark.parametrize(
    ("chosen", "sentence"),
    [
        ({f"quantity-{CLASS}": "9999"}, "At most 8 places an order."),
        ({f"quantity-{CLASS}": f"{MOST_PLACES + 1}"}, "At most 8 places an order."),
        ({"seat": [f"seat {number}" for number in range(MOST_PLACES + 1)]}, "At most 8 places an order."),
        ({"seat": "x" * (LONGEST_SEAT_ID + 1)}, "Nothing is chosen yet."),
        (of_classes(MOST_CLASSES + 1), "That did not work."),
    ],
    ids=["very many", "many", "many seats", "no seat", "many classes"],
)
async def test_what_orders_would_not_even_look_at_is_not_asked_and_has_its_sentence(
    stage: Stage, chosen: dict[str, Any], sentence: str
) -> None:
    browser = await stage.browser()
    action = f"/events/{stage.play}/orders"
    page = await browser.open(f"/events/{stage.play}")
    refused = await browser.http.post(action, data=page.forms[action] | chosen)
    assert refused.status_code == 422
    assert sentence in refused.text
    assert stage.neighbours.count("orders", "/orders") == 0


@pytest.mark.parametrize(
    "chosen",
    [{f"quantity-{CLASS}": f"{MOST_PLACES}"}, {"seat": "x" * LONGEST_SEAT_ID}, of_classes(MOST_CLASSES)],
    ids=["places", "seat", "classes"],
)
async def test_what_orders_would_just_look_at_is_asked(stage: Stage, chosen: dict[str, Any]) -> None:
    browser = await stage.browser()
    action = f"/events/{stage.play}/orders"
    page = await browser.open(f"/events/{stage.play}")
    stage.neighbours.refuse["POST orders/orders"] = problem(422, "too_many_places", "Choose fewer.")
    refused = await browser.http.post(action, data=page.forms[action] | chosen)
    assert refused.status_code == 422
    assert "At most 8 places an order." in refused.text
    assert ("orders", "POST", "/orders") in stage.neighbours.asked


@pytest.mark.parametrize(
    "written",
    [
        {"email": f"zoe@{'x' * LONGEST_TEXT}.example"},
        {"name": "x" * (LONGEST_TEXT + 1)},
        {"password": "four odd words " * LONGEST_SECRET},
    ],
    ids=["email", "name", "password"],
)
async def test_what_accounts_would_not_even_look_at_is_not_asked_and_has_its_sentence(
    stage: Stage, written: dict[str, str]
) -> None:
    browser = await stage.browser()
    up = await browser.send(await browser.open("/sign-up"), "/sign-up", **(PERSON | written))
    assert up.status_code == 422
    assert "That did not work." in up.text
    if "name" not in written:
        known = {name: PERSON[name] for name in ("email", "password")}
        failed = await browser.send(await browser.open("/sign-in"), "/sign-in", **(known | written))
        assert failed.status_code == 401
        assert "That did not fit." in failed.text
    assert stage.neighbours.count("accounts", "/people") + stage.neighbours.count("accounts", "/sessions") == 0


async def test_a_shared_event_has_a_title_a_date_and_a_picture_that_chats_can_show(stage: Stage) -> None:
    browser = await stage.browser()
    html = (await browser.http.get(f"/events/{stage.play}", headers={"Accept-Language": "de"})).text
    preview = dict(
        line.split('" content="') for line in html.split('<meta property="')[1:] for line in [line.split('">')[0]]
    )
    assert preview["og:title"] == "Der zerbrochne Krug"
    assert preview["og:description"] == "Fri 5 Dec 2031, 19:30, Kleines Schauspielhaus, Köln"
    assert preview["og:url"] == f"http://shop.example/events/{stage.play}"
    picture = await browser.http.get(preview["og:image"].removeprefix("http://shop.example"))
    assert (picture.status_code, picture.headers["content-type"]) == (200, "image/png")
    assert picture.content.startswith(b"\x89PNG")
    size = (int.from_bytes(picture.content[16:20], "big"), int.from_bytes(picture.content[20:24], "big"))
    assert size == (int(preview["og:image:width"]), int(preview["og:image:height"])) == (1200, 630)


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
