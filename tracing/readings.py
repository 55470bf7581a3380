"""Collects the metrics of one process for two readers, of which neither takes the other's exemplars away."""

from bisect import bisect_left
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from threading import Event, Lock, Thread
from typing import Any

from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.sdk.metrics import Exemplar
from opentelemetry.sdk.metrics.export import (
    HistogramDataPoint,
    Metric,
    MetricExportResult,
    MetricReader,
    MetricsData,
    NumberDataPoint,
)

EXPORT_SECONDS = 10.0
# One export with its retries. A stopping process waits for one at most, and for none if the last one failed.
EXPORT_TIMEOUT_SECONDS = 2.0

# (metric, attributes): bucket -> the last exemplar that fell into it.
_Exemplars = dict[tuple[str, Any], dict[int, Exemplar]]


class Readings(MetricReader):
    """What was measured so far (cumulative). Safe to use from several threads.

    The SDK hands an exemplar out once, to whoever collects first; here a scrape and an export both get it.
    """

    def __init__(self) -> None:
        super().__init__()
        self._reading = Lock()
        self._collected: MetricsData | None = None
        self._latest: _Exemplars = {}
        self._unsent: _Exemplars = {}

    def now(self) -> MetricsData:
        """Everything, each bucket with the last exemplar that it ever had: what a page for scraping shows."""
        with self._reading:
            return _with_exemplars(self._take(), self._latest)

    def since_last_time(self) -> MetricsData:
        """Everything, with the exemplars since the last call: what is sent."""
        with self._reading:
            data = self._take()
            unsent, self._unsent = self._unsent, {}
            return _with_exemplars(data, unsent)

    def _take(self) -> MetricsData:
        self._collected = None
        self.collect()
        data = self._collected or MetricsData(resource_metrics=[])
        for metric in metrics_in(data):
            for point in metric.data.data_points:
                for exemplar in point.exemplars:
                    key, bucket = _key_of(metric, point), _bucket_of(point, exemplar)
                    self._latest.setdefault(key, {})[bucket] = exemplar
                    self._unsent.setdefault(key, {})[bucket] = exemplar
        return data

    def _receive_metrics(self, metrics_data: MetricsData, timeout_millis: float = 10_000, **_kwargs: Any) -> None:
        self._collected = metrics_data

    def shutdown(self, timeout_millis: float = 30_000, **_kwargs: Any) -> None:
        """Nothing is open here."""


@dataclass
class Export:
    """Sends what was measured to `<endpoint>/v1/metrics` every few seconds, from a thread of its own.

    A thread, because a blocked event loop is one of the things that it has to tell.
    """

    readings: Readings
    endpoint: str
    every_seconds: float = field(default_factory=lambda: EXPORT_SECONDS)
    _ended: Event = field(default_factory=Event)
    _thread: Thread | None = None
    _works: bool = True

    def start(self) -> None:
        """Begins to send."""
        address = self.endpoint.rstrip("/") + "/v1/metrics"
        self._exporter = OTLPMetricExporter(endpoint=address, timeout=EXPORT_TIMEOUT_SECONDS)
        self._thread = Thread(target=self._run, name="metrics", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Sends the last time, if the one before came through; blocks for EXPORT_TIMEOUT_SECONDS at most."""
        self._ended.set()
        if self._thread is not None:
            if not self._works:
                self._exporter.shutdown()  # does not wait for another try
            self._thread.join(EXPORT_TIMEOUT_SECONDS)

    def _run(self) -> None:
        while not self._ended.wait(self.every_seconds):
            self._send()
        if self._works:
            self._send()

    def _send(self) -> None:
        # It raises nothing, and logs what went wrong.
        outcome = self._exporter.export(self.readings.since_last_time())
        self._works = outcome is MetricExportResult.SUCCESS


def metrics_in(data: MetricsData) -> Iterator[Metric]:
    """The metrics of all scopes."""
    for of_resource in data.resource_metrics:
        for of_scope in of_resource.scope_metrics:
            yield from of_scope.metrics


def _with_exemplars(data: MetricsData, exemplars: _Exemplars) -> MetricsData:
    def renew(metric: Metric) -> Metric:
        points: list[Any] = [
            replace(point, exemplars=[each for _, each in sorted(exemplars.get(_key_of(metric, point), {}).items())])
            for point in metric.data.data_points
        ]
        return replace(metric, data=replace(metric.data, data_points=points))  # type: ignore[arg-type]

    return _mapped(data, renew)


def _mapped(data: MetricsData, change: Callable[[Metric], Metric]) -> MetricsData:
    resources = [
        replace(
            of_resource,
            scope_metrics=[
                replace(of_scope, metrics=[change(metric) for metric in of_scope.metrics])
                for of_scope in of_resource.scope_metrics
            ],
        )
        for of_resource in data.resource_metrics
    ]
    return replace(data, resource_metrics=resources)


def _key_of(metric: Metric, point: Any) -> tuple[str, Any]:
    return metric.name, frozenset((point.attributes or {}).items())


def _bucket_of(point: HistogramDataPoint | NumberDataPoint | Any, exemplar: Exemplar) -> int:
    return bisect_left(point.explicit_bounds, exemplar.value) if isinstance(point, HistogramDataPoint) else 0
