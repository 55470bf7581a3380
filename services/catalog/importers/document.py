"""Reads a JSON file field by field, and always knows the path of the field that it reads."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import NoReturn

from services.catalog.domain import ImportRefused
from services.catalog.importers.colours import hex_colour, opaque

MAX_FILE_BYTES = 16 * 1024 * 1024
_PLAIN_KEY = re.compile(r"[A-Za-z_@][A-Za-z0-9_:@-]*")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
_KINDS = {dict: "an object", list: "a list", str: "text", bool: "true or false", type(None): "null"}


def parse_json(content: bytes) -> object:
    """The document in `content` (UTF-8, a byte order mark is tolerated); numbers with a point are `Decimal`."""
    if len(content) > MAX_FILE_BYTES:
        megabytes = MAX_FILE_BYTES // (1024 * 1024)
        raise ImportRefused("", f"The file is too large: at most {megabytes} MB are taken. Split it.")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ImportRefused(
            "", f"The file is not UTF-8 text (the byte at offset {error.start:,} is not). Save it as UTF-8."
        ) from error
    try:
        return json.loads(text, parse_float=Decimal, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        raise ImportRefused(
            "", f"The file is not JSON: {error.msg} in line {error.lineno}, column {error.colno}."
        ) from error
    except RecursionError as error:
        raise ImportRefused("", "The file is nested too deeply to be an event or a seating plan.") from error
    except (ValueError, ArithmeticError) as error:  # thousands of digits, or an exponent of that kind
        raise ImportRefused("", "The file holds a number that is too long to be meant.") from error


def _no_constant(name: str) -> NoReturn:
    raise ImportRefused("", f"The file is not JSON: it contains {name}, which is no number of JSON.")


@dataclass(slots=True)
class Reading:
    """What is learnt while a JSON-LD document is read: which fields were asked for, and what was passed over.

    `known` are the objects that have an `@id`, by it; `prefixes` are what may stand before a name of schema.org."""

    known: dict[str, "Node"] = field(default_factory=dict)
    prefixes: tuple[str, ...] = ("schema:", "https://schema.org/", "http://schema.org/")
    _asked: set[str] = field(default_factory=set)
    _objects: dict[str, dict[str, object]] = field(default_factory=dict)
    _passed_over: dict[str, str] = field(default_factory=dict)
    _others: dict[str, str] = field(default_factory=dict)

    def ask(self, path: str, mapping: dict[str, object], field_path: str) -> None:
        """Notes that a field of an object was asked for."""
        self._objects[path] = mapping
        self._asked.add(field_path)

    def pass_over(self, path: str, why: str = "") -> None:
        """Notes that what stands there has no effect."""
        self._passed_over.setdefault(path, why)

    def pass_over_unless_read(self, path: str, kind: str) -> None:
        """Notes an object that is no event; it may still be what an event refers to."""
        self._others.setdefault(path, kind)

    def passed_over(self) -> dict[str, str]:
        """What had no effect, by path, with a reason where there is one: what was noted, and every field that nobody asked for."""
        found = {path: kind for path, kind in self._others.items() if path not in self._objects} | self._passed_over
        whole = frozenset(found)
        for path, mapping in self._objects.items():
            if path in self._passed_over or _is_within(path, whole):
                continue
            for key in mapping:
                field_path = below(path, key)
                if key not in _KEYWORDS and field_path not in self._asked:
                    found.setdefault(field_path, "")
        return found


def _is_within(path: str, wholes: frozenset[str]) -> bool:
    """Whether a path leads into one of these."""
    return any(sign in ".[" and path[:at] in wholes for at, sign in enumerate(path))


# Fields of JSON-LD itself; the context of schema.org gives `type` and `id` the same meaning.
_KEYWORDS = frozenset({"@context", "@type", "@id", "@graph", "@language", "@value", "type", "id"})


def below(path: str, key: str) -> str:
    """The path of a field of what stands at `path`."""
    shown = key if _PLAIN_KEY.fullmatch(key) else json.dumps(key, ensure_ascii=False)
    return f"{path}.{shown}" if path else shown


@dataclass(frozen=True, slots=True)
class Node:
    """A value in the document and the path to it. Each reader returns what was asked for, or refuses with the path.

    In JSON-LD (with a `reading`) a field may be written with its prefix, a value as an object with `@value`, and an object as a
    reference to another one: what is meant is read, at the path where it stands."""

    value: object
    path: str
    reading: Reading | None = field(default=None, compare=False, repr=False)

    def refuse(self, sentence: str) -> NoReturn:
        """Refuses the file because of this field."""
        raise ImportRefused(self.path, sentence)

    def pass_over(self, why: str) -> None:
        """Notes that this is not used, and why."""
        if self.reading is not None:
            self.reading.pass_over(self.path, why)

    def at(self, key: str) -> "Node":
        """The field of that name; its value is None if it is missing. Refuses if this is not an object."""
        mapping = self.mapping()
        if self.reading is None:
            return Node(mapping.get(key), below(self.path, key))
        names = (key, *(prefix + key for prefix in self.reading.prefixes)) if ":" not in key else (key,)
        name = next((each for each in names if mapping.get(each) is not None), key)
        found = Node(mapping.get(name), below(self.path, name), self.reading)
        self.reading.ask(self.path, mapping, found.path)
        return found.meant()

    def meant(self) -> "Node":
        """What this stands for: the value of a value object, or what a reference refers to."""
        value, reading = self.value, self.reading
        if reading is None or not isinstance(value, dict):
            return self
        for key in ("@value", "@list", "@set"):
            if key in value:
                return Node(value[key], self.path, reading)
        reference = value.get("@id", value.get("id"))
        if isinstance(reference, str) and reference in reading.known and _KEYWORDS.issuperset(value):
            return reading.known[reference]
        return self

    @property
    def missing(self) -> bool:
        return self.value is None

    @property
    def empty(self) -> bool:
        """Whether it is missing or says nothing: empty text, or an empty list or object."""
        return (
            self.value is None or self.value in ("", [], {}) or (isinstance(self.value, str) and not self.value.strip())
        )

    def mapping(self) -> dict[str, object]:
        """The fields of an object."""
        if not isinstance(self.value, dict):
            self.refuse(f"Here belongs an object, but this is {self.shown()}.")
        return self.value

    def items(self, *, at_most: int) -> Iterator["Node"]:
        """The items of a list."""
        if not isinstance(self.value, list):
            self.refuse(f"Here belongs a list, but this is {self.shown()}.")
        if len(self.value) > at_most:
            self.refuse(f"This list has {len(self.value):,} items; at most {at_most:,} are taken.")
        for index, item in enumerate(self.value):
            yield Node(item, f"{self.path}[{index}]", self.reading).meant()

    def one_or_many(self, *, at_most: int) -> list["Node"]:
        """JSON-LD writes a single value without its list: the items of a list, or this itself; none if missing."""
        if self.missing:
            return []
        return list(self.items(at_most=at_most)) if isinstance(self.value, list) else [self]

    def first(self) -> "Node":
        """The first of several values, where one is enough; the others are passed over."""
        if not isinstance(self.value, list) or not self.value:
            return self
        first, *others = self.items(at_most=len(self.value))
        for other in others:
            other.pass_over("one is enough")
        return first

    def text(self, *, at_most: int, lines: bool = False) -> str:
        """Text that is not empty, without surrounding space; `lines` allows line breaks and tabs."""
        if not isinstance(self.value, str):
            self.refuse(f"Here belongs text, but this is {self.shown()}.")
        if _CONTROL.search(self.value):
            self.refuse("The text contains control characters. Remove them.")
        text = self.value.strip() if lines else " ".join(self.value.split())
        if not text:
            self.refuse("The text is empty. Fill it in, or leave the field out where that is allowed.")
        if len(text) > at_most:
            self.refuse(f"The text has {len(text):,} characters; at most {at_most:,} are taken.")
        return text

    def text_or(self, default: str, *, at_most: int, lines: bool = False) -> str:
        """Text, or the default if it is missing or empty."""
        empty = self.missing or (isinstance(self.value, str) and not self.value.strip())
        return default if empty else self.text(at_most=at_most, lines=lines)

    def number(self, *, at_least: float, at_most: float) -> float:
        """A number in these bounds, to a hundredth."""
        if isinstance(self.value, bool) or not isinstance(self.value, int | Decimal):
            self.refuse(f"Here belongs a number, but this is {self.shown()}.")
        if not at_least <= self.value <= at_most:
            self.refuse(f"The number {self.shown()} is not between {at_least:,} and {at_most:,}.")
        return round(float(self.value), 2)

    def whole(self, *, at_least: int, at_most: int) -> int:
        """A whole number in these bounds; `10`, `10.0` and `"10"` are the same."""
        value = self.value
        if isinstance(value, str) and re.fullmatch(r"-?[0-9]{1,18}", value.strip()):
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int | Decimal):
            self.refuse(f"Here belongs a whole number, but this is {self.shown()}.")
        if not at_least <= value <= at_most:
            self.refuse(f"The number {self.shown()} is not between {at_least:,} and {at_most:,}.")
        if value != int(value):
            self.refuse(f"Here belongs a whole number, but this is {self.shown()}.")
        return int(value)

    def yes_or_no(self, *, default: bool) -> bool:
        """true or false; the default if missing."""
        if self.missing:
            return default
        if not isinstance(self.value, bool):
            self.refuse(f"Here belongs true or false, but this is {self.shown()}.")
        return self.value

    def colour(self) -> str | None:
        """A colour as `#rrggbb`; None if missing. Nothing else may reach a page's drawing."""
        text = self.text_or("", at_most=60)
        colour = opaque(hex_colour(text))
        if text and not colour:
            self.refuse(f"{self.shown()} is not a colour. Write it as “#rrggbb”.")
        return colour

    def shown(self) -> str:
        """What this is, for a sentence."""
        kind = _KINDS.get(type(self.value))
        if isinstance(self.value, str):
            short = self.value if len(self.value) <= 40 else f"{self.value[:40]}…"
            return f"the text “{_CONTROL.sub('?', short)}”"
        return kind or f"{self.value!s:.40}"
