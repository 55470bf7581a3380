"""The inbox: a fact takes effect once, because its row is written in the transaction of its effect."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

import nats.errors
from nats.aio.msg import Msg
from opentelemetry.trace import Span, SpanKind
from pydantic import ValidationError

from chassis.clock import utc_now
from chassis.db import Database, Transaction
from chassis.errors import safe_text
from chassis.facts import CloudEvent, Heard
from chassis.failpoints import failpoint
from chassis.logs import log
from chassis.statements import text
from tracing.instruments import FACT_AGE
from tracing.measured import measured_processing
from tracing.messaging import message_attributes
from tracing.spans import continued, current_traceparent, link_to, mark_failed

MAX_DELIVERIES = 8
# Growing delays between tries, in seconds; the last one repeats.
DELAYS_SECONDS = (0.2, 1.0, 3.0, 10.0, 30.0, 60.0, 120.0)

HeardFact = TypeVar("HeardFact", bound=Heard)

_LOG = log(__name__)


class Reject(Exception):
    """Raised by a handler: this fact can never take effect here. It goes to the dead letters with the reason."""


class _Unknown(Exception):
    """This version has no handler for such facts. A newer version may have one: both take from the same consumer."""


@dataclass(frozen=True)
class Received:
    """How a fact arrived.

    `version` orders the facts about one thing: who keeps what the last one said, keeps its version beside it, and takes no older one
    (`WHERE table.version <= excluded.version`). 0: it comes from before there were versions, and is taken.
    """

    event_id: UUID
    subject: str
    aggregate_id: str
    time: datetime
    delivery: int
    traceparent: str | None
    version: int
    consumer: str

    def row(self) -> dict[str, Any]:
        """The row of the inbox: the parameters of `HEARD`."""
        return {
            "heard_by": self.consumer,
            "heard_id": self.event_id,
            "heard_subject": self.subject,
            "heard_about": self.aggregate_id,
            "heard_delivery": self.delivery,
            "heard_in": current_traceparent(),
        }


# Writes the row of a fact that is heard for the first time, and else gives none back. As a part of a statement
# (`WITH heard AS ({HEARD})`) it is for an effect that is one statement itself: see `Inbox.hears_at_once`.
HEARD = """
    INSERT INTO inbox (consumer, event_id, subject, aggregate_id, delivery, traceparent)
    VALUES (:heard_by, :heard_id, :heard_subject, :heard_about, :heard_delivery, :heard_in)
    ON CONFLICT DO NOTHING RETURNING event_id
