"""Nothing that is not Onsale's is taken for a data folder, or removed with one."""

import subprocess
import sys
from pathlib import Path

import pytest

from local.errors import StartError
from local.lock import FolderLock


def clean(folder: Path) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "local.clean", str(folder)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_a_folder_with_other_peoples_things_is_not_taken(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("everything")
    with pytest.raises(StartError, match=r"holds other things [(]thesis.txt[)].*DATA="):
        FolderLock(tmp_path).take()
    assert [each.name for each in tmp_path.iterdir()] == ["thesis.txt"]
    done = clean(tmp_path)
    assert (done.returncode, "nothing is removed" in done.stderr) == (1, True)


def test_what_came_into_a_data_folder_later_is_left_there(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    for name in ("keys", "postgres", "logs"):
        (folder / name).mkdir(parents=True)
        (folder / name / "file").touch()
    (folder / "secrets.json").write_text("{}")
    (folder / "thesis.txt").write_text("everything")
    lock = FolderLock(folder)
    lock.take()
    lock.release()
    done = clean(folder)
    assert (done.returncode, "still there: thesis.txt" in done.stdout) == (0, True), done.stderr
    assert [each.name for each in folder.iterdir()] == ["thesis.txt"]


def test_a_data_folder_is_gone_as_a_whole(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    lock = FolderLock(folder)
    lock.take()
    (folder / "secrets.json").write_text("{}")
    lock.release()
    assert clean(folder).stdout == f"Removed {folder}.\n"
    assert not folder.exists()
