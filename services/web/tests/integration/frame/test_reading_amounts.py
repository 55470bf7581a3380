"""Amounts are written in the way of whoever reads the page, whatever the one before them reads."""

import re

import httpx
import pytest

from services.web.tests.integration.conftest import Stage
from services.web.tests.neighbours import sample_class, sample_event

PRICES = {
    "en": "€45.00",
    "de": "45,00\u00a0€",
    "fr-CH, de;q=0.5": "45,00\u00a0€",
    "ar": "\u2068\u200f45.00\u00a0€\u2069",
}


async def test_each_reader_sees_prices_in_their_way_though_the_house_is_drawn_once(stage: Stage) -> None:
    for _ in range(2):
        for wanted, price in PRICES.items():
            async with httpx.AsyncClient(base_url=stage.base_url, headers={"Accept-Language": wanted}) as reader:
                page = (await reader.get(f"/events/{stage.play}")).text
            # In the legend of the plan, and in the list of seats.
            assert page.count(f">{price}<") + page.count(f", {price}</span>") >= 2, wanted
            others = {other for other in PRICES.values() if other != price}
            assert not any(f">{other}<" in page for other in others), wanted


@pytest.mark.parametrize("currency", ["XOF", "JOD", "EUR"])
async def test_the_script_of_the_page_gets_what_it_needs_to_write_sums_alike(stage: Stage, currency: str) -> None:
    event = sample_event("Money", [sample_class("Day", "general", 15000)], currency=currency)
    event_id = stage.neighbours.add_event(event)
    async with httpx.AsyncClient(base_url=stage.base_url, headers={"Accept-Language": "de"}) as reader:
        page = (await reader.get(f"/events/{event_id}")).text
    style = dict(re.findall(r'data-(before|after|decimal|group|primary|secondary|digits)="([^"]*)"', page))
    assert style["digits"] == {"XOF": "0", "JOD": "3", "EUR": "2"}[currency]
    whole, fraction = ("15000"[: 5 - int(style["digits"])], "15000"[5 - int(style["digits"]) :])
    grouped = f"{whole[:-3]}{style['group']}{whole[-3:]}" if len(whole) > 3 else whole
    written = f"{style['before']}{grouped}{style['decimal'] + fraction if fraction else ''}{style['after']}"
    assert f">{written} <span" in page
