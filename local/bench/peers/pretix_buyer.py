"""A crowd that buys from pretix through its public pages: `python -m local.bench.peers.pretix_buyer EVENT_URL --token-file FILE`.

It asks for what a person's browser asks for, without pictures and scripts, and waits for what pretix does in the background
as its script does. pretix has no bank to pay at, so a paid order is paid on the word of the organiser's API, as a webhook would
say it. It prints a JSON object, `Sold`.
"""

import argparse
import asyncio
import json
import re
import sys
from dataclasses import asdict, dataclass, field
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

import aiohttp

from local.bench.crowd import PLACES, Buyers, Came, PurchaseFailed, Visitor

# As pretix's script: the first look after 0.1 s, then each 0.25 s.
LOOK_SECONDS = (0.1, 0.25)
TASK_LOOKS = 1200
CHECKED_AT_ONCE = 4
# The page of an order that is paid has a form that leads here: all its tickets in one file.
TICKETS = "/download/pdf"
_FORM = re.compile(r"<form\b([^>]*)>(.*?)</form>", re.DOTALL)
_ARTICLE = re.compile(r"<article\b([^>]*)>")
_TAG = re.compile(r"<(input|select|textarea)\b([^>]*)>")
_ATTRIBUTE = re.compile(r"""([\w:-]+)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s>]+)))?""")
_ORDER = re.compile(r"/order/([A-Z0-9]+)/[A-Za-z0-9]+/")


@dataclass
class Sold(Came):
    """What came of a crowd, and the page of each order, by e-mail address."""

    orders: dict[str, str] = field(default_factory=dict)


class PretixCrowd(Buyers):
    """Buyers of one event; the cheapest product that is not free, or with `free` the one that is."""

    def __init__(self, event_url: str, token: str, *, free: bool) -> None:
        super().__init__()
        self.came: Sold = Sold()
        self._event_url = event_url
        self._bank = Bank(event_url, token)
        self._free = free

    async def purchase(self, visitor: Visitor, email: str) -> int:
        """Cart, name and address, payment if it costs, confirmation, and the page of the order until it has the tickets."""
        url, page = await visitor.go(self._event_url)
        action, fields = form(url, page, "/cart/add")
        item, price = offer(page, free=self._free)
        added = await _done(visitor, action, {**fields, item: str(PLACES)})
        url, page = await visitor.go(added)
        if "/checkout/" not in url:
            url, page = await visitor.go(urljoin(self._event_url, "checkout/start"))
        action, fields = form(url, page, "/checkout/questions/")
        url, page = await visitor.go(action, [*{**fields, "email": email}.items()])
        if price:
            action, fields = form(url, page, "/checkout/payment/")
            url, page = await visitor.go(action, [*{**fields, "payment": "manual"}.items()])
        action, fields = form(url, page, "/checkout/confirm/")
        order_url, page = await visitor.go(await _done(visitor, action, fields))
        if price:
            await self._bank.says_paid(visitor.http, code_of(order_url))
            order_url, page = await visitor.go(order_url.partition("?")[0])
        form(order_url, page, TICKETS)
        self.came.orders[email] = order_url.partition("?")[0]
        return PLACES * price


class Bank:
    """Who says to pretix that an order was paid, and knows what it says of an order: its API, for which it has a token."""

    def __init__(self, event_url: str, token: str) -> None:
        parts = urlsplit(event_url)
        organizer, event = parts.path.strip("/").split("/")
        self._orders = f"{parts.scheme}://{parts.netloc}/api/v1/organizers/{organizer}/events/{event}/orders/"
        self._headers = {"authorization": f"Token {token}"}

    async def says_paid(self, http: aiohttp.ClientSession, code: str) -> None:
        """The whole amount. Raises PurchaseFailed."""
        await self._ask(http, "POST", f"{code}/mark_paid/")

    async def order(self, http: aiohttp.ClientSession, code: str) -> dict[str, Any]:
        """What the organiser sees of it. Raises PurchaseFailed."""
        return await self._ask(http, "GET", f"{code}/")

    async def _ask(self, http: aiohttp.ClientSession, method: str, path: str) -> dict[str, Any]:
        body: dict[str, Any] | None = {} if method == "POST" else None
        async with http.request(method, self._orders + path, json=body, headers=self._headers) as answer:
            if answer.status >= 400:
                raise PurchaseFailed(f"{answer.status} at the organiser's API: {(await answer.text())[:100]}")
            found: dict[str, Any] = await answer.json()
            return found


async def check(event_url: str, token: str, orders: list[str], total_minor: int) -> None:
    """That each order has its places, costs so much and is paid, and its tickets can be had as a PDF. Raises PurchaseFailed."""
    bank, left = Bank(event_url, token), iter(orders)
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as http:

        async def checking() -> None:
            for order_url in left:
                await _check(http, bank, order_url, total_minor)

        await asyncio.gather(*(checking() for _ in range(CHECKED_AT_ONCE)))


