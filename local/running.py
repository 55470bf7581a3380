"""Finds the system that runs on this machine, for commands beside `make up`."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from local.control import ask
from local.errors import StartError
from local.lock import is_taken
from local.topology import Layout


@dataclass(frozen=True)
class Running:
    """Where the parts of a running system are."""

    addresses: dict[str, str]
    data: Path
    control: Path
    ports: dict[str, int] = field(default_factory=dict)
    # Where each service is asked how it is (local/ready.py): by its port, or over the bus with a login.
    services: dict[str, str] = field(default_factory=dict, repr=False)

    @classmethod
    def is_there(cls, data: Path) -> bool:
        """Whether a system runs on that folder. One that was killed may have left its file."""
        layout = Layout(data.absolute())
        return layout.run_file.exists() and is_taken(layout.folder)

    @classmethod
    def find(cls, data: Path) -> "Running":
        """What `make up` wrote for that data folder. Raises StartError if no system runs on it."""
        layout = Layout(data.absolute())
        if not cls.is_there(data):
            raise StartError(
                f"No system runs on {layout.folder}. Start one in another terminal: {typed('make up', layout.folder)}"
            )
        try:
            state = json.loads(layout.run_file.read_text())
            return cls(
                state["addresses"], Path(state["data"]), Path(state["control"]), state["ports"], state["services"]
            )
        except (OSError, ValueError, KeyError) as error:
            raise StartError(
                f"What the system on {layout.folder} says of itself cannot be read ({layout.run_file}). Start it again: make up"
            ) from error

    def ask(self, do: str, **values: Any) -> Any:
        """Asks the running system to do something (`local/control.py`). Raises StartError with its sentence."""
        return ask(self.control, do, **values)


def typed(command: str, folder: Path) -> str:
    """A command of ours as it is typed for the system on that data folder."""
    return command if folder == Path.cwd() / ".onsale" else f"{command} DATA={folder}"
