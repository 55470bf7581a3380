"""A crowd that buys through the public pages, cheaply: `python -m local.bench.crowd RUN_FILE --count 400 --wide 64`.

It reads forms with regular expressions and keeps cookies by hand, so that it takes a tenth of what a scripted browser does, in a
process of its own. It knows the pages only as a person does, so that it buys from any version. Each purchase is checked: as many
tickets as places, each code once. It prints a JSON object, `Came`.
"""

import argparse
import asyncio
import json
import re
import sys
import time
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from html import unescape
from pathlib import Path
from urllib.parse import urlencode, urljoin, urlsplit
from uuid import uuid4

import aiohttp

PLACES = 2
CONFIRMED_SECONDS = 300.0
LOOK_SECONDS = (0.1, 2.0)
ANSWER_SECONDS = 120.0
MOST_HOPS = 6
_FORM = re.compile(r'<form[^>]*action="([^"]*/(?:orders|pay)|[^"]*)"[^>]*>(.*?)</form>', re.DOTALL)
_HIDDEN = re.compile(r'<input type="hidden" name="([^"]+)" value="([^"]*)"')
QUANTITY = re.compile(r'name="(quantity-[^"]+)"[^>]*data-price="(\d+)"')
STATE = re.compile(r'data-order-state="([^"]*)"')
CODE = re.compile(r'data-ticket-code="([^"]*)"')
NUMBER = re.compile(r'data-order-number="([^"]*)"')
_PROBLEM = re.compile(r'data-problem="([^"]*)"')


class PurchaseFailed(Exception):
    """A purchase that did not end with its tickets; the message is short, so that many can be counted.

    `status` and `problem` are what a page said, if it was one that refused; `retry_after_seconds` when to come back.
    """

    def __init__(self, said: str, *, status: int = 0, problem: str = "", retry_after_seconds: float = 0.0) -> None:
        super().__init__(said)
        self.status = status
        self.problem = problem
        self.retry_after_seconds = retry_after_seconds


@dataclass(frozen=True, slots=True)
class Answered:
    """A request that a visitor made, and what came back; status 0 with the error's name as `problem` if nothing did."""

    method: str
    url: str
    status: int
    seconds: float
    trace_id: str
    problem: str


def notice_nothing(_answered: Answered) -> None:
    """For a crowd that does not look at single requests."""


@dataclass
class Came:
    """What came of a crowd. Seconds of the clock, from the first purchase on; `done_at` by e-mail address, since the epoch."""

    bought: int = 0
    seconds: float = 0.0
    paid_minor: int = 0
    cpu_seconds: float = 0.0
    failures: dict[str, int] = field(default_factory=dict)
    done_at: dict[str, float] = field(default_factory=dict)
    traces: list[str] = field(default_factory=list)


class Visitor:
    """One person with one browser: cookies by host and path, redirects followed. `notice` sees every answer."""

    def __init__(self, http: aiohttp.ClientSession, notice: Callable[[Answered], None] = notice_nothing) -> None:
        self.http = http
        self._notice = notice
        self._cookies: dict[tuple[str, str, str], str] = {}
        self.trace_id = ""

    async def go(self, url: str, fields: list[tuple[str, str]] | None = None) -> tuple[str, str]:
        """Loads a page or sends a form; the address where that ended, and the page. Raises PurchaseFailed."""
        for _ in range(MOST_HOPS):
            method = "GET" if fields is None else "POST"
            answer, page = await self._ask(method, url, fields)
            if answer.status in {302, 303}:
                url, fields = urljoin(url, answer.headers["location"]), None
                continue
            if answer.status >= 400:
                said = _PROBLEM.search(page)
                problem = said[1] if said else ""
                wait = answer.headers.get("retry-after", "")
                raise PurchaseFailed(
                    f"{answer.status} {problem} at {method} {shape_of(urlsplit(url).path)}",
                    status=answer.status,
                    problem=problem,
                    retry_after_seconds=float(wait) if wait.isdigit() else 0.0,
                )
            return url, page
        raise PurchaseFailed(f"more than {MOST_HOPS} redirects")

    async def _ask(
        self, method: str, url: str, fields: list[tuple[str, str]] | None
    ) -> tuple[aiohttp.ClientResponse, str]:
        parts = urlsplit(url)
        headers = {"accept": "text/html"}
        if cookies := self.cookies_for(url):
            headers["cookie"] = cookies
        body = None
        if fields is not None:
            body = urlencode(fields)
            headers["origin"] = f"{parts.scheme}://{parts.netloc}"
            # As browsers say it: so a form that was sent twice is taken although the first answer brought another cookie.
            headers["sec-fetch-site"] = "same-origin"
            headers["content-type"] = "application/x-www-form-urlencoded"
        began = time.perf_counter()
        try:
            async with self.http.request(method, url, data=body, headers=headers, allow_redirects=False) as answer:
                page = await answer.text()
        except (aiohttp.ClientError, TimeoutError) as error:
            self._notice(Answered(method, url, 0, time.perf_counter() - began, "", type(error).__name__))
            raise
        for line in answer.headers.getall("set-cookie", ()):
            self._keep(parts.netloc, line)
        trace_id = answer.headers.get("x-trace-id", "")
        self.trace_id = trace_id or self.trace_id
        said = _PROBLEM.search(page) if answer.status >= 400 else None
        seconds = time.perf_counter() - began
        self._notice(Answered(method, url, answer.status, seconds, trace_id, said[1] if said else ""))
        return answer, page

    def cookies_for(self, url: str) -> str:
        """The header with the cookies that belong to an address; nothing if there are none."""
        parts = urlsplit(url)
        kept = self._cookies.items()
        return "; ".join(f"{n}={v}" for (h, p, n), v in kept if h == parts.netloc and parts.path.startswith(p))

    def _keep(self, host: str, line: str) -> None:
        first, *attributes = (part.strip() for part in line.split(";"))
        name, _, value = first.partition("=")
        path = next((each[5:] for each in attributes if each.lower().startswith("path=")), "/")
        self._cookies[host, path, name] = value


