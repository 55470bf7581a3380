"""In which ways what a consumer reads can be wrong, and the changes of a real answer that make it so.

A change is given a sound document and where the consumer reads in it (`$.lines[].quantity`: in every item). It is made wherever that
path leads, and tells by None that it cannot be made there: there is nothing to exchange a value with, or no order to change.
"""

import copy
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?Z")
WORD = re.compile(r"[a-z]+(_[a-z0-9]+)*")
MINOR, SECONDS = "_minor", "_seconds"
LOCAL = timedelta(hours=2)

Holder = dict[str, Any]
Change = Callable[[Any], Any | None]


@dataclass(frozen=True)
class Kind:
    """A way to be wrong. `spoil` changes the value of a name within what holds it, and returns whether there was anything to change."""

    name: str
    spoil: Callable[[Holder, str], bool]

    def at(self, path: str) -> Change:
        """The change of a whole document that makes it wrong at a path; None where it cannot be made."""

        def change(document: Any) -> Any | None:
            spoiled = copy.deepcopy(document)
            done = [self.spoil(holder, name) for holder, name in holders_of(spoiled, path)]
            return spoiled if any(done) and spoiled != document else None

        return change


def holders_of(document: Any, path: str) -> Iterator[tuple[Holder, str]]:
    """The objects that have the last name of a path, all items of lists on the way, and that name."""
    *way, last = path.removeprefix("$.").split(".")
    here = [document]
    for step in way:
        here = [below for each in here for below in _step(each, step.removesuffix("[]"), step.count("[]"))]
    yield from ((each, last) for each in here if isinstance(each, dict) and last in each)


def _step(value: Any, name: str, lists: int) -> list[Any]:
    found = [value.get(name)] if isinstance(value, dict) else []
    for _ in range(lists):
        found = [item for each in found if isinstance(each, list) for item in each]
    return found


def _removed(holder: Holder, name: str) -> bool:
    del holder[name]
    return True


def _renamed(holder: Holder, name: str) -> bool:
    holder[f"{name}_"] = holder.pop(name)
    return True


def _null(holder: Holder, name: str) -> bool:
    is_something = holder[name] is not None
    holder[name] = None
    return is_something


def _other_type(holder: Holder, name: str) -> bool:
    match holder[name]:
        case bool() as value:
            holder[name] = str(value).lower()
        case int() | float() as value:
            holder[name] = str(value)
        case str():
            holder[name] = 42
        case list() as value:
            holder[name] = {str(number): item for number, item in enumerate(value)}
        case dict() as value:
            holder[name] = list(value.values())
        case _:
            holder[name] = "something"
    return True


def _other_format(holder: Holder, name: str) -> bool:
    match holder[name]:
        case str() as value if UUID.fullmatch(value):
            holder[name] = value.upper()
        case str() as value if MOMENT.fullmatch(value):
            holder[name] = f"{value[:-1]}+00:00"
        case bool():
            return False
        case int() as value:
            holder[name] = value + 0.5
        case _:
            return False
    return True


def _empty(holder: Holder, name: str) -> bool:
    match holder[name]:
        case [_, *_]:
            holder[name] = []
        case str() as value if value:
            holder[name] = ""
        case _:
            return False
    return True


def _other_case(holder: Holder, name: str) -> bool:
    value = holder[name]
    is_word = isinstance(value, str) and WORD.fullmatch(value) is not None
    if is_word:
        holder[name] = value.upper()
    return is_word


def _other_unit(holder: Holder, name: str) -> bool:
    value = holder[name]
    if not isinstance(value, int) or isinstance(value, bool) or not value or not name.endswith((MINOR, SECONDS)):
        return False
    holder[name] = value // 100 if name.endswith(MINOR) else value * 1000
    return True


def _other_zone(holder: Holder, name: str) -> bool:
    """The clock on the wall, as if it were UTC."""
    value = holder[name]
    if not isinstance(value, str) or not MOMENT.fullmatch(value):
        return False
    moment = datetime.fromisoformat(value) + LOCAL
    holder[name] = moment.isoformat().replace("+00:00", "Z")
    return True


def _other_order(holder: Holder, name: str) -> bool:
    value = holder[name]
    if not isinstance(value, list) or len(value) < 2:
        return False
    value.reverse()
    return True


def _exchanged(holder: Holder, name: str) -> bool:
    """With the next one of the same type."""
    names = sorted(holder)
    after = [*names[names.index(name) + 1 :], *names[: names.index(name)]]
    kind = _type_of(holder[name])
    other = next(
        (each for each in after if kind and _type_of(holder[each]) == kind and holder[each] != holder[name]), None
    )
    if other is None:
        return False
    holder[name], holder[other] = holder[other], holder[name]
    return True


def _type_of(value: Any) -> str:
    match value:
        case bool():
            return "boolean"
        case int():
            return "number"
        case str() if UUID.fullmatch(value):
            return "id"
        case str() if MOMENT.fullmatch(value):
            return "moment"
        case str() if value:
            return "text"
    return ""


KINDS = (
    Kind("removed", _removed),
    Kind("renamed", _renamed),
    Kind("null", _null),
    Kind("another type", _other_type),
    Kind("another format", _other_format),
    Kind("empty", _empty),
    Kind("another case", _other_case),
    Kind("another unit", _other_unit),
    Kind("another zone", _other_zone),
    Kind("another order", _other_order),
    Kind("exchanged with its neighbour", _exchanged),
)
