"""Log lines tell what failed, and nothing that was secret on the way."""

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
