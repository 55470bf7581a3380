"""`make bench-pretix`: what its buyers read of pages, that purchases are checked, and that a turn fills the table."""

import json
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from local.bench.compare import START_ROW, report
from local.bench.contest import ContestFailed, Reference
from local.bench.crowd import PurchaseFailed, Visitor
from local.bench.peers import pages, pretix_buyer, versus
from local.bench.peers.pretix import Pretix, Sale

SHOP = """
<form action="/search"><input name="q"></form>
<article class="row" id="item-1" data-price="25.00"></article>
<article class="row" id="item-2" data-price="0.00"></article>
<article class="about"></article>
<form method="post" data-asynctask action="/b/e/cart/add?next=a&amp;b">
  <input type="hidden" name="csrf" value="x&quot;y"><input name="item_1" type="number" disabled>
  <input type=checkbox name="off" value=1><input type=radio name=on value='2' checked><button name="go"></button>
</form>
<form method="post"><input name="email" value=""><select name="country"></select><input type="submit" name="send"></form>
"""


def test_a_form_is_found_by_where_it_leads_and_filled_as_a_browser_would() -> None:
    assert pretix_buyer.form("http://shop.test/b/e/", SHOP, "/cart/add") == (
        "http://shop.test/b/e/cart/add?next=a&b",
        {"csrf": 'x"y', "item_1": "", "on": "2"},
    )


def test_a_form_without_an_address_leads_to_its_own_page() -> None:
    target, fields = pretix_buyer.form("http://shop.test/checkout/questions/", SHOP, "/checkout/questions/")
    assert (target, fields) == ("http://shop.test/checkout/questions/", {"email": "", "country": ""})


def test_a_form_that_is_only_for_searching_is_not_sent() -> None:
    with pytest.raises(PurchaseFailed, match="no form to /search"):
        pretix_buyer.form("http://shop.test/b/e/", SHOP, "/search")


def test_the_free_product_and_the_one_that_costs_are_told_apart() -> None:
    assert pretix_buyer.offer(SHOP, free=True) == ("item_2", 0)
    assert pretix_buyer.offer(SHOP, free=False) == ("item_1", 2500)
    with pytest.raises(PurchaseFailed, match="nothing that fits"):
        pretix_buyer.offer(SHOP.replace("0.00", "1.00"), free=True)


def test_an_order_is_known_by_its_page() -> None:
    assert pretix_buyer.code_of("http://shop.test/b/e/order/YMZQK/30nwk8yegjkaeklj/") == "YMZQK"
    with pytest.raises(PurchaseFailed, match="no order at /b/e/checkout/confirm/"):
        pretix_buyer.code_of("http://shop.test/b/e/checkout/confirm/")


class Answering(Visitor):
    """Is answered with what is at hand, each once."""

    def __init__(self, *answers: dict[str, Any]) -> None:
        self.asked: list[str] = []
        self._answers = [json.dumps(each) for each in answers]

    async def go(self, url: str, fields: list[tuple[str, str]] | None = None) -> tuple[str, str]:
        self.asked.append(url)
        return url, self._answers.pop(0)


async def test_what_is_done_in_the_background_is_waited_for() -> None:
    waiting = {"ready": False, "check_url": "/b/e/cart/add?async_id=1"}
    visitor = Answering(waiting, {"ready": False}, {"ready": True, "success": True, "redirect": "/b/e/checkout/"})
    assert await pretix_buyer._done(visitor, "http://shop.test/b/e/cart/add", {}) == "http://shop.test/b/e/checkout/"
    assert visitor.asked[1:] == ["http://shop.test/b/e/cart/add?async_id=1"] * 2


async def test_what_was_refused_in_the_background_is_no_purchase() -> None:
    visitor = Answering({"ready": True, "success": False, "message": "Sold out."})
    with pytest.raises(PurchaseFailed, match="Sold out"):
        await pretix_buyer._done(visitor, "http://shop.test/b/e/cart/add", {})


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        ({"status": "p", "total": "50.00", "places": 2, "file": b"%PDF-1.7"}, None),
        ({"status": "n", "total": "50.00", "places": 2, "file": b"%PDF-1.7"}, "order AB1 is n with 2 places"),
        ({"status": "p", "total": "50.00", "places": 1, "file": b"%PDF-1.7"}, "order AB1 is p with 1 places"),
        ({"status": "p", "total": "50.00", "places": 2, "file": b"<html>"}, "tickets that are no PDF"),
    ],
    ids=["as it should be", "unpaid", "a place is missing", "no PDF"],
)
async def test_each_order_is_checked(answers: dict[str, Any], said: str | None) -> None:
    async with TestServer(shop_with(answers)) as server:
        event_url = str(server.make_url("/b/e/"))
        checked = pretix_buyer.check(event_url, "word", [f"{event_url}order/AB1/secret/"], 5000)
        if said is None:
            await checked
        else:
            with pytest.raises(PurchaseFailed, match=said):
                await checked


