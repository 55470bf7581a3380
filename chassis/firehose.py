"""The firehose: JetStream, at least once. One stream holds every fact; each service has a durable consumer of its own."""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable
from contextlib import suppress
from time import perf_counter

import nats.errors
import orjson
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription

from chassis.broker import Broker
from chassis.logs import log
from chassis.relay import StreamState
from chassis.stream import BATCH, STREAM
from tracing.instruments import MESSAGE_SENT_DURATION
from tracing.metrics import Metrics

PUBLISH_SECONDS = 5.0
PULL_SECONDS = 5.0
RETRY_SECONDS = 1.0
FLUSH_SECONDS = 2

OnMessage = Callable[[Msg], Awaitable[None]]

_LOG = log(__name__)


class Firehose:
    """Publishes to the stream, and takes from consumers of it."""

    def __init__(self, broker: Broker, metrics: Metrics | None = None) -> None:
        self._broker = broker
        self._metrics = metrics or Metrics()
        # Consumers that hear nothing at the moment, and why.
        self.waiting: dict[str, str] = {}

    async def publish(self, subject: str, body: bytes, *, message_id: str) -> int:
        """Stores a message and waits for the broker's acknowledgement. Its sequence number in the stream."""
        client = await self._broker.client()
        headers = {"Nats-Msg-Id": message_id, "Content-Type": "application/cloudevents+json"}
        attributes = {
            "messaging.system": "nats",
            "messaging.operation.name": "send",
            "messaging.destination.name": subject,
        }
        started = perf_counter()
        try:
            acknowledged = await client.jetstream().publish(subject, body, timeout=PUBLISH_SECONDS, headers=headers)
        except BaseException as error:
            attributes["error.type"] = type(error).__name__
            raise
        finally:
            self._metrics.record(MESSAGE_SENT_DURATION, perf_counter() - started, attributes)
        return int(acknowledged.seq)

    async def state(self) -> StreamState:
        """When the stream was made, and its last sequence number."""
        client = await self._broker.client()
        info = await client.jetstream().stream_info(STREAM)
        if info.created is None:
            raise RuntimeError("The broker did not say when the stream was made.")
        return StreamState(STREAM, info.created, info.state.last_seq)

    async def consume(self, durable: str, on_message: OnMessage) -> None:
        """Takes from a durable consumer for ever. `on_message` answers for each message: ack, nak or term.

        Messages about the same aggregate are handled in order, others side by side. The consumer is an administrator's to make
        (`chassis.stream.ensure_consumer`): until it is there, this waits and tells (`waiting`).
        """
        while True:
            client = await self._broker.client()
            try:
                await self._run_on(client, durable, on_message)
            except (nats.errors.Error, OSError, TimeoutError) as error:
                self.waiting[durable] = f"{type(error).__name__}: {error}"
                _LOG.warning("consumer waits", consumer=durable, error=self.waiting[durable])
                await asyncio.sleep(RETRY_SECONDS)

    async def _run_on(self, client: Client, name: str, on_message: OnMessage) -> None:
        """Pulls until something fails. The caller then begins anew, with the connection, consumer and rights that there are by then."""
        inbox = client.new_inbox()
        subscription = await client.subscribe(inbox)
        try:
            # Twice: nats-py's first flush may overtake the subscription that is still in its buffer, and the first answers would be lost.
            await client.flush(FLUSH_SECONDS)
            await client.flush(FLUSH_SECONDS)
            await client.jetstream().consumer_info(STREAM, name)
            self.waiting.pop(name, None)
            while True:
                await self._pull(client, name, inbox, subscription, on_message)
        finally:
            if client.is_connected:
                with suppress(nats.errors.Error):  # it was, to hand back what was left
                    await subscription.unsubscribe()

    async def _pull(
        self, client: Client, name: str, inbox: str, subscription: Subscription, on_message: OnMessage
    ) -> None:
        """Asks for one batch, and handles what comes as it comes, until the batch is full or the request ends."""
        request = orjson.dumps({"batch": BATCH, "expires": int(PULL_SECONDS * 1e9)})
        await client.publish(f"$JS.API.CONSUMER.MSG.NEXT.{STREAM}.{name}", request, reply=inbox)
        received = 0
        while received < BATCH:
            message = await subscription.next_msg(timeout=PULL_SECONDS + 2)
            messages = [message]
            while subscription.pending_msgs and len(messages) < BATCH:
                messages.append(await subscription.next_msg(timeout=0.1))
            facts = [each for each in messages if not _status(each)]
            received += len(facts)
            try:
                await _handle_side_by_side(facts, on_message)
            except asyncio.CancelledError:
                # The process stops: another one gets what is left now, and not when the broker has waited long enough.
                await _hand_back(subscription, facts)
                raise
            ended = next((each for each in messages if _status(each)), None)
            if ended is not None:
                _raise_unless_expired(ended)
                return


def _status(message: Msg) -> str | None:
    return (message.headers or {}).get("Status") if not message.data else None


def _raise_unless_expired(message: Msg) -> None:
    """408 is the end of an unanswered pull request; anything else (consumer deleted, no responders) needs a new start."""
    status = _status(message)
    if status not in {"404", "408"}:
        raise nats.errors.Error(f"pull ended with status {status}: {(message.headers or {}).get('Description', '')}")


async def _hand_back(subscription: Subscription, messages: list[Msg]) -> None:
    while subscription.pending_msgs:
        messages.append(await subscription.next_msg(timeout=0.1))
    # First of all, or the broker would give them back to the request that is still open here.
    await subscription.unsubscribe()
    for message in messages:
        if message.reply and not message.is_acked and not _status(message):
            await message.nak()


async def _handle_side_by_side(messages: list[Msg], on_message: OnMessage) -> None:
    lanes: dict[str, list[Msg]] = defaultdict(list)
    for message in messages:
        lanes[aggregate_of(message)].append(message)

    async def run_lane(lane: list[Msg]) -> None:
        for message in lane:
            await on_message(message)

    await asyncio.gather(*(run_lane(lane) for lane in lanes.values()))


def aggregate_of(message: Msg) -> str:
    """What a message is about: its CloudEvents subject; the message's own subject if it cannot be read."""
    try:
        return str(orjson.loads(message.data)["subject"])
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return str(message.subject)
