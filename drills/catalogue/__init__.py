"""All drills: a module each, named like the drill with underscores."""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache

from drills.model import Drill


@cache
def all_drills() -> dict[str, Drill]:
    """By name, sorted. Raises ValueError if a module and its drill have different names."""
    found = {}
    for module in sorted(pkgutil.iter_modules(__path__), key=lambda each: each.name):
        drill: Drill = importlib.import_module(f"{__name__}.{module.name}").DRILL
        if drill.name != module.name.replace("_", "-"):
            raise ValueError(f"drills/catalogue/{module.name}.py holds the drill {drill.name}: give both one name.")
        found[drill.name] = drill
    return found
