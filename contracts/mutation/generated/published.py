"""Breaks of what providers tell: planted into real facts and bus messages, one in each at a time.

A group is what one consumer reads of one subject. A break in it is caught when one of its interactions minds, when a moment is too far
off, or when a value is not the one that its teller knows it to be.
"""

import json
from collections import defaultdict, deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from contracts.demanded import paths_of
from contracts.mutation.generated.kinds import KINDS
from contracts.mutation.generated.recording import published_of
from contracts.pactfile import Edge, Interaction, edges, read
from contracts.provider import Published, minded_of_published

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

    def spoil(self, published: Published) -> Published | None:
        """What is published with this break in it; None where it cannot be planted."""
        changed = self.change(json.loads(published.body))
        return None if changed is None else replace(published, body=json.dumps(changed).encode())


class PublishedBreaks:
    """The contracts on what one provider tells (`hears`) or says on the bus (`watches`), and breaks of it."""

    def __init__(self, kind: str, provider: str, recorded: Path) -> None:
        self._published = {name: Published(**each) for name, each in published_of(recorded, kind, provider).items()}
        self._groups: dict[tuple[Edge, str], list[Interaction]] = defaultdict(list)
        for edge in (each for each in edges() if each.kind == kind and each.provider == provider):
            for interaction in read(edge):
                self._groups[edge, interaction["description"].split()[0]].append(interaction)

    def breaks(self) -> list[Break]:
        """All of them."""
        return [each for (edge, about), found in self._groups.items() for each in self._breaks_of(edge, about, found)]

    def survivors(self, breaks: Sequence[Break]) -> list[Break]:
        """Those that nobody minds. Each verification has at most one break in each interaction."""
        waiting = {each: self._candidates(each, number) for number, each in enumerate(breaks)}
        found: list[Break] = []
        while waiting:
            for edge, planted in _by_edge(waiting).items():
                spoilt = {
                    name: each.spoil(self._published[name]) or self._published[name]
                    for name, (_, each) in planted.items()
                }
                minded = minded_of_published(edge, [interaction for interaction, _ in planted.values()], spoilt)
                for name, (_, each) in planted.items():
                    if name in minded or not waiting[each]:
                        found += [] if name in minded else [each]
                        del waiting[each]
        return found

    def _candidates(self, planted: Break, number: int) -> deque[Interaction]:
        members = self._groups[planted.edge, planted.about]
        can = deque(each for each in members if planted.spoil(self._published[each["description"]]))
        can.rotate(-number)
        return can

    def _breaks_of(self, edge: Edge, about: str, interactions: list[Interaction]) -> Iterator[Break]:
        contents = [each["contents"]["content"] for each in interactions]
        for path in sorted({path for content in contents for path in paths_of("$", content)}):
            for kind in KINDS:
                found = Break(edge, about, path, kind.name, kind.at(path))
                if any(found.spoil(self._published[each["description"]]) for each in interactions):
                    yield found


def _by_edge(waiting: dict[Break, deque[Interaction]]) -> dict[Edge, dict[str, tuple[Interaction, Break]]]:
    """For each edge, and each of its interactions by description, a break to plant in it."""
    found: dict[Edge, dict[str, tuple[Interaction, Break]]] = defaultdict(dict)
    for each, members in waiting.items():
        name = members[0]["description"]
        if name not in found[each.edge]:
            found[each.edge][name] = (members.popleft(), each)
    return found
