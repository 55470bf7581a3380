"""A page that all share is drawn once, and nobody's own words are on anybody else's."""

import gzip
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
    texts = [
        pages.drawn("e", (event,), drawing(pages, "Hello", drawn)).filled(own(name)).decode() for name in ("ada", "ben")
    ]
    assert texts == [
        "Hello trace-ada token-ada attempt-ada token-ada",
        "Hello trace-ben token-ben attempt-ben token-ben",
    ]
    assert drawn == ["Hello"]


def test_it_is_drawn_anew_when_something_that_it_shows_is_another(pages: SharedPages) -> None:
    drawn: list[str] = []
    # Equal, and not the same: what was loaded again may say something else in what is not compared.
    for sources in (([1],), ([1],)):
        pages.drawn("e", sources, drawing(pages, "Hello", drawn))
    assert len(drawn) == 2


def test_it_is_drawn_anew_after_a_second_since_it_may_tell_the_time(pages: SharedPages, clock: Clock) -> None:
    drawn: list[str] = []
    for seconds in (0.0, 0.99, 1.0):
        clock.now = 100.0 + seconds
        pages.drawn("e", (), drawing(pages, "Hello", drawn))
    assert len(drawn) == 2


def test_what_is_filled_in_is_text_and_no_markup(pages: SharedPages) -> None:
    page = pages.drawn("e", (), drawing(pages, "Hello", [])).filled(Own('"><script>', "t", "a"))
    assert b"<script>" not in page


def test_only_so_many_are_kept_and_the_one_that_was_not_asked_for_longest_goes(pages: SharedPages) -> None:
    drawn: list[str] = []
    for key in ["first", *range(MOST_PAGES - 1), "first", "one more", "first", 0]:
        pages.drawn(key, (), drawing(pages, str(key), drawn))
    assert drawn.count("first") == 1
    assert drawn.count("0") == 2


def test_its_digest_is_that_of_what_all_share_in_every_process(pages: SharedPages) -> None:
    other = SharedPages()
    same = [each.drawn("e", (), drawing(each, "Hello", [])).digest for each in (pages, other)]
    assert same[0] == same[1]
    assert pages.drawn("f", (), drawing(pages, "Goodbye", [])).digest != same[0]


def test_compressed_it_says_the_same_and_is_as_long_for_everybody(pages: SharedPages) -> None:
    page = pages.drawn("e", (), drawing(pages, "Hello, hello, hello. \u00fc" * 500, []))
    lengths = set()
    for name in ("ada", "aaa", "ben"):
        compressed = page.compressed(own(name))
        assert gzip.decompress(compressed) == page.filled(own(name))
        lengths.add(len(compressed))
    assert len(lengths) == 1
    assert lengths.pop() < len(page.filled(own("ada"))) / 10


def test_a_page_without_words_of_ones_own_is_compressed_too(pages: SharedPages) -> None:
    page = pages.drawn("e", (), lambda: "Hello")
    assert gzip.decompress(page.compressed(own("ada"))) == b"Hello"
