"""The cookie of what a browser has written: ours alone, and of the form that it has."""

from typing import Any

import pytest

from services.web.frame.pins import PinCookie
from services.web.settings import WebSettings


class Browser:
    """Sends back the cookie that it was given, or another one."""

    def __init__(self, settings: WebSettings) -> None:
        self.pins = PinCookie(settings)

    def sends(self, cookie: str) -> dict[str, str]:
        scope: dict[str, Any] = {"headers": [(b"cookie", b"other=1; " + cookie.encode("latin-1"))]}
        return self.pins.remembered(scope)

    def given(self, **pins: str) -> str:
        return self.pins.kept(pins).split(";")[0]


@pytest.fixture
def browser() -> Browser:
    made = WebSettings.model_construct(
        cookie_secret=WebSettings.model_fields["cookie_secret"].annotation("s" * 40),  # type: ignore[misc]
        public_url="http://shop.example",
        transport="bus",
    )
    return Browser(made)


def test_what_was_given_comes_back(browser: Browser) -> None:
    pins = {"orders": "0/1A2B3C", "web": "1/0", "tickets": "ABCDEF01/FFFFFFFF"}
    assert browser.sends(browser.given(**pins)) == pins
    assert browser.pins.remembered({"headers": []}) == {}


def test_a_cookie_is_for_this_browser_alone_and_for_minutes(browser: Browser) -> None:
    said = browser.pins.kept({"orders": "0/1"})
    assert "HttpOnly" in said
    assert "SameSite=lax" in said
    assert "Max-Age=300" in said


@pytest.mark.parametrize("spoilt", ["0-1A2B3D", "FFFFFFFF-FFFFFFFF", "x"])
def test_what_we_did_not_sign_is_no_pin(browser: Browser, spoilt: str) -> None:
    given = browser.given(orders="0/1A2B3C")
    assert browser.sends(given.replace("0-1A2B3C", spoilt)) == {}


@pytest.mark.parametrize(
    "cookie", ["written=", "written=~", "written=orders:0-1~", "written=é~x", "written=" + "a" * 9000]
)
def test_what_is_no_cookie_of_ours_is_passed_over(browser: Browser, cookie: str) -> None:
    assert browser.sends(cookie) == {}
