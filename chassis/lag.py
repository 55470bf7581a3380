"""How far a durable consumer of the firehose is behind."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import nats.errors
import orjson
from nats.aio.client import Client
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy

from chassis.broker import Broker
from chassis.clock import utc_now
from chassis.firehose import STREAM
from chassis.ids import uuid7

ASK_SECONDS = 2.0
# The consumer that looks at one message is gone by itself after that: services may not delete consumers.
LOOKER_LIVES_SECONDS = 5.0


@dataclass(frozen=True)
class Lag:
    """What a consumer has not acknowledged: how many messages, how many of them were delivered again, and the age of the oldest."""

    pending: int
    redelivered: int
    oldest_seconds: float


async def lag_of(broker: Broker, durable: str, subjects: list[str]) -> Lag:
    """Asks the broker. Raises nats.errors.Error, TimeoutError or ConnectionError if it does not answer."""
    client = broker.client_now()
    if client is None:
        raise ConnectionError("NATS is not connected.")
    info = await _ask(client, f"$JS.API.CONSUMER.INFO.{STREAM}.{durable}", b"")
    pending = info["num_pending"] + info["num_ack_pending"]
    now = datetime.fromisoformat(info["ts"]) if "ts" in info else utc_now()
    age = await _age_of_next(client, info["ack_floor"]["stream_seq"] + 1, subjects, now) if pending else 0.0
    return Lag(pending, info["num_redelivered"], age)


async def _age_of_next(client: Client, sequence: int, subjects: list[str], now: datetime) -> float:
    """How long ago the first message of these subjects, from that sequence number on, was stored; 0 if there is none."""
    name = f"looker-{uuid7().hex}"
    config = ConsumerConfig(
        name=name,
        filter_subjects=subjects,
        deliver_policy=DeliverPolicy.BY_START_SEQUENCE,
        opt_start_seq=sequence,
        ack_policy=AckPolicy.NONE,
        headers_only=True,
        inactive_threshold=LOOKER_LIVES_SECONDS,
        mem_storage=True,
        num_replicas=1,
    )
    await client.jetstream(timeout=ASK_SECONDS).add_consumer(STREAM, config)
    request = orjson.dumps({"batch": 1, "no_wait": True})
    # Old style, an inbox of its own: what comes has the subject of the fact, and not one that tells which request it answers.
    message = await client.request(
        f"$JS.API.CONSUMER.MSG.NEXT.{STREAM}.{name}", request, timeout=ASK_SECONDS, old_style=True
    )
    if (message.headers or {}).get("Status"):
        return 0.0
    return max(0.0, (now - message.metadata.timestamp).total_seconds())


async def _ask(client: Client, subject: str, request: bytes) -> dict[str, Any]:
    answer: dict[str, Any] = orjson.loads((await client.request(subject, request, timeout=ASK_SECONDS)).data)
    if "error" in answer:
        raise nats.errors.Error(answer["error"].get("description", "The broker refused."))
    return answer
