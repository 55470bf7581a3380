"""The consumer's side: what is written, when nothing is written, and when what is committed is not what the tests say."""

import json
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from pydantic import BaseModel

from chassis.asking import Http
from chassis.http import Answer as HttpAnswer
from contracts import matchers
from contracts.consumer import Answer, Ask, Asking, Book, an_id, ask, problem
from contracts.demanded import refuse_unread
from contracts.pactfile import ContractBroken, read
from contracts.tests.library import EDGE, SHELF, Reader, read_a_shelf, write_pact
from contracts.tests.made_up import BORROW, asking
from contracts.tests.made_up import SHELF as GET_SHELF

A_MODULE = """
from contracts.consumer import asks
from contracts.tests.library import Reader, read_a_shelf

library = asks("reader", "library", Reader)

async def test_a_shelf_is_read(library):
    await read_a_shelf(library)

async def test_a_shelf_is_read_again(library):
    await read_a_shelf(library, "a shelf again")
"""
FAILS = "    assert library is None\n"


@pytest.fixture
async def pacts(tmp_path: Path) -> Path:
    await write_pact(tmp_path)
    return tmp_path


async def made() -> Book:
    """A book with one of the two interactions of the pact."""
    book = Book(EDGE)
    await read_a_shelf(Asking(book, Reader))
    return book


