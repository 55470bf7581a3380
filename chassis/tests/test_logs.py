"""Log lines tell what failed, and nothing that was secret on the way."""

import asyncio
import logging
from collections.abc import Iterator

import pytest

from chassis.logs import log, set_up_logs

# By name, since a traceback shows the line that failed.
SECRET = "very-secret"


@pytest.fixture(autouse=True)
def logging_as_before() -> Iterator[None]:
    """Logging is the process's own: what these tests set up ends with them."""
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    yield
    root.handlers, root.level = handlers, level


def fail_with_a_secret(token: str) -> None:
    """Fails while a secret is in a local variable."""
    raise ValueError(f"a token of {len(token)} characters is refused")


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_a_traceback_shows_no_local_variables(log_format: str, capsys: pytest.CaptureFixture[str]) -> None:
    set_up_logs("sample", log_format, "INFO")
    try:
        fail_with_a_secret(SECRET)
    except ValueError:
        log(__name__).exception("a request failed")

    said = capsys.readouterr().out
    assert "a token of 11 characters is refused" in said
    assert "fail_with_a_secret" in said
    assert SECRET not in said


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_an_answer_of_nats_that_comes_too_late_is_a_sentence_and_other_errors_stay_whole(
    log_format: str, capsys: pytest.CaptureFixture[str]
) -> None:
    set_up_logs("sample", log_format, "INFO")
    waiting: asyncio.Future[bool] = asyncio.Future(loop=asyncio.new_event_loop())
    waiting.cancel()
    for name in ("nats.aio.client", "elsewhere"):
        try:
            waiting.set_result(True)
        except asyncio.InvalidStateError:
            logging.getLogger(name).exception("nats: encountered error")
    said = capsys.readouterr().out
    assert said.count("NATS answered after nobody waited for it any more") == 1
    assert said.count("Traceback") == 1
    waiting.get_loop().close()