class Buyers(ABC):
    """Many who buy one after another, some at once. What a purchase is, is said below."""

    def __init__(self) -> None:
        self.came = Came()

    @abstractmethod
    async def purchase(self, visitor: Visitor, email: str) -> int:
        """From the event's page to the tickets on the page; what was paid, in minor units. Raises PurchaseFailed."""

    async def buy(self, count: int, wide: int) -> Came:
        """So many purchases, as many at once as `wide`."""
        timeout = aiohttp.ClientTimeout(total=ANSWER_SECONDS)
        connector = aiohttp.TCPConnector(limit=0)
        left = iter(range(count))
        async with aiohttp.ClientSession(
            timeout=timeout, connector=connector, cookie_jar=aiohttp.DummyCookieJar()
        ) as http:
            began = time.perf_counter()
            await asyncio.gather(*(self._buyers(http, left) for _ in range(wide)))
            self.came.seconds = time.perf_counter() - began
        self.came.cpu_seconds = time.process_time()
        return self.came

    async def _buyers(self, http: aiohttp.ClientSession, left: "object") -> None:
        for _ in left:  # type: ignore[attr-defined]  # an iterator that all buyers share
            visitor, email = Visitor(http), f"crowd-{uuid4().hex}@example.test"
            try:
                paid = await self.purchase(visitor, email)
            except (PurchaseFailed, aiohttp.ClientError, TimeoutError) as error:
                reason = str(error) if isinstance(error, PurchaseFailed) else type(error).__name__
                self.came.failures = dict(Counter(self.came.failures) + Counter([reason]))
                continue
            self.came.bought += 1
            self.came.paid_minor += paid
            self.came.done_at[email] = time.time()
            self.came.traces.append(visitor.trace_id)


class Crowd(Buyers):
    """Buyers of one event; the cheapest class that is not free, or with `free` the one that is."""

    def __init__(self, shop: str, event_id: str, *, free: bool, places: int = PLACES) -> None:
        super().__init__()
        self._event_url = f"{shop}/events/{event_id}"
        self._free = free
        self._places = places

    async def purchase(self, visitor: Visitor, email: str) -> int:
        """As a person with a card does."""
        url, page = await visitor.go(self._event_url)
        action, fields = form_to(url, page, "/orders")
        quantity, price = self._class(page)
        url, page = await visitor.go(action, [*fields, (quantity, str(self._places))])
        order_url = url
        action, fields = form_to(url, page, "/pay")
        url, page = await visitor.go(action, [*fields, ("name", "Robin Crowd"), ("email", email)])
        if price:
            action, fields = form_to(url, page, "")
            card = [("number", "4242 4242 4242 4242"), ("expiry", "12/39"), ("cvc", "123")]
            url, page = await visitor.go(action, [*fields, *card])
        codes = await self._tickets(visitor, order_url, page)
        if len(codes) != self._places or len(set(codes)) != self._places:
            raise PurchaseFailed(f"{len(set(codes))} tickets instead of {self._places}")
        return self._places * price

    def _class(self, page: str) -> tuple[str, int]:
        classes = [(int(price), name) for name, price in QUANTITY.findall(page)]
        fitting = sorted(each for each in classes if (each[0] == 0) == self._free)
        if not fitting:
            raise PurchaseFailed("nothing that fits is on sale")
        return fitting[0][1], fitting[0][0]

    async def _tickets(self, visitor: Visitor, order_url: str, page: str) -> list[str]:
        deadline, pause = time.monotonic() + CONFIRMED_SECONDS, LOOK_SECONDS[0]
        while not (codes := CODE.findall(page)):
            state = STATE.search(page)
            if time.monotonic() > deadline or (state and state[1] == "cancelled"):
                raise PurchaseFailed(f"no tickets ({state[1] if state else 'no order'})")
            await asyncio.sleep(pause)
            pause = min(pause * 1.5, LOOK_SECONDS[1])
            _, page = await visitor.go(order_url)
        return codes


def form_to(url: str, page: str, to: str) -> tuple[str, list[tuple[str, str]]]:
    """Where the first form that leads to a path with this end goes, and its hidden fields. Raises PurchaseFailed."""
    for action, inside in _FORM.findall(page):
        if urlsplit(action).path.endswith(to):
            return urljoin(url, unescape(action)), [(name, unescape(value)) for name, value in _HIDDEN.findall(inside)]
    raise PurchaseFailed(f"no form to {to or 'pay'} at {shape_of(urlsplit(url).path)}")


def shape_of(path: str) -> str:
    """A path without its ids, so that many can be counted."""
    return re.sub(r"[0-9a-fA-F-]{16,}", "{id}", path)


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m local.bench.crowd", description=__doc__)
    parser.add_argument("run_file", type=Path, help="run.json in the data folder of a running system")
    parser.add_argument("--event", required=True, help="its id")
    parser.add_argument("--count", type=int, default=100, help="purchases (100)")
    parser.add_argument("--wide", type=int, default=16, help="buyers at once (16)")
    parser.add_argument("--free", action="store_true", help="of the class that costs nothing")
    given = parser.parse_args()
    shop = json.loads(given.run_file.read_text())["addresses"]["web"]
    came = asyncio.run(Crowd(shop, given.event, free=given.free).buy(given.count, given.wide))
    print(json.dumps(asdict(came)))
    return 0 if came.bought == given.count else 1


if __name__ == "__main__":
    sys.exit(main())
