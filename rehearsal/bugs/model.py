"""What a planted bug is, and what came of planting it."""

from dataclasses import dataclass

BANK = "bank"  # its ledger is a file
TOLD = "told"  # the log of what buyers were told


@dataclass(frozen=True)
class RowBug:
    """Rows as a bug would leave them, in a copy of a database that has no constraints and no triggers.

    `number` is that of the invariant that must find it. `database`: a service, `BANK` or `TOLD`; for `TOLD` the statements are
    lines of the log, in which `$CONFIRMED_NUMBER` and `$CANCELLED_NUMBER` stand for such orders.
    """

    name: str
    does: str
    number: int
    database: str
    statements: tuple[str, ...]


@dataclass(frozen=True)
class CodeBug:
    """A fault that is switched on in a running service (`rehearsal/bugs/code.py`), while a small crowd buys."""

    name: str
    does: str
    number: int
    service: str


@dataclass(frozen=True)
class TestedBug:
    """A fault that only shows between processes that are slow or die: a test makes that happen, and must fail with it.

    `test` is its name as pytest takes it.
    """

    name: str
    does: str
    test: str


@dataclass(frozen=True)
class Outcome:
    """Whether the bug was found by whom it must be found, by what it was found, and what the database says to it."""

    bug: RowBug | CodeBug | TestedBug
    caught: bool
    found: tuple[int, ...]
    refused_by: str = ""
    example: str = ""
