"""The one version of all services."""

import os
import tomllib
from functools import cache
from pathlib import Path

_PROJECT = Path(__file__).resolve().parent.parent / "pyproject.toml"


@cache
def project_version() -> str:
    """What spans and documents call this version: `ONSALE_VERSION` if somebody says so, else that of the project's file."""
    given = os.environ.get("ONSALE_VERSION")
    if given:
        return given
    if not _PROJECT.exists():
        return "unknown"
    version: str = tomllib.loads(_PROJECT.read_text(encoding="utf-8"))["project"]["version"]
    return version
