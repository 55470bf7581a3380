"""Who is let in to the pages of support: whoever has its key, or a cookie that was given for it."""

import hmac
import time
from collections import deque
from datetime import UTC, datetime, timedelta
from typing import Literal

from starlette.requests import Request
from starlette.responses import Response

from chassis.db import Database
from services.web import queries
from services.web.frame.domain import PageUnknown
from services.web.frame.signing import Signer, digest
from services.web.settings import WebSettings
from services.web.support.domain import SupportKeyWrong, TooManyTries

COOKIE_SECONDS = 8 * 3600
# So many wrong keys may be tried in a while, by everybody together; at that rate a key is never guessed.
MOST_WRONG = 10
WHILE_SECONDS = 60.0

Way = Literal["cookie", "key"]


class Access:
    """The key, and who has shown it."""

    def __init__(self, settings: WebSettings, database: Database) -> None:
        self._database = database
        key = settings.support_key
        self._key = digest(key.get_secret_value()) if key else None
        self._signer = Signer(settings.cookie_secret.get_secret_value())
        self._secure = settings.is_secure
        self._cookie = "__Host-support" if self._secure else "support"
        self._wrong: deque[float] = deque(maxlen=MOST_WRONG)

    def exists(self) -> None:
        """Raises PageUnknown if there is no support here at all."""
        self._the_key()

    async def is_in(self, request: Request) -> bool:
        """Whether the browser has the cookie of a visit that is not over. Raises PageUnknown, StoreUnavailable."""
        visit = self._visit(request)
        if visit is None:
            return False
        async with self._database.writer(single=True) as tx:  # a replica may not know yet who has left
            return not await queries.was_left(tx, digest(visit))

    def opens(self, key: str) -> bool:
        """Whether this is the key. Raises TooManyTries, PageUnknown."""
        known = self._the_key()
        # Digests have one length, and are compared in a time that says nothing about them. The key is compared before
        # wrong ones are counted, or whoever tries wrong keys all the time would keep support out.
        if hmac.compare_digest(digest(key), known):
            return True
        now = time.monotonic()
        if len(self._wrong) == MOST_WRONG and now - self._wrong[0] < WHILE_SECONDS:
            raise TooManyTries
        self._wrong.append(now)
        return False

    async def check_program(self, request: Request) -> Way:
        """Lets programs with the key in, and browsers with the cookie.

        Raises SupportKeyWrong, TooManyTries, PageUnknown.
        """
        if await self.is_in(request):
            return "cookie"
        scheme, _, key = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not key or not self.opens(key.strip()):
            raise SupportKeyWrong
        return "key"

    def let_in(self, response: Response) -> None:
        """Gives the cookie, for eight hours."""
        value = self._signer.support(int(time.time()) + COOKIE_SECONDS, self._the_key())
        self._set(response, value, COOKIE_SECONDS)

    async def let_out(self, request: Request, response: Response) -> None:
        """Ends the visit, also for who has a copy of its cookie, and takes the cookie away."""
        if visit := self._visit(request):
            until = datetime.now(UTC) + timedelta(seconds=COOKIE_SECONDS)
            async with self._database.writer(single=True) as tx:
                await queries.insert_left_visit(tx, digest(visit), until)
        self._set(response, "", 0)

    async def sweep(self) -> int:
        """Forgets visits that were left and would be over by now; returns how many."""
        async with self._database.writer(single=True) as tx:
            return await queries.delete_ended_visits(tx)

    def _visit(self, request: Request) -> str | None:
        cookie = request.cookies.get(self._cookie, "")
        return self._signer.support_visit(cookie, self._the_key(), time.time())

    def _the_key(self) -> bytes:
        if self._key is None:
            raise PageUnknown
        return self._key

    def _set(self, response: Response, value: str, max_age: int) -> None:
        # With `strict` no page elsewhere can make a browser come here with this cookie.
        response.set_cookie(
            self._cookie, value, max_age=max_age, path="/", secure=self._secure, httponly=True, samesite="strict"
        )
