"""A route is what its operation declares: to whoever calls it, and to whoever reads the document."""

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated, Any, ClassVar

import httpx
import pytest
from fastapi import APIRouter, Response

from chassis.consistency import Policy, current_policy, no_database, own_writes
from chassis.documented import Documented
from chassis.models import Response as Answer
from chassis.operations import EVERYBODY, Operation, serves
from chassis.problems import handle_errors
from chassis.testing import Keys
from chassis.tokens import CallerVerifier, ServiceTokens


class LibraryError(Exception):
    code: ClassVar[str]
    category: ClassVar[str]


class ShelfFull(LibraryError):
    """There is no room."""

    code = "shelf_full"
    category = "conflict"


class ShelfOut(Answer):
    """A shelf."""

    name: str


SHELF = "/shelves/{shelf}"
OLD = own_writes(30, "Books stand still.")
LOOK = Operation("GET", SHELF, callers=EVERYBODY, answers=ShelfOut, reads=OLD)
PUT = Operation(
    "PUT",
    SHELF,
    callers=("web", "orders"),
    answers=ShelfOut,
    status=201,
    also={200: "It was there."},
    refuses=(ShelfFull,),
    without=("catalog",),
)
CLEAR = Operation("DELETE", SHELF, callers=("web",), status=204)
LEND = Operation("POST", f"{SHELF}/lend", callers=("web",), answers=ShelfOut, keyed=True)
TIDY = Operation("POST", f"{SHELF}/tidy", callers=("web",), answers=ShelfOut, repeatable=True)
READ = Operation("POST", f"{SHELF}/read", callers=("web",), answers=ShelfOut)
SCAN = Operation("GET", f"{SHELF}/scan.pdf", callers=("web", "orders"), media_type="application/pdf", reads=OLD)
KEYS = Operation("GET", "/keys.json", callers=EVERYBODY, answers=dict[str, Any], reads=no_database("Settings."))
JUST_MADE = "new"


def make_router() -> APIRouter:
    router = APIRouter()

    @serves(router, LOOK)
    @serves(router, LEND)
    @serves(router, TIDY)
    @serves(router, READ)
    async def look(shelf: str) -> ShelfOut:
        return ShelfOut(name=shelf)

    @serves(router, PUT)
    async def put(shelf: str, response: Response) -> ShelfOut:
        if shelf == "full":
            raise ShelfFull
        response.status_code = 201 if shelf == JUST_MADE else 200
        return ShelfOut(name=shelf)

    @serves(router, CLEAR)
    async def clear(shelf: str) -> None:
        """Takes all books away."""

    @serves(router, SCAN)
    async def scan(shelf: str, caller: Annotated[str, SCAN.access]) -> Response:
        return Response(f"%PDF- {shelf} for {caller}".encode(), media_type=SCAN.media_type)

    @serves(router, KEYS)
    async def keys() -> dict[str, Any]:
        return {"keys": []}

    return router


@pytest.fixture
def app(keys: Keys) -> Documented:
    app = Documented()
    app.state.caller_verifier = CallerVerifier("inventory", keys.service_keys_file)
    app.include_router(make_router())
    handle_errors(app, LibraryError, None)
    return app


@pytest.fixture
async def http(app: Documented) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://library.test") as client:
        yield client


def calling_as(caller: str, keys: Keys) -> dict[str, str]:
    return {"Authorization": f"Bearer {ServiceTokens(caller, keys.services[caller]).to('inventory')}"}


def documented(app: Documented, operation: Operation) -> dict[str, Any]:
    """What the document says of an operation."""
    found: dict[str, Any] = app.openapi()["paths"][operation.path][operation.method.lower()]
    return found


async def test_its_callers_are_let_in_and_nobody_else(http: httpx.AsyncClient, keys: Keys, app: Documented) -> None:
    asked = {caller: await http.put("/shelves/new", headers=calling_as(caller, keys)) for caller in ("web", "tickets")}
    assert {caller: answer.status_code for caller, answer in asked.items()} == {"web": 201, "tickets": 403}
    assert (await http.put("/shelves/new")).status_code == 401
    assert documented(app, PUT)["x-callers"] == ["orders", "web"]


def test_how_old_what_a_get_reads_may_be_is_declared_and_documented(app: Documented) -> None:
    told = {"policy": "own writes", "stale_up_to_seconds": 30, "why": "Books stand still."}
    assert documented(app, LOOK)["x-consistency"] == told
    assert documented(app, KEYS)["x-consistency"]["policy"] == "no database"
    assert "x-consistency" not in documented(app, PUT)
    with pytest.raises(ValueError, match="how old"):
        Operation("GET", SHELF, callers=EVERYBODY, answers=ShelfOut)


