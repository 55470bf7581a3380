"""The tables of the page on architecture are made from what services declare."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from contracts.completeness import tables
from contracts.completeness.services import System
from contracts.completeness.tables import Tables, shape, stale, written
from contracts.promises.declared import Schema
from contracts.tests.made_up import GET_SHELF, LEND, changed, make_up, write


@pytest.fixture
def made_up(tmp_path: Path) -> System:
    return make_up(tmp_path)


def test_an_operation_is_a_row_with_who_may_ask_what_is_exchanged_and_how_it_refuses(made_up: System) -> None:
    rows = Tables(made_up).of("operations of library").splitlines()
    assert rows[0] == "| operation | who | request -> response | refusals |"
    assert rows[2].startswith("| `GET /shelves/{shelf_id}?order=` | reader | -> ")
    assert rows[2].endswith("| 404 `shelf_unknown` |")
    assert "| `POST /shelves/{id}/lend` | reader | `{name}` -> " in rows[3]
    assert rows[3].endswith("| 410 `shelf_empty`, 503 `library_busy` |")
    assert "| *open* |" in rows[4]


def test_what_is_repeatable_keyed_or_open_to_others_changes_the_row(made_up: System) -> None:
    operations = (replace(GET_SHELF, callers=("reader", "archive")), replace(LEND, keyed=True))
    _, _, shelf, loan = (
        Tables(changed(made_up, "library", operations=operations)).of("operations of library").splitlines()
    )
    assert "| reader, archive |" in shelf
    assert "| reader, Idempotency-Key |" in loan
    assert "Asked again, it is as if it were asked once." in loan


def test_a_body_without_fields_is_an_empty_object(made_up: System) -> None:
    page = made_up.documents / "openapi/library.json"
    document = json.loads(page.read_text())
    content = document["paths"]["/shelves/{id}/lend"]["post"]["requestBody"]["content"]
    content["application/json"]["schema"] = {"type": "object", "properties": {}}
    write(page, json.dumps(document))
    assert "| `POST /shelves/{id}/lend` | reader | `{}` -> " in Tables(made_up).of("operations of library")


def test_a_fact_and_a_message_are_rows_with_those_who_receive_them(made_up: System) -> None:
    lent = {"type": "object", "description": "Somebody has it.", "properties": {"book_id": {"type": "string"}}}
    write(made_up.documents / "events/events.library.book_lent.v1.schema.json", json.dumps(lent))
    (fact,) = Tables(made_up).of("facts").splitlines()[2:]
    assert fact == "| `events.library.book_lent.v1` | `{book_id}` Somebody has it. | reader |"
    (message,) = Tables(made_up).of("bus").splitlines()[2:]
    assert message.startswith("| `bus.library.shelf_changed.<id>` | ")
    (alone,) = Tables(changed(made_up, "reader", hears=())).of("facts").splitlines()[2:]
    assert alone.endswith("|  |")


def test_each_get_is_a_row_with_how_old_what_it_reads_may_be_and_why(made_up: System) -> None:
    rows = Tables(made_up).of("consistency").splitlines()[2:]
    assert rows == [
        f"| library | `GET /shelves/{path}` | own writes, else up to 30 s old | Books stand still. |"
        for path in ("{shelf_id}", "all")
    ]


def test_shapes_have_lists_values_and_what_is_within() -> None:
    line = {"type": "object", "properties": {"seat": {"type": "string"}, "kind": {"enum": ["a", "b"]}}}
    node = {
        "type": "object",
        "properties": {
            "lines": {"type": "array", "items": line},
            "venue": {"anyOf": [{"type": "object", "properties": {"city": {"type": "string"}}}, {"type": "null"}]},
            "title": {"type": "string"},
        },
    }
    assert shape(Schema(node, node, "data")) == '{lines: [{seat, kind: "a"/"b"}], venue: {city}, title}'


def test_a_page_whose_table_is_old_is_reported_and_written_anew(
    made_up: System, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tables, "real", lambda: made_up)
    page = tmp_path / "page.md"
    page.write_text("# A page\n\n<!-- table: operations of library -->\nold\n<!-- end of table -->\n\nThe rest.\n")
    assert stale(page) == ["operations of library"]
    page.write_text(written(page.read_text()))
    assert stale(page) == []
    assert page.read_text().endswith("<!-- end of table -->\n\nThe rest.\n")
    with pytest.raises(ValueError, match="There is no table “operations of museum”"):
        written("<!-- table: operations of museum -->\n<!-- end of table -->")
