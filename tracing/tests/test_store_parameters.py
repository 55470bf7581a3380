"""Query parameters, as Jaeger reads them."""

from __future__ import annotations

import pytest

from tracing.store.parameters import BadParameter, attributes_of, depth_of, duration_ns_of, time_ns_of, trace_id_of


@pytest.mark.parametrize(
    ("text", "duration_ns"),
    [
        ("", None),
        ("0s", 0),
        ("1.5s", 1_500_000_000),
        ("100ms", 100_000_000),
        ("1m30s", 90_000_000_000),
        ("2µs", 2_000),
        (".5h", 1_800_000_000_000),
    ],
)
def test_durations_are_those_of_go(text: str, duration_ns: int | None) -> None:
    assert duration_ns_of("x", text) == duration_ns


@pytest.mark.parametrize("text", ["5", "s", "-1s", "1 s", "1s ", "one second", "1.s.s"])
def test_other_durations_are_refused(text: str) -> None:
    with pytest.raises(BadParameter, match="malformed parameter x: write a duration like"):
        duration_ns_of("x", text)


@pytest.mark.parametrize(
    ("text", "time_ns"),
    [
        ("1970-01-01T00:00:01Z", 10**9),
        ("1970-01-01T00:00:01.5Z", 1_500_000_000),
        ("1970-01-01T00:00:01.123456789Z", 1_123_456_789),
        ("1970-01-01T02:00:01.25+02:00", 1_250_000_000),
    ],
)
def test_times_keep_their_nanoseconds(text: str, time_ns: int) -> None:
    assert time_ns_of("x", text) == time_ns


@pytest.mark.parametrize("text", ["", "yesterday", "1970-01-01T00:00:01", "1700000000", "9999-99-99T00:00:00Z"])
def test_times_without_a_zone_and_other_texts_are_refused(text: str) -> None:
    with pytest.raises(BadParameter, match="write a time like"):
        time_ns_of("x", text)


@pytest.mark.parametrize("text", ["0", "-1", "1501", "many", "٣", "1e3"])
def test_the_number_of_traces_is_bounded(text: str) -> None:
    with pytest.raises(BadParameter, match="ask for 1 to 1500"):
        depth_of("x", text)


def test_attributes_are_json_or_pairs() -> None:
    assert attributes_of("x", '{"a": "1", "b c": "d"}') == {"a": "1", "b c": "d"}
    assert attributes_of("x", "a=1 b='two words' c=d=e") == {"a": "1", "b": "two words", "c": "d=e"}
    assert attributes_of("x", "  ") == {}


@pytest.mark.parametrize("text", ['{"a": 1}', '{"a"', "a", "=b", "a='"])
def test_other_attributes_are_refused(text: str) -> None:
    with pytest.raises(BadParameter, match="malformed parameter x"):
        attributes_of("x", text)


def test_leading_zeros_of_a_trace_id_may_be_left_out() -> None:
    assert trace_id_of("ABC") == "abc".zfill(32)
    for text in ("", "g", "0" * 33, "12 34"):
        with pytest.raises(BadParameter, match="hexadecimal"):
            trace_id_of(text)
