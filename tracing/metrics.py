"""The metrics of one service in one process: recorded by code that does something, or read from what there is."""

import logging
from collections.abc import Callable, Iterable, Iterator
from time import time_ns

from opentelemetry.sdk.metrics.export import (
    AggregationTemporality,
    Gauge,
    Metric,
    MetricsData,
    NumberDataPoint,
    ResourceMetrics,
    ScopeMetrics,
    Sum,
)
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.util.instrumentation import InstrumentationScope

from tracing.instruments import Instrument
from tracing.series import Attributes, Recorded, Series

# Numbers with their attributes, at this moment.
Read = Callable[[], Iterable[tuple[float, Attributes]]]

_SCOPE = InstrumentationScope("onsale")
_LOG = logging.getLogger(__name__)


class Metrics:
    """Counts, and remembers for each bucket of a histogram a trace that fell into it.

    Each service has one of its own: tests run several in one process. Without a resource it is one for parts that are used alone.
    """

    def __init__(self, resource: Resource | None = None) -> None:
        self._resource = resource or Resource.get_empty()
        self._recorded: dict[str, Recorded] = {}
        self._reads: dict[str, tuple[Instrument, list[Read]]] = {}
        self._since_ns = time_ns()

    def record(self, instrument: Instrument, value: float, attributes: Attributes) -> None:
        """Adds a measured value to a histogram. The current span, if it is sampled, becomes its bucket's exemplar."""
        self.series(instrument, attributes).add(value)

    def count(self, instrument: Instrument, attributes: Attributes, number: float = 1) -> None:
        """Adds to a counter."""
        self.series(instrument, attributes).add(number)

    def series(self, instrument: Instrument, attributes: Attributes) -> Series:
        """Where values of a histogram or a counter with these attributes are added: for who does so often, to keep."""
        return (self._recorded.get(instrument.name) or self._new(instrument)).series(attributes)

    def show(self, instrument: Instrument, read: Read) -> None:
        """Reads numbers whenever metrics are collected, from any thread; `read` must be quick, and wait for nothing."""
        self._reads.setdefault(instrument.name, (instrument, []))[1].append(read)

    def now(self) -> MetricsData:
        """Everything, each bucket with the last exemplar that it ever had: what a page for scraping shows."""
        return self._all(only_unsent=False)

    def since_last_time(self) -> MetricsData:
        """Everything, with the exemplars since the last call of this: what is sent. Who reads `now` takes nothing away."""
        return self._all(only_unsent=True)

    def _all(self, *, only_unsent: bool) -> MetricsData:
        now_ns = time_ns()
        recorded = [each.metric(now_ns, only_unsent=only_unsent) for each in list(self._recorded.values())]
        read = [self._read(instrument, reads, now_ns) for instrument, reads in list(self._reads.values())]
        metrics = [each for each in (*recorded, *read) if each.data.data_points]
        return MetricsData([ResourceMetrics(self._resource, [ScopeMetrics(_SCOPE, metrics, "")], "")])

    def _read(self, instrument: Instrument, reads: Iterable[Read], now_ns: int) -> Metric:
        points = [
            NumberDataPoint(dict(attributes), self._since_ns, now_ns, value)
            for read in reads
            for value, attributes in _read(instrument, read)
        ]
        if instrument.kind == "gauge":
            return Metric(instrument.name, instrument.meaning, instrument.unit, Gauge(points))
        added = Sum(points, AggregationTemporality.CUMULATIVE, is_monotonic=instrument.kind == "counter")
        return Metric(instrument.name, instrument.meaning, instrument.unit, added)

    def _new(self, instrument: Instrument) -> Recorded:
        return self._recorded.setdefault(instrument.name, Recorded(instrument))


def _read(instrument: Instrument, read: Read) -> Iterator[tuple[float, Attributes]]:
    try:
        yield from read()
    except Exception:  # noqa: BLE001  # one number must not take the others along
        _LOG.exception("a metric cannot be read: %s", instrument.name)
