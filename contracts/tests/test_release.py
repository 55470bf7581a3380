"""A release: one version, a tag, and nothing at all if something that runs would break."""

import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from contracts.deploying import release as deploying
from contracts.deploying.across import Answer, Met, Version
from contracts.deploying.release import Checks, Refused, release
from contracts.journal import Found
from contracts.pactfile import Edge
from contracts.releases import git, last_release

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

    def refuses(self, hook: str, says: str, *, unless: str = "false") -> None:
        """Git refuses what it asks a hook about."""
        path = self.root / ".git/hooks" / hook
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"#!/bin/sh\n{unless} && exit 0\necho '{says}' >&2\nexit 1\n")
        path.chmod(0o755)

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


def test_a_commit_that_git_refuses_leaves_everything_as_it_was_and_is_reported(shop: Shop) -> None:
    shop.release()
    shop.commit("more")
    shop.refuses("pre-commit", "Tell me who you are.")
    with pytest.raises(Refused, match=r"v0\.2\.0 is not released, and nothing is changed: .*Tell me who you are\."):
        shop.release()
    assert shop.git("status", "--porcelain") == ""
    assert shop.version == PROJECT.format("0.1.0")
    assert shop.git("tag", "--list") == "v0.1.0"


def test_without_a_name_for_git_nothing_is_left_behind(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.release()
    shop.git("config", "user.name", "")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    with pytest.raises(Refused, match="empty ident name"):
        shop.release()
    assert shop.git("status", "--porcelain") == ""


def test_a_version_that_cannot_be_tagged_is_reported_and_tagged_the_next_time(shop: Shop) -> None:
    shop.release()
    shop.commit("more")
    shop.refuses("reference-transaction", "No tags today.", unless="! grep -q refs/tags/")
    with pytest.raises(
        Refused, match=r"(?s)Version 0\.2\.0 is committed, but not tagged: .*No tags today\..*VERSION=0\.2\.0` tags it"
    ):
        shop.release()
    assert shop.version == PROJECT.format("0.2.0")
    assert shop.git("tag", "--list") == "v0.1.0"
    (shop.root / ".git/hooks/reference-transaction").unlink()
    assert shop.release() == "v0.2.0"
    assert shop.git("log", "-1", "--format=%s", "v0.2.0") == "Release 0.2.0"


def test_what_git_says_is_reported_by_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(deploying, "ROOT", tmp_path)
    monkeypatch.setattr(sys, "argv", ["release"])
    assert deploying.main() == 1
    assert "There is no release, and nothing is changed: fatal: not a git repository" in capsys.readouterr().err


def test_documents_that_cannot_be_written_leave_the_version_as_it_was(shop: Shop) -> None:
    def fall() -> None:
        raise subprocess.CalledProcessError(1, "documents")

    shop.release()
    with pytest.raises(Refused, match="nothing is changed: Command 'documents' returned non-zero exit status 1"):
        release(shop.root, "0.2.0", Checks(lambda: True, lambda: Answer("v0.1.0"), fall))
    assert shop.git("status", "--porcelain") == ""
    assert shop.git("tag", "--list") == "v0.1.0"
