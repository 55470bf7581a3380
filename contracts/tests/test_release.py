"""A release: one version, a tag, and nothing at all if something that runs would break."""

import subprocess
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from contracts.deploying.across import Answer, Met, Version
from contracts.deploying.release import Checks, Refused, release
from contracts.deploying.releases import git, last_release
from contracts.journal import Found
from contracts.pactfile import Edge

PROJECT = '[project]\nname = "shop"\nversion = "{}"\nrequires = "0.1.0"\n'


@dataclass
class Shop:
    """A repository of its own, with one file and a version."""

    root: Path
    done: list[str] = field(default_factory=list)

    def git(self, *arguments: str) -> str:
        return git(self.root, *arguments)

    def commit(self, text: str) -> None:
        (self.root / "shop.txt").write_text(text)
        self.git("add", ".")
        self.git("commit", "--message", text)

    def release(self, wanted: str | None = None, *, hold: bool = True, answer: Answer | None = None) -> str:
        def contracts_hold() -> bool:
            self.done.append("contracts")
            return hold

        def can_deploy() -> Answer:
            self.done.append("across")
            return answer or Answer(last_release(self.root))

        return release(self.root, wanted, Checks(contracts_hold, can_deploy, lambda: self.done.append("documents")))

    @property
    def version(self) -> str:
        return (self.root / "pyproject.toml").read_text()


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    made = Shop(tmp_path)
    made.git("init", "--quiet", "--initial-branch", "main")
    made.git("config", "user.email", "shop@example.org")
    made.git("config", "user.name", "Shop")
    (tmp_path / "pyproject.toml").write_text(PROJECT.format("0.1.0"))
    made.commit("first")
    return made


def test_the_first_release_is_of_the_version_that_the_project_has(shop: Shop) -> None:
    before = shop.git("rev-parse", "HEAD")
    assert shop.release() == "v0.1.0"
    assert shop.git("rev-parse", "v0.1.0^{commit}") == before
    assert shop.done == ["contracts", "across"]


def test_a_later_release_raises_the_version_and_only_it_in_a_commit_that_is_tagged(shop: Shop) -> None:
    shop.release()
    shop.commit("more")
    assert shop.release() == "v0.2.0"
    assert shop.version == PROJECT.format("0.2.0")
    assert shop.git("log", "-1", "--format=%s", "v0.2.0") == "Release 0.2.0"
    assert shop.git("cat-file", "-t", "v0.2.0") == "tag"
    assert shop.git("status", "--porcelain") == ""
    assert shop.done[-1] == "documents"


def test_a_version_can_be_chosen_if_it_is_above_the_last(shop: Shop) -> None:
    shop.release()
    assert shop.release("1.0.0") == "v1.0.0"
    with pytest.raises(Refused, match=r"VERSION=0\.9\.0 is not above v1\.0\.0"):
        shop.release("0.9.0")
    with pytest.raises(Refused, match=r"v2 is no version: write three numbers"):
        shop.release("v2")


def _broken() -> Answer:
    met = Met(Edge("orders", "asks", "inventory"), Version("here", Path()), Version("of v0.1.0", Path()))
    met.found = (Found("a hold", "broken", "inventory breaks what orders relies on: $.hold_id"),)
    return Answer("v0.1.0", [met])


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"hold": False}, "The contracts of this checkout do not hold"),
        ({"answer": _broken()}, r"v0\.2\.0 is not released: services of v0\.1\.0 that run now would break\."),
    ],
    ids=["contracts that do not hold", "a neighbour that would break"],
)
def test_nothing_is_changed_if_something_breaks(shop: Shop, options: dict[str, object], said: str) -> None:
    shop.release()
    shop.commit("more")
    before = shop.git("rev-parse", "HEAD")
    with pytest.raises(Refused, match=said):
        shop.release(**options)  # type: ignore[arg-type]
    assert shop.git("rev-parse", "HEAD") == before
    assert shop.git("tag", "--list") == "v0.1.0"
    assert shop.version == PROJECT.format("0.1.0")


def test_what_is_not_committed_is_not_released(shop: Shop) -> None:
    (shop.root / "shop.txt").write_text("half")
    with pytest.raises(Refused, match=r"Commit this, or put it away:\n M shop\.txt"):
        shop.release()
    assert shop.done == []


def test_documents_that_cannot_be_written_leave_the_version_as_it_was(shop: Shop) -> None:
    def fall() -> None:
        raise subprocess.CalledProcessError(1, "documents")

    shop.release()
    with pytest.raises(subprocess.CalledProcessError):
        release(shop.root, "0.2.0", Checks(lambda: True, lambda: Answer("v0.1.0"), fall))
    assert shop.git("status", "--porcelain") == ""
    assert shop.git("tag", "--list") == "v0.1.0"
