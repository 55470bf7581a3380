"""Why nothing could be bought, as `make buy` says it, in front of a small shop."""

from collections.abc import AsyncIterator

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from chassis.testing import Harness
from local.buyer import Buyer, PurchaseFailed, Wish


async def listing(request: Request) -> Response:
    asked = request.query_params.get("q", "")
    return HTMLResponse(
        "" if asked == "nonsense" else '<a href="/events/1">Three Jokes</a><a href="/events/2">Lear</a>'
    )


async def event(_request: Request) -> Response:
    return HTMLResponse("<h1>Not on sale</h1>")


@pytest.fixture
async def shop(harness: Harness) -> AsyncIterator[str]:
    app = Starlette(routes=[Route("/", listing), Route("/events/{event_id}", event)])
    async with harness.serving(app) as url:
        yield url


@pytest.mark.parametrize(
    ("named", "reason"),
    [
        ("nonsense", "no event is called 'nonsense'; http"),
        ("jokes", "of 2 events that 'jokes' finds none is on sale with 2 free places"),
        ("", "of 2 events none is on sale with 2 free places"),
    ],
)
async def test_it_is_said_why_no_event_fits(shop: str, named: str, reason: str) -> None:
    with pytest.raises(PurchaseFailed) as told:
        await Buyer({"web": shop, "mailbox": ""}, Wish(event=named)).find_events()
    assert str(told.value).startswith(f"find an event: {reason}")
