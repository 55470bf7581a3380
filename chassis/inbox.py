"""The inbox: a fact takes effect once, because its row is written in the transaction of its effect."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from nats.aio.msg import Msg
from opentelemetry.trace import Span, SpanKind
from pydantic import ValidationError
from sqlalchemy import text

from chassis.db import Database, Transaction
from chassis.facts import CloudEvent, Heard
from chassis.failpoints import failpoint
from chassis.logs import log
from tracing.spans import continued, mark_failed

MAX_DELIVERIES = 8
# Growing delays between tries, in seconds; the last one repeats.
DELAYS_SECONDS = (0.2, 1.0, 3.0, 10.0, 30.0, 60.0, 120.0)

HeardFact = TypeVar("HeardFact", bound=Heard)

_LOG = log(__name__)


class Reject(Exception):
    """Raised by a handler: this fact can never take effect here. It goes to the dead letters with the reason."""


@dataclass(frozen=True)
class Received:
    """How a fact arrived."""

    event_id: UUID
    subject: str
    aggregate_id: str
    time: datetime
    delivery: int
    traceparent: str | None


@dataclass(frozen=True)
class Subscription:
    """A subject, how this consumer reads it, and what it does then."""

    subject: str
    model: type[Heard]
    handle: Callable[[Transaction, Any, Received], Awaitable[None]]


class Inbox:
    """The facts that one service hears. `consumer` is also the name of its durable consumer."""

    def __init__(self, consumer: str) -> None:
        self.consumer = consumer
        self.subscriptions: dict[str, Subscription] = {}

    def hears(
        self, subject: str, model: type[HeardFact]
    ) -> Callable[[Callable[[Transaction, HeardFact, Received], Awaitable[None]]], Callable[..., Awaitable[None]]]:
        """Registers the handler of a subject. The handler does no network: it writes, and a worker does the rest."""

        def register(
            handle: Callable[[Transaction, HeardFact, Received], Awaitable[None]],
        ) -> Callable[..., Awaitable[None]]:
            if subject in self.subscriptions:
                raise ValueError(f"{self.consumer} already hears {subject}.")
            self.subscriptions[subject] = Subscription(subject, model, handle)
            return handle

        return register

    def receiver(self, database: Database) -> Callable[[Msg], Awaitable[None]]:
        """What the firehose calls for each message."""

        async def receive(message: Msg) -> None:
            await _Delivery(self, database, message).settle()

        return receive


class _Delivery:
    """One message on its way into one service."""

    def __init__(self, inbox: Inbox, database: Database, message: Msg) -> None:
        self._inbox = inbox
        self._database = database
        self._message = message
        self._number = int(message.metadata.num_delivered)

    async def settle(self) -> None:
        """Acknowledges, delays or buries the message; raises nothing, so that its neighbours are handled too."""
        event = self._read_envelope()
        traceparent = event.traceparent if event else None
        attributes = {
            "messaging.system": "nats",
            "messaging.destination.name": self._message.subject,
            "messaging.message.id": str(event.id) if event else "",
            "messaging.consumer.group.name": self._inbox.consumer,
            "onsale.delivery": self._number,
        }
        name = f"process {self._message.subject}"
        repeated = self._number > 1
        with continued(name, traceparent, attributes, SpanKind.CONSUMER, repeated=repeated) as span:
            try:
                if event is None:
                    raise Reject("It is not a CloudEvent.")  # noqa: TRY301  # one place decides what happens to a bad message
                await self._take_effect(event, span)
                failpoint(f"inbox.before_ack.{self._message.subject}")
                await self._message.ack()
            except (Reject, ValidationError) as error:
                await self._bury(str(error), span)
            except Exception as error:  # noqa: BLE001  # whatever it was: later again, and in the end to the dead letters
                await self._try_later(error, span)

    def _read_envelope(self) -> CloudEvent | None:
        try:
            return CloudEvent.model_validate_json(self._message.data)
        except ValidationError:
            return None

    async def _take_effect(self, event: CloudEvent, span: Span) -> None:
        subscription = self._inbox.subscriptions.get(event.type)
        if subscription is None:
            return
        fact = subscription.model.model_validate(event.data)
        received = Received(event.id, event.type, event.subject, event.time, self._number, event.traceparent)
        async with self._database.writer() as tx:
            parameters = {"consumer": self._inbox.consumer, "event_id": event.id, "subject": event.type}
            first = (await tx.execute(_INSERT, parameters, name="inbox.insert")).rowcount
            if first:
                await subscription.handle(tx, fact, received)
            else:
                span.set_attribute("onsale.duplicate", True)

    async def _try_later(self, error: Exception, span: Span) -> None:
        reason = f"{type(error).__name__}: {error}"
        mark_failed(span, type(error).__name__)
        if self._number >= MAX_DELIVERIES:
            await self._bury(f"{MAX_DELIVERIES} deliveries failed; the last one with {reason}", span)
            return
        delay = DELAYS_SECONDS[min(self._number, len(DELAYS_SECONDS)) - 1]
        _LOG.warning("a fact will be tried again", subject=self._message.subject, error=reason, in_seconds=delay)
        await self._message.nak(delay=delay)

    async def _bury(self, reason: str, span: Span) -> None:
        mark_failed(span, "dead letter")
        _LOG.error("a fact went to the dead letters", subject=self._message.subject, reason=reason)
        event = self._read_envelope()
        parameters = {
            "consumer": self._inbox.consumer,
            "message_id": str(event.id) if event else f"seq-{self._message.metadata.sequence.stream}",
            "subject": self._message.subject,
            "body": self._message.data,
            "reason": reason,
            "deliveries": self._number,
            "traceparent": event.traceparent if event else None,
        }
        try:
            async with self._database.writer() as tx:
                await tx.execute(_BURY, parameters, name="inbox.bury")
        except Exception as error:  # noqa: BLE001  # without its row the message must stay in the stream
            _LOG.warning("a dead letter could not be written yet", error=f"{type(error).__name__}: {error}")
            await self._message.nak(delay=DELAYS_SECONDS[-1])
            return
        await self._message.term()


_INSERT = text("""
    INSERT INTO inbox (consumer, event_id, subject) VALUES (:consumer, :event_id, :subject) ON CONFLICT DO NOTHING
""")
_BURY = text("""
    INSERT INTO dead_letter (consumer, message_id, subject, body, reason, deliveries, traceparent)
    VALUES (:consumer, :message_id, :subject, :body, :reason, :deliveries, :traceparent) ON CONFLICT DO NOTHING
""")
