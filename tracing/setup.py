"""Sets OpenTelemetry up for one process: who it is, where its spans go, how many of them."""

import os
import socket
from dataclasses import dataclass

from opentelemetry import trace
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased

from tracing.encoding import QuickExporter
from tracing.parts import Part, SharedProvider, current_part
from tracing.process import LifeIds, LifeSampler, OwnLife

# A busy backend may be slow: what it is not given is missing where it is looked for most. A process that stops has less time, and
# with the backend down the SDK would hold it for 30 s.
EXPORT_SECONDS, LAST_EXPORT_SECONDS = 10, 2
SCHEDULE_DELAY_MILLISECONDS = 500
QUEUE_SPANS = 20_000


@dataclass(frozen=True)
class TracingSettings:
    """What a process tells about itself. `endpoint` is the base address of an OTLP/HTTP receiver; None keeps spans in the process."""

    service_name: str
    service_version: str
    environment: str
    endpoint: str | None
    sample_ratio: float = 1.0
    # The name of the host; None: the machine's own.
    host_name: str | None = None


def resource_of(settings: TracingSettings) -> Resource:
    """Who the process is: the same in its spans and in its metrics."""
    host = settings.host_name or socket.gethostname()
    return Resource.create(
        {
            "service.name": settings.service_name,
            "service.version": settings.service_version,
            "service.instance.id": f"{host}-{os.getpid()}",
            "host.name": host,
            "process.pid": os.getpid(),
            "deployment.environment.name": settings.environment,
        }
    )


def set_up_tracing(settings: TracingSettings, *, program: str | None = None) -> OwnLife:
    """Makes the process's tracer provider, and tells that the process started; its `shutdown` tells that it stopped.

    The first call in a process also makes it the global one. `program` names a process of the service that is not the service
    itself, such as one that loads files: it takes nobody's place. In a process of several services (`share_process`) it is the
    provider of whatever goes on from here in this context.
    """
    resource = resource_of(settings)
    sampler = LifeSampler(ParentBased(TraceIdRatioBased(settings.sample_ratio)))
    provider = OwnLife(resource=resource, sampler=sampler, id_generator=LifeIds())
    whole = trace.get_tracer_provider()
    processor = whole.lent() if isinstance(whole, SharedProvider) else _sending_to(settings.endpoint)
    if processor is not None:
        provider.add_span_processor(processor)
    if isinstance(whole, SharedProvider):
        current_part.set(Part(settings.service_name, provider.get_tracer("onsale")))
    elif not isinstance(whole, TracerProvider):
        trace.set_tracer_provider(provider)
    provider.begin(program or settings.service_name)
    return provider


def share_process(endpoint: str | None) -> SharedProvider:
    """Lets several services have this process: to be called before the first of them begins. Shut it down after the last one."""
    whole = SharedProvider(_sending_to(endpoint))
    trace.set_tracer_provider(whole)
    return whole


def _sending_to(endpoint: str | None) -> SpanProcessor | None:
    return Sender(endpoint.rstrip("/") + "/v1/traces") if endpoint else None


class Sender(BatchSpanProcessor):
    """Sends spans to an address, some at a time."""

    def __init__(self, address: str) -> None:
        self._exporter = QuickExporter(endpoint=address, timeout=EXPORT_SECONDS)
        super().__init__(self._exporter, max_queue_size=QUEUE_SPANS, schedule_delay_millis=SCHEDULE_DELAY_MILLISECONDS)

    def shutdown(self) -> None:
        """Sends what is left, if that can be done soon."""
        self._exporter.hurry(LAST_EXPORT_SECONDS)
        super().shutdown()  # type: ignore[no-untyped-call]  # the SDK has no types there
