"""Whose is what: `make owners` prints who knows which feature, where that hangs on one person, and what is owed until when.

All of it stands in the descriptors of the services (`services/*/catalog-info.yaml`), as annotations of their Component:

    onsale.dev/expert-holds: ada, grace
    onsale.dev/debt-shards-in-a-cluster: "2027-09-30 Places in several databases were never tried in a cluster. ..."

Its exit code is 1 while a debt is past its date, and 2 when a descriptor cannot be read so.
"""

import argparse
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from contracts.completeness.descriptors import NAME, read_entities
from contracts.completeness.services import ROOT
from contracts.pactfile import ContractBroken, exit_code_of

FOLDER = ROOT / "services"
OURS = "onsale.dev/"
_ANNOTATION = re.compile(rf"{re.escape(OURS)}(?P<kind>expert|debt)-(?P<name>[a-z][a-z0-9]*(?:-[a-z0-9]+)*)")
_PERSON = re.compile(r"[a-z][a-z0-9]*(?:[-.][a-z0-9]+)*")
_DEBT = re.compile(r"(?P<due>\S+)(?:\s+(?P<words>.+))?", re.DOTALL)
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
TEAM = "team-"
# With fewer the feature is a gap: one person is ill, on holiday or gone one day.
ENOUGH_EXPERTS = 2
# The feature of a service that names none, as a new one does: nobody is known to know any of it.
ALL_OF_IT = "(all of it)"
EXAMPLES = f"{OURS}expert-holds: ada, grace, or {OURS}debt-old-table: '2027-06-30 What is owed, and who pays it'"


@dataclass(frozen=True)
class Feature:
    """A part of a service that somebody knows. `experts` are people's names; none: nobody does."""

    name: str
    service: str
    team: str
    experts: tuple[str, ...]

    @property
    def is_gap(self) -> bool:
        """Whether it hangs on one person, or on nobody."""
        return len(self.experts) < ENOUGH_EXPERTS


@dataclass(frozen=True, order=True)
class Debt:
    """What a service owes: work that was put off, by a day, with who pays it."""

    due: date
    service: str
    name: str
    team: str
    words: str

    def is_late(self, today: date) -> bool:
        """Whether its day is over."""
        return self.due < today


@dataclass(frozen=True)
class Owners:
    """What all descriptors say. `problems`: a sentence for each annotation that says nothing that could be read."""

    features: tuple[Feature, ...]
    debts: tuple[Debt, ...]
    problems: tuple[str, ...]

    def late(self, today: date) -> list[Debt]:
        """Debts that are past their date, the longest overdue first."""
        return [debt for debt in self.debts if debt.is_late(today)]


def read_owners(folder: Path = FOLDER) -> Owners:
    """What the descriptors below a folder say. Raises ContractBroken for one that is no descriptor at all."""
    said = [each for path in sorted(folder.glob(f"*/{NAME}")) for each in _said_in(path)]
    return Owners(
        tuple(sorted((each for each in said if isinstance(each, Feature)), key=lambda each: (each.name, each.service))),
        tuple(sorted(each for each in said if isinstance(each, Debt))),
        tuple(each for each in said if isinstance(each, str)),
    )


def _said_in(path: Path) -> Iterator[Feature | Debt | str]:
    for entity in read_entities(path):
        if entity.get("kind") == "Component":
            team = str(entity.get("spec", {}).get("owner", "")).rpartition("/")[2]
            annotations = entity.get("metadata", {}).get("annotations") or {}
            ours = {str(name): value for name, value in annotations.items() if str(name).startswith(OURS)}
            if not any(name.startswith(f"{OURS}expert-") for name in ours):
                yield Feature(ALL_OF_IT, path.parent.name, team, ())
            for annotation, value in ours.items():
                yield _understood(path, team, annotation, value)


def _understood(path: Path, team: str, annotation: str, value: Any) -> Feature | Debt | str:
    where = f"{'/'.join(path.parts[-3:])}: {annotation}"
    found = _ANNOTATION.fullmatch(annotation)
    if found is None:
        return f"{where} is no annotation that is used here. Write it like {EXAMPLES}"
    if not isinstance(value, str):
        return f"{where} has {value!r}, which is not read as text. Put it in quotes, like {EXAMPLES}"
    service, name = path.parent.name, found["name"]
    return (
        _feature(where, service, team, name, value)
        if found["kind"] == "expert"
        else _debt(where, service, team, name, value)
    )


