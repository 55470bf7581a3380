"""The page on the machinery names what is there, and leaves no large piece out."""

import re
from pathlib import Path

import pytest

from local.topology import ROOT

PAGE = ROOT / "docs/machinery.md"
FOLDERS = ("contracts", "tracing", "local", "k8s", "drills", "rehearsal", "simulators")
LARGE_LINES = 150


def named() -> set[Path]:
    first_cells = re.findall(r"^\| (.+?) \| [\d,]+ \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    return {ROOT / path for cell in first_cells for path in re.findall(r"`([\w/.]+)`", cell)}


def test_what_the_page_names_is_there() -> None:
    assert [str(path) for path in named() if not path.exists()] == []


@pytest.mark.parametrize("folder", FOLDERS)
def test_every_large_module_is_in_a_row(folder: str) -> None:
    modules = (path for path in (ROOT / folder).rglob("*.py") if not {"tests", "examples"} & {*path.parts})
    large = [path for path in modules if len(path.read_text(encoding="utf-8").splitlines()) >= LARGE_LINES]
    rows = named()
    left_out = [str(path.relative_to(ROOT)) for path in large if not {path, *path.parents} & rows]
    assert left_out == [], "Say in docs/machinery.md why it stays, in a row of its own or in that of its piece."
