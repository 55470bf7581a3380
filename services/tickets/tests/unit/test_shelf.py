"""Printed PDFs are kept within bounds of bytes and age, where nobody else reads them."""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from services.tickets.shelf import Shelf


def a_shelf(folder: Path | None, bytes_max: int = 1000, seconds_max: float = 60.0) -> Shelf:
    return Shelf(folder, bytes_max=bytes_max, seconds_max=seconds_max)


def make_older(folder: Path, digest: str, seconds: float) -> None:
    then = time.time() - seconds
    os.utime(folder / f"{digest}.pdf", (then, then))


def test_what_was_put_is_found_and_nothing_else(tmp_path: Path) -> None:
    shelf = a_shelf(tmp_path / "new" / "folder")
    shelf.put("a", b"%PDF a")
    assert (shelf.find("a"), shelf.find("b")) == (b"%PDF a", None)


def test_the_oldest_go_when_there_are_too_many_bytes(tmp_path: Path) -> None:
    shelf = a_shelf(tmp_path)
    for age, digest in ((30, "a"), (20, "b"), (10, "c")):
        shelf.put(digest, b"x" * 400)
        make_older(tmp_path, digest, age)
    shelf.put("d", b"x" * 400)
    assert [digest for digest in "abcd" if shelf.find(digest)] == ["c", "d"]
    assert sum(file.stat().st_size for file in tmp_path.iterdir()) <= 1000


def test_what_is_larger_than_the_shelf_is_not_kept_and_drives_nothing_out(tmp_path: Path) -> None:
    shelf = a_shelf(tmp_path)
    shelf.put("a", b"x")
    shelf.put("b", b"x" * 1001)
    assert (shelf.find("a"), shelf.find("b")) == (b"x", None)


def test_what_is_too_old_is_neither_found_nor_left(tmp_path: Path) -> None:
    shelf = a_shelf(tmp_path)
    shelf.put("a", b"x")
    make_older(tmp_path, "a", 61)
    assert shelf.find("a") is None
    assert shelf.tidy() == 1
    assert list(tmp_path.iterdir()) == []


def test_nobody_else_may_read_it(tmp_path: Path) -> None:
    shelf = a_shelf(tmp_path / "own")
    shelf.put("a", b"x")
    assert (tmp_path / "own").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "own" / "a.pdf").stat().st_mode & 0o777 == 0o600


def test_a_folder_that_cannot_be_used_keeps_nothing_and_breaks_nothing(tmp_path: Path) -> None:
    (tmp_path / "a file").write_bytes(b"")
    shelf = a_shelf(tmp_path / "a file")
    shelf.put("a", b"x")
    assert shelf.find("a") is None
    assert shelf.tidy() == 0


def test_a_temporary_folder_ends_with_the_shelf() -> None:
    shelf = a_shelf(None)
    shelf.put("a", b"x")
    folder = shelf._folder
    assert shelf.find("a") == b"x"
    shelf.close()
    assert not folder.exists()


KILLED = """
import os, signal
from services.tickets.shelf import Shelf
shelf = Shelf(None, bytes_max=1000, seconds_max=60.0)
shelf.put("a", b"a name")
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_what_a_killed_process_has_left_goes_when_the_next_one_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    subprocess.run([sys.executable, "-c", KILLED], env=os.environ | {"TMPDIR": str(tmp_path)}, check=False, timeout=60)
    [left] = tmp_path.iterdir()
    assert (left / "a.pdf").exists()
    living = a_shelf(None)
    assert not left.exists()
    living.put("b", b"x")
    another = a_shelf(None)
    assert living.find("b") == b"x"
    living.close()
    another.close()
    assert list(tmp_path.iterdir()) == []


def test_nothing_but_its_own_folders_is_tidied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    for folder in ("tmp/onsale-other", "elsewhere"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "kept").write_bytes(b"")
    (tmp_path / "tmp" / "onsale-printed-link").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "tmp" / "onsale-printed-file").write_bytes(b"")
    a_shelf(None).close()
    assert (tmp_path / "tmp" / "onsale-other" / "kept").exists()
    assert (tmp_path / "elsewhere" / "kept").exists()
    assert (tmp_path / "tmp" / "onsale-printed-file").exists()
