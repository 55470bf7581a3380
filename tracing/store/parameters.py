"""Query parameters as a Jaeger understands them; each function raises BadParameter with a sentence."""

from __future__ import annotations

import re
import shlex
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

import orjson

MAX_TRACES = 1_500
DEFAULT_TRACES = 20
ALL = "all"
LAST_NS = 2**63 - 1
_DURATION = re.compile(r"(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|ms|s|m|h|d)")
_UNIT_NS = {
    "ns": 1,
    "us": 1_000,
    "µs": 1_000,
    "ms": 1_000_000,
    "s": 1_000_000_000,
    "m": 60 * 1_000_000_000,
    "h": 3_600 * 1_000_000_000,
    "d": 86_400 * 1_000_000_000,
}
_FRACTION = re.compile(r"\.(\d{1,9})(?=Z|[+-]|$)")
_TRACE_ID = re.compile(r"[0-9a-fA-F]{1,32}")


class BadParameter(Exception):
    """A parameter cannot be understood; the message names it and says what is expected."""


@dataclass(frozen=True)
class SpanQuery:
    """Finds the traces in which one span fits everything that is asked; None asks nothing. Times in nanoseconds."""

    service: str | None = None
    operation: str | None = None
    attributes: Mapping[str, str] = field(default_factory=dict)
    start_min_ns: int = 0
    start_max_ns: int = LAST_NS
    duration_min_ns: int | None = None
    duration_max_ns: int | None = None
    depth: int = DEFAULT_TRACES


def trace_id_of(text: str) -> str:
    """32 hexadecimal digits; leading zeros may be left out."""
    if not _TRACE_ID.fullmatch(text):
        raise BadParameter(
            f"malformed parameter trace_id: a trace id has up to 32 hexadecimal digits, this is {text!r}"
        )
    return text.lower().zfill(32)


def duration_ns_of(name: str, text: str) -> int | None:
    """`1.5s`, `100ms`, `1m30s`; "" asks nothing."""
    if not text:
        return None
    parts = _DURATION.findall(text)
    if "".join(number + unit for number, unit in parts) != text:
        raise BadParameter(f"malformed parameter {name}: write a duration like 1.5s, 100ms or 1m30s, not {text!r}")
    return round(sum(float(number) * _UNIT_NS[unit] for number, unit in parts))


def time_ns_of(name: str, text: str) -> int:
    """RFC 3339 with up to nine decimals, e.g. 2026-12-31T19:00:00.5Z."""
    fraction = _FRACTION.search(text)
    try:
        moment = datetime.fromisoformat(_FRACTION.sub("", text))
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise BadParameter(f"malformed parameter {name}: write a time like 2026-12-31T19:00:00Z, not {text!r}")
    return int(moment.timestamp()) * 1_000_000_000 + (int(fraction[1].ljust(9, "0")) if fraction else 0)


def depth_of(name: str, text: str) -> int:
    """How many traces are wanted, at most 1,500."""
    if not text:
        return DEFAULT_TRACES
    if not text.isascii() or not text.isdigit() or not 0 < int(text) <= MAX_TRACES:
        raise BadParameter(f"malformed parameter {name}: ask for 1 to {MAX_TRACES} traces, not {text!r}")
    return int(text)


def attributes_of(name: str, text: str) -> dict[str, str]:
    """`{"key": "value"}`, or `key=value other="two words"` as people write it."""
    if not text.strip():
        return {}
    problem = f'malformed parameter {name}: write attributes as {{"key":"value"}} or as key=value, not {text!r}'
    if text.lstrip().startswith("{"):
        try:
            found = orjson.loads(text)
        except orjson.JSONDecodeError as error:
            raise BadParameter(problem) from error
        if not all(isinstance(value, str) for value in found.values()):
            raise BadParameter(f"{problem}; values are strings, numbers too")
        return dict(found)
    try:
        pairs = [word.partition("=") for word in shlex.split(text)]
    except ValueError as error:
        raise BadParameter(problem) from error
    if not all(key and equals for key, equals, _ in pairs):
        raise BadParameter(problem)
    return {key: value for key, _, value in pairs}


def api_query_of(parameters: Mapping[str, str]) -> SpanQuery:
    """The `query.*` parameters of `/api/v3/traces`."""
    for required in ("query.startTimeMin", "query.startTimeMax"):
        if not parameters.get(required):
            raise BadParameter(f"parameter {required} is required: a time like 2026-12-31T19:00:00Z")
    attributes = parameters.get("query.attributes", "")
    if attributes and not attributes.lstrip().startswith("{"):
        raise BadParameter(f'malformed parameter query.attributes: write {{"key":"value"}}, not {attributes!r}')
    return SpanQuery(
        service=parameters.get("query.serviceName") or None,
        operation=parameters.get("query.operationName") or None,
        attributes=attributes_of("query.attributes", attributes),
        start_min_ns=time_ns_of("query.startTimeMin", parameters["query.startTimeMin"]),
        start_max_ns=time_ns_of("query.startTimeMax", parameters["query.startTimeMax"]),
        duration_min_ns=duration_ns_of("query.durationMin", parameters.get("query.durationMin", "")),
        duration_max_ns=duration_ns_of("query.durationMax", parameters.get("query.durationMax", "")),
        depth=depth_of("query.searchDepth", parameters.get("query.searchDepth", "")),
    )


def page_query_of(parameters: Mapping[str, str]) -> SpanQuery:
    """The parameters of `/search`, named as in Jaeger's own page, so that its deep links work here too."""
    start_min_ns, start_max_ns = _time_of_page(parameters)
    operation = parameters.get("operation", "")
    return SpanQuery(
        service=parameters.get("service") or None,
        operation=None if operation in ("", ALL) else operation,
        attributes=attributes_of("tags", parameters.get("tags", "")),
        start_min_ns=start_min_ns,
        start_max_ns=start_max_ns,
        duration_min_ns=duration_ns_of("minDuration", parameters.get("minDuration", "")),
        duration_max_ns=duration_ns_of("maxDuration", parameters.get("maxDuration", "")),
        depth=depth_of("limit", parameters.get("limit", "")),
    )


def _time_of_page(parameters: Mapping[str, str]) -> tuple[int, int]:
    """`lookback=1h`, or `start` and `end` in microseconds, which say more when both are there, as in Jaeger's links."""
    bounds = {}
    for name, otherwise in (("start", 0), ("end", LAST_NS // 1_000)):
        text = parameters.get(name, "") or str(otherwise)
        if not (text.isascii() and text.isdigit()) or int(text) > LAST_NS // 1_000:
            raise BadParameter(
                f"malformed parameter {name}: give microseconds since 1970 as a whole number, not {text!r}"
            )
        bounds[name] = int(text) * 1_000
    lookback = parameters.get("lookback", ALL)
    if lookback not in (ALL, "custom") and not parameters.get("start"):
        bounds["start"] = time.time_ns() - (duration_ns_of("lookback", lookback) or 0)
    return bounds["start"], bounds["end"]
