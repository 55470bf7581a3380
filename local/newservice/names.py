"""What a service may be called. Its name is a folder, a Python module, a login, a host name and the beginning of variables."""

import keyword
import re
from pathlib import Path

from local.images import OTHERS
from local.topology import DEFAULT_PORTS

LETTERS_MAX = 20
_NAME = re.compile(rf"[a-z][a-z0-9]{{1,{LETTERS_MAX - 1}}}")
# Names that something else has already among users, lists, folders, images or hosts.
_TAKEN = {"admin", "base", "dev", "run", "checkov", "local", "test", "onsale", "service", "services", "template", "namespace", "postgres",
          "databases", "secrets", "stream", "jaeger", "chassis", "tracing", "contracts", "outbox", "inbox"}  # fmt: skip


def refusal_of(name: str, root: Path) -> str | None:
    """Why a service cannot be called so, in a sentence; None if it can."""
    if not name:
        return "Say what the service is called: make service NAME=insights"
    if not _NAME.fullmatch(name):
        return (
            f"A service cannot be called {name!r}. Take one word of 2 to {LETTERS_MAX} small letters and digits that begins with a "
            "letter, as in make service NAME=insights"
        )
    if keyword.iskeyword(name):
        return f"{name} is a word of Python, so nobody could import services.{name}. Take another name."
    if (root / "services" / name).exists():
        return f"There is a service {name} already: services/{name}. Take another name."
    if name in {*_TAKEN, *DEFAULT_PORTS, *OTHERS}:
        return f"Something else is called {name} already (a program, a user or a folder). Take another name."
    return None
