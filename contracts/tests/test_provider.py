"""The verifier's wrapper: what Pact lets pass is red here, quickly, with a message that names the thing."""

import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar
from uuid import uuid4

import pytest
from starlette.responses import JSONResponse

from chassis.facts import Fact
from chassis.testing import Harness
from contracts import matchers
from contracts.consumer import Answer, Ask, Asking, Book, Hearing, a_state, an_id
from contracts.pactfile import ContractBroken, Edge
from contracts.provider import Published, encoded, verify_answers, verify_facts
from contracts.tests.library import A_SHELF, EDGE, SHELF, Library, Reader, Spoil, write_pact
from contracts.verification import StateHandler

QUICKLY_SECONDS = 10.0


async def verified(
    harness: Harness,
    pacts: Path,
    library: Library | None = None,
    *,
    provider: str = "library",
    callers: tuple[str, ...] = ("reader",),
    states: Mapping[str, StateHandler] | None = None,
) -> int:
    library = library or Library()
    handlers = {A_SHELF: library.a_shelf_with_a_book} if states is None else states
    async with harness.serving(library.app) as url:
        return await verify_answers(provider, url, callers=callers, states=handlers, pacts=pacts)


async def refusal(harness: Harness, pacts: Path, library: Library | None = None, **options: Any) -> str:
    with pytest.raises(ContractBroken) as refused:
        await verified(harness, pacts, library, **options)
    return str(refused.value)


@pytest.fixture
async def pacts(tmp_path: Path) -> Path:
    await write_pact(tmp_path)
    return tmp_path


async def test_a_provider_that_keeps_its_promises_passes_with_the_number_of_interactions(
    harness: Harness, pacts: Path
) -> None:
    assert await verified(harness, pacts) == 2


def _change(**changes: Any) -> Spoil:
    return lambda answer: {**answer, **changes}


def _rename(answer: dict[str, Any]) -> dict[str, Any]:
    return {("location" if name == "place" else name): value for name, value in answer.items()}


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (_rename, "missing the following keys: place"),
        (_change(books=[{"title": "Emma", "pages": "474"}]), "$.books[0].pages: Expected '474' (String)"),
        (_change(books=[{"title": "Emma", "pages": None}]), "$.books[0].pages: Expected null"),
        (_change(place=None), "$.place: Expected null"),
        (_change(place=7), "$.place: Expected 7 (Integer)"),
        (_change(books=[]), "$.books: Expected [] (size 0) to have minimum size of 1"),
        (_change(books=[{"title": "Emma", "pages": 1}, {"title": "Sanditon"}]), "$.books[1]: "),
        (_change(state="CLOSED"), "$.state: Expected 'CLOSED'"),
        (_change(checked_at="2026-11-02T10:30:00+00:00"), "$.checked_at: Expected '2026-11-02T10:30:00+00:00'"),
        (lambda answer: JSONResponse(answer, 201), "expected 200 but was 201"),
        (lambda answer: JSONResponse(answer, media_type="text/plain"), "application/json"),
    ],
    ids=[
        "a renamed field",
        "an integer that became a string",
        "an integer that became null",
        "a field that became null",
        "a string that became an integer",
        "an empty list",
        "a field missing in the second item",
        "an enum in another case",
        "a moment without Z",
        "another status",
        "another content type",
    ],
)
async def test_a_broken_promise_names_both_sides_the_interaction_and_the_field(
    harness: Harness, pacts: Path, spoil: Spoil, said: str
) -> None:
    message = await refusal(harness, pacts, Library(spoil))
    assert 'library breaks what reader relies on, in "a shelf", given "a shelf with a book":' in message
    assert said in message


@pytest.mark.parametrize(
    ("headers", "said"),
    [
        ({"Retry-After": "900", "Cache-Control": "no-store"}, None),
        ({"Cache-Control": "no-store"}, "Retry-After"),
        ({"Retry-After": "900000", "Cache-Control": "no-store"}, "Retry-After"),
        ({"Retry-After": "900", "Cache-Control": "public"}, "Cache-Control"),
    ],
    ids=["as promised", "lost", "in milliseconds", "another"],
)
async def test_a_header_that_is_demanded_is_named_if_it_is_lost_or_says_something_else(
    harness: Harness, tmp_path: Path, headers: dict[str, str], said: str | None
) -> None:
    book = Book(EDGE)
    demanded = {"Retry-After": matchers.text("840", r"^\d{1,3}$"), "Cache-Control": "no-store"}
    answer = Answer(200, {"place": matchers.text("Hall 2")}, headers=demanded)
    state = a_state(A_SHELF, shelf_id=SHELF)
    async with Asking(book, Reader).expects("a shelf", state, Ask("GET", f"/shelves/{SHELF}"), answer) as client:
        await client.shelf(SHELF)
    book.close(complete=True, write=True, pacts=tmp_path)
    library = Library(lambda answer: JSONResponse(answer, headers=headers))
    if said is None:
        assert await verified(harness, tmp_path, library) == 1
    else:
        assert said in await refusal(harness, tmp_path, library)


async def test_a_misspelt_provider_is_not_a_provider_without_consumers(harness: Harness, pacts: Path) -> None:
    message = await refusal(harness, pacts, provider="libary")
    assert "There is no pact in which reader asks libary. Is a name misspelt" in message


async def test_a_verification_that_names_no_consumer_verifies_nothing(harness: Harness, pacts: Path) -> None:
    assert "names no consumers" in await refusal(harness, pacts, callers=())


