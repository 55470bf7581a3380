"""The firehose's stream and its consumers, as an administrator makes them: apart, so that who makes them needs no service's libraries."""

from collections.abc import Iterable

import nats.js.errors
from nats.aio.client import Client
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy, DiscardPolicy, StorageType, StreamConfig

STREAM = "EVENTS"
SUBJECTS = "events.>"
MAX_AGE_SECONDS = 7 * 24 * 3600
DUPLICATE_WINDOW_SECONDS = 120
# How many messages a service asks for at once.
BATCH = 64
# Many times what the slowest handler takes, which is one short transaction. Messages of a process that died wait this long.
ACK_WAIT_SECONDS = 10
# Unacknowledged messages of one consumer: those in hand of its processes, and those that were put off. Facts that wait for a version
# that knows them, a few minutes at most, leave room for the others.
UNACKNOWLEDGED_MAX = 16 * BATCH


async def ensure_stream(client: Client, replicas: int = 1) -> None:
    """Makes the stream if it is missing, on so many servers. An administrator's task: services have no right to change it."""
    config = StreamConfig(
        name=STREAM,
        subjects=[SUBJECTS],
        storage=StorageType.FILE,
        discard=DiscardPolicy.NEW,
        max_age=MAX_AGE_SECONDS,
        duplicate_window=DUPLICATE_WINDOW_SECONDS,
        num_replicas=replicas,
        deny_delete=True,
        deny_purge=True,
    )
    manager = client.jetstream()
    try:
        await manager.stream_info(STREAM)
    except nats.js.errors.NotFoundError:
        await manager.add_stream(config)


async def ensure_consumer(client: Client, durable: str, subjects: Iterable[str]) -> None:
    """Makes a service's consumer, or brings it up to date with the subjects of this version. An administrator's task, too.

    Whoever may make consumers may have any fact delivered onto any subject: so no service may.
    """
    config = ConsumerConfig(
        durable_name=durable,
        filter_subjects=sorted(subjects),
        deliver_policy=DeliverPolicy.ALL,
        ack_policy=AckPolicy.EXPLICIT,
        ack_wait=ACK_WAIT_SECONDS,
        max_ack_pending=UNACKNOWLEDGED_MAX,
        max_deliver=-1,
    )
    await client.jetstream().add_consumer(STREAM, config)
