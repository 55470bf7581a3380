"""Every edge has a pact, every pact two sides, and each operation and subject an interaction: nothing is forgotten.

What is compared comes from the code and from the pacts, not from a list. Made-up services show that each comparison can fail.
"""

from collections.abc import Callable
from pathlib import Path

import pytest

from contracts.completeness.edges import Need, apart, in_code, one_sided, under_contract, unsent
from contracts.completeness.offers import Folders
from contracts.pactfile import ContractBroken, is_writing
from contracts.tests.made_up import ASKS, HEARS, WATCHES, asked, change, make_up, write, write_pact

REAL = Folders()

not_while_writing = pytest.mark.skipif(is_writing(), reason="Pacts are being written.")


@not_while_writing
@pytest.mark.agreement
def test_every_need_in_the_code_has_a_contract_and_every_contract_a_need_in_the_code() -> None:
    problems = apart(in_code(REAL), under_contract(REAL))
    assert not problems, "\n".join(problems)


@not_while_writing
@pytest.mark.agreement
def test_every_parameter_that_a_client_sends_is_in_a_contract() -> None:
    problems = unsent(REAL)
    assert not problems, "\n".join(problems)


@not_while_writing
@pytest.mark.agreement
def test_every_pact_is_written_by_its_consumer_and_verified_by_its_provider() -> None:
    problems = one_sided(REAL)
    assert not problems, "\n".join(problems)


@pytest.fixture
def made_up(tmp_path: Path) -> Folders:
    return make_up(tmp_path)


def test_of_services_whose_contracts_are_complete_nothing_is_said(made_up: Folders) -> None:
    code = in_code(made_up)
    assert set(code) == {
        Need(ASKS, "GET /shelves/{shelf_id}"),
        Need(ASKS, "POST /shelves/{id}/lend"),
        Need(HEARS, "events.library.book_lent.v1"),
        Need(WATCHES, "bus.library.shelf_changed"),
    }
    assert apart(code, under_contract(made_up)) == []
    assert one_sided(made_up) == []
    assert unsent(made_up) == []


def test_a_fault_to_practise_on_needs_no_contract(made_up: Folders) -> None:
    write(made_up.services / "reader/drills.py", "import httpx\n")
    assert apart(in_code(made_up), under_contract(made_up)) == []
    write(made_up.services / "reader/app_drills.py", "import httpx\n")
    with pytest.raises(ContractBroken, match=r"app_drills\.py:1"):
        in_code(made_up)


def delete_pact(kind: str) -> Callable[[Folders], None]:
    return lambda made: (made.pacts / f"reader-{kind}-library.json").unlink()


def delete_client(made: Folders) -> None:
    (made.services / "reader/clients/library.py").unlink()
    change(made.services / "reader/app.py", 'service.client("library", settings.library_url)', "None")


def delete_call(made: Folders) -> None:
    change(made.services / "reader/clients/library.py", 'self._end(shelf_id, "lend")', "None")
    change(made.services / "reader/clients/library.py", "self._http.post(_address(shelf_id, how))", "None")


def forget_interaction(made: Folders) -> None:
    write_pact(made, ASKS, asked("a loan", "POST", "/shelves/7/lend"))


def stop_hearing(made: Folders) -> None:
    change(made.services / "reader/app.py", 'service.listen("events.library.>", on_fact)', "pass")


def tell_more(made: Folders) -> None:
    write(made.documents / "events/events.library.book_found.v1.schema.json", "{}")


def call_more(made: Folders) -> None:
    change(
        made.services / "reader/clients/library.py",
        "\n\ndef _address",
        '\n\n    async def all(self):\n        return await self._http.get("/shelves/all")\n\n\ndef _address',
    )


@pytest.mark.parametrize(
    ("break_it", "said"),
    [
        (
            delete_pact("asks"),
            "but there is no pact of that edge. Write services/reader/tests/contract/test_asks_library.py.",
        ),
        (delete_pact("hears"), "reader hears events.library.book_lent.v1 of library ("),
        (delete_pact("watches"), "reader watches bus.library.shelf_changed of library ("),
        (delete_client, 'reader has a contract for GET /shelves/{shelf_id} of library ("a shelf" in'),
        (delete_call, "reader has a contract for POST /shelves/{id}/lend of library"),
        (forget_interaction, "reader asks GET /shelves/{shelf_id} of library ("),
        (call_more, "but no interaction of contracts/pacts/reader-asks-library.json is about it."),
        (stop_hearing, "reader has a contract for events.library.book_lent.v1 of library"),
        (tell_more, "reader hears events.library.book_found.v1 of library ("),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_need_without_a_contract_and_a_contract_without_a_need_are_told(
    made_up: Folders, break_it: Callable[[Folders], None], said: str
) -> None:
    break_it(made_up)
    assert said in "\n".join(apart(in_code(made_up), under_contract(made_up)))


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("_address(shelf_id, how))", "somewhere)", "the address of this POST cannot be read"),
        ("self._http.get(", "self._http.send(", "what is done with the HTTP client here cannot be read"),
        (
            '"/shelves/{shelf_id}", par',
            '"/books/{shelf_id}", par',
            "contracts/openapi/library.json has no such operation",
        ),
        ("http: httpx.AsyncClient", "http", "makes no HTTP call that can be seen"),
    ],
)
def test_a_call_that_cannot_be_read_is_not_passed_over(made_up: Folders, old: str, new: str, said: str) -> None:
    change(made_up.services / "reader/clients/library.py", old, new)
    with pytest.raises(ContractBroken, match=said):
        in_code(made_up)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('"events.library.>"', "subject", r"app.py:\d+: what `.listen\(...\)` is given cannot be read"),
        ('"events.library.>"', '"events.library.book_lost.v1"', "but no service says that"),
        ('"bus.library.shelf_changed.>"', '"bus.library.shelves_changed.>"', "but no service says that"),
        ('client("library"', 'client("archive"', "archive.py is missing"),
        ('service.client("library", settings.library_url)', "None", "nothing in reader makes a client of library"),
        ('service.client("library"', 'service.stranger("library"', "speaks to library as to a stranger"),
        (
            "def create_app",
            "import httpx\n\n\ndef create_app",
            r"app.py:\d+: HTTP calls are made in reader's clients/ alone",
        ),
        (
            "def create_app",
            "from aiohttp import x\n\n\ndef create_app",
            r"HTTP calls are made in reader's clients/ alone",
        ),
    ],
)
def test_what_a_service_is_made_of_is_read_or_refused(made_up: Folders, old: str, new: str, said: str) -> None:
    change(made_up.services / "reader/app.py", old, new)
    with pytest.raises(ContractBroken, match=said):
        in_code(made_up)


