"""A page that all share is drawn once, and nobody's own words are on anybody else's."""

from collections.abc import Callable

import pytest

from services.web.frame.shared_pages import MOST_PAGES, Own, SharedPages


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def pages(clock: Clock) -> SharedPages:
    return SharedPages(clock)


def drawing(pages: SharedPages, text: str, drawn: list[str]) -> Callable[[], str]:
    def draw() -> str:
        drawn.append(text)
        marks = pages.marks
        return f"{text} {marks.trace_id} {marks.form_token} {marks.attempt} {marks.form_token}"

    return draw


def own(name: str) -> Own:
    return Own(f"trace-{name}", f"token-{name}", f"attempt-{name}")


def test_each_visitor_has_their_own_words_on_it(pages: SharedPages) -> None:
    drawn: list[str] = []
    event = object()
    texts = [pages.filled("e", (event,), own(name), drawing(pages, "Hello", drawn)) for name in ("ada", "ben")]
    assert texts == [
        "Hello trace-ada token-ada attempt-ada token-ada",
        "Hello trace-ben token-ben attempt-ben token-ben",
    ]
    assert drawn == ["Hello"]


def test_it_is_drawn_anew_when_something_that_it_shows_is_another(pages: SharedPages) -> None:
    drawn: list[str] = []
    # Equal, and not the same: what was loaded again may say something else in what is not compared.
    for sources in (([1],), ([1],)):
        pages.filled("e", sources, own("ada"), drawing(pages, "Hello", drawn))
    assert len(drawn) == 2


def test_it_is_drawn_anew_after_a_second_since_it_may_tell_the_time(pages: SharedPages, clock: Clock) -> None:
    drawn: list[str] = []
    for seconds in (0.0, 0.99, 1.0):
        clock.now = 100.0 + seconds
        pages.filled("e", (), own("ada"), drawing(pages, "Hello", drawn))
    assert len(drawn) == 2


def test_what_is_filled_in_is_text_and_no_markup(pages: SharedPages) -> None:
    page = pages.filled("e", (), Own('"><script>', "t", "a"), drawing(pages, "Hello", []))
    assert "<script>" not in page


def test_only_so_many_are_kept_and_the_one_that_was_not_asked_for_longest_goes(pages: SharedPages) -> None:
    drawn: list[str] = []
    for key in ["first", *range(MOST_PAGES - 1), "first", "one more", "first", 0]:
        pages.filled(key, (), own("ada"), drawing(pages, str(key), drawn))
    assert drawn.count("first") == 1
    assert drawn.count("0") == 2
