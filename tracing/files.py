"""A trace as a file, to be attached to a bug: OTLP JSON lines, which the upload of Jaeger's search page takes too."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import orjson

Json = dict[str, Any]


def lines_of(document: Mapping[str, Any]) -> bytes:
    """One line for each service and scope, each of them an OTLP document of its own."""
    return b"".join(orjson.dumps({"resourceSpans": [group]}) + b"\n" for group in document.get("resourceSpans", ()))


def document_of(content: bytes) -> Json:
    """What a file holds: OTLP JSON lines, one OTLP JSON document, or an answer of Jaeger's v3 API.

    Raises ValueError with a sentence for anything else.
    """
    groups: list[Json] = []
    for part in _parts(content):
        holder = part.get("result", part)
        if not isinstance(holder, dict) or not isinstance(holder.get("resourceSpans"), list):
            raise ValueError(_refusal(part))
        groups.extend(holder["resourceSpans"])
    if not groups:
        raise ValueError("The file is empty: there is no trace in it.")
    return {"resourceSpans": groups}


def _parts(content: bytes) -> Iterable[Json]:
    """The whole file if it is one document, else its lines."""
    try:
        whole = orjson.loads(content)
    except orjson.JSONDecodeError:
        whole = [_line(number, line) for number, line in enumerate(content.splitlines(), 1) if line.strip()]
    parts = whole if isinstance(whole, list) else [whole]
    if not all(isinstance(part, dict) for part in parts):
        raise ValueError(_refusal({}))
    return parts


def _line(number: int, line: bytes) -> Any:
    try:
        return orjson.loads(line)
    except orjson.JSONDecodeError as error:
        raise ValueError(f"Line {number} of the file is not JSON: {error}.") from error


def _refusal(part: Mapping[str, Any]) -> str:
    if "data" in part:
        return "This is Jaeger's older JSON. Export the trace as OTLP: from /api/v3/traces/{id}, or from the page of the dev trace store."
    return "This is not a trace as OTLP JSON: every document has a list 'resourceSpans'."