async def test_a_pact_is_the_same_bytes_every_time_and_does_not_name_the_version_of_the_library(
    pacts: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    again = tmp_path_factory.mktemp("again")
    await write_pact(again)
    text = (pacts / EDGE.file_name).read_text()
    assert text == (again / EDGE.file_name).read_text()
    assert json.loads(text)["metadata"] == {"pactSpecification": {"version": "4.0"}}


async def test_two_interactions_of_one_description_and_state_are_refused() -> None:
    book = await made()
    with pytest.raises(ContractBroken, match='there are two interactions "a shelf" in the same states'):
        await read_a_shelf(Asking(book, Reader))


async def test_tests_that_ask_nothing_write_nothing(tmp_path: Path) -> None:
    with pytest.raises(ContractBroken, match="made no interaction"):
        Book(EDGE).close(complete=True, write=True, pacts=tmp_path)
    assert list(tmp_path.iterdir()) == []


async def test_a_client_that_asks_something_else_makes_no_interaction() -> None:
    book = Book(EDGE)
    expected = Asking(book, Reader).expects("a shelf", None, Ask("GET", "/shelves"), Answer(200))
    with pytest.raises(ContractBroken) as refused:
        async with expected as client:
            await client.shelf(SHELF)
    assert 'reader asks library, "a shelf": reader does not ask what its contract says:' in str(refused.value)
    assert f"GET /shelves/{SHELF} is asked, but the contract does not say so." in str(refused.value)
    assert "GET /shelves is not asked, but the contract says so." in str(refused.value)
    assert book.made == {}


async def test_an_operation_that_the_client_does_not_declare_is_reported_and_not_only_that_it_is_not_asked() -> None:
    client_of_loans = asking(BORROW)
    expected = Asking(Book(EDGE), client_of_loans).expects(
        "a shelf", None, Ask("GET", f"/shelves/{SHELF}", use=GET_SHELF), Answer(200)
    )
    with pytest.raises(ContractBroken, match=f"GET /shelves/{SHELF} is no operation that LibraryClient declares"):
        async with expected:
            pass


async def test_a_client_that_refuses_to_ask_is_reported_with_its_reason() -> None:
    loan = ask(BORROW, body={"name": "Ada"}, shelf_id=SHELF)
    with pytest.raises(ContractBroken) as refused:
        async with Asking(Book(EDGE), asking(BORROW)).expects("a loan", None, loan, Answer(200)) as client:
            await client.ask(BORROW, shelf_id=SHELF)
    assert f"POST /shelves/{SHELF}/lend is not asked, but the contract says so." in str(refused.value)
    assert "is sent NoneType instead of what it declares." in str(refused.value)


async def test_the_headers_of_an_answer_reach_the_client_and_stand_in_the_contract() -> None:
    book = Book(EDGE)
    headers = {"Retry-After": matchers.text("840", r"^\d{1,3}$"), "Cache-Control": "no-store"}
    refusal = problem(429, "too_many_readers", headers=headers, retry_after_seconds=840)
    async with Asking(book, Reader).expects("a shelf", None, Ask("GET", f"/shelves/{SHELF}"), refusal) as client:
        answer = await client.shelf(SHELF)
    assert (answer.headers["retry-after"], answer.headers["cache-control"]) == ("840", "no-store")
    assert answer.json()["retry_after_seconds"] == 840
    (made,) = book.made.values()
    assert made["response"]["headers"]["Retry-After"] == ["840"]
    assert made["response"]["headers"]["Cache-Control"] == ["no-store"]
    (demanded,) = made["response"]["matchingRules"]["header"].items()
    assert demanded == (
        "Retry-After",
        {"combine": "AND", "matchers": [{"match": "type"}, {"match": "regex", "regex": r"^\d{1,3}$"}]},
    )
    assert "Retry-After" not in made["request"]["headers"]


class Lender:
    """A client with a body and a query that can be wrong."""

    def __init__(self, http: Http) -> None:
        self._http = http

    async def lend(self, body: dict[str, object], query: dict[str, str]) -> HttpAnswer:
        """Takes a book for some days."""
        return await self._http.request("POST", "/loans", json=body, params=query)


@pytest.mark.parametrize(
    ("body", "query", "said"),
    [
        ({"days": "7"}, {}, "POST /loans: $.days: Body mismatch: Expected '7' (String) to be equal to 7 (Integer)"),
        (
            {"days": 7},
            {"slowly": "true"},
            "POST /loans: Query mismatch: Unexpected query parameter 'slowly'",
        ),
        ({"weeks": 1}, {}, "[days] but received one with keys [weeks]"),
    ],
    ids=["a value", "a parameter", "a field"],
)
async def test_a_request_that_differs_is_reported_by_the_field_and_without_tokens(
    body: dict[str, object], query: dict[str, str], said: str
) -> None:
    book = Book(EDGE)
    expected = Asking(book, Lender).expects("a loan", None, Ask("POST", "/loans", body={"days": 7}), Answer(200))
    with pytest.raises(ContractBroken) as refused:
        async with expected as client:
            await client.lend(body, query)
    assert said in str(refused.value)
    assert "Bearer ey" not in str(refused.value)
    assert book.made == {}


class Catalogue(BaseModel):
    """What a reader that has grown reads: the shelf has no colour in the contract."""

    colour: str


async def test_a_client_that_reads_what_its_contract_does_not_ask_for_is_reported_by_the_field() -> None:
    book = Book(EDGE)
    expected = Asking(book, Reader).expects(
        "a shelf", None, Ask("GET", f"/shelves/{SHELF}"), Answer(200, {"place": "7"})
    )
    with pytest.raises(ContractBroken) as refused:
        async with expected as client:
            Catalogue.model_validate_json((await client.shelf(SHELF)).content)
    assert 'reader asks library, "a shelf": reader does not understand the example' in str(refused.value)
    assert "colour (Field required)" in str(refused.value)
    assert book.made == {}


def test_a_listener_that_reads_what_its_contract_does_not_ask_for_is_reported_by_the_field() -> None:
    with pytest.raises(
        ContractBroken, match=r"library.book_lent.v1: Catalogue does not understand .* colour \(Field required\)"
    ):
        refuse_unread({"place": "7"}, Catalogue, "events.library.book_lent.v1")


async def test_an_interaction_that_no_test_makes_any_more_is_stale(pacts: Path) -> None:
    with pytest.raises(ContractBroken) as refused:
        (await made()).close(complete=True, write=False, pacts=pacts)
    assert '"a shelf that is not there" is stale: no test makes it any more.' in str(refused.value)
    assert "PACTS=write make contracts" in str(refused.value)


async def test_a_part_of_the_tests_is_compared_but_never_written(pacts: Path) -> None:
    book = await made()
    book.close(complete=False, write=False, pacts=pacts)
    with pytest.raises(ContractBroken, match="Only some tests of reader asks library ran"):
        book.close(complete=False, write=True, pacts=pacts)
    assert len(read(EDGE, pacts)) == 2


async def test_a_pact_that_was_edited_by_hand_is_reported_by_the_field(pacts: Path) -> None:
    path = pacts / EDGE.file_name
    path.write_text(path.read_text().replace("Hall 2", "Hall 3"))
    with pytest.raises(ContractBroken) as refused:
        (await made()).close(complete=False, write=False, pacts=pacts)
    assert '"a shelf" differs at $.response.body.content.place: committed is "Hall 3", the test says "Hall 2".' in str(
        refused.value
    )


async def test_an_interaction_that_is_not_committed_is_reported(pacts: Path) -> None:
    path = pacts / EDGE.file_name
    document = json.loads(path.read_text())
    document["interactions"] = [each for each in document["interactions"] if each["description"] != "a shelf"]
    path.write_text(json.dumps(document))
    with pytest.raises(ContractBroken, match='"a shelf" is new: it is not committed yet'):
        (await made()).close(complete=False, write=False, pacts=pacts)


async def test_a_deleted_pact_is_reported_with_the_command_that_writes_it(tmp_path: Path) -> None:
    with pytest.raises(ContractBroken) as refused:
        (await made()).close(complete=True, write=False, pacts=tmp_path)
    assert "There is no pact of reader asks library" in str(refused.value)
    assert "Run `PACTS=write make contracts`" in str(refused.value)


def test_a_contract_cannot_ask_for_more_than_is_read() -> None:
    class Line(BaseModel):
        class_name: str

    class Order(BaseModel):
        number: str
        lines: list[Line]

    data = {"number": "K7", "colour": "red", "lines": [{"class_name": "Stalls", "row": "A"}]}
    with pytest.raises(ContractBroken, match=r"Order does not read \$\.colour, \$\.lines\[0\]\.row\."):
        refuse_unread(data, Order, "events.orders.order_confirmed.v1")


@dataclass
class Modules:
    """Runs test modules of their own, as `make contracts` would; their pact is beside them."""

    folder: Path
    patch: pytest.MonkeyPatch
    said: list[str] = field(default_factory=list)

    def run(self, source: str, *arguments: str, pacts: str = "check") -> int:
        """The exit code of pytest; what failed is in `said`."""
        self.patch.setenv("PACTS", pacts)
        # Another name each time: Python imports a module once.
        module = self.folder / f"test_{an_id(f'{source} {arguments} {pacts}').hex}.py"
        module.write_text(source)
        settings = self.folder / "pytest.ini"
        options = (
            "asyncio_mode = auto",
            "asyncio_default_fixture_loop_scope = function",
            "addopts = --import-mode=importlib",
        )
        settings.write_text("\n".join(("[pytest]", *options)))
        without = (part for name in ("cacheprovider", "xdist", "timeout", "terminal") for part in ("-p", f"no:{name}"))
        self.said.clear()
        return int(pytest.main(["-c", str(settings), *without, "-s", str(module), *arguments], plugins=[self]))

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """A hook of pytest: keeps what failed."""
        if report.failed:
            self.said.append(report.longreprtext)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """A hook of pytest: keeps what could not be imported."""
        if report.failed:
            self.said.append(report.longreprtext)

    def pytest_keyboard_interrupt(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        """A hook of pytest: keeps why it stopped."""
        self.said.append(str(excinfo.getrepr()))


@pytest.fixture
def modules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Modules:
    monkeypatch.setattr("contracts.consumer.PACTS", tmp_path)
    return Modules(tmp_path, monkeypatch)


def test_a_module_writes_its_pact_only_if_its_tests_pass(modules: Modules) -> None:
    assert modules.run(A_MODULE + FAILS, pacts="write") == 1, modules.said
    assert list(modules.folder.glob("*.json")) == []
    assert modules.run(A_MODULE, pacts="write") == 0
    assert len(read(EDGE, modules.folder)) == 2


def test_a_module_checks_all_of_its_pact_only_if_all_of_it_ran(modules: Modules) -> None:
    modules.run(A_MODULE, pacts="write")
    assert modules.run(A_MODULE, "-k", "again") == 0
    assert modules.run(A_MODULE.partition("async def test_a_shelf_is_read_again")[0]) == 1
    assert '"a shelf again" is stale' in modules.said[0]