def test_an_interaction_about_what_nobody_offers_is_told(made_up: Folders) -> None:
    write_pact(made_up, ASKS, asked("a book", "GET", "/books/7"))
    with pytest.raises(ContractBroken, match='"a book" is about GET /books/7, which library does not offer'):
        under_contract(made_up)


def test_a_path_belongs_to_the_route_that_says_most_of_it(made_up: Folders) -> None:
    write_pact(made_up, ASKS, asked("all shelves", "GET", "/shelves/all"))
    assert Need(ASKS, "GET /shelves/all") in under_contract(made_up)


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("reader/tests/contract/test_hears_library.py", "Nobody writes reader-hears-library.json any more"),
        ("library/tests/contract/test_is_asked.py", 'calls verify_messages for "library"'),
    ],
)
def test_a_pact_with_one_side_is_told(made_up: Folders, path: str, said: str) -> None:
    (made_up.services / path).unlink()
    assert said in "\n".join(one_sided(made_up))


def test_a_verification_of_another_provider_does_not_count(made_up: Folders) -> None:
    change(made_up.services / "library/tests/contract/test_is_asked.py", 'facts("library"', 'facts("archive"')
    (sentence,) = one_sided(made_up)
    assert "Nobody verifies reader-hears-library.json" in sentence


def test_a_consumers_test_that_declares_another_edge_is_told(made_up: Folders) -> None:
    change(made_up.services / "reader/tests/contract/test_asks_library.py", '"library", L', '"archive", L')
    (sentence,) = one_sided(made_up)
    assert 'does not declare its edge as asks("reader", "library"...)' in sentence


QUERY = 'params={"order": "title"}'


@pytest.mark.parametrize(
    "query",
    [
        'params={"order": "title", "after": after}',
        'params={"order": "title"} | ({"after": after} if after else {})',
        'params={"order": "title", **{"after": after}}',
        'params={name: value for name, value in {"order": "title", "after": after}.items() if value}',
    ],
)
def test_a_parameter_that_a_client_may_send_and_no_interaction_has_is_told(made_up: Folders, query: str) -> None:
    change(made_up.services / "reader/clients/library.py", QUERY, query)
    (sentence,) = unsent(made_up)
    assert "reader asks GET /shelves/{shelf_id} of library with the query parameter after (" in sentence
    assert "but no interaction of contracts/pacts/reader-asks-library.json sends it." in sentence


@pytest.mark.parametrize(
    "made",
    [
        'query = {"order": "title"} | ({"after": after} if after else {})',
        'query: dict[str, str] = {"order": "title"}; query["after"] = after',
        'query = {"order": "title"}; query |= {"after": after}',
        'wanted = {"order": "title", "after": after}; query = {name: wanted[name] for name, _ in wanted.items()}',
    ],
)
def test_a_query_that_is_made_before_the_call_is_read_as_well(made_up: Folders, made: str) -> None:
    client = made_up.services / "reader/clients/library.py"
    change(client, QUERY, "params=query")
    change(client, '        """A shelf;', f'        {made}\n        """A shelf;')
    (sentence,) = unsent(made_up)
    assert "with the query parameter after (" in sentence


def test_a_parameter_of_another_operation_does_not_count(made_up: Folders) -> None:
    shelf, loan = asked("a shelf", "GET", "/shelves/7"), asked("a loan", "POST", "/shelves/7/lend", order="title")
    write_pact(made_up, ASKS, shelf, loan)
    (sentence,) = unsent(made_up)
    assert "GET /shelves/{shelf_id} of library with the query parameter order (" in sentence


@pytest.mark.parametrize(
    "query", ["params=self._query()", "params={shelf_id: 1}", "params=shelf_id", "**shelf_id", "params=dict(order=1)"]
)
def test_a_query_that_cannot_be_read_is_not_passed_over(made_up: Folders, query: str) -> None:
    change(made_up.services / "reader/clients/library.py", QUERY, query)
    with pytest.raises(ContractBroken, match=r"library.py:\d+: the parameters of this query cannot be read"):
        unsent(made_up)


def test_a_query_to_which_a_call_adds_is_not_passed_over(made_up: Folders) -> None:
    client = made_up.services / "reader/clients/library.py"
    change(client, QUERY, "params=query")
    change(
        client, '        """A shelf;', '        query = {"order": "title"}; query.update(after=1)\n        """A shelf;'
    )
    with pytest.raises(ContractBroken, match="the parameters of this query cannot be read"):
        unsent(made_up)
