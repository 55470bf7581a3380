"""Breaks of what providers tell: planted into real facts and bus messages, one in each at a time.

A group is what one consumer reads of one subject. A break in it is caught when one of its interactions minds, when a moment is too far
off, or when a value is not the one that its teller knows it to be.
"""

import json
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chassis.testing import Overheard
from contracts.demanded import paths_of
from contracts.mutation.generated.kinds import KINDS
from contracts.mutation.generated.recording import Told, told_of
from contracts.pactfile import Edge, Interaction, edges, read
from contracts.provider import minded_of_told

Change = Callable[[Any], Any | None]


@dataclass(frozen=True, eq=False)
class Break:
    """One way in which what a consumer reads of a subject is wrong."""

    edge: Edge
    about: str
    what: str
    kind: str
    change: Change

    def __str__(self) -> str:
        return f"{self.edge}, {self.about}: {self.what} {self.kind}"

    def spoil(self, told: Overheard) -> Overheard | None:
        """What is told with this break in it; None where it cannot be planted."""
        changed = self.change(json.loads(told.body))
        return None if changed is None else Overheard(json.dumps(changed).encode(), told.headers)


class Facts:
    """The contracts on what one provider tells (`hears`) or says on the bus (`watches`), and breaks of it."""

    def __init__(self, kind: str, provider: str, recorded: Path) -> None:
        self._told: Told = told_of(recorded, kind, provider)
        self._groups: dict[tuple[Edge, str], list[Interaction]] = defaultdict(list)
        for edge in (each for each in edges() if each.kind == kind and each.provider == provider):
            for interaction in read(edge):
                self._groups[edge, interaction["description"].split()[0]].append(interaction)

    def breaks(self) -> list[Break]:
        """All of them."""
        return [each for (edge, about), found in self._groups.items() for each in self._breaks_of(edge, about, found)]

    def survivors(self, breaks: Sequence[Break]) -> list[Break]:
        """Those that nobody minds."""
        waiting = {each: [name for name in self._names(each) if each.spoil(self._told.said[name])] for each in breaks}
        found: list[Break] = []
        while waiting:
            planted: dict[tuple[Edge, str], Break] = {}
            for each, names in waiting.items():
                if (each.edge, names[0]) not in planted:
                    planted[each.edge, names.pop(0)] = each
            for (edge, name), each in planted.items():
                spoiled = each.spoil(self._told.said[name]) or self._told.said[name]
                if minded_of_told(edge, name, spoiled, self._told.known):
                    del waiting[each]
                elif not waiting[each]:
                    found.append(each)
                    del waiting[each]
        return found

    def _names(self, planted: Break) -> list[str]:
        return [each["description"] for each in self._groups[planted.edge, planted.about]]

    def _breaks_of(self, edge: Edge, about: str, interactions: list[Interaction]) -> Iterator[Break]:
        contents = [each["contents"]["content"] for each in interactions]
        for path in sorted({path for content in contents for path in paths_of("$", content)}):
            for kind in KINDS:
                found = Break(edge, about, path, kind.name, kind.at(path))
                if any(found.spoil(self._told.said[each["description"]]) for each in interactions):
                    yield found