async def test_reads_of_an_operation_follow_its_policy_and_those_of_others_none(app: Documented, keys: Keys) -> None:
    router = APIRouter()
    seen: list[Policy | None] = []

    @serves(router, LOOK)
    @serves(router, SCAN)  # a file goes the long way
    @serves(router, TIDY)
    async def look(shelf: str) -> Response:
        seen.append(current_policy.get())
        return Response(shelf)

    app.router.routes.clear()
    app.include_router(router)
    transport, headers = httpx.ASGITransport(app), calling_as("web", keys)
    async with httpx.AsyncClient(transport=transport, base_url="http://library.test", headers=headers) as client:
        for method, path in (("GET", "/shelves/a"), ("GET", "/shelves/a/scan.pdf"), ("POST", "/shelves/a/tidy")):
            # In a task of its own, as a server answers each.
            assert (await asyncio.create_task(client.request(method, path))).status_code == 200
    assert seen == [OLD, OLD, None]


async def test_everybody_is_everybody(http: httpx.AsyncClient, app: Documented) -> None:
    assert (await http.get("/shelves/a")).json() == {"name": "a"}
    assert "x-callers" not in documented(app, LOOK)


async def test_a_parameter_gets_the_callers_name(http: httpx.AsyncClient, keys: Keys) -> None:
    scanned = await http.get("/shelves/a/scan.pdf", headers=calling_as("orders", keys))
    assert scanned.content == b"%PDF- a for orders"


async def test_a_success_has_the_declared_status_or_one_of_the_others(
    http: httpx.AsyncClient, keys: Keys, app: Documented
) -> None:
    for shelf, status in ((JUST_MADE, 201), ("old", 200)):
        assert (await http.put(f"/shelves/{shelf}", headers=calling_as("web", keys))).status_code == status
    responses = documented(app, PUT)["responses"]
    assert responses["200"]["description"] == "It was there."
    schemas = [responses[status]["content"]["application/json"]["schema"] for status in ("200", "201")]
    assert schemas == [{"$ref": "#/components/schemas/ShelfOut"}] * 2


async def test_an_answer_without_a_model_is_empty(http: httpx.AsyncClient, keys: Keys, app: Documented) -> None:
    cleared = await http.delete("/shelves/a", headers=calling_as("web", keys))
    assert (cleared.status_code, cleared.content) == (204, b"")
    assert "content" not in documented(app, CLEAR)["responses"]["204"]


async def test_its_refusals_are_documented_and_those_of_a_service_without_which_it_cannot_work(
    http: httpx.AsyncClient, keys: Keys, app: Documented
) -> None:
    refused = await http.put("/shelves/full", headers=calling_as("web", keys))
    assert (refused.status_code, refused.json()["code"]) == (409, "shelf_full")
    assert {"409", "503"} < documented(app, PUT)["responses"].keys()
    schemas = app.openapi()["components"]["schemas"]
    codes = {each["properties"]["code"].get("const") for name, each in schemas.items() if name.endswith("Problem")}
    assert {"shelf_full", "catalog_unavailable"} < codes
    assert "409" not in documented(app, LOOK)["responses"]


@pytest.mark.parametrize(
    ("operation", "is_repeatable"),
    [(LOOK, True), (PUT, True), (CLEAR, True), (LEND, True), (TIDY, True), (READ, False)],
    ids=str,
)
def test_whether_it_may_be_repeated_is_documented(app: Documented, operation: Operation, is_repeatable: bool) -> None:
    assert documented(app, operation)["x-repeatable"] is is_repeatable


def test_a_key_that_it_needs_is_documented(app: Documented) -> None:
    keys = {
        operation: [each for each in documented(app, operation)["parameters"] if each["name"] == "Idempotency-Key"]
        for operation in (LEND, TIDY)
    }
    assert [each["required"] for each in keys[LEND]] == [True]
    assert keys[TIDY] == []


async def test_a_file_has_its_type(http: httpx.AsyncClient, keys: Keys, app: Documented) -> None:
    scanned = await http.get("/shelves/a/scan.pdf", headers=calling_as("web", keys))
    assert scanned.headers["content-type"] == "application/pdf"
    content = documented(app, SCAN)["responses"]["200"]["content"]
    assert content == {"application/pdf": {"schema": {"type": "string", "format": "binary"}}}


async def test_a_document_of_a_standard_is_any_object(http: httpx.AsyncClient, app: Documented) -> None:
    assert (await http.get("/keys.json")).json() == {"keys": []}
    assert documented(app, KEYS)["responses"]["200"]["content"]["application/json"]["schema"]["type"] == "object"
