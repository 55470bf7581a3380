"""Which release runs now: the highest in the history, and never silently none."""

from pathlib import Path

import pytest

from contracts.releases import HistoryMissing, RevisionUnknown, git, last_release, releases_of_days, unpack


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    folder = tmp_path / "shop"
    folder.mkdir()
    git(folder, "init", "--quiet", "--initial-branch", "main")
    git(folder, "config", "user.email", "shop@example.org")
    git(folder, "config", "user.name", "Shop")
    commit(folder, "first")
    return folder


def commit(folder: Path, text: str) -> None:
    (folder / f"{text}.txt").write_text(text)
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "--message", text)


def test_the_highest_release_counts_and_not_the_nearest(shop: Path) -> None:
    git(shop, "tag", "v0.9.0")
    git(shop, "checkout", "--quiet", "-b", "mend")
    commit(shop, "mended")
    git(shop, "tag", "v0.9.1")
    git(shop, "checkout", "--quiet", "main")
    commit(shop, "more")
    git(shop, "tag", "v0.10.0")
    git(shop, "merge", "--quiet", "--no-edit", "mend")
    assert last_release(shop) == "v0.10.0"
    assert sorted(releases_of_days(shop, 30)) == ["v0.10.0", "v0.9.0", "v0.9.1"]
    assert releases_of_days(shop, -1) == []


def test_a_tag_that_is_no_release_does_not_count(shop: Path) -> None:
    for tag in ("v0.3.0-rc1", "v1", "nightly", "v01.0.0"):
        git(shop, "tag", tag)
    assert last_release(shop) is None
    git(shop, "tag", "v0.2.0")
    assert last_release(shop) == "v0.2.0"


def test_a_release_of_another_history_does_not_count(shop: Path) -> None:
    git(shop, "checkout", "--quiet", "--orphan", "other")
    commit(shop, "elsewhere")
    git(shop, "tag", "v5.0.0")
    git(shop, "checkout", "--quiet", "main")
    assert last_release(shop) is None


def test_where_history_is_missing_nobody_says_that_nothing_runs(shop: Path, tmp_path: Path) -> None:
    commit(shop, "second")
    git(tmp_path, "clone", "--quiet", "--depth", "1", f"file://{shop}", "shallow")
    with pytest.raises(HistoryMissing, match="git fetch --unshallow --tags"):
        last_release(tmp_path / "shallow")
    (tmp_path / "plain").mkdir()
    with pytest.raises(HistoryMissing, match="no repository of Git"):
        last_release(tmp_path / "plain")


def test_an_unknown_revision_is_reported(shop: Path, tmp_path: Path) -> None:
    with pytest.raises(RevisionUnknown, match=r"Git knows no revision --help here"):
        unpack(shop, "--help", tmp_path / "out")
