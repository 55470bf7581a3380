"""The search for canaries finds them wherever they are planted."""

from __future__ import annotations

import base64
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote_plus

import pytest

from tests.leaks import Canary, leaks_of
from tracing.model import Event, Link, Span, Status
from tracing.tests.traces import span, trace

NAME = Canary("a name", 'Zoë "Kanari" Vogel')
CLEAN = span("a", "", "web GET /", attributes={"http.route": "/"})


@pytest.mark.parametrize(
    "planted",
    [
        replace(CLEAN, name=f"GET /{NAME.text}"),
        replace(CLEAN, attributes={"url.path": NAME.text}),
        replace(CLEAN, attributes={NAME.text: 1}),
        replace(CLEAN, attributes={"url.path": f"/?q={quote_plus(NAME.text)}"}),
        replace(CLEAN, attributes={"many": ["a", NAME.text]}),
        replace(CLEAN, events=(Event("exception", 0, {"exception.message": f"no {NAME.text}"}),)),
        replace(CLEAN, events=(Event(NAME.text, 0, {}),)),
        replace(CLEAN, links=(Link("b" * 32, "c" * 16, {"why": NAME.text}),)),
        replace(CLEAN, status=Status("error", f"{NAME.text} was refused")),
        replace(CLEAN, resource={"host.name": NAME.text}),
    ],
)
def test_a_canary_in_a_span_is_found(planted: Span) -> None:
    assert leaks_of([trace(CLEAN)], [], [NAME]) == []
    (found,) = leaks_of([trace(CLEAN), trace(planted)], [], [NAME])
    assert found.startswith("a name is in ")
    assert NAME.text not in found.partition(" of web ")[0]


@pytest.mark.parametrize(
    "line",
    [
        NAME.text,
        '{"event": "no Zo\\u00eb \\"Kanari\\" Vogel"}',
        f"name={quote_plus(NAME.text)}&x=1",
        f"Authorization: Basic {base64.b64encode(NAME.text.encode()).decode()}",
        "<b>Zoë &quot;Kanari&quot; Vogel</b>",
    ],
)
def test_a_canary_in_a_log_is_found(line: str, tmp_path: Path) -> None:
    log = tmp_path / "orders.log"
    log.write_text("a quiet line\n")
    assert leaks_of([], [log], [NAME]) == []
    log.write_text(f"a quiet line\n{line}\n")
    assert leaks_of([], [log], [NAME]) == ["a name is in the log orders.log, line 2"]
