"""A crowd on a thread of its own, as Locust drives it, and where Locust is."""

import asyncio
from pathlib import Path

from aiohttp import web
from aiohttp.test_utils import TestServer

from rehearsal.crowd.aside import CrowdAside
from rehearsal.crowd.record import End, Record
from rehearsal.with_locust import LIST, environment_of


async def nothing_left(request: web.Request) -> web.Response:
    """A shop whose only event is sold out, as its waiting room says."""
    if request.path.endswith("/serving"):
        return web.json_response({"serving": 3, "state": "selling", "places": "none", "rate": 1.0})
    return web.Response(text='<a href="/events/1/queue">Go to the waiting room</a>')


async def test_people_come_one_by_one_and_what_they_did_is_told_once(tmp_path: Path) -> None:
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", nothing_left)
    async with TestServer(app) as server:
        record = Record(str(server.make_url("")).rstrip("/"), 4)
        with CrowdAside(record, "1", 40.0, tmp_path / "told.jsonl") as crowd:
            for _ in range(500):
                if crowd.is_over:
                    break
                await asyncio.sleep(0.01)
            assert await asyncio.wrap_future(crowd.visit()) is End.SOLD_OUT
            assert [each.kind for each in crowd.heard()] == ["ask who is served"]
            assert crowd.heard() == []
    assert (record.arrived, record.ends[End.SOLD_OUT]) == (1, 1)


def test_another_list_of_packages_is_another_environment() -> None:
    assert LIST.exists()
    assert environment_of().parent.name == ".bench"
    assert environment_of().name.startswith("locust-")