"""


async def hear(tx: Transaction, received: Received) -> bool:
    """Writes the row of the inbox, and nothing else. Whether it is the first time that the fact is heard."""
    return (await tx.execute(_HEAR, received.row(), name="inbox.insert")).rowcount == 1


@dataclass(frozen=True)
class Subscription:
    """A subject, how this consumer reads it, and what it does then, in one transaction with the row of the inbox."""

    subject: str
    model: type[Heard]
    handle: Callable[[Transaction, Any, Received], Awaitable[Any]]
    is_one_statement: bool = False

    async def take_effect(self, database: Database, fact: Heard, received: Received) -> bool:
        """False if the fact has been heard before; then it changes nothing."""
        async with database.writer(single=self.is_one_statement) as tx:
            if self.is_one_statement:
                return bool(await self.handle(tx, fact, received))
            is_first = await hear(tx, received)
            if is_first:
                await self.handle(tx, fact, received)
        return is_first


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
            self._add(Subscription(subject, model, handle))
            return handle

        return register

    def hears_at_once(
        self, subject: str, model: type[HeardFact]
    ) -> Callable[[Callable[[Transaction, HeardFact, Received], Awaitable[bool]]], Callable[..., Awaitable[bool]]]:
        """The same for an effect that is one statement, with `HEARD` in it: one round trip instead of four.

        The handler returns whether the fact is heard for the first time, as that statement says.
        """

        def register(
            handle: Callable[[Transaction, HeardFact, Received], Awaitable[bool]],
        ) -> Callable[..., Awaitable[bool]]:
            self._add(Subscription(subject, model, handle, is_one_statement=True))
            return handle

        return register

    def _add(self, subscription: Subscription) -> None:
        if subscription.subject in self.subscriptions:
            raise ValueError(f"{self.consumer} already hears {subscription.subject}.")
        self.subscriptions[subscription.subject] = subscription

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
        message_id = str(event.id) if event else None
        attributes: dict[str, str | int] = {
            **message_attributes("process", self._message.subject, message_id=message_id, group=self._inbox.consumer),
            "onsale.delivery": self._number,
            "onsale.publication": publication_of(self._message),
        }
        name = f"process {self._message.subject}"
        repeated = self._number > 1
        metrics, consumer = self._database.metrics, self._inbox.consumer
        with (
            continued(name, traceparent, attributes, SpanKind.CONSUMER, repeated=repeated) as span,
            measured_processing(metrics, self._message.subject, consumer) as self._ended,
        ):
            try:
                if event is None:
                    raise Reject("It is not a CloudEvent.")  # noqa: TRY301  # one place decides what happens to a bad message
                await self._take_effect(event, span)
                failpoint(f"inbox.before_ack.{self._message.subject}")
                await self._answer(self._message.ack())
                self._note_age(event)
            except Reject as error:
                await self._bury(str(error), span)  # our own sentence
            except ValidationError as error:
                await self._bury(safe_text(error), span)
            except _Unknown:
                await self._leave_to_another_version(span)
            except Exception as error:  # noqa: BLE001  # whatever it was: later again, and in the end to the dead letters
                await self._try_later(error, span)

    async def _answer(self, answering: Awaitable[None]) -> None:
        """Says to the broker what became of the message. A message of which it does not hear comes again, and is then a duplicate."""
        try:
            await answering
        except (nats.errors.Error, OSError, TimeoutError) as error:
            _LOG.warning(
                "what became of a fact could not be acknowledged", subject=self._message.subject, error=str(error)
            )

    def _read_envelope(self) -> CloudEvent | None:
        try:
            return CloudEvent.model_validate_json(self._message.data)
        except ValidationError:
            return None

    def _note_age(self, event: CloudEvent) -> None:
        """Measures how old the fact is: from its commit, by the clock of its service's database, until now, by our own clock."""
        age = max(0.0, (utc_now() - event.time).total_seconds())
        named = {
            "messaging.destination.name": self._message.subject,
            "messaging.consumer.group.name": self._inbox.consumer,
        }
        self._database.metrics.record(FACT_AGE, age, named)

    async def _take_effect(self, event: CloudEvent, span: Span) -> None:
        subscription = self._inbox.subscriptions.get(event.type)
        if subscription is None:
            raise _Unknown
        fact = subscription.model.model_validate(event.data)
        received = Received(
            event.id,
            event.type,
            event.subject,
            event.time,
            self._number,
            event.traceparent,
            event.sequence,
            self._inbox.consumer,
        )
        first = await subscription.take_effect(self._database, fact, received)
        if not first:
            span.set_attribute("onsale.duplicate", True)
            link_to(span, event.traceparent, "repetition of")
        self._ended("done" if first else "duplicate")

    async def _try_later(self, error: Exception, span: Span) -> None:
        reason = safe_text(error)
        mark_failed(span, type(error).__name__)
        if self._number >= MAX_DELIVERIES:
            await self._bury(f"{MAX_DELIVERIES} deliveries failed; the last one with {reason}", span)
            return
        self._ended("retry")
        await self._put_off(reason)

    async def _leave_to_another_version(self, span: Span) -> None:
        """Puts off a fact that this version does not know: in a roll-out both versions get facts that only the newer one knows."""
        mark_failed(span, "unknown fact")
        consumer, subject = self._inbox.consumer, self._message.subject
        if self._number >= MAX_DELIVERIES:
            await self._bury(
                f"This version of {consumer} does not know {subject}, in {MAX_DELIVERIES} deliveries. Roll out the version that "
                "hears it, then let the fact be sent again (docs/guides/production.md, Facts that are sent again).",
                span,
            )
            return
        self._ended("unread")
        await self._put_off(f"this version of {consumer} does not know it")

    async def _put_off(self, reason: str) -> None:
        delay = DELAYS_SECONDS[min(self._number, len(DELAYS_SECONDS)) - 1]
        _LOG.warning("a fact will be tried again", subject=self._message.subject, error=reason, in_seconds=delay)
        await self._answer(self._message.nak(delay=delay))

    async def _bury(self, reason: str, span: Span) -> None:
        mark_failed(span, "dead letter")
        self._ended("dead")
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
            "aggregate_id": event.subject if event else None,
        }
        try:
            async with self._database.writer(single=True) as tx:
                await tx.execute(_BURY, parameters, name="inbox.bury")
        except Exception as error:  # noqa: BLE001  # without its row the message must stay in the stream
            _LOG.warning("a dead letter could not be written yet", error=safe_text(error))
            await self._answer(self._message.nak(delay=DELAYS_SECONDS[-1]))
            return
        await self._answer(self._message.term())


def publication_of(message: Msg) -> int:
    """How often the outbox had sent this message by then: from the second time on its id ends in the number (chassis/relay.py)."""
    number = (message.headers or {}).get("Nats-Msg-Id", "").partition(".")[2]
    return int(number) if number.isdecimal() else 1


_HEAR = text(HEARD)
_BURY = text("""
    INSERT INTO dead_letter (consumer, message_id, subject, body, reason, deliveries, traceparent, aggregate_id)
    VALUES (:consumer, :message_id, :subject, :body, :reason, :deliveries, :traceparent, :aggregate_id)
    ON CONFLICT DO NOTHING
""")
