"""Another version's contracts: what a provider breaks is distinguished from what it cannot set up."""

from pathlib import Path
from typing import Any

import pytest

from chassis.testing import Harness
from contracts.journal import JOURNAL, Found, entries
from contracts.pactfile import ContractBroken
from contracts.provider import verify_answers
from contracts.running import ACROSS
from contracts.tests.library import A_SHELF, EDGE, Library, write_pact
from contracts.verification import StateHandler


@pytest.fixture
async def other_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The contracts of another version, as the environment names them."""
    pacts = tmp_path / "pacts"
    pacts.mkdir()
    await write_pact(pacts)
    monkeypatch.setenv(ACROSS, str(tmp_path))
    monkeypatch.setenv(JOURNAL, str(tmp_path / "journal"))
    return tmp_path


async def verify(harness: Harness, states: dict[str, StateHandler], library: Library, *, caller: str = "reader") -> int:
    async with harness.serving(library.app) as url:
        return await verify_answers("library", url, callers=[caller], states=states)


def found(folder: Path) -> dict[str, Found]:
    (entry,) = entries(folder / "journal")
    assert (entry.what, entry.edge, entry.interactions) == ("verified", EDGE, 2)
    return {each.description: each for each in entry.found}


async def test_a_provider_that_suits_the_other_version_holds(harness: Harness, other_version: Path) -> None:
    library = Library()
    assert await verify(harness, {A_SHELF: library.a_shelf_with_a_book}, library) == 2
    assert {each.outcome for each in found(other_version).values()} == {"held"}


async def test_a_renamed_field_breaks_the_other_version(harness: Harness, other_version: Path) -> None:
    library = Library(lambda answer: {("location" if key == "place" else key): value for key, value in answer.items()})
    with pytest.raises(ContractBroken, match="missing the following keys: place"):
        await verify(harness, {A_SHELF: library.a_shelf_with_a_book}, library)
    assert found(other_version)["a shelf"].outcome == "broken"
    assert "library breaks what reader relies on" in found(other_version)["a shelf"].why
    assert found(other_version)["a shelf that is not there"].outcome == "held"


async def test_a_state_that_this_version_does_not_know_is_unknown_and_not_broken(
    harness: Harness, other_version: Path
) -> None:
    library = Library()
    assert await verify(harness, {"another state": library.a_shelf_with_a_book}, library) == 1
    said = found(other_version)["a shelf"]
    assert (said.outcome, said.why) == ("unknown", f'library of that version does not know the state "{A_SHELF}".')


async def test_a_state_that_this_version_knows_and_cannot_set_up_has_failed(
    harness: Harness, other_version: Path
) -> None:
    async def fall(given: dict[str, Any]) -> None:
        raise KeyError(f"only {sorted(given)}")

    assert await verify(harness, {A_SHELF: fall}, Library()) == 1
    said = found(other_version)["a shelf"]
    assert said.outcome == "failed"
    assert "KeyError" in said.why


async def test_consumers_may_be_others_in_another_version(harness: Harness, other_version: Path) -> None:
    library = Library()
    assert await verify(harness, {A_SHELF: library.a_shelf_with_a_book}, library, caller="school") == 2
    assert found(other_version)["a shelf"].outcome == "held"
