"""The bus: core NATS, at most once. For messages whose loss makes nobody wrong, only late."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeVar

import nats.errors
import orjson
from nats.aio.msg import Msg
from opentelemetry.trace import SpanKind
from pydantic import ValidationError

from chassis.broker import Broker
from chassis.facts import BusMessage, Heard
from chassis.logs import log
from tracing.instruments import MESSAGES_SENT
from tracing.measured import measured_processing
from tracing.messaging import message_attributes
from tracing.metrics import Metrics
from tracing.spans import continued, inject, span

Handler = Callable[[str, dict[str, Any]], Awaitable[None]]
Said = TypeVar("Said", bound=Heard)

_LOG = log(__name__)


class Bus:
    """Publishes and hears; neither raises when the broker is away."""

    def __init__(self, broker: Broker, metrics: Metrics | None = None) -> None:
        self._broker = broker
        self._metrics = metrics or Metrics()

    async def say(self, message: BusMessage) -> None:
        """Says a declared message to whoever listens right now. A lost one is not an error."""
        await self.publish(message.address, message.model_dump(mode="json"))

    async def publish(self, subject: str, payload: dict[str, Any]) -> None:
        """Tells whoever listens right now. A lost message is not an error."""
        client = self._broker.client_now()
        template = _template(subject)
        if client is None:
            self._count_sent(template, "NotConnected")
            return
        attributes = message_attributes("send", subject, template=template)
        with span(f"send {template}", attributes, SpanKind.PRODUCER):
            try:
                await client.publish(subject, orjson.dumps(payload), headers=inject({}) or None)
                self._count_sent(template)
            except (nats.errors.Error, OSError) as error:
                self._count_sent(template, type(error).__name__)
                _LOG.info("a bus message was lost", subject=subject, error=str(error))

    def subscribe(self, subject: str, handler: Handler) -> None:
        """Hears a subject (wildcards allowed) in every process of this service, with each connection that is made."""

        async def on_message(message: Msg) -> None:
            traceparent = (message.headers or {}).get("traceparent")
            template = _template(message.subject)
            attributes = message_attributes("process", message.subject, template=template)
            try:
                with (
                    continued(f"process {template}", traceparent, attributes, SpanKind.CONSUMER),
                    measured_processing(self._metrics, template) as ended,
                ):
                    await handler(message.subject, orjson.loads(message.data))
                    ended("done")
            except Exception as error:  # noqa: BLE001  # one bad message must not end the subscription
                _LOG.warning("a bus message was not understood", subject=message.subject, error=str(error))

        self._broker.subscribe(subject, on_message)

    def _count_sent(self, template: str, error: str = "") -> None:
        attributes = {
            "messaging.system": "nats",
            "messaging.operation.name": "send",
            "messaging.destination.name": template,
        }
        self._metrics.count(MESSAGES_SENT, attributes | ({"error.type": error} if error else {}))


def _template(subject: str) -> str:
    """The subject without the id that ends it, so that span names stay few."""
    return ".".join(subject.split(".")[:3])


def understood(kind: type[Said], payload: Mapping[str, Any]) -> Said | None:
    """A message as whoever hears it reads it; None, with a warning that names no values, for what is no such message."""
    try:
        return kind.model_validate(payload)
    except ValidationError as error:
        problem = str(error.errors(include_input=False)[0]["msg"])
        _LOG.warning("a bus message was not understood", kind=kind.__name__, problem=problem)
        return None
