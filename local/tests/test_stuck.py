"""What `make stuck` shows: which work, since when, why it waits, how to go on."""

from datetime import UTC, datetime
from typing import Any

from local.stuck import late_work, render
from local.topology import SERVICES

NOW = datetime(2026, 11, 29, 12, 0, tzinfo=UTC)
MAIL: dict[str, Any] = {
    "service": "notifications",
    "queue": "notifications.send_email",
    "key": "0199",
    "about": "018f",
    "since": "2026-11-29T10:30:10+00:00",
    "why": "It was tried 3 times, the last time: no answer. It goes on at 12:04:00 UTC, by itself.",
    "go_on": "Look at the mail server.",
    "trace_id": "4bf92f3577b34da6a3ce929d0e0e4736",
}


def test_nothing_late_is_said_in_a_sentence() -> None:
    assert render([], [], NOW) == "Nothing is late."


def test_each_piece_of_work_says_since_when_why_and_how_to_go_on() -> None:
    text = render([MAIL], [], NOW)
    assert text.startswith("1 piece of work is late.")
    assert "notifications.send_email of 018f, wanted for 1 h 29 min (notifications)" in text
    assert "why    It was tried 3 times, the last time: no answer." in text
    assert "go on  Look at the mail server." in text
    assert "make trace ID=4bf92f3577b34da6a3ce929d0e0e4736" in text


def test_a_service_that_cannot_say_is_named_and_hides_no_other() -> None:
    nowhere = dict.fromkeys(SERVICES, "http://127.0.0.1:9")
    late, silent = late_work(nowhere, 60)
    assert (late, len(silent)) == ([], len(SERVICES))
    assert silent[0].startswith("accounts does not say what waits there")
    assert render([MAIL], silent, NOW).count("does not say") == len(SERVICES)
