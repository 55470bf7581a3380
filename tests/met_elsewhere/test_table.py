"""The table of kinds names tests that are there, and every test of this folder."""

import re
from pathlib import Path

from local.topology import ROOT

HERE = Path(__file__).parent


def test_every_test_that_the_table_names_is_there_and_every_one_here_is_named() -> None:
    named = set(re.findall(r"`([\w/]+\.py)`", (HERE / "README.md").read_text(encoding="utf-8")))
    files = {name: HERE / name if "/" not in name else ROOT / name for name in named}
    assert {name for name, file in files.items() if not file.exists()} == set()
    assert {file.name for file in HERE.glob("test_*.py")} <= {Path(name).name for name in named}