async def _check(http: aiohttp.ClientSession, bank: Bank, order_url: str, total_minor: int) -> None:
    visitor, code = Visitor(http), code_of(order_url)
    found = await bank.order(http, code)
    asked_minor = round(100 * float(found["total"]))
    if (found["status"], len(found["positions"]), asked_minor) != ("p", PLACES, total_minor):
        raise PurchaseFailed(f"order {code} is {found['status']} with {len(found['positions'])} places")
    url, page = await visitor.go(order_url)
    file = await _done(visitor, *form(url, page, TICKETS))
    async with http.get(file, headers={"cookie": visitor.cookies_for(file)}) as answer:
        if not (await answer.read()).startswith(b"%PDF"):
            raise PurchaseFailed(f"order {code} has tickets that are no PDF ({answer.status})")


async def _done(visitor: Visitor, url: str, fields: dict[str, str]) -> str:
    """Sends a form whose work is done in the background, and waits for it; where it leads then. Raises PurchaseFailed."""
    came, said = await visitor.go(url, [*{**fields, "ajax": "1"}.items()])
    answer, pause = _object(said), LOOK_SECONDS[0]
    for _ in range(TASK_LOOKS):
        if answer.get("ready"):
            break
        url = urljoin(came, answer.get("check_url", url))
        await asyncio.sleep(pause)
        pause = LOOK_SECONDS[1]
        _, said = await visitor.go(url)
        answer = _object(said)
    if not answer.get("success"):
        raise PurchaseFailed(f"not done: {str(answer.get('message', 'it takes too long'))[:100]}")
    return urljoin(came, str(answer["redirect"]))


def _object(said: str) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads(said)
    except ValueError as error:
        raise PurchaseFailed("a page instead of an answer") from error
    return found


def offer(page: str, *, free: bool) -> tuple[str, int]:
    """The field for how many of a product somebody wants, and its price in minor units. Raises PurchaseFailed."""
    found = [attributes(head) for head in _ARTICLE.findall(page)]
    priced = [(round(100 * float(each["data-price"])), each["id"]) for each in found if "data-price" in each]
    fitting = sorted(each for each in priced if (each[0] == 0) == free)
    if not fitting:
        raise PurchaseFailed("nothing that fits is on sale")
    return fitting[0][1].replace("-", "_"), fitting[0][0]


def form(url: str, page: str, to: str) -> tuple[str, dict[str, str]]:
    """Where the form that leads to a path with this end goes, and what a browser would send of it. Raises PurchaseFailed.

    A form without an address leads to its own page.
    """
    for head, inside in _FORM.findall(page):
        target = urljoin(url, attributes(head).get("action", ""))
        is_sent = attributes(head).get("method", "get").lower() == "post"
        if is_sent and urlsplit(target).path.endswith(to):
            return target, _filled(inside)
    raise PurchaseFailed(f"no form to {to} at {urlsplit(url).path}")


def _filled(inside: str) -> dict[str, str]:
    fields = {}
    for _, head in _TAG.findall(inside):
        found = attributes(head)
        kind = found.get("type", "text")
        is_off = kind in {"checkbox", "radio"} and "checked" not in found
        if "name" in found and kind not in {"submit", "button", "file"} and not is_off:
            fields[found["name"]] = found.get("value", "")
    return fields


def attributes(head: str) -> dict[str, str]:
    """Of a tag. Those without a value have an empty one."""
    return {name.lower(): unescape(one or two or three) for name, one, two, three in _ATTRIBUTE.findall(head)}


def code_of(order_url: str) -> str:
    """The order's code. Raises PurchaseFailed if that is no order's page."""
    found = _ORDER.search(urlsplit(order_url).path)
    if found is None:
        raise PurchaseFailed(f"no order at {urlsplit(order_url).path}")
    return found[1]


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m local.bench.peers.pretix_buyer", description=__doc__)
    parser.add_argument("event_url", help="the event's page")
    parser.add_argument("--token-file", type=Path, required=True, help="holds the token of the organiser's API")
    parser.add_argument("--count", type=int, default=100, help="purchases (100)")
    parser.add_argument("--wide", type=int, default=16, help="buyers at once (16)")
    parser.add_argument("--free", action="store_true", help="of the product that costs nothing")
    given = parser.parse_args()
    token = given.token_file.read_text(encoding="utf-8")
    came = asyncio.run(PretixCrowd(given.event_url, token, free=given.free).buy(given.count, given.wide))
    print(json.dumps(asdict(came)))
    return 0 if came.bought == given.count else 1


if __name__ == "__main__":
    sys.exit(main())
