"""Traces as files: what is written, what is read, and what is said about other files."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest

from tracing.files import document_of, lines_of
from tracing.waterfall import main as waterfall_main

SPAN = {"traceId": "0a" * 16, "spanId": "0b" * 8, "name": "GET /", "startTimeUnixNano": "1", "endTimeUnixNano": "2"}
GROUP = {
    "resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "web"}}]},
    "scopeSpans": [{"spans": [SPAN]}],
}
DOCUMENT = {"resourceSpans": [GROUP, GROUP]}


@pytest.mark.parametrize(
    "content",
    [
        lines_of(DOCUMENT),
        b"\n" + lines_of(DOCUMENT).replace(b"\n", b"\r\n\n"),
        orjson.dumps(DOCUMENT),
        orjson.dumps({"result": DOCUMENT}),
        orjson.dumps([DOCUMENT]),
    ],
    ids=["lines", "lines of another system", "one document", "an answer of the API", "a list"],
)
def test_whatever_holds_the_trace_is_read(content: bytes) -> None:
    assert document_of(content) == DOCUMENT


def test_each_line_is_a_document_of_its_own() -> None:
    assert [orjson.loads(line) for line in lines_of(DOCUMENT).splitlines()] == [{"resourceSpans": [GROUP]}] * 2


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "The file is empty"),
        (b"\x00\xff", "Line 1 of the file is not JSON"),
        (lines_of(DOCUMENT) + b"half a li", "Line 3 of the file is not JSON"),
        (b'{"data": []}', "Jaeger's older JSON"),
        (b'{"resourceSpans": 1}', "has a list 'resourceSpans'"),
        (b"[1]", "has a list 'resourceSpans'"),
        (b'"text"', "has a list 'resourceSpans'"),
    ],
)
def test_another_file_is_refused_with_a_sentence(content: bytes, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        document_of(content)


def test_a_file_is_drawn_without_any_store(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "bug.jsonl"
    file.write_bytes(lines_of(DOCUMENT))
    assert waterfall_main([str(file)]) == 0
    assert "web GET /" in capsys.readouterr().out
    file.write_bytes(b"nonsense")
    assert waterfall_main([str(file)]) == 1
    assert "is not JSON" in capsys.readouterr().err
