"""Looks for what must not be there: canaries, which are texts that nobody writes by chance, in spans and in logs."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from html import escape
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus

from tracing.model import Span, Trace


@dataclass(frozen=True)
class Canary:
    """A text that must not get out, and what it is."""

    what: str
    text: str

    @property
    def spellings(self) -> set[str]:
        """The text as it may appear: as it is, in addresses, in JSON, in HTML, in a header."""
        encoded = base64.b64encode(self.text.encode()).decode().rstrip("=")
        ways = {self.text, quote(self.text), quote_plus(self.text), json.dumps(self.text)[1:-1], escape(self.text)}
        # The last characters of base64 depend on what follows.
        return ways | ({encoded[:-2]} if len(encoded) > 12 else set())


def leaks_of(traces: Iterable[Trace], logs: Iterable[Path], canaries: Iterable[Canary]) -> list[str]:
    """A sentence for each canary in each place where it was found; the text itself is not repeated."""
    wanted = [(canary.what, spelling) for canary in canaries for spelling in canary.spellings]
    found: dict[str, None] = {}
    for trace in traces:
        for span in trace.spans:
            written = text_of(span)
            for what, spelling in wanted:
                if spelling in written:
                    found[f"{what} is in {_where(span, spelling)} of {span.service} {span.name[:60]}"] = None
    for log in logs:
        written = log.read_text(errors="replace")
        for what, spelling in wanted:
            if spelling in written:
                number = written[: written.index(spelling)].count("\n") + 1
                found[f"{what} is in the log {log.name}, line {number}"] = None
    return list(found)


def text_of(span: Span) -> str:
    """Everything that a span tells: its name, attributes, events, links, status and resource."""
    return "\n".join(_strings(asdict(span)))


def _where(span: Span, spelling: str) -> str:
    parts = asdict(span)
    for key, value in [*parts["attributes"].items(), *parts["resource"].items()]:
        if any(spelling in text for text in _strings({key: value})):
            return "an attribute's name" if spelling in key else f"the attribute {key}"
    return next(name for name, value in parts.items() if any(spelling in text for text in _strings(value)))


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, each in value.items():
            yield str(key)
            yield from _strings(each)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _strings(each)
    else:
        yield str(value)