def _feature(where: str, service: str, team: str, name: str, value: str) -> Feature | str:
    experts = tuple(each.strip() for each in value.split(",")) if value.strip() else ()
    for each in experts:
        if each.startswith(TEAM):
            return f"{where} names {each}. A team is the owner, and knows nothing that nobody in it knows: name people."
        if not _PERSON.fullmatch(each):
            return f"{where} has {each!r}, which is no name. Write names of people with commas between them: ada, grace"
    if len(set(experts)) < len(experts):
        return f"{where} names somebody twice. Name each person once: who knows it twice is still one."
    return Feature(name, service, team, experts)


def _debt(where: str, service: str, team: str, name: str, value: str) -> Debt | str:
    found = _DEBT.fullmatch(value.strip())
    due, words = (found["due"], found["words"]) if found else ("", None)
    example = f"Begin with a day, like {OURS}debt-{name}: '2027-06-30 What is owed, and who pays it'"
    if not due[:1].isdigit():
        return f"{where} has no date. {example}"
    try:
        day = date.fromisoformat(due) if _DAY.fullmatch(due) else None
    except ValueError:
        day = None
    if day is None:
        return f"{where} has {due!r}, which is no day. {example}"
    if not words:
        return f"{where} does not say what is owed. {example}"
    return Debt(day, service, name, team, " ".join(words.split()))


def table(owners: Owners, today: date) -> str:
    """Features with who knows them; then those that too few know; then debts by their date."""
    return "\n\n".join([_features(owners), _gaps(owners), _debts(owners, today)])


def _features(owners: Owners) -> str:
    rows = [("feature", "service", "team", "experts")]
    rows += [(each.name, each.service, each.team, ", ".join(each.experts) or "(nobody)") for each in owners.features]
    return _columns(rows)


def _gaps(owners: Owners) -> str:
    gaps = [each for each in owners.features if each.is_gap]
    if not gaps:
        return "No gaps: two people or more know each feature."
    rows = [(f"  {each.name}", each.service, f"only {each.experts[0]}" if each.experts else "nobody") for each in gaps]
    return f"Gaps: {len(gaps)} of {len(owners.features)} features are known to one person or none\n{_columns(rows)}"


def _debts(owners: Owners, today: date) -> str:
    if not owners.debts:
        return "No debts."
    rows = [(f"  {each.due}", _days(each, today), each.service, each.name) for each in owners.debts]
    heads = _columns(rows).splitlines()
    lines = [f"{head}\n{'':14}{each.words}" for head, each in zip(heads, owners.debts, strict=True)]
    return "\n".join([f"Debts, by their date: what is late comes first (seen from {today})", *lines])


def _days(debt: Debt, today: date) -> str:
    days = (debt.due - today).days
    return f"LATE {-days} d" if debt.is_late(today) else f"in {days} d"


def _columns(rows: Sequence[tuple[str, ...]]) -> str:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join(
        "  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )


def sentence_on_late(late: list[Debt]) -> str:
    """What to do about debts that are past their date."""
    which = "; ".join(f"{OURS}debt-{each.name} of services/{each.service}/{NAME} ({each.due})" for each in late)
    one = len(late) == 1
    return (
        f"{len(late)} {'debt is' if one else 'debts are'} past {'its date' if one else 'their dates'}: {which}. "
        f"Pay {'it' if one else 'them'} and remove the annotation, or agree with whoever pays on another day, write it there, and "
        "say why in the commit."
    )


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="make owners", description="Who knows what, and what is owed until when.")
    parser.add_argument("--date", type=_day, default=datetime.now(UTC).date(), help="as on that day (DATE=2027-07-01)")
    today: date = parser.parse_args().date
    owners = read_owners()
    print(table(owners, today))
    if owners.problems:
        raise ContractBroken("\n".join(["", *owners.problems]))
    if late := owners.late(today):
        print(f"\n{sentence_on_late(late)}", file=sys.stderr)
        return 1
    return 0


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(
            f"it is a day such as 2027-07-01, not {text!r} (make owners DATE=...)"
        ) from error


if __name__ == "__main__":
    sys.exit(exit_code_of(main))
