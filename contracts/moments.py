"""Moments that are given relative to now: Pact compares their form, and how far from now they are is compared here.

`matchers.from_now(600)` writes what it asks for into its pattern, as a comment that every engine of regular expressions passes over;
so it stands in the pact, and partners' tools understand the rest. A clock in another zone, or in another unit, is off by more than
the tolerance.
"""

import json
import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from contracts.pactfile import Interaction, tokens_of

TOLERANCE = timedelta(minutes=5)
_MARK = re.compile(r"\(\?#(?P<seconds>[+-]\d+) s from now\)")


def mark(seconds: int) -> str:
    """What says in a pattern how far from now a moment is wanted."""
    return f"(?#{seconds:+d} s from now)"


def unmarked(pattern: str) -> str:
    """A pattern without such a mark."""
    return _MARK.sub("", pattern)


def unlike(part: dict[str, Any], body: bytes, sent_at: datetime) -> list[str]:
    """A sentence for each moment in a body that is not as far from `sent_at` as a part of a pact wants.

    Such a part is the response of an interaction, or an interaction that tells.
    """
    return list(_unlike(part, body, sent_at))


def asks_for_moments(interaction: Interaction) -> bool:
    """Whether an interaction has such moments."""
    return _MARK.search(json.dumps(interaction)) is not None


def _unlike(part: dict[str, Any], body: bytes, sent_at: datetime) -> Iterator[str]:
    for path, rule in part.get("matchingRules", {}).get("body", {}).items():
        for each in rule["matchers"]:
            wanted = _MARK.search(each.get("regex", ""))
            if wanted is None:
                continue
            expected = sent_at + timedelta(seconds=int(wanted["seconds"]))
            for value in _values(json.loads(body), tokens_of(path)[1:]):
                if not _is_near(value, expected):
                    yield f"{path}: Expected {value!r} to be {wanted['seconds']} s from now, which is {expected:%Y-%m-%dT%H:%M:%SZ}"


def _is_near(value: Any, expected: datetime) -> bool:
    if not isinstance(value, str):
        return True  # Pact compares types, and whether it is there
    try:
        return abs(datetime.fromisoformat(value) - expected) <= TOLERANCE
    except (ValueError, TypeError):
        return True  # and its form


def _values(value: Any, tokens: tuple[str, ...]) -> Iterator[Any]:
    if not tokens:
        yield value
        return
    first, rest = tokens[0], tokens[1:]
    if isinstance(value, dict) and first in value:
        yield from _values(value[first], rest)
    elif isinstance(value, list):
        chosen = value if first == "*" else value[int(first) : int(first) + 1] if first.isdecimal() else []
        for each in chosen:
            yield from _values(each, rest)
