"""The metrics of one service in one process: told by code that does something, or read from what there is."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from opentelemetry.metrics import CallbackOptions, Observation
from opentelemetry.sdk.metrics import MeterProvider, TraceBasedExemplarFilter
from opentelemetry.sdk.resources import Resource

from tracing.instruments import Instrument
from tracing.readings import Export, Readings

Attributes = Mapping[str, str | int]
# Numbers with their attributes, at this moment.
Read = Callable[[], Iterable[tuple[float, Attributes]]]


class Metrics:
    """Counts, and remembers for each bucket of a histogram a trace that fell into it.

    Each service has one of its own: tests run several in one process. Without a resource it is one for parts that are used alone.
    Nothing leaves the process before `start`.
    """

    def __init__(self, resource: Resource | None = None, *, endpoint: str | None = None) -> None:
        self.readings = Readings()
        self._provider = MeterProvider(
            metric_readers=[self.readings],
            resource=resource or Resource.get_empty(),
            exemplar_filter=TraceBasedExemplarFilter(),
            shutdown_on_exit=False,
        )
        self._meter = self._provider.get_meter("onsale")
        self._told: dict[str, Any] = {}
        self._reads: dict[str, list[Read]] = {}
        self._export = Export(self.readings, endpoint) if endpoint else None

    def record(self, instrument: Instrument, value: float, attributes: Attributes) -> None:
        """Adds a measured value to a histogram. The current span, if it is sampled, becomes its bucket's exemplar."""
        (self._told.get(instrument.name) or self._make(instrument)).record(value, attributes)

    def count(self, instrument: Instrument, attributes: Attributes, number: float = 1) -> None:
        """Adds to a counter."""
        (self._told.get(instrument.name) or self._make(instrument)).add(number, attributes)

    def show(self, instrument: Instrument, read: Read) -> None:
        """Reads numbers whenever metrics are collected, from any thread; `read` must be quick, and wait for nothing."""
        reads = self._reads.get(instrument.name)
        if reads is not None:
            reads.append(read)
            return
        reads = self._reads[instrument.name] = [read]

        def observe(_options: CallbackOptions) -> Iterable[Observation]:
            return [Observation(value, dict(attributes)) for each in reads for value, attributes in each()]

        make = {
            "gauge": self._meter.create_observable_gauge,
            "updowncounter": self._meter.create_observable_up_down_counter,
            "counter": self._meter.create_observable_counter,
        }[instrument.kind]
        make(instrument.name, [observe], unit=instrument.unit, description=instrument.meaning)

    def start(self) -> None:
        """Begins to send, if there is an endpoint."""
        if self._export is not None:
            self._export.start()

    def stop(self) -> None:
        """Sends the last time. Blocks for 2 s at most, and for no time if the endpoint is away."""
        if self._export is not None:
            self._export.stop()
        self._provider.shutdown()

    def _make(self, instrument: Instrument) -> Any:
        name, unit, meaning = instrument.name, instrument.unit, instrument.meaning
        if instrument.kind == "counter":
            made: Any = self._meter.create_counter(name, unit, meaning)
        else:
            made = self._meter.create_histogram(
                name, unit, meaning, explicit_bucket_boundaries_advisory=instrument.boundaries
            )
        return self._told.setdefault(name, made)
