"""Reads a JSON file field by field, and always knows the path of the field that it reads."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import NoReturn

from services.catalog.domain import ImportRefused

MAX_FILE_BYTES = 16 * 1024 * 1024
_PLAIN_KEY = re.compile(r"[A-Za-z_@][A-Za-z0-9_:@-]*")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
_COLOUR = re.compile(r"#(?:[0-9a-fA-F]{3,4}|[0-9a-fA-F]{6}|[0-9a-fA-F]{8})|[a-zA-Z]{3,24}|rgba?\([0-9., %]{5,40}\)")
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


@dataclass(frozen=True, slots=True)
class Node:
    """A value in the document and the path to it. Each reader returns what was asked for, or refuses with the path."""

    value: object
    path: str

    def refuse(self, sentence: str) -> NoReturn:
        """Refuses the file because of this field."""
        raise ImportRefused(self.path, sentence)

    def at(self, key: str) -> "Node":
        """The field of that name; its value is None if it is missing. Refuses if this is not an object."""
        mapping = self.mapping()
        shown = key if _PLAIN_KEY.fullmatch(key) else json.dumps(key)
        return Node(mapping.get(key), f"{self.path}.{shown}" if self.path else shown)

    @property
    def missing(self) -> bool:
        return self.value is None

    def mapping(self) -> dict[str, object]:
        """The fields of an object."""
        if not isinstance(self.value, dict):
            self.refuse(f"Here belongs an object, but this is {self._shown()}.")
        return self.value

    def items(self, *, at_most: int) -> Iterator["Node"]:
        """The items of a list."""
        if not isinstance(self.value, list):
            self.refuse(f"Here belongs a list, but this is {self._shown()}.")
        if len(self.value) > at_most:
            self.refuse(f"This list has {len(self.value):,} items; at most {at_most:,} are taken.")
        for index, item in enumerate(self.value):
            yield Node(item, f"{self.path}[{index}]")

    def one_or_many(self, *, at_most: int) -> list["Node"]:
        """JSON-LD writes a single value without its list: the items of a list, or this itself; none if missing."""
        if self.missing:
            return []
        return list(self.items(at_most=at_most)) if isinstance(self.value, list) else [self]

    def text(self, *, at_most: int, lines: bool = False) -> str:
        """Text that is not empty, without surrounding space; `lines` allows line breaks and tabs."""
        if not isinstance(self.value, str):
            self.refuse(f"Here belongs text, but this is {self._shown()}.")
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
            self.refuse(f"Here belongs a number, but this is {self._shown()}.")
        if not at_least <= self.value <= at_most:
            self.refuse(f"The number {self._shown()} is not between {at_least:,} and {at_most:,}.")
        return round(float(self.value), 2)

    def whole(self, *, at_least: int, at_most: int) -> int:
        """A whole number in these bounds; `10`, `10.0` and `"10"` are the same."""
        value = self.value
        if isinstance(value, str) and re.fullmatch(r"-?[0-9]{1,18}", value.strip()):
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int | Decimal):
            self.refuse(f"Here belongs a whole number, but this is {self._shown()}.")
        if not at_least <= value <= at_most:
            self.refuse(f"The number {self._shown()} is not between {at_least:,} and {at_most:,}.")
        if value != int(value):
            self.refuse(f"Here belongs a whole number, but this is {self._shown()}.")
        return int(value)

    def yes_or_no(self, *, default: bool) -> bool:
        """true or false; the default if missing."""
        if self.missing:
            return default
        if not isinstance(self.value, bool):
            self.refuse(f"Here belongs true or false, but this is {self._shown()}.")
        return self.value

    def colour(self) -> str | None:
        """A colour as SVG takes it, in lower case; None if missing. Nothing else may reach a page's drawing."""
        text = self.text_or("", at_most=60)
        if text and not _COLOUR.fullmatch(text):
            self.refuse(f"{self._shown()} is not a colour. Write it as “#rrggbb”.")
        return text.lower() or None

    def _shown(self) -> str:
        kind = _KINDS.get(type(self.value))
        if isinstance(self.value, str):
            short = self.value if len(self.value) <= 40 else f"{self.value[:40]}…"
            return f"the text “{_CONTROL.sub('?', short)}”"
        return kind or f"{self.value!s:.40}"
