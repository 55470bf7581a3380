"""How far a durable consumer of the firehose is behind."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import nats.errors
import nats.js.errors
import orjson
from nats.aio.client import Client

from chassis.broker import Broker
from chassis.clock import utc_now
from chassis.stream import STREAM

ASK_SECONDS = 2.0
NOT_FOUND = 404


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
    ages = [0.0]
    for subject in subjects:
        request = orjson.dumps({"seq": sequence, "next_by_subj": subject})
        try:
            found = await _ask(client, f"$JS.API.STREAM.MSG.GET.{STREAM}", request)
        except nats.js.errors.NotFoundError:
            continue
        ages.append((now - datetime.fromisoformat(found["message"]["time"])).total_seconds())
    return max(ages)


async def _ask(client: Client, subject: str, request: bytes) -> dict[str, Any]:
    answer: dict[str, Any] = orjson.loads((await client.request(subject, request, timeout=ASK_SECONDS)).data)
    if answer.get("error", {}).get("code") == NOT_FOUND:
        raise nats.js.errors.NotFoundError
    if "error" in answer:
        raise nats.errors.Error(answer["error"].get("description", "The broker refused."))
    return answer
