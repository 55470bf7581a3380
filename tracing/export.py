"""Sends metrics over OTLP/HTTP, from a thread of its own: a blocked event loop is one of the things that they have to tell."""

from threading import Event, Thread

from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.sdk.metrics.export import MetricExportResult

from tracing.metrics import Metrics

EXPORT_SECONDS = 10.0
# One export with its retries. A stopping process waits for one at most, and for none if the last one failed.
EXPORT_TIMEOUT_SECONDS = 2.0


class MetricsExport:
    """Sends what was measured (cumulative) to `<endpoint>/v1/metrics` every `every_seconds`."""

    def __init__(self, metrics: Metrics, endpoint: str, *, every_seconds: float = EXPORT_SECONDS) -> None:
        self._metrics = metrics
        address = endpoint.rstrip("/") + "/v1/metrics"
        self._exporter = OTLPMetricExporter(endpoint=address, timeout=EXPORT_TIMEOUT_SECONDS)
        self._every_seconds = every_seconds
        self._ended = Event()
        self._thread = Thread(target=self._run, name="metrics", daemon=True)
        self.last_succeeded = True

    @property
    def is_running(self) -> bool:
        """Whether its thread lives."""
        return self._thread.is_alive()

    def start(self) -> None:
        """Begins to send."""
        self._thread.start()

    def stop(self) -> None:
        """Sends the last time, if the time before it came through. Blocks for EXPORT_TIMEOUT_SECONDS at most."""
        self._ended.set()
        if not self.last_succeeded:
            self._exporter.shutdown()  # does not wait for another try
        self._thread.join(EXPORT_TIMEOUT_SECONDS)

    def _run(self) -> None:
        while not self._ended.wait(self._every_seconds):
            self._send()
        if self.last_succeeded:
            self._send()

    def _send(self) -> None:
        # It raises nothing, and logs what went wrong.
        outcome = self._exporter.export(self._metrics.since_last_time())
        self.last_succeeded = outcome is MetricExportResult.SUCCESS
