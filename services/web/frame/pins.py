"""What a browser has changed it sees, also where pages are read from replicas: it carries how far those have to be.

A cookie has the position in the log of each service's database after which this browser's last change is there. It travels with
every call to that service; a replica that has not come so far is passed over (chassis/db.py). It is worth nothing when replicas
have caught up, so that it lives for minutes.
"""

import re
from collections.abc import Mapping
from typing import Any

from starlette.requests import cookie_parser
from starlette.responses import Response

from services.web.frame.signing import Signer
from services.web.settings import WebSettings

# A replica that is further behind than this is one that somebody is looking after.
LIVES_SECONDS = 300
# A position is written with a dash in place of its slash, which a cookie would have to quote.
_PINS = re.compile(r"[a-z]+:[0-9A-F]{1,8}-[0-9A-F]{1,8}(?:\|[a-z]+:[0-9A-F]{1,8}-[0-9A-F]{1,8}){0,19}")


class PinCookie:
    """Signed, so that nobody makes all their reads go to a primary by naming a position that is never reached."""

    own = WebSettings.service_name

    def __init__(self, settings: WebSettings) -> None:
        self._signer = Signer(settings.cookie_secret.get_secret_value())
        self._secure = settings.is_secure
        self._name = "__Host-written" if self._secure else "written"

    def remembered(self, scope: Mapping[str, Any]) -> dict[str, str]:
        """The pins of a request's cookie, by service; none if there is none that we signed."""
        sent = "; ".join(value.decode("latin-1") for name, value in scope["headers"] if name == b"cookie")
        if self._name not in sent:
            return {}
        pins, _, mac = cookie_parser(sent).get(self._name, "").rpartition("~")
        if not _PINS.fullmatch(pins) or not self._signer.pins_are_ours(pins, mac):
            return {}
        return dict(each.split(":", 1) for each in pins.replace("-", "/").split("|"))

    def kept(self, pins: Mapping[str, str]) -> str:
        """The cookie's header."""
        value = "|".join(f"{service}:{pin}" for service, pin in sorted(pins.items())).replace("/", "-")
        response = Response()
        response.set_cookie(
            self._name,
            f"{value}~{self._signer.pins(value)}",
            max_age=LIVES_SECONDS,
            secure=self._secure,
            httponly=True,
            samesite="lax",
        )
        return response.headers["set-cookie"]
