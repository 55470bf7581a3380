"""What the auditor is made of: copies that it takes, promises that it checks, and what it found."""

from dataclasses import dataclass, field
from typing import Any

LIVENESS = 0
MOST_NAMED = 20  # rows of one promise that are printed by name; all are counted


@dataclass(frozen=True)
class Copy:
    """A read of a service's database that becomes a temporary table `<service>_<name>` of the auditor's own session.

    `needs`: a table that a service may not have yet; without it the copy is left out.
    """

    service: str
    name: str
    query: str
    needs: str = ""

    @property
    def table(self) -> str:
        """What the promises call it."""
        return f"{self.service}_{self.name}"


@dataclass(frozen=True)
class Invariant:
    """A promise about all databases together. Its query has a row for everything that breaks it, and none if it holds.

    `number` is that of the catalogue of invariants. A column `about` of the query names an order wherever there is one:
    `make trace ORDER=` takes its id or number.
    """

    number: int
    name: str
    promises: str
    query: str
    needs: tuple[str, ...] = ()


@dataclass(frozen=True)
class Broken:
    """A promise that does not hold: the first rows that break it, and how many there are."""

    invariant: Invariant
    rows: tuple[dict[str, Any], ...]
    count: int

    @property
    def named(self) -> list[str]:
        """A sentence for each row that is named, with its facts."""
        return [_sentence(row) for row in self.rows]

    @property
    def sentences(self) -> list[str]:
        """The same, and how many more there are."""
        more = self.count - len(self.rows)
        return [*self.named, f"and {more} more"] if more > 0 else self.named


@dataclass(frozen=True)
class Audit:
    """What came of one look at everything."""

    broken: tuple[Broken, ...]
    held: tuple[Invariant, ...]
    left_out: tuple[Invariant, ...] = ()
    counts: dict[str, int] = field(default_factory=dict)
    seconds: float = 0.0
    seconds_until_rest: float = 0.0

    @property
    def numbers(self) -> set[int]:
        """The numbers of the invariants that are broken."""
        return {each.invariant.number for each in self.broken}

    @property
    def names(self) -> set[str]:
        """The names of the promises that are broken."""
        return {each.invariant.name for each in self.broken}

    @property
    def findings(self) -> list[str]:
        """All that is wrong, as sentences."""
        return [f"{each.invariant.name}: {said}" for each in self.broken for said in each.sentences]


def _sentence(row: dict[str, Any]) -> str:
    about = row.get("about")
    facts = ", ".join(f"{name.replace('_', ' ')} {_shown(value)}" for name, value in row.items() if name != "about")
    return f"{about}: {facts}" if about is not None and facts else str(about or facts)


def _shown(value: object) -> str:
    return "nothing" if value is None else str(value)
