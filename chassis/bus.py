"""The bus: core NATS, at most once. For messages whose loss makes nobody wrong, only late."""

from collections.abc import Awaitable, Callable
from typing import Any

import nats.errors
import orjson
from nats.aio.client import Client
from nats.aio.msg import Msg
from opentelemetry.trace import SpanKind

from chassis.broker import Broker
from chassis.logs import log
from tracing.spans import continued, inject, span

Handler = Callable[[str, dict[str, Any]], Awaitable[None]]

_LOG = log(__name__)


class Bus:
    """Publishes and hears; neither raises when the broker is away."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker

    async def publish(self, subject: str, payload: dict[str, Any]) -> None:
        """Tells whoever listens right now. A lost message is not an error."""
        client = self._broker.client_now()
        if client is None:
            return
        with span(f"send {_template(subject)}", {"messaging.destination.name": subject}, SpanKind.PRODUCER):
            try:
                await client.publish(subject, orjson.dumps(payload), headers=inject({}) or None)
            except (nats.errors.Error, OSError) as error:
                _LOG.info("a bus message was lost", subject=subject, error=str(error))

    def subscribe(self, subject: str, handler: Handler) -> None:
        """Hears a subject (wildcards allowed) in every process of this service, from the first connection on."""

        async def on_message(message: Msg) -> None:
            traceparent = (message.headers or {}).get("traceparent")
            name = f"process {_template(message.subject)}"
            try:
                with continued(name, traceparent, {"messaging.destination.name": message.subject}, SpanKind.CONSUMER):
                    await handler(message.subject, orjson.loads(message.data))
            except Exception as error:  # noqa: BLE001  # one bad message must not end the subscription
                _LOG.warning("a bus message was not understood", subject=message.subject, error=str(error))

        async def start(client: Client) -> None:
            await client.subscribe(subject, cb=on_message)

        self._broker.on_connected(start)


def _template(subject: str) -> str:
    """The subject without the id that ends it, so that span names stay few."""
    return ".".join(subject.split(".")[:3])
