"""How fast a queue moves: seen, not promised."""

from services.web.waiting.now_serving import slower
from services.web.waiting.pace import Pace


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def moved(pace: Pace, clock: Clock, seconds: int, people: int) -> None:
    """So many people are let in, spread over so many seconds."""
    first = pace.serving
    for second in range(1, seconds + 1):
        clock.now += 1
        pace.note(first + people * second // seconds)


def test_what_was_not_watched_for_half_a_minute_is_not_known() -> None:
    clock = Clock()
    pace = Pace(clock)
    assert pace.a_minute() is None
    pace.note(0)
    moved(pace, clock, 29, 29)
    assert pace.a_minute() is None
    moved(pace, clock, 1, 1)
    assert pace.a_minute() == 60


def test_a_queue_that_hardly_moves_is_said_to_whatever_its_rate_is() -> None:
    clock = Clock()
    pace = Pace(clock)
    pace.note(100)
    moved(pace, clock, 60, 3)
    assert pace.a_minute() == 3
    assert slower(600.0, pace.a_minute()) == 3
    assert slower(2.0, pace.a_minute()) == 2.0
    assert slower(600.0, None) == 600.0


def test_only_the_last_minutes_count() -> None:
    clock = Clock()
    pace = Pace(clock)
    pace.note(0)
    moved(pace, clock, 600, 6000)
    moved(pace, clock, 130, 0)
    assert pace.a_minute() == 0


def test_a_late_message_takes_nothing_back_and_after_a_pause_it_is_watched_anew() -> None:
    clock = Clock()
    pace = Pace(clock)
    pace.note(9)
    pace.note(8)
    assert pace.serving == 9
    moved(pace, clock, 60, 0)
    pace.stand_still()
    assert (pace.a_minute(), pace.serving) == (None, 9)
