"""Plans of many shapes in a real browser: what is drawn can be read, touched, and is called the same everywhere."""

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from playwright.sync_api import Page

from local.system import System
from tests.browser.conftest import DESKTOP, PHONE, Visit

pytestmark = pytest.mark.browser

# WCAG 2.5.8, in CSS pixels.
TARGET_PX = 24
_SMALLEST = """() => Math.min(...[...document.querySelectorAll(".plan__seats circle:not([aria-disabled])")]
  .map((seat) => seat.getBoundingClientRect()).map((box) => Math.min(box.width, box.height)))"""


def a_plan(name: str) -> dict[str, Any]:
    """A row with two seats that nearly touch, a round table, and areas of each shape."""
    row = {
        "row_number": "A",
        "position": {"x": 0, "y": 150},
        "seats": [_seat(f"A{at}", at, 30.0 * at - (26 if at == 5 else 0), 0) for at in range(1, 13)],
    }
    around = [(54 * math.cos(math.tau * at / 8), 54 * math.sin(math.tau * at / 8)) for at in range(8)]
    table = {
        "row_number": "7",
        "row_label": "Tisch %s",
        "seat_label": "Stuhl %s",
        "position": {"x": 200, "y": 300},
        "seats": [_seat(f"T{at}", at + 1, round(x, 1), round(y, 1)) for at, (x, y) in enumerate(around)],
    }
    text = {"text": "Bar", "position": {"x": 0, "y": 0}, "color": "nonsense"}
    areas = [
        {"shape": "circle", "position": {"x": 60, "y": 300}, "circle": {"radius": 40}, "color": "#222", "text": text},
        {
            "shape": "ellipse",
            "position": {"x": 360, "y": 300},
            "ellipse": {"radius": {"x": 60, "y": 25}},
            "rotation": 30,
        },
        {"shape": "text", "position": {"x": 200, "y": 60}, "text": text | {"size": 30}},
    ]
    return {
        "name": name,
        "size": {"width": 440, "height": 400},
        "categories": [{"name": "Saal", "color": "white"}],
        "zones": [{"name": "Parkett", "position": {"x": 20, "y": 10}, "rows": [row, table], "areas": areas}],
    }


def _seat(guid: str, number: int, x: float, y: float) -> dict[str, Any]:
    return {"seat_guid": guid, "seat_number": str(number), "position": {"x": x, "y": y}, "category": "Saal"}


@pytest.fixture(scope="module")
def house(system: System, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The title of an event in that house, far away in time so that nobody else comes across it."""
    folder: Path = tmp_path_factory.mktemp("plans")
    title, plan = f"Shapes{uuid4().hex[:8]}", f"House {uuid4()}"
    event = {
        "@context": "https://schema.org",
        "@type": "Event",
        "identifier": title,
        "name": title,
        "startDate": "2039-06-20T20:00:00+02:00",
        "onsale:timeZone": "Europe/Berlin",
        "location": {"@type": "Place", "name": "Haus", "address": {"addressLocality": "Fürth", "addressCountry": "DE"}},
        "organizer": {"name": "Verein"},
        "offers": [{"@type": "Offer", "name": "Saal", "price": "12.00", "priceCurrency": "EUR"}],
        "onsale:seatingPlan": plan,
    }
    files = {"plan.json": a_plan(plan), "event.json": event}
    for name, document in files.items():
        (folder / name).write_text(json.dumps(document))
        system.load(str(folder / name))
    return title


def open_plan(visitor: Visit, title: str) -> Page:
    page = visitor.open_event(title)
    page.wait_for_selector(".plan__live")
    return page


@pytest.mark.parametrize("device", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_every_seat_can_be_made_large_enough_to_touch(
    visit: Callable[..., Visit], house: str, device: dict[str, Any]
) -> None:
    for title in (house, "Tidal"):
        page = open_plan(visit(**device), title)
        zoom = page.get_by_role("button", name="Plan larger")
        for _ in range(15):
            zoom.click()
        page.wait_for_function(f"({_SMALLEST})() >= {TARGET_PX}")


def test_no_circle_covers_another(visit: Callable[..., Visit], house: str) -> None:
    page = open_plan(visit(**DESKTOP), house)
    circles = page.locator(".plan__seats circle").evaluate_all(
        "all => all.map((one) => [one.cx.baseVal.value, one.cy.baseVal.value, one.r.baseVal.value])"
    )
    assert len(circles) == 20
    for at, (x, y, r) in enumerate(circles):
        for other_x, other_y, other_r in circles[at + 1 :]:
            assert math.hypot(x - other_x, y - other_y) >= r + other_r
    # The close pair alone is small.
    assert sum(r < 10 for _, _, r in circles) == 2


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_table_is_called_the_same_on_plan_list_order_and_ticket(
    visit: Callable[..., Visit], house: str, scheme: str
) -> None:
    buyer = visit(**DESKTOP, color_scheme=scheme)
    page = open_plan(buyer, house)
    buyer.assert_accessible()
    name = "Parkett, Tisch 7, Stuhl 3" if scheme == "light" else "Parkett, Tisch 7, Stuhl 4"
    seat = page.locator(f'.plan__seats circle[aria-label^="{name},"]')
    seat.click()
    assert page.locator("[data-choice] li span").inner_text() == name
    assert page.locator("fieldset:has(:checked) legend").inner_text().startswith("Tisch 7")
    page.get_by_role("button", name="Hold these places").click()
    page.wait_for_url("**/orders/*")
    assert name in page.locator("main").inner_text()
    buyer.pay_at_the_bank()
    page.wait_for_selector("[data-ticket-code]")
    assert page.locator(".stub__seat").first.inner_text() == name
