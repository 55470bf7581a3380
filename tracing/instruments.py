"""What is measured, by its name in the semantic conventions where they have one; tracing/registry.yaml says the same to people.

Attributes are few and of few values: a route's template and never a path, a subject and never an id.
"""

from dataclasses import dataclass
from typing import Literal

# The conventions' own boundaries for durations, and two below: most of our statements take less than 5 ms.
SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0)
# For work that waits in queues, which may take long.
LONG_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 1800.0)


@dataclass(frozen=True)
class Instrument:
    """One metric. `unit` is UCUM's; a gauge or updowncounter is read when metrics are collected, the others are recorded."""

    name: str
    kind: Literal["histogram", "counter", "gauge", "updowncounter"]
    unit: str
    meaning: str
    attributes: tuple[str, ...] = ()
    boundaries: tuple[float, ...] = SECONDS


HTTP_SERVER_DURATION = Instrument(
    "http.server.request.duration",
    "histogram",
    "s",
    "How long requests took, to the last byte of the answer.",
    ("http.request.method", "http.route", "http.response.status_code", "error.type"),
)
HTTP_SERVER_ACTIVE = Instrument(
    "http.server.active_requests", "updowncounter", "{request}", "Requests that are being answered at this moment."
)
CROWD_REFUSED = Instrument(
    "onsale.crowd.refused",
    "counter",
    "{request}",
    "Requests that were refused before they were read, since so many for the same were being served.",
    ("http.request.method", "http.route"),
)
BUS_REFUSED = Instrument(
    "onsale.bus.refused",
    "counter",
    "{request}",
    "Requests over the bus that were refused before they were read, since the process served as many as it can.",
)
HTTP_CLIENT_DURATION = Instrument(
    "http.client.request.duration",
    "histogram",
    "s",
    "How long calls of other services took; each attempt counts.",
    ("http.request.method", "url.template", "peer.service", "http.response.status_code", "error.type"),
)
DB_DURATION = Instrument(
    "db.client.operation.duration",
    "histogram",
    "s",
    "How long SQL statements took.",
    ("db.system.name", "db.query.summary", "onsale.db.role", "error.type"),
)
POOL_WAIT = Instrument(
    "db.client.connection.wait_time",
    "histogram",
    "s",
    "How long it took to get a connection from the pool.",
    ("db.client.connection.pool.name",),
)
POOL_CONNECTIONS = Instrument(
    "db.client.connection.count",
    "updowncounter",
    "{connection}",
    "Connections of the pool, idle and in use.",
    ("db.client.connection.pool.name", "db.client.connection.state"),
)
POOL_MOST = Instrument(
    "db.client.connection.max",
    "updowncounter",
    "{connection}",
    "The most connections that the pool may open.",
    ("db.client.connection.pool.name",),
)
REPLICA_AGE = Instrument(
    "onsale.replica.age",
    "gauge",
    "s",
    "How long ago something may have been written that the replica does not have, as far as this process knows.",
    ("db.client.connection.pool.name",),
)
REPLICA_PASSED_OVER = Instrument(
    "onsale.replica.passed_over",
    "counter",
    "{read}",
    "Reads that a replica could have served, and the primary did: none was as young as they need it, or answered.",
    ("db.client.connection.pool.name",),
)
POOL_TIMEOUTS = Instrument(
    "db.client.connection.timeouts",
    "counter",
    "{timeout}",
    "Waits for a connection that were given up.",
    ("db.client.connection.pool.name",),
)
MESSAGE_PROCESSED = Instrument(
    "messaging.process.duration",
    "histogram",
    "s",
    "How long it took to handle a message, and with which end: done, duplicate, retry, dead, unread or failed.",
    (
        "messaging.system",
        "messaging.operation.name",
        "messaging.destination.name",
        "messaging.consumer.group.name",
        "onsale.outcome",
        "error.type",
    ),
)
MESSAGE_SENT_DURATION = Instrument(
    "messaging.client.operation.duration",
    "histogram",
    "s",
    "How long the firehose took to store a fact.",
    ("messaging.system", "messaging.operation.name", "messaging.destination.name", "error.type"),
)
MESSAGES_SENT = Instrument(
    "messaging.client.sent.messages",
    "counter",
    "{message}",
    "Messages given to NATS, and those that were lost because it was away.",
    ("messaging.system", "messaging.operation.name", "messaging.destination.name", "error.type"),
)
NATS_CONNECTED = Instrument(
    "onsale.nats.connected",
    "gauge",
    "{connection}",
    "Whether the process is connected to NATS: 1, or 0. Without it facts wait, and open pages do not hear what changes.",
)
NATS_LOST = Instrument(
    "onsale.nats.lost",
    "counter",
    "{connection}",
    "Connections to NATS that ended: lost, hung (no heartbeat), refused (the login), or deaf (not allowed to hear).",
    ("error.type",),
)
FACT_AGE = Instrument(
    "onsale.fact.age",
    "histogram",
    "s",
    "From the commit of a fact to the end of its handling in a consumer: outbox, firehose and handling together.",
    ("messaging.destination.name", "messaging.consumer.group.name"),
    LONG_SECONDS,
)
WORKER_STEP = Instrument(
    "onsale.worker.step.duration",
    "histogram",
    "s",
    "How long a worker's batches took; rounds in which nothing was due are not counted.",
    ("onsale.worker", "error.type"),
)
CONSUMER_PENDING = Instrument(
    "onsale.consumer.pending",
    "gauge",
    "{message}",
    "Facts in the firehose that the consumer has not acknowledged: waiting, or in somebody's hands.",
    ("messaging.consumer.group.name",),
)
CONSUMER_REDELIVERED = Instrument(
    "onsale.consumer.redelivered",
    "gauge",
    "{message}",
    "Facts that were delivered more than once and are still not acknowledged.",
    ("messaging.consumer.group.name",),
)
CONSUMER_LAG = Instrument(
    "onsale.consumer.lag",
    "gauge",
    "s",
    "How long the oldest fact that the consumer has not acknowledged has been in the firehose.",
    ("messaging.consumer.group.name",),
)
OUTBOX_UNSENT = Instrument(
    "onsale.outbox.unsent",
    "gauge",
    "{fact}",
    "Facts that are committed and not yet in the firehose.",
    ("db.client.connection.pool.name",),
)
OUTBOX_AGE = Instrument(
    "onsale.outbox.age",
    "gauge",
    "s",
    "How long the oldest fact has waited to be sent to the firehose.",
    ("db.client.connection.pool.name",),
)
DEAD_LETTERS = Instrument(
    "onsale.dead_letters",
    "gauge",
    "{fact}",
    "Facts that could not take effect: somebody has to look at each.",
    ("db.client.connection.pool.name", "messaging.consumer.group.name"),
)
WORK_LATE = Instrument(
    "onsale.work.late",
    "gauge",
    "{item}",
    "Remembered work that should have been done for more than a minute.",
    ("db.client.connection.pool.name", "onsale.queue"),
)
WORK_AGE = Instrument(
    "onsale.work.late.age",
    "gauge",
    "s",
    "Since when the oldest of it has been wanted.",
    ("db.client.connection.pool.name", "onsale.queue"),
)
WORK_GIVEN_UP = Instrument(
    "onsale.work.given_up",
    "gauge",
    "{item}",
    "Remembered work that was given up in the last two weeks: somebody has to look at each.",
    ("db.client.connection.pool.name", "onsale.queue"),
)
PROCESS_CPU = Instrument("process.cpu.time", "counter", "s", "Processor time that the process has used.")
PROCESS_MEMORY = Instrument("process.memory.usage", "updowncounter", "By", "Physical memory that the process uses.")
LOOP_DELAY = Instrument(
    "onsale.loop.delay",
    "gauge",
    "s",
    "For how long the event loop let everybody wait at worst, in the last 10 to 20 seconds.",
)

OF_THE_CHASSIS = tuple(value for value in vars().copy().values() if isinstance(value, Instrument))
