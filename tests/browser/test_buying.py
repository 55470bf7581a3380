"""People buy in a real browser: on a phone, with the keyboard alone, and without JavaScript."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import DESKTOP, PHONE, Visit, choose

pytestmark = pytest.mark.browser

THEATRE = "Lighthouse"
FESTIVAL = "Riverside"
DECLINED_CARD = "4000 0000 0000 0002"


def free_seats(page: Page) -> list[str]:
    """Values of the seats that can be chosen now."""
    values: list[str] = page.locator("input[name=seat]:enabled:not(:checked)").evaluate_all(
        "all => all.map(one => one.value)"
    )
    return values


def choose_on_plan(page: Page, value: str) -> None:
    """Clicks the circle of a seat."""
    number = page.locator(f'input[name=seat][value="{value}"]').get_attribute("id")
    assert number is not None
    page.locator(f"#p{number.removeprefix('s')}").click()


def test_a_buyer_takes_seats_from_the_plan_and_sees_the_order_turn_to_confirmed(visit: Callable[..., Visit]) -> None:
    buyer = visit(**DESKTOP)
    page = buyer.open_event(THEATRE)
    page.wait_for_selector(".plan__live")
    first, second = free_seats(page)[-2:]
    choose_on_plan(page, first)
    choose_on_plan(page, second)
    expect(page.locator("[data-choice] li")).to_have_count(2)
    expect(page.locator("[data-count]")).to_have_text("2 places")
    buyer.assert_accessible()

    page.get_by_role("button", name="Hold these places").click()
    page.wait_for_url("**/orders/*")
    assert ":" in page.locator("[data-countdown] [data-left]").inner_text()
    buyer.pay_at_the_bank()
    page.wait_for_url("**/orders/*")
    # Without a reload: the page hears of it.
    expect(page.locator("[data-ticket-code]")).to_have_count(2)
    main = page.locator("#main")
    expect(main).to_have_attribute("data-order-state", "confirmed")
    assert main.get_attribute("data-order-number")
    buyer.assert_accessible()

    with page.expect_download() as download:
        page.get_by_role("link", name="PDF to print").click()
    assert download.value.path().read_bytes().startswith(b"%PDF")
    buyer.open("/my/tickets")
    expect(page.locator("[data-ticket-code]")).to_have_count(2)


def test_a_seat_is_chosen_with_the_keyboard_alone(visit: Callable[..., Visit]) -> None:
    page = visit(**DESKTOP).open_event(THEATRE)
    page.wait_for_selector(".plan__live")
    seat = page.locator(".plan__seats circle[tabindex='0']")
    expect(seat).to_have_count(1)
    seat.focus()

    page.keyboard.press("Space")
    name = page.locator(":focus").get_attribute("aria-label")
    expect(page.locator(":focus")).to_have_attribute("aria-checked", "true")
    page.keyboard.press("ArrowDown")

    assert page.locator(":focus").get_attribute("aria-label") != name
    expect(page.locator("[data-choice] li")).to_have_count(1)
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Space")
    expect(page.locator("[data-count]")).to_have_text("Total")


def test_the_list_and_the_plan_are_the_same_choice(visit: Callable[..., Visit]) -> None:
    page = visit(**PHONE).open_event(THEATRE)
    page.wait_for_selector(".plan__live")
    box = page.locator("input[name=seat]:enabled").last
    choose(box)
    number = (box.get_attribute("id") or "").removeprefix("s")
    expect(page.locator(f"#p{number}")).to_have_attribute("aria-checked", "true")

    page.locator("[data-choice] button").click()

    expect(box).not_to_be_checked()
    expect(page.locator(f"#p{number}")).to_have_attribute("aria-checked", "false")


def test_somebody_elses_choice_is_seen_live(visit: Callable[..., Visit]) -> None:
    watching = visit(**PHONE).open_event(THEATRE)
    watching.wait_for_selector(".plan__live")
    value = free_seats(watching)[0]
    seat = watching.locator(f'input[name=seat][value="{value}"]')
    choose(seat)
    buyer = visit(**DESKTOP)
    page = buyer.open_event(THEATRE)
    choose(page.locator(f'input[name=seat][value="{value}"]'))

    page.get_by_role("button", name="Hold these places").click()
    page.wait_for_url("**/orders/*")

    expect(seat).to_be_disabled()
    expect(seat).not_to_be_checked()
    page.get_by_role("button", name="Cancel this order").click()
    expect(page.locator("#main")).to_have_attribute("data-order-state", "cancelled")
    expect(seat).to_be_enabled()


def test_a_phone_buys_festival_tickets_after_a_declined_card(visit: Callable[..., Visit]) -> None:
    buyer = visit(**PHONE)
    page = buyer.open_event(FESTIVAL)
    more = page.locator("[data-step='1']").first
    more.click()
    more.click()
    expect(page.locator("[data-count]")).to_have_text("2 places")
    page.get_by_role("button", name="Hold these places").click()
    page.wait_for_url("**/orders/*")

    buyer.pay_at_the_bank(DECLINED_CARD)
    expect(page.locator("#main")).to_have_attribute("data-phase", "declined")
    buyer.assert_accessible()
    page.get_by_label("Your name").fill("Zoë Groß")
    page.get_by_role("button", name="Try again").click()
    page.wait_for_url("**/pay/**")
    page.locator("[name=number]").fill("4242 4242 4242 4242")
    page.locator("[name=expiry]").fill("12/39")
    page.locator("[name=cvc]").fill("123")
    page.locator("form[method=post] button").first.click()

    expect(page.locator("[data-ticket-code]")).to_have_count(2)


def test_everything_works_without_javascript(visit: Callable[..., Visit]) -> None:
    buyer = visit(**PHONE, java_script_enabled=False)
    page = buyer.open_event(THEATRE)
    expect(page.locator(".plan img")).to_be_visible()
    expect(page.get_by_role("button", name="Plan larger")).to_be_hidden()
    for zone in page.locator("details.zone:not([open]) > summary").all():
        zone.click()
    choose(page.locator("input[name=seat]:enabled").first)
    page.get_by_role("button", name="Hold these places").click()
    page.wait_for_url("**/orders/*")

    buyer.pay_at_the_bank()

    # The page asks again by itself every few seconds.
    expect(page.locator("[data-ticket-code]")).to_have_count(1, timeout=20_000)


def test_a_number_counts_while_it_is_typed(visit: Callable[..., Visit]) -> None:
    page = visit(**DESKTOP).open_event(FESTIVAL)
    field = page.locator("input[type=number]:enabled").first
    before = page.locator("[data-total]").inner_text()
    field.click()
    page.keyboard.press("Control+a")
    page.keyboard.type("3")
    expect(page.locator("[data-count]")).to_have_text("3 places")
    assert page.locator("[data-total]").inner_text() != before
    # On the way to another number the field is empty for a moment, and stays so until it is left.
    page.keyboard.press("Backspace")
    expect(page.locator("[data-count]")).to_have_text("Total")
    expect(field).to_have_value("")
    page.keyboard.type("2")
    expect(page.locator("[data-count]")).to_have_text("2 places")
    expect(field).to_be_focused()
