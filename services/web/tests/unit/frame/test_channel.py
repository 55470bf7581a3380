"""A channel: everybody hears the same, whenever they came."""

from typing import Any

import orjson
from hypothesis import given
from hypothesis import strategies as st

from services.web.frame.channel import MOST_KEPT, MOST_KEPT_BYTES, Channel
from services.web.frame.streams import Listener


class Told:
    """A thing with a channel: places and what they are."""

    def __init__(self) -> None:
        self.all: dict[str, Any] = {}
        self.channel = Channel(lambda: {"places": dict(self.all)})

    def change(self, **places: Any) -> None:
        self.all |= places
        self.channel.publish({"places": places})

    def begin_anew(self, **places: Any) -> None:
        self.all = dict(places)
        self.channel.begin_anew()


def heard(listener: Listener) -> list[dict[str, Any]]:
    """What waits for a listener."""
    found = []
    while not listener._queue.empty():  # nobody else looks at it before it is sent
        found.append(orjson.loads(listener._queue.get_nowait() or b"null"))
    return found


def come(told: Told, have: str = "") -> list[dict[str, Any]]:
    """What somebody hears first who comes now."""
    listener = Listener()
    with told.channel.joined(listener, have):
        return heard(listener)


class Page:
    """What a page does with what it hears (follow.js)."""

    def __init__(self) -> None:
        self.version = ""
        self.places: dict[str, Any] = {}

    def hear(self, messages: list[dict[str, Any]]) -> None:
        for message in messages:
            if message["kind"] == "snapshot":
                self.places = dict(message["places"])
            elif message["kind"] == "change":
                name, number = self.version.split(".")
                assert message["version"] == f"{name}.{int(number) + 1}"
                self.places |= message["places"]
            self.version = message["version"]


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("change"), st.dictionaries(st.sampled_from("abc"), st.integers(0, 3), min_size=1)),
        st.tuples(st.just("anew"), st.dictionaries(st.sampled_from("abc"), st.integers(0, 3))),
        st.tuples(st.just("leave or come"), st.none()),
    ),
    max_size=40,
)


@given(steps=STEPS)
def test_a_page_shows_what_is_true_whenever_it_was_away(steps: list[tuple[str, Any]]) -> None:
    told, page = Told(), Page()
    listener: Listener | None = None
    joined: Any = None
    for kind, places in steps:
        if kind == "change":
            told.change(**places)
        elif kind == "anew":
            told.begin_anew(**places)
        elif listener is None:
            listener = Listener()
            joined = told.channel.joined(listener, page.version)
            joined.__enter__()
        else:
            joined.__exit__(None, None, None)
            listener = None
        if listener is not None:
            page.hear(heard(listener))
            assert (page.places, page.version) == (told.all, told.channel.version)


def test_who_was_away_for_a_moment_hears_changes_and_who_was_away_for_long_the_whole() -> None:
    told = Told()
    told.change(a=0)
    first = come(told)
    assert [one["kind"] for one in first] == ["snapshot"]
    for number in range(MOST_KEPT):
        told.change(a=number)
    kept = come(told, first[0]["version"])
    assert [one["places"]["a"] for one in kept] == list(range(MOST_KEPT))
    told.change(a="one more")
    assert [one["kind"] for one in come(told, first[0]["version"])] == ["snapshot"]


def test_what_is_kept_is_bounded_in_bytes_too() -> None:
    told = Told()
    before = come(told)[0]["version"]
    told.change(a="x" * (MOST_KEPT_BYTES // 2))
    told.change(a="y" * (MOST_KEPT_BYTES // 2))
    assert [one["kind"] for one in come(told, before)] == ["snapshot"]
    told.change(a="x" * MOST_KEPT_BYTES)
    assert [one["kind"] for one in come(told, told.channel.version)] == ["same"]


def test_a_version_of_another_process_is_none_of_ours() -> None:
    one, other = Told(), Told()
    for told in (one, other):
        told.change(a=1)
    assert [message["kind"] for message in come(one, other.channel.version)] == ["snapshot"]
    assert [message["kind"] for message in come(one, one.channel.version)] == ["same"]
