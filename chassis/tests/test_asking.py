"""What a service asks of another is what it has declared, and so is what it can read of the answer."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import count
from typing import Any
from uuid import UUID

import httpx
import orjson
import pytest
from pydantic import ValidationError

from chassis.asking import NOTHING, Client, Read, Sent, Use
from chassis.calls import Answered, Calls, Sending
from chassis.http import ProviderProblem, ProviderUnavailable
from tracing.spans import span
from tracing.testing import Kept

SHELF = UUID("5a1f0000-0000-4000-8000-000000000001")


class Wish(Sent):
    title: str
    by: datetime


class Page(Sent):
    after: str | None = None
    limit: int


class Book(Read):
    title: str


class Shelf(Read):
    shelf_id: UUID
    books: list[Book]


class Room(Read):
    centimetres: int


LOOK = Use("GET", "/shelves/{shelf}", reads=Shelf, refusals={"shelf_full": Room, "shelf_locked": None})
LIST = Use("GET", "/shelves", reads=Shelf, query=Page)
WISH = Use("POST", "/shelves/{shelf}/books", reads=Book, statuses=(200, 201), sends=Wish)
LEND = Use("POST", "/shelves/{shelf}/lend", reads=NOTHING, person=True, guest=True, keyed=True)
TIDY = Use("POST", "/shelves/{shelf}/tidy", reads=NOTHING, repeatable=True)
PUT_BACK = Use("PUT", "/shelves/{shelf}", reads=NOTHING)
SCAN = Use("GET", "/shelves/{shelf}.pdf", reads=bytes, media_type="application/pdf")
ANOTHER = Use("GET", "/elsewhere", reads=NOTHING)

A_WISH = Wish(title="Hamlet", by=datetime(2031, 6, 21, 18, tzinfo=UTC))
A_SHELF = {"shelf_id": str(SHELF), "books": [{"title": "Hamlet", "pages": 120}], "colour": "red"}


class Library(Client):
    provider = "library"
    uses = (LOOK, LIST, WISH, LEND, TIDY, PUT_BACK, SCAN)


class Shelves:
    """The library: it keeps what it was asked, and answers as its test wants."""

    def __init__(self) -> None:
        self.asked: list[httpx.Request] = []
        self.answers: Iterator[httpx.Response] = (httpx.Response(200, json=A_SHELF) for _ in count())
        self.client = Library(Calls("library", "http://library.test", carry=self._carry))

    def answer(self, *answers: httpx.Response) -> None:
        self.answers = iter(answers)

    def refuse(self, status: int, **problem: Any) -> None:
        self.answer(httpx.Response(status, content=orjson.dumps(problem)))

    @property
    def request(self) -> httpx.Request:
        (request,) = self.asked
        return request

    async def _carry(self, sending: Sending) -> Answered:
        self.asked.append(
            httpx.Request(sending.method, sending.url, headers=dict(sending.headers), content=sending.body)
        )
        answer = next(self.answers)
        return Answered(answer.status_code, answer.headers, answer.content)


@pytest.fixture
def library() -> Shelves:
    return Shelves()


async def test_what_is_sent_is_written_by_its_model(library: Shelves) -> None:
    library.answer(httpx.Response(201, json={"title": "Hamlet"}))
    await library.client.ask(WISH, body=A_WISH, shelf=SHELF)
    assert (library.request.method, library.request.url.path) == ("POST", f"/shelves/{SHELF}/books")
    assert orjson.loads(library.request.content) == {"title": "Hamlet", "by": "2031-06-21T18:00:00Z"}


async def test_of_a_query_what_is_none_is_left_out(library: Shelves) -> None:
    await library.client.ask(LIST, query=Page(limit=20))
    assert dict(library.request.url.params) == {"limit": "20"}


async def test_on_whose_behalf_and_under_which_key_it_is_asked_stands_in_headers(library: Shelves) -> None:
    await library.client.ask(LEND, person="ada", guest="nobody", key="key-0001", shelf=SHELF)
    said = {name: library.request.headers.get(name) for name in ("Onsale-Person", "Onsale-Guest", "Idempotency-Key")}
    assert said == {"Onsale-Person": "ada", "Onsale-Guest": "nobody", "Idempotency-Key": "key-0001"}


async def test_values_in_paths_are_quoted(library: Shelves) -> None:
    await library.client.ask(LOOK, shelf="../loans?all=yes")
    assert library.request.url.raw_path == b"/shelves/..%2Floans%3Fall%3Dyes"


async def test_span_and_route_are_named_by_the_declaration(library: Shelves, kept_spans: Kept) -> None:
    await library.client.ask(LOOK, shelf=SHELF)
    made = kept_spans.the("GET /shelves/{shelf}")
    assert made.attributes["url.template"] == "/shelves/{shelf}"


async def test_an_answer_is_what_its_model_reads_of_it(library: Shelves) -> None:
    assert await library.client.ask(LOOK, shelf=SHELF) == Shelf(shelf_id=SHELF, books=[Book(title="Hamlet")])


async def test_of_nothing_nothing_is_read(library: Shelves) -> None:
    library.answer(httpx.Response(200, content=b"no document"))
    await library.client.ask(PUT_BACK, shelf=SHELF)
    assert len(library.asked) == 1


async def test_a_file_comes_as_it_is(library: Shelves) -> None:
    library.answer(httpx.Response(200, content=b"%PDF-"))
    assert await library.client.ask(SCAN, shelf=SHELF) == b"%PDF-"


async def test_a_code_that_is_not_declared_is_undeclared_and_people_see_what_was_said(library: Shelves) -> None:
    library.refuse(409, code="shelf_dusty", detail="Dust it first.", centimetres=7)
    with pytest.raises(ProviderProblem) as refused:
        await library.client.ask(LOOK, shelf=SHELF)
    error = refused.value
    assert (error.status, error.problem_code, error.facts, error.detail) == (409, "undeclared", None, "Dust it first.")
    assert error.said == "shelf_dusty"
    assert str(error) == "library answered 409 shelf_dusty: Dust it first."


async def test_facts_of_a_refusal_are_read_by_their_model(library: Shelves) -> None:
    library.refuse(409, code="shelf_full", detail="Full.", centimetres=7, since="May")
    with pytest.raises(ProviderProblem) as refused:
        await library.client.ask(LOOK, shelf=SHELF)
    assert (refused.value.problem_code, refused.value.said) == ("shelf_full", "shelf_full")
    assert refused.value.facts == Room(centimetres=7)


async def test_facts_that_are_not_declared_reach_nobody(library: Shelves) -> None:
    library.refuse(423, code="shelf_locked", detail="Locked.", key="under the mat")
    with pytest.raises(ProviderProblem) as refused:
        await library.client.ask(LOOK, shelf=SHELF)
    assert (refused.value.problem_code, refused.value.facts) == ("shelf_locked", None)


@pytest.mark.parametrize(
    ("answer", "field"),
    [
        (httpx.Response(200, json={**A_SHELF, "books": [{"title": None}]}), "books.0.title"),
        (httpx.Response(409, json={"code": "shelf_full", "detail": "Full."}), "centimetres"),
    ],
    ids=["answer", "facts"],
)
async def test_what_cannot_be_read_is_no_answer_and_the_span_names_the_field(
    library: Shelves, kept_spans: Kept, answer: httpx.Response, field: str
) -> None:
    library.answer(answer)
    with pytest.raises(ProviderUnavailable), span("tests.look"):
        await library.client.ask(LOOK, shelf=SHELF)
    event = next(event for event in kept_spans.the("tests.look").events if event.name == "answer not understood")
    assert event.attributes == {"peer.service": "library", "onsale.field": field}


async def test_a_failure_is_no_answer(library: Shelves) -> None:
    library.refuse(500, code="shelf_locked", detail="Broken.")
    with pytest.raises(ProviderUnavailable):
        await library.client.ask(LOOK, shelf=SHELF)


@pytest.mark.parametrize(
    ("use", "given", "sentence"),
    [
        (ANOTHER, {}, "Library does not declare GET /elsewhere among its `uses`."),
        (WISH, {"shelf": SHELF}, "POST /shelves/{shelf}/books is sent NoneType instead of what it declares."),
        (WISH, {"body": Page(limit=1), "shelf": SHELF}, "is sent Page instead"),
        (LOOK, {"body": A_WISH, "shelf": SHELF}, "is sent Wish instead"),
        (LIST, {}, "GET /shelves is sent NoneType instead"),
        (LOOK, {"query": Page(limit=1), "shelf": SHELF}, "is sent Page instead"),
        (LEND, {"guest": "a", "key": "b", "shelf": SHELF}, "is asked without a person, unlike what it declares."),
        (LEND, {"person": "a", "key": "b", "shelf": SHELF}, "is asked without a guest"),
        (LEND, {"person": "a", "guest": "b", "shelf": SHELF}, "is asked without a key"),
        (LOOK, {"person": "a", "shelf": SHELF}, "is asked with a person"),
        (LOOK, {}, "GET /shelves/{shelf} is about shelf, and not"),
        (LOOK, {"shelf": SHELF, "book": 1}, "is about shelf, and not shelf, book."),
        (LIST, {"query": Page(limit=1), "shelf": SHELF}, "GET /shelves is about nothing, and not shelf."),
    ],
)
async def test_what_is_asked_unlike_its_declaration_is_not_asked(
    library: Shelves, use: Use[Any], given: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(ValueError, match=re.escape(sentence)):
        await library.client.ask(use, **given)
    assert library.asked == []


@pytest.mark.parametrize(
    ("use", "given", "times"),
    [
        (LOOK, {}, 2),
        (PUT_BACK, {}, 2),
        (TIDY, {}, 2),
        (LEND, {"person": "ada", "guest": "nobody", "key": "key-0001"}, 2),
        (WISH, {"body": A_WISH}, 1),
    ],
    ids=["GET", "PUT", "declared", "keyed", "POST"],
)
async def test_what_may_be_repeated_is_tried_again_and_nothing_else_is(
    library: Shelves, use: Use[Any], given: dict[str, Any], times: int
) -> None:
    library.answer(httpx.Response(503), httpx.Response(200, json=A_SHELF))
    is_repeated = times > 1
    if is_repeated:
        await library.client.ask(use, **given, shelf=SHELF)
    else:
        with pytest.raises(ProviderUnavailable):
            await library.client.ask(use, **given, shelf=SHELF)
    assert (use.repeatable, len(library.asked)) == (is_repeated, times)


def test_what_no_model_has_cannot_be_sent() -> None:
    with pytest.raises(ValidationError, match="offset"):
        Page(limit=1, offset=2)  # type: ignore[call-arg]  # on purpose
