"""A state about a whole process holds for one request, and no longer."""

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from contracts.states import ForOneRequest, refusing


class Desk:
    """Where the made-up provider asks whether there is room."""

    def room(self) -> str:
        return "room"


async def test_a_change_is_gone_once_one_request_has_been_answered() -> None:
    async def answer(_request: Request) -> Response:
        return PlainTextResponse(Desk().room())

    briefly = ForOneRequest()
    app = briefly.around(Starlette(routes=[Route("/", answer)]))
    briefly.change(Desk, "room", lambda _self: "full")
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://desk") as http:
        assert [(await http.get("/")).text for _ in range(2)] == ["full", "room"]


async def test_what_has_no_room_raises_whatever_it_is_asked() -> None:
    with pytest.raises(LookupError):
        await refusing(LookupError)("a", "b")
