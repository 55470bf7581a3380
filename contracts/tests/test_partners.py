"""Partners beside each other and beside us: what one gets wrong is theirs alone, and a change that breaks one is refused."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from chassis.testing import Harness
from contracts.completeness.services import System, real
from contracts.pactfile import EXTERNAL, PACTS, ContractBroken, Edge, read
from contracts.partners import external
from contracts.partners.external import FOLDER, main, problems, problems_of
from contracts.partners.setups import described, states_of_provider
from contracts.provider import verify_answers
from contracts.releases import git
from contracts.tests.library import A_SHELF, EDGE, Library, write_pact
from contracts.tests.repositories import Repository
from contracts.tests.test_external import DOORMAN, code_of_a_seat, not_while_writing, of_doorman


@pytest.fixture
def system(tmp_path: Path) -> System:
    """The pacts of this repository, beside which a partner put a file of a strange name, and one that is cut off."""
    shutil.copytree(PACTS, tmp_path / PACTS.name)
    (tmp_path / EXTERNAL).mkdir()
    (tmp_path / EXTERNAL / "foo.json").write_text("{}")
    (tmp_path / EXTERNAL / "foo-asks-tickets.json").write_text("{")
    return replace(real(), pacts=tmp_path / PACTS.name)


def test_what_one_partner_gets_wrong_is_not_reported_to_another(system: System) -> None:
    external_folder = system.pacts.parent / EXTERNAL
    shutil.copy(FOLDER / DOORMAN, external_folder)
    strange, cut_off = sorted(problems(external_folder, system), key=len, reverse=True)
    assert "is not a pact: pacts are called <consumer>-" in strange
    assert cut_off.startswith("foo-asks-tickets.json: ")
    assert "given  a valid ticket" in described(system, "tickets")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "it is no JSON: Expecting property name"),
        ("[]", "something in it is of another kind: list indices must be"),
        ("{}", "'consumer' is missing"),
        ('{"consumer": {"name": "foo"}, "provider": {"name": "tickets"}}', "'interactions' is missing"),
        (
            '{"consumer": {"name": "foo"}, "provider": {"name": "tickets"}, "interactions": [{"description": "a"}]}',
            "'request' is missing",
        ),
    ],
)
def test_a_pact_that_cannot_be_read_is_reported_with_its_path(system: System, text: str, said: str) -> None:
    path = system.pacts.parent / EXTERNAL / "foo-asks-tickets.json"
    path.write_text(text)
    with pytest.raises(ContractBroken) as refused:
        read(Edge.of(path), system.pacts)
    assert str(refused.value).startswith(f"{path} cannot be read: {said}")
    assert "`python -m contracts.partners.external` says what is wrong" in str(refused.value)


def test_a_command_that_meets_a_bad_pact_says_so_and_ends(repository: Repository) -> None:
    git(repository.root, "tag", "--annotate", "v0.0.1", "--message", "first")
    bad = repository.root / "contracts" / EXTERNAL / "foo.json"
    bad.write_text("{}")
    commands = ("run", "deploying.across", "promises.coverage", "picture", "promises.needs")
    for module in (f"contracts.{name}" for name in commands):
        done = repository.command(module)
        assert (done.returncode, "Traceback" in done.stderr) == (2, False), f"{module}: {done.stdout}{done.stderr}"
        assert f"{bad} is not a pact" in done.stderr, module


def test_what_is_no_pact_does_not_belong_into_the_folder(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mind the gap")
    (tmp_path / "README.md").write_text("how to")
    (tmp_path / DOORMAN).write_text("{")
    first, second = problems(tmp_path)
    assert first.startswith("notes.txt: this is no pact.")
    assert second.startswith(f"{DOORMAN}: ")


def test_the_command_fails_with_the_faults(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(external, "problems", lambda: ["doorman-asks-tickets.json: it is wrong."])
    assert main([]) == 1
    assert "it is wrong." in capsys.readouterr().out
    assert main(["tickets"]) == 2


@not_while_writing
def test_a_partner_sees_what_can_be_set_up(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["states", "tickets"]) == 0
    said = capsys.readouterr().out
    assert "given  a valid ticket: code" in said
    assert "given  an order with tickets: order_id, person_id" in said
    assert "fact   events.tickets.tickets_issued.v1 of seats" in said
    assert "title (or not)" in described(real(), "catalog")
    assert main(["states", "tikets"]) == 2
    assert "There is no service tikets. Choose from accounts, " in capsys.readouterr().err


def test_a_verification_that_does_not_name_its_states_is_reported(tmp_path: Path) -> None:
    path = tmp_path / "library/tests/contract/test_is_asked.py"
    path.parent.mkdir(parents=True)
    for states in ("STATES", '{**STATES, "a shelf": shelf}'):
        path.write_text(f"await verify_answers('library', url, callers=[], states={states})")
        with pytest.raises(ContractBroken, match="does not name its states one by one"):
            states_of_provider(tmp_path, "library")
    path.write_text("await verify_answers('library', url, callers=[], states={'a shelf': shelf})")
    assert states_of_provider(tmp_path, "library") == ["a shelf"]
    assert states_of_provider(tmp_path, "museum") == []


def test_the_parameters_of_a_state_are_those_of_the_other_pacts(tmp_path: Path) -> None:
    document = of_doorman()
    code_of_a_seat(document)["providerStates"][0] = {"name": "an order with tickets"}
    shutil.copytree(PACTS, tmp_path / PACTS.name)
    (tmp_path / EXTERNAL).mkdir()
    path = tmp_path / EXTERNAL / DOORMAN
    path.write_text(json.dumps(document))
    said = f'{DOORMAN}: "a code of a seat": the state "an order with tickets" needs the parameter order_id.'
    assert said in problems_of(path, replace(real(), pacts=tmp_path / PACTS.name))


async def test_a_change_that_breaks_a_partner_is_red_as_any_other(harness: Harness, tmp_path: Path) -> None:
    pacts, outside = tmp_path / PACTS.name, tmp_path / EXTERNAL
    pacts.mkdir()
    outside.mkdir()
    await write_pact(outside)

    async def verify(library: Library) -> int:
        states = {A_SHELF: library.a_shelf_with_a_book}
        async with harness.serving(library.app) as url:
            return await verify_answers("library", url, callers=[EDGE.consumer], states=states, pacts=pacts)

    assert await verify(Library()) == 2
    with pytest.raises(ContractBroken, match="library breaks what reader relies on"):
        await verify(Library(lambda answer: answer | {"place": None}))
