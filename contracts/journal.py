"""What the tests of contracts did, reported from their processes to the command that started them.

`CONTRACTS_JOURNAL` names a file; without it nothing is kept. A line is an entry, so that several processes can write at once.
"""

import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal, Self

import orjson

from contracts.pactfile import Edge

JOURNAL = "CONTRACTS_JOURNAL"

What = Literal["written", "compared", "verified"]
Outcome = Literal["held", "broken", "unknown", "failed"]


@dataclass(frozen=True)
class Found:
    """What became of one interaction at its provider, and why.

    `unknown`: this version has no handler for it. `failed`: it has one, and that did not work.
    """

    description: str
    outcome: Outcome
    why: str = ""


@dataclass(frozen=True)
class Entry:
    """A pact was written, compared with what is committed, or verified at its provider."""

    what: What
    edge: Edge
    interactions: int
    found: tuple[Found, ...] = ()

    def as_line(self) -> bytes:
        """One line of the journal."""
        return orjson.dumps(asdict(self)) + b"\n"

    @classmethod
    def of_line(cls, line: bytes) -> Self:
        """The reverse."""
        values = orjson.loads(line)
        found = tuple(Found(**each) for each in values["found"])
        return cls(values["what"], Edge(**values["edge"]), values["interactions"], found)


def note(entry: Entry) -> None:
    """Keeps an entry, if somebody wants to know."""
    name = os.environ.get(JOURNAL)
    if not name:
        return
    # One write, at the end of the file wherever that is by then: lines of several processes do not mix.
    journal = os.open(name, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    try:
        os.write(journal, entry.as_line())
    finally:
        os.close(journal)


def entries(journal: Path) -> list[Entry]:
    """All whole entries until now."""
    if not journal.exists():
        return []
    return [Entry.of_line(line) for line in journal.read_bytes().splitlines(keepends=True) if line.endswith(b"\n")]