def shop_with(answers: dict[str, Any]) -> web.Application:
    """An order's page, the organiser's API, and the file with the tickets, which is at the same address once it is made."""

    async def api(request: web.Request) -> web.Response:
        assert request.headers["authorization"] == "Token word"
        positions: list[dict[str, str]] = [{}] * answers["places"]
        return web.json_response({"status": answers["status"], "total": answers["total"], "positions": positions})

    async def order(_: web.Request) -> web.Response:
        return web.Response(text='<form method="post" action="download/pdf"></form>', content_type="text/html")

    async def make(request: web.Request) -> web.Response:
        return web.json_response({"ready": True, "success": True, "redirect": request.path})

    async def download(_: web.Request) -> web.Response:
        return web.Response(body=answers["file"])

    app = web.Application()
    app.router.add_get("/api/v1/organizers/b/events/e/orders/AB1/", api)
    app.router.add_get("/b/e/order/AB1/secret/", order)
    app.router.add_post("/b/e/order/AB1/secret/download/pdf", make)
    app.router.add_get("/b/e/order/AB1/secret/download/pdf", download)
    return app


async def test_a_page_without_what_it_has_to_say_is_a_failure() -> None:
    async def page(_: web.Request) -> web.Response:
        return web.Response(text="The Bench")

    app = web.Application()
    app.router.add_get("/", page)
    async with TestServer(app) as server:
        good = await pages.show(str(server.make_url("/")), 2, 0.05, "The Bench")
        bad = await pages.show(str(server.make_url("/")), 2, 0.05, "Sold out")
    assert good.pages
    assert not good.failures
    assert not bad.pages
    assert bad.failures.keys() == {"200"}


def test_times_are_counted_from_the_first_purchase() -> None:
    """Not from the start of the program that buys. A mail may be there before the page is."""
    came = {"seconds": 4.0, "done_at": {"a": 102.0, "b": 104.0}}
    assert versus.times(came, {"a": 107.0, "b": 103.5, "of before": 50.0}) == (4.0, 7.0, 5.0)
    assert versus.times(came, {"a": 101.0, "b": 103.5}) == (4.0, 3.5, 0.0)


class Selling(Pretix):
    """Sells without a system, and needs 30 ms of each of its processes for a purchase."""

    spent = 0.0

    async def sell(self, count: int, wide: int, reference: Reference | None, *, free: bool) -> Sale:
        if reference is not None:
            reference.once()
        self.spent += 0.03 * count
        done_at = {str(number): 100.0 + number for number in range(count)}
        return {"seconds": 2.0 * count, "done_at": done_at, "cpu_seconds": 0.0}, {
            each: at + 1 for each, at in done_at.items()
        }

    async def check(self, sale: Sale) -> None:
        assert sale

    def cpu_seconds(self) -> dict[str, float]:
        return {"web": self.spent, "postgres": self.spent, "mailbox": self.spent}


async def test_a_turn_fills_the_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seller = Selling(tmp_path)
    seller._ports["web"] = 1
    shown = {"pages": 50, "seconds": 5.0, "failures": {}}

    async def came_of(*_: str, reference: Reference | None = None) -> dict[str, Any]:
        if reference is not None:
            reference.once()
        return shown

    monkeypatch.setattr(versus, "came_of", came_of)
    monkeypatch.setattr(versus, "machine_cpu_seconds", lambda: 7.0)
    seller.note(START_ROW, 3.0)
    await versus.turn(seller, 10, 4, 1.0)
    assert {row.name for row in versus.ROWS} <= seller.found.keys()
    assert seller.found["CPU of a paid purchase, ms"] == [pytest.approx(60)]
    assert seller.found["paid, with what is simulated and watches, ms"] == [pytest.approx(90)]
    assert seller.found["event page a second"] == [10.0]
    assert seller.found["paid, cores that others kept busy"] == [0.0]
    assert "1.00 x" in report(seller, seller, versus.ROWS)
    shown["failures"] = {"500": 1}
    with pytest.raises(ContestFailed, match="does not show the event page as it should"):
        await versus.turn(seller, 10, 4, 1.0)


def test_pretix_is_named_with_the_version_that_is_locked(tmp_path: Path) -> None:
    pretix = Pretix.below(tmp_path)
    assert pretix.name.startswith("pretix 20")
    assert pretix.folder.parent == tmp_path
