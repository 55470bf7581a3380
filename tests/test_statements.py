"""A statement's name is its span's: no two statements of a service share one, or a trace would not say which of them was slow."""

import ast
from collections import defaultdict
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SERVICES = sorted(path.parent.name for path in ROOT.glob("services/*/app.py"))


def names_of(file: Path) -> list[tuple[str, int]]:
    """The names that the file gives to statements (`.execute(..., name="...")`), and their lines."""
    found = []
    for call in ast.walk(ast.parse(file.read_text())):
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr == "execute":
            named = {each.arg: each.value for each in call.keywords}.get("name")
            if isinstance(named, ast.Constant):
                found.append((str(named.value), call.lineno))
    return found


@pytest.mark.parametrize("service", SERVICES)
def test_no_two_statements_of_a_service_share_a_name(service: str) -> None:
    places: dict[str, list[str]] = defaultdict(list)
    for folder in (ROOT / "services" / service, ROOT / "chassis"):
        for file in folder.rglob("*.py"):
            # A drill's statement stands in for that of the service, under its name.
            if "tests" not in file.relative_to(ROOT).parts and file.name not in {"testing_databases.py", "drills.py"}:
                for name, line in names_of(file):
                    places[name].append(f"{file.relative_to(ROOT)}:{line}")
    shared = [f"{name}: {', '.join(where)}" for name, where in places.items() if len(where) > 1]
    assert places
    assert shared == []
