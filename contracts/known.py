"""What a provider's own test knows of what it tells: the ids and amounts with which it made it happen.

Pact compares a fact's fields by their form, since a consumer cannot know which order it will be about. Whoever made the fact does know:
two ids exchanged, an amount in another unit, a fact about another order are seen here.
"""

import json
import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from enum import Enum
from typing import Any
from uuid import UUID

from contracts.matchers import TIMESTAMP_PATTERN

_MOMENT = re.compile(TIMESTAMP_PATTERN)


def unlike_known(body: bytes, known: Mapping[str, Any], aggregate: str | None) -> list[str]:
    """A sentence for each field of a fact (or of a message) that is not what is known of it, by its name wherever it stands.

    `aggregate` names the field that the envelope's subject repeats; None of a message, which has no envelope.
    """
    document = json.loads(body)
    data = document["data"] if aggregate is not None else document
    wanted = {name: _plain(value) for name, value in known.items()}
    found = list(_unlike("$.data" if aggregate is not None else "$", data, wanted))
    if aggregate is not None and isinstance(data, dict) and document.get("subject") != str(data.get(aggregate)):
        found.append(f"$.subject: Expected {document.get('subject')!r} to be its {aggregate}, {data.get(aggregate)!r}")
    return found


def _unlike(path: str, value: Any, wanted: Mapping[str, Any]) -> Iterator[str]:
    if isinstance(value, dict):
        for name, below in value.items():
            if name in wanted and _plain(below) != wanted[name]:
                yield f"{path}.{name}: Expected {below!r} to be {wanted[name]!r}, with which it was made"
            yield from _unlike(f"{path}.{name}", below, {} if name in wanted else wanted)
    elif isinstance(value, list):
        for number, below in enumerate(value):
            yield from _unlike(f"{path}[{number}]", below, wanted)


def _plain(value: Any) -> Any:
    """A value as JSON has it; moments are compared as moments, however they are written."""
    match value:
        case UUID():
            return str(value)
        case Enum():
            return value.value
        case str() if _MOMENT.fullmatch(value):
            return datetime.fromisoformat(value)
        case tuple() | list():
            return [_plain(each) for each in value]
        case dict():
            return {name: _plain(each) for name, each in value.items()}
    return value
