"""How two schemas differ, for whoever reads what they describe, and for whoever sends it.

A message may bring less than before, never more: its readers know what was promised. A request may take more, never less: its
senders go on as they did.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from contracts.promises.declared import Schema

UPPER = ("maximum", "exclusiveMaximum", "maxLength", "maxItems")
LOWER = ("minimum", "exclusiveMinimum", "minLength", "minItems")

Compare = Callable[[Schema, Schema, str, tuple[str, ...]], Iterator["Change"]]


@dataclass(frozen=True)
class Change:
    """A change that is no growth. `is_about_absence`: who does not send what is at the path is concerned, not who does."""

    path: str
    what: str
    is_about_absence: bool = False

    def __str__(self) -> str:
        return f"{self.path} {self.what}."


def of_answers(old: Schema, new: Schema, path: str = "$", above: tuple[str, ...] = ()) -> Iterator[Change]:
    """What a reader of the old message meets that it does not expect: gone, perhaps left out, of another type, of new values."""
    before, after = old.branches(), new.branches()
    yield from _wider(before, after, path, "may be {} now")
    for branch in before:
        partner = _partner(branch, after)
        if partner is None:
            yield from (Change(f"{path}.{name}={value}", "is gone") for name, value in _constants(branch).items())
        elif branch.place not in above:
            within = (*above, branch.place)
            yield from _members_of_answers(branch, partner, path, within)
            yield from _items(branch, partner, path, within, of_answers)


def _members_of_answers(old: Schema, new: Schema, path: str, above: tuple[str, ...]) -> Iterator[Change]:
    for name, member in old.members.items():
        where = f"{path}.{name}"
        if name not in new.members:
            yield Change(where, "is gone")
            continue
        if name in old.required and name not in new.required:
            yield Change(where, "may be left out now")
        yield from of_answers(member, new.members[name], where, above)


def of_requests(old: Schema, new: Schema, path: str = "$", above: tuple[str, ...] = ()) -> Iterator[Change]:
    """What a sender of the old request is refused for: something more is needed, or less is taken."""
    before, after = old.branches(), new.branches()
    yield from _wider(after, before, path, "may not be {} any more")
    for branch in before:
        partner = _partner(branch, after)
        if partner is not None and branch.place not in above:
            within = (*above, branch.place)
            yield from _tighter(branch, partner, path)
            yield from _members_of_requests(branch, partner, path, within)
            yield from _items(branch, partner, path, within, of_requests)


def _members_of_requests(old: Schema, new: Schema, path: str, above: tuple[str, ...]) -> Iterator[Change]:
    for name in sorted(new.required - old.required):
        yield Change(f"{path}.{name}", "is required now", is_about_absence=True)
    for name, member in old.members.items():
        where = f"{path}.{name}"
        if name in new.members:
            yield from of_requests(member, new.members[name], where, above)
        elif new.node.get("additionalProperties") is False:
            yield Change(where, "is refused now")


def _items(old: Schema, new: Schema, path: str, above: tuple[str, ...], compare: Compare) -> Iterator[Change]:
    before, after = old.item(0), new.item(0)
    if before is not None and after is not None:
        yield from compare(before, after, f"{path}[*]", above)


def _wider(narrow: list[Schema], wide: list[Schema], path: str, words: str) -> Iterator[Change]:
    """What the second of two unions allows and the first does not: types, values, forms of text, other objects."""
    for branch in wide:
        same = [each for each in narrow if not each.types or branch.types & each.types]
        further = sorted(kind for kind in branch.types if not _allows_type(narrow, kind))
        if further or (not branch.types and all(each.types for each in narrow)):
            yield Change(path, words.format(" or ".join(further) or "anything"))
            continue
        yield from _further_values(same, branch, path, words)
        partner = _partner(branch, narrow)
        # A refusal of another code is no surprise: whoever does not know a code takes it as a refusal.
        if partner is None and branch.members and not _constants(branch):
            yield Change(path, words.format(branch.place))
        form = partner.node.get("format") if partner else None
        if form and branch.node.get("format") != form:
            yield Change(path, words.format(f"text that is no {form}"))


def _further_values(narrow: list[Schema], branch: Schema, path: str, words: str) -> Iterator[Change]:
    if not narrow or any(each.values is None for each in narrow):
        return
    known = [value for each in narrow for value in each.values or ()]
    if branch.values is None:
        yield Change(path, words.format(f"anything but {', '.join(map(str, known))}"))
    elif further := [str(value) for value in branch.values if value not in known]:
        yield Change(path, words.format(" or ".join(further)))


def _allows_type(union: list[Schema], kind: str) -> bool:
    return any(not each.types or kind in each.types or (kind == "integer" and "number" in each.types) for each in union)


def _partner(branch: Schema, union: list[Schema]) -> Schema | None:
    """The alternative of another union that stands for the same: of its type, and with its constants (a refusal's code)."""
    same = [each for each in union if not branch.types or not each.types or branch.types & each.types]
    alike = [each for each in same if _constants(each) == _constants(branch)]
    if alike:
        return alike[0]
    return same[0] if len(same) == 1 else None


def _constants(branch: Schema) -> dict[str, Any]:
    return {name: member.node["const"] for name, member in branch.members.items() if "const" in member.node}


def _tighter(old: Schema, new: Schema, path: str) -> Iterator[Change]:
    for name in (*UPPER, *LOWER):
        before, after = old.node.get(name), new.node.get(name)
        if after is None or before == after:
            continue
        if before is None or (after < before if name in UPPER else after > before):
            yield Change(path, f"has a {name} of {after} now")
    if (pattern := new.node.get("pattern")) and pattern != old.node.get("pattern"):
        yield Change(path, f"must fit {pattern} now")
