"""What people typed is in no log line and in no row about an error, although the errors of libraries quote it."""

import json
import logging
import traceback
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest
from pydantic import BaseModel, ValidationError
from sqlalchemy import text

from chassis.db import Database
from chassis.errors import safe_text, scrubbed
from chassis.logs import log, set_up_logs
from chassis.testing import Harness
from chassis.tests.sample.app import SampleSettings
from tracing.spans import span
from tracing.testing import Kept

MIGRATIONS = Path(__file__).parent / "sample" / "migrations"
TYPED = "zoe.canary@example.test"


@pytest.fixture(autouse=True)
def logging_as_before() -> Iterator[None]:
    """Logging is the process's own: what these tests set up ends with them."""
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    yield
    root.handlers, root.level = handlers, level


class Asked(BaseModel):
    """Something that was sent."""

    places: int


async def refusal_of_the_database(harness: Harness) -> asyncpg.UniqueViolationError:
    """An error that quotes a value."""
    database = Database(harness.settings(SampleSettings, migrations=MIGRATIONS))
    try:
        async with database.writer() as tx:
            await tx.execute(text("CREATE TEMPORARY TABLE contact (email text UNIQUE)"), name="sample.create")
            insert = text("INSERT INTO contact VALUES (:email)")
            await tx.execute(insert, {"email": TYPED}, name="sample.insert")
            await tx.execute(insert, {"email": TYPED}, name="sample.insert")
    except asyncpg.UniqueViolationError as error:
        return error
    finally:
        await database.close()
    raise AssertionError("The second one must be refused.")


def refusal_of_a_model() -> ValidationError:
    try:
        Asked.model_validate({"places": TYPED})
    except ValidationError as error:
        return error
    raise AssertionError("Text is no number.")


@pytest.mark.parametrize("log_format", ["text", "json"])
async def test_no_log_line_quotes_what_was_typed(
    log_format: str, harness: Harness, capsys: pytest.CaptureFixture[str]
) -> None:
    set_up_logs("sample", log_format, "INFO")
    for error in (await refusal_of_the_database(harness), refusal_of_a_model()):
        quoted = "".join(traceback.format_exception(error))
        assert TYPED in quoted, "The libraries do not quote any more: these tests and what they are for can go."
        log(__name__).error("a request failed", error=f"{type(error).__name__}: {error}", exc_info=error)
    said = capsys.readouterr().out
    assert "duplicate key value violates unique constraint" in said
    assert "refusal_of_the_database" in said
    assert TYPED not in said


async def test_the_reason_of_a_dead_letter_does_not_quote(harness: Harness) -> None:
    refused = await refusal_of_the_database(harness)
    assert safe_text(refused) == "UniqueViolationError: SQLSTATE 23505"
    assert safe_text(refusal_of_a_model()) == (
        "Asked does not fit: places: Input should be a valid integer, unable to parse string as an integer"
    )
    assert safe_text(RuntimeError("no answer")) == "RuntimeError: no answer"


def test_what_stands_around_a_quotation_stays() -> None:
    line = "duplicate key\nDETAIL:  Key (email)=(zoe) already exists.\n[SQL: INSERT]\nend"
    assert scrubbed(line) == "duplicate key\nDETAIL:(left out)\n[SQL: INSERT]\nend"
    assert scrubbed(json.dumps({"places": 2})) == json.dumps({"places": 2})


async def test_no_span_quotes_what_was_typed(harness: Harness, kept_spans: Kept) -> None:
    for error in (await refusal_of_the_database(harness), refusal_of_a_model()):
        with pytest.raises(type(error)), span("sample.use_case"):
            raise error
    text_of_spans = kept_spans.as_text()
    assert "exception" in text_of_spans
    assert "test_no_span_quotes_what_was_typed" in text_of_spans
    assert TYPED not in text_of_spans