async def test_a_deleted_pact_is_missed(harness: Harness, pacts: Path) -> None:
    (pacts / EDGE.file_name).unlink()
    assert "There is no pact in which reader asks library" in await refusal(harness, pacts)


async def test_a_consumer_that_the_verification_does_not_name_is_reported(harness: Harness, pacts: Path) -> None:
    (pacts / "school-asks-library.json").write_text((pacts / EDGE.file_name).read_text())
    assert "school asks library by a pact, but its verification does not name school" in await refusal(harness, pacts)


async def test_a_pact_without_interactions_is_refused(harness: Harness, pacts: Path) -> None:
    document = json.loads((pacts / EDGE.file_name).read_text())
    (pacts / EDGE.file_name).write_text(json.dumps(document | {"interactions": []}))
    assert "The pact of reader asks library has no interactions" in await refusal(harness, pacts)


async def test_a_pact_of_somebody_else_under_this_name_is_refused(harness: Harness, pacts: Path) -> None:
    document = json.loads((pacts / EDGE.file_name).read_text())
    (pacts / EDGE.file_name).write_text(json.dumps(document | {"provider": {"name": "archive"}}))
    assert "is about reader and archive, not about reader asks library" in await refusal(harness, pacts)


async def test_a_state_without_a_handler_is_named(harness: Harness, pacts: Path) -> None:
    message = await refusal(harness, pacts, states={})
    assert 'The state "a shelf with a book" has no handler at library, but "reader asks library" needs it.' in message


async def test_a_handler_that_no_pact_needs_is_named(harness: Harness, pacts: Path) -> None:
    library = Library()
    states = {A_SHELF: library.a_shelf_with_a_book, "an empty shelf": library.a_shelf_with_a_book}
    message = await refusal(harness, pacts, library, states=states)
    assert 'The handler of the state "an empty shelf" at library is dead' in message


async def test_a_handler_that_raises_fails_at_once_with_its_own_traceback(harness: Harness, pacts: Path) -> None:
    async def fall(_given: dict[str, Any]) -> None:
        raise LookupError("the shelf fell over")

    started = time.monotonic()
    message = await refusal(harness, pacts, states={A_SHELF: fall})
    assert time.monotonic() - started < QUICKLY_SECONDS
    assert 'The state "a shelf with a book" could not be set up:' in message
    assert "LookupError: the shelf fell over" in message
    assert "in fall" in message


async def test_a_state_that_nobody_sets_up_shows_in_the_answer(harness: Harness, pacts: Path) -> None:
    async def forget(_given: dict[str, Any]) -> None:
        return None

    assert "expected 200 but was 404" in await refusal(harness, pacts, states={A_SHELF: forget})


class BookLent(Fact):
    """The fact of the library in these tests."""

    subject: ClassVar[str] = "events.library.book_lent.v1"
    aggregate: ClassVar[str] = "book_id"

    book_id: str
    pages: int


class BookLentToday(BookLent):
    """The same, after somebody has renamed a field."""

    subject: ClassVar[str] = "events.library.book_lent.v2"


@pytest.fixture
def fact_pacts(tmp_path: Path) -> Path:
    book = Book(Edge("reader", "hears", "library"))
    about = an_id("library: book")
    data = {"book_id": matchers.identifier(about), "pages": matchers.integer(474)}
    with Hearing(book).published(BookLent.subject, data, about=about) as event:
        assert event.data == {"book_id": str(about), "pages": 474}
    book.close(complete=True, write=True, pacts=tmp_path)
    return tmp_path


async def test_a_fact_that_is_as_promised_passes(fact_pacts: Path) -> None:
    fact = encoded(BookLent(book_id=str(uuid4()), pages=249))
    facts = {BookLent.subject: fact}
    assert await verify_facts("library", hearers=["reader"], facts=facts, pacts=fact_pacts) == 1


async def test_a_fact_that_is_not_as_it_was_made_is_named(fact_pacts: Path) -> None:
    book_id = str(uuid4())
    fact = encoded(BookLent(book_id=book_id, pages=249))
    as_made = {BookLent.subject: Published(fact, {"book_id": book_id, "pages": 249})}
    assert await verify_facts("library", hearers=["reader"], facts=as_made, pacts=fact_pacts) == 1
    other = {BookLent.subject: Published(fact, {"book_id": book_id, "pages": 24900})}
    with pytest.raises(ContractBroken, match=r"\$\.data\.pages: Expected 249 to be 24900, with which it was made"):
        await verify_facts("library", hearers=["reader"], facts=other, pacts=fact_pacts)


async def test_a_fact_of_another_type_or_another_field_is_named(fact_pacts: Path) -> None:
    fact = encoded(BookLentToday(book_id="7", pages=249))
    with pytest.raises(ContractBroken) as refused:
        await verify_facts("library", hearers=["reader"], facts={BookLent.subject: fact}, pacts=fact_pacts)
    message = str(refused.value)
    assert 'library breaks what reader relies on, in "events.library.book_lent.v1":' in message
    assert "$.type: " in message
    assert "$.data.book_id: " in message


async def test_a_fact_that_nobody_makes_and_one_that_nobody_needs_are_named(fact_pacts: Path) -> None:
    facts = {"events.library.book_found.v1": encoded(BookLent(book_id=str(uuid4()), pages=249))}
    with pytest.raises(ContractBroken) as refused:
        await verify_facts("library", hearers=["reader"], facts=facts, pacts=fact_pacts)
    assert 'The fact "events.library.book_lent.v1" has no handler at library' in str(refused.value)
    assert 'The handler of the fact "events.library.book_found.v1" at library is dead' in str(refused.value)
