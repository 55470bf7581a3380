"""A small provider and its reader, whose contract the tests break in one way at a time."""

from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from chassis.asking import Http
from chassis.http import Answer as HttpAnswer
from contracts import matchers
from contracts.consumer import Answer, Ask, Asking, Book, a_state, an_id, problem
from contracts.pactfile import Edge

SHELF = an_id("library: shelf")
NOBODY = an_id("library: no shelf")
EDGE = Edge("reader", "asks", "library")
A_SHELF = "a shelf with a book"

Spoil = Callable[[dict[str, Any]], Any]


class Reader:
    """The consumer's own client."""

    def __init__(self, http: Http) -> None:
        self._http = http

    async def shelf(self, shelf_id: UUID) -> HttpAnswer:
        """A shelf, or why not."""
        return await self._http.request("GET", f"/shelves/{shelf_id}")


async def write_pact(pacts: Path) -> None:
    """Writes what the reader needs of the library: a shelf with its books, and that there is none."""
    book = Book(EDGE)
    asking = Asking(book, Reader)
    await read_a_shelf(asking)
    unknown = Ask("GET", f"/shelves/{NOBODY}")
    async with asking.expects("a shelf that is not there", None, unknown, problem(404, "shelf_unknown")) as client:
        assert (await client.shelf(NOBODY)).status_code == 404
    book.close(complete=True, write=True, pacts=pacts)


async def read_a_shelf(asking: Asking[Reader], description: str = "a shelf") -> None:
    """The interaction that most tests are about."""
    body = {
        "shelf_id": str(SHELF),
        "place": matchers.text("Hall 2"),
        "checked_at": matchers.timestamp(),
        "state": matchers.one_of("open", "closed"),
        "books": matchers.several({"title": matchers.text("Emma"), "pages": matchers.integer(474)}),
    }
    state = a_state(A_SHELF, shelf_id=SHELF)
    async with asking.expects(description, state, Ask("GET", f"/shelves/{SHELF}"), Answer(200, body)) as client:
        assert (await client.shelf(SHELF)).json()["books"][0]["title"] == "Emma"


class Library:
    """The provider. `spoil` changes the answer about a shelf before it goes out, or gives another response."""

    def __init__(self, spoil: Spoil = lambda answer: answer) -> None:
        self._spoil = spoil
        self._shelves: set[str] = set()
        self.app = Starlette(routes=[Route("/shelves/{shelf_id}", self._shelf)])

    async def a_shelf_with_a_book(self, given: dict[str, Any]) -> None:
        """The handler of the only state."""
        self._shelves.add(given["shelf_id"])

    async def _shelf(self, request: Request) -> Response:
        shelf_id = request.path_params["shelf_id"]
        if shelf_id not in self._shelves:
            refusal = {"code": "shelf_unknown", "status": 404, "detail": "There is no such shelf."}
            return JSONResponse(refusal, 404, media_type="application/problem+json")
        answer = self._spoil(
            {
                "shelf_id": shelf_id,
                "place": "Room 7",
                "checked_at": "2026-11-02T10:30:00.5Z",
                "state": "closed",
                "books": [{"title": "Persuasion", "pages": 249}, {"title": "Sanditon", "pages": 80}],
            }
        )
        return answer if isinstance(answer, Response) else JSONResponse(answer)
