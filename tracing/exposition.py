"""Metrics as a page that Prometheus reads: OpenMetrics with exemplars for who asks for it, else the plain text format.

Names follow OpenTelemetry's rules for Prometheus: `http.server.request.duration` in `s` is `http_server_request_duration_seconds`.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from opentelemetry.sdk.metrics import Exemplar
from opentelemetry.sdk.metrics.export import Histogram, HistogramDataPoint, Metric, MetricsData, NumberDataPoint, Sum

OPEN_METRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"
PLAIN_TEXT = "text/plain; version=0.0.4; charset=utf-8"
UNITS = {"s": "seconds", "ms": "milliseconds", "By": "bytes"}

_NOT_IN_NAMES = re.compile(r"[^a-zA-Z0-9_]")


def exposed(data: MetricsData, accept: str) -> tuple[str, str]:
    """The page and its media type, for whoever accepts that."""
    is_open = "application/openmetrics-text" in accept
    lines = [*_about_the_process(data, is_open=is_open)]
    for metric in _metrics_in(data):
        lines += _lines_of(metric, is_open=is_open)
    if is_open:
        lines.append("# EOF")
    return "\n".join([*lines, ""]), OPEN_METRICS if is_open else PLAIN_TEXT


def exposed_name(name: str, unit: str, *, is_counter: bool = False) -> str:
    """What a metric is called in Prometheus."""
    plain = _NOT_IN_NAMES.sub("_", name)
    suffix = UNITS.get(unit, "")
    if suffix and not plain.endswith("_" + suffix):
        plain += "_" + suffix
    return plain + "_total" if is_counter else plain


def _metrics_in(data: MetricsData) -> Iterator[Metric]:
    for of_resource in data.resource_metrics:
        for of_scope in of_resource.scope_metrics:
            yield from of_scope.metrics


def _about_the_process(data: MetricsData, *, is_open: bool) -> Iterator[str]:
    for of_resource in data.resource_metrics:
        labels = _labels(of_resource.resource.attributes)
        yield f"# HELP {'target' if is_open else 'target_info'} Who the process is."
        yield "# TYPE target info" if is_open else "# TYPE target_info gauge"
        yield f"target_info{labels} 1"


def _lines_of(metric: Metric, *, is_open: bool) -> Iterator[str]:
    kind = _kind(metric)
    name = exposed_name(metric.name, metric.unit or "")
    sample = name + "_total" if kind == "counter" else name
    family = name if is_open else sample
    if metric.description:
        yield f"# HELP {family} {_escaped(metric.description, quotes=is_open)}"
    yield f"# TYPE {family} {kind}"
    if is_open and (unit := UNITS.get(metric.unit or "")):
        yield f"# UNIT {family} {unit}"
    for point in metric.data.data_points:
        if isinstance(point, HistogramDataPoint):
            yield from _buckets(name, point, is_open=is_open)
        elif isinstance(point, NumberDataPoint):
            yield f"{sample}{_labels(point.attributes)} {_number(point.value)}"


def _kind(metric: Metric) -> str:
    if isinstance(metric.data, Histogram):
        return "histogram"
    return "counter" if isinstance(metric.data, Sum) and metric.data.is_monotonic else "gauge"


def _buckets(name: str, point: HistogramDataPoint, *, is_open: bool) -> Iterator[str]:
    bounds = [*point.explicit_bounds, float("inf")]
    below = 0
    for index, (bound, count) in enumerate(zip(bounds, point.bucket_counts, strict=True)):
        below += count
        lower = bounds[index - 1] if index else float("-inf")
        inside = [each for each in point.exemplars if lower < each.value <= bound] if is_open else []
        yield f"{name}_bucket{_labels(point.attributes, le=_number(bound))} {below}{_exemplar(inside)}"
    labels = _labels(point.attributes)
    yield f"{name}_count{labels} {point.count}"
    yield f"{name}_sum{labels} {_number(point.sum)}"


def _exemplar(exemplars: Sequence[Exemplar]) -> str:
    known = next((each for each in exemplars if each.trace_id and each.span_id), None)
    if known is None:
        return ""
    ids = f'{{trace_id="{known.trace_id:032x}",span_id="{known.span_id:016x}"}}'
    return f" # {ids} {_number(known.value)} {known.time_unix_nano / 1e9:.3f}"


def _labels(attributes: Mapping[str, Any] | None, **more: str) -> str:
    named = {_NOT_IN_NAMES.sub("_", name): str(value) for name, value in (attributes or {}).items()} | more
    return "{" + ",".join(f'{name}="{_escaped(value)}"' for name, value in named.items()) + "}" if named else ""


def _escaped(value: str, *, quotes: bool = True) -> str:
    value = value.replace("\\", "\\\\").replace("\n", "\\n")
    return value.replace('"', '\\"') if quotes else value


def _number(value: float) -> str:
    return "+Inf" if value == float("inf") else repr(value)
