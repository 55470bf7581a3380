"""The short way to a use case gives the answers that FastAPI gives, to good requests and to bad ones."""

import re
from collections.abc import AsyncIterator
from typing import Annotated, Any
from uuid import UUID

import httpx
import pytest
from fastapi import APIRouter, Depends, FastAPI, Request, Response
from fastapi.routing import APIRoute
from pydantic import Field

from chassis.models import Request as Body
from chassis.models import Response as Answer
from chassis.problems import handle_errors
from chassis.routes import OperationRoute

BOOK = "01890a5d-ac96-774b-bcce-b302099a8057"
ASKED = "library_asked"


class BookIn(Body):
    """A book."""

    title: str = Field(min_length=1)
    pages: int = Field(ge=1)
    of: list[UUID] = Field(default_factory=list)


class BookOut(Answer):
    """A book, and who asked."""

    book_id: UUID
    title: str
    pages: int
    reader: str


class Row:
    """A book as a database says it: no answer yet."""

    book_id = UUID(BOOK)
    title = "Ä"
    pages = 1
    reader = "row"


async def reader(request: Request) -> str:
    if "nobody" in request.headers.getlist("reader"):
        raise PermissionError
    asked: list[str] = request.scope.setdefault(ASKED, [])
    asked.append("reader")
    return request.headers.get("reader", "")


async def reader_of(request: Request, book_id: UUID, name: Annotated[str, Depends(reader)]) -> str:
    request.scope[ASKED].append("reader_of")
    return f"{name} of {book_id.hex[:4]}"


def make_app(kind: type[APIRoute]) -> FastAPI:
    router = APIRouter()
    app = FastAPI()

    def serve(method: str, path: str, function: Any, **more: Any) -> None:
        more.setdefault("response_model", BookOut)
        allowed = [Depends(reader)]
        router.add_api_route(path, function, methods=[method], dependencies=allowed, route_class_override=kind, **more)

    async def put(book_id: UUID, body: BookIn, response: Response, name: Annotated[str, Depends(reader_of)]) -> BookOut:
        response.status_code = 201 if body.pages > 1 else 200
        response.headers["x-book"] = "put"
        return BookOut(book_id=book_id, title=body.title, pages=body.pages + len(body.of), reader=name)

    async def look(book_id: UUID, request: Request) -> Any:
        if request.headers.get("as") == "file":
            return Response(b"%PDF-", media_type="application/pdf")
        return Row() if request.headers.get("as") == "row" else {"book_id": book_id}

    async def burn(book_id: UUID) -> None:
        """Leaves nothing."""

    async def asked(request: Request, book_id: UUID, name: Annotated[str, Depends(reader_of)]) -> BookOut:
        return BookOut(book_id=book_id, title=" ".join(request.scope[ASKED]), pages=1, reader=name)

    serve("PUT", "/books/{book_id}", put, status_code=201)
    serve("GET", "/books/{book_id}", look)
    serve("DELETE", "/books/{book_id}", burn, status_code=204, response_model=None)
    serve("GET", "/books/{book_id}/asked", asked)
    app.include_router(router)
    handle_errors(app, None, None)
    return app


@pytest.fixture
async def both() -> AsyncIterator[tuple[httpx.AsyncClient, httpx.AsyncClient]]:
    apps = (make_app(APIRoute), make_app(OperationRoute))
    theirs, ours = (httpx.ASGITransport(app, raise_app_exceptions=False) for app in apps)
    async with (
        httpx.AsyncClient(transport=theirs, base_url="http://library.test") as long_way,
        httpx.AsyncClient(transport=ours, base_url="http://library.test") as short_way,
    ):
        yield long_way, short_way


JSON = {"content-type": "application/json"}
GOOD = b'{"title": " \xc3\xa4 ", "pages": 2, "of": ["01890a5d-ac96-774b-bcce-b302099a8057"]}'


@pytest.mark.parametrize(
    ("method", "path", "headers", "content", "status"),
    [
        ("PUT", BOOK, JSON, GOOD, 201),
        ("PUT", BOOK, JSON, b'{"title": "a", "pages": "1"}', 200),
        ("PUT", BOOK.upper(), {"content-type": "application/json; charset=utf-8"}, GOOD, 201),
        ("PUT", BOOK, {"content-type": "application/vnd.book+json"}, GOOD, 201),
        ("PUT", BOOK, {"content-type": "text/plain"}, GOOD, 422),
        ("PUT", BOOK, {}, GOOD, 422),
        ("PUT", BOOK, JSON, b"", 422),
        ("PUT", BOOK, JSON, b"{", 422),
        ("PUT", BOOK, JSON, b"[]", 422),
        ("PUT", BOOK, JSON, b'{"title": "", "pages": 0, "more": 1}', 422),
        ("PUT", BOOK, JSON, b'{"title": "\\u0000", "pages": 1}', 422),
        ("PUT", BOOK, JSON, b'{"title": "\\ud800", "pages": 1}', 422),
        ("PUT", BOOK, JSON, b'{"title": "a", "pages": 1e400}', 422),
        ("PUT", "no-book", JSON, GOOD, 422),
        ("PUT", BOOK, JSON | {"reader": "nobody"}, GOOD, 500),
        ("PUT", BOOK, JSON | {"reader": "nobody"}, b"{", 422),
        ("PUT", BOOK, JSON | {"reader": "nobody"}, b"[]", 500),
        ("GET", BOOK, {"as": "file"}, b"", 200),
        ("GET", BOOK, {"as": "row"}, b"", 200),
        ("GET", BOOK, {}, b"", 500),
        ("GET", "no-book", {}, b"", 422),
        ("DELETE", BOOK, {}, b"", 204),
        ("GET", f"{BOOK}/asked", {"reader": "Ada"}, b"", 200),
        ("GET", "no-book/asked", {"reader": "Ada"}, b"", 422),
    ],
)
async def test_both_ways_answer_alike(
    both: tuple[httpx.AsyncClient, httpx.AsyncClient],
    method: str,
    path: str,
    headers: dict[str, str],
    content: bytes,
    status: int,
) -> None:
    long_way, short_way = [
        await client.request(method, f"/books/{path}", headers=headers, content=content) for client in both
    ]
    assert (long_way.status_code, short_way.status_code) == (status, status)
    # Each request has a trace of its own, once another test has switched tracing on.
    ours, theirs = (re.sub(rb'"trace_id":"\w+"', b"", answer.content) for answer in (short_way, long_way))
    assert (ours, short_way.headers) == (theirs, long_way.headers)


def test_routes_of_common_kinds_take_the_short_way() -> None:
    router = APIRouter()

    async def look(book_id: UUID) -> BookOut:
        raise NotImplementedError

    async def search(words: str) -> BookOut:
        raise NotImplementedError

    router.add_api_route("/books/{book_id}", look, route_class_override=OperationRoute)
    router.add_api_route("/books", search, route_class_override=OperationRoute)
    ways = [route.get_route_handler().__name__ for route in router.routes if isinstance(route, OperationRoute)]
    assert ways == ["short_way", "app"]
