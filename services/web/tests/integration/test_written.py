"""Whoever wrote something carries how far replicas have to be before they may show it: in every later request, to every service."""

import pytest

from chassis.replicas import Replica
from services.web.app import create_app
from services.web.tests.integration.conftest import Stage
from services.web.tests.integration.people.test_sessions import sign_up


async def test_what_was_written_travels_with_the_next_requests_and_not_with_those_of_others(stage: Stage) -> None:
    stage.neighbours.writes_at = {"orders": "0/1A2B3C", "accounts": "0/FF"}
    author, stranger = await stage.browser(), await stage.browser()
    order = await author.place(stage.play, "0-0-0")
    stage.neighbours.pins.clear()
    await author.open(order)
    assert ("orders", "GET", "0/1A2B3C") in stage.neighbours.pins
    stage.neighbours.writes_at["orders"] = "0/2B3C4D"
    await author.send(await author.open(order), f"{order}/cancel")
    stage.neighbours.pins.clear()
    await author.open(order)
    assert {pin for name, _, pin in stage.neighbours.pins if name == "orders"} == {"0/2B3C4D"}
    stage.neighbours.pins.clear()
    await stranger.open(f"/events/{stage.play}")
    assert stage.neighbours.pins == []


async def test_who_only_looks_gets_no_cookie_and_a_pin_of_a_stranger_is_none(stage: Stage) -> None:
    browser = await stage.browser()
    answer = await browser.http.get(f"/events/{stage.play}", headers={"Onsale-Pin": "FFFFFFFF/FFFFFFFF"})
    assert not [name for name in browser.http.cookies if "written" in name]
    assert "onsale-pin" not in answer.headers
    assert stage.neighbours.pins == []


async def test_what_web_itself_has_written_is_carried_as_well(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty database stands for a replica that is young enough and has replayed nothing."""

    async def is_young(_replica: object, _seconds: float) -> bool:
        return True

    monkeypatch.setattr(Replica, "is_young", is_young)
    behind = stage.harness.database_url("web")
    settings = stage.settings.model_copy(update={"replica_url": _secret(stage, behind)})
    async with stage.harness.serving(create_app(settings)) as base_url:
        stage.base_url = base_url
        browser = await stage.browser()
        await sign_up(browser)
        assert browser.http.cookies["written"].startswith("web:")
        assert "Sign out" in (await browser.open("/my/orders")).html


def _secret(stage: Stage, url: str) -> object:
    return type(stage.settings.database_url)(url)
