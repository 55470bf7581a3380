"""The relay of the outbox: it sends the facts whose rows were written in the transactions that made them true.

It claims unsent rows for a while (a lease, so that no network call happens inside a transaction), publishes them, and
marks them. A crash in between sends them again; the consumers' inboxes absorb that. If the broker lost its store, the
reconciler marks the last 30 days as unsent and all go out again: a committed fact reaches every consumer.
"""

import asyncio
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from opentelemetry.trace import SpanKind

from chassis.db import Database
from chassis.facts import encode_cloud_event
from chassis.logs import log
from chassis.statements import text
from tracing.messaging import message_attributes
from tracing.spans import continued

CLAIM_SECONDS = 15
BATCH = 200
# Facts of this process wake the relay; what it looks for by itself was written by another one, which loads files or died.
POLL_SECONDS = 5.0
RETRY_SECONDS = 1.0
RECONCILE_SECONDS = 15.0
REPLAY_SECONDS = 900
REPLAY_DAYS = 30

_LOG = log(__name__)


@dataclass(frozen=True)
class StreamState:
    """What the broker says about the stream: when it was made, and its last sequence number."""

    name: str
    created_at: datetime
    last_seq: int


class Publisher(Protocol):
    """Whoever can store a message in the firehose, as the relay needs it."""

    async def publish(self, subject: str, body: bytes, *, message_id: str) -> int:
        """Stores a message; its sequence number in the stream."""

    async def state(self) -> StreamState:
        """The stream's state; raises if the broker does not answer."""


class Relay:
    """Sends what is in the outbox of one database."""

    def __init__(self, database: Database, poll_seconds: float = POLL_SECONDS) -> None:
        self._database = database
        self._poll_seconds = poll_seconds

    async def run(self, publisher: Publisher) -> None:
        """Sends what is there, for ever; cancelled at shutdown. Trouble is logged and tried again."""
        reconciled_at = float("-inf")
        loop = asyncio.get_running_loop()
        while True:
            self._database.facts_written.clear()
            try:
                if loop.time() - reconciled_at > RECONCILE_SECONDS:
                    await self._reconcile(publisher)
                    reconciled_at = loop.time()
                while await self.send_batch(publisher) == BATCH:
                    pass
            except Exception as error:  # noqa: BLE001  # whatever it was, the rows are still there
                _LOG.warning("outbox waits", error=f"{type(error).__name__}: {error}")
                reconciled_at = float("-inf")
                await asyncio.sleep(RETRY_SECONDS)
                continue
            try:
                async with asyncio.timeout(self._poll_seconds):
                    await self._database.facts_written.wait()
            except TimeoutError:
                continue

    async def send_batch(self, publisher: Publisher) -> int:
        """Sends up to one batch in the order of writing. How many were claimed."""
        rows = await self._claim()
        if not rows:
            return 0
        outcomes = await asyncio.gather(*(self._send(publisher, row) for row in rows), return_exceptions=True)
        sent = [(row["seq"], outcome) for row, outcome in zip(rows, outcomes, strict=True) if isinstance(outcome, int)]
        if sent:
            await self._mark(sent)
        unsent = [row["seq"] for row, outcome in zip(rows, outcomes, strict=True) if not isinstance(outcome, int)]
        if unsent:
            await self._give_back(unsent)
        failure = next((outcome for outcome in outcomes if isinstance(outcome, BaseException)), None)
        if failure is not None:
            raise failure
        return len(rows)

    async def _send(self, publisher: Publisher, row: Any) -> int:
        body = encode_cloud_event(
            event_id=row["event_id"],
            subject=row["subject"],
            aggregate_id=row["aggregate_id"],
            created_at=row["created_at"],
            data=row["data"],
            traceparent=row["traceparent"],
            version=row["seq"],
        )
        repeated = row["publications"] > 1
        attributes: dict[str, str | int] = {
            **message_attributes("send", row["subject"], message_id=str(row["event_id"])),
            "onsale.publication": row["publications"],
        }
        with continued(f"send {row['subject']}", row["traceparent"], attributes, SpanKind.PRODUCER, repeated=repeated):
            # A replay must not be swallowed by the broker's own window of duplicates.
            message_id = f"{row['event_id']}.{row['publications']}" if repeated else str(row["event_id"])
            return await publisher.publish(row["subject"], body, message_id=message_id)

    async def _claim(self) -> list[Any]:
        async with self._database.writer(single=True) as tx:
            claimed = await tx.execute(_CLAIM, {"seconds": CLAIM_SECONDS, "batch": BATCH}, name="outbox.claim")
            return sorted(claimed.mappings().all(), key=lambda row: row["seq"])

    async def _mark(self, sent: list[tuple[int, int]]) -> None:
        async with self._database.writer(single=True) as tx:
            parameters = {"seqs": [seq for seq, _ in sent], "stream_seqs": [stream_seq for _, stream_seq in sent]}
            await tx.execute(_MARK, parameters, name="outbox.mark_sent")

    async def _give_back(self, seqs: list[int]) -> None:
        """Lets the next round send these at once, instead of when the claim ends."""
        async with self._database.writer(single=True) as tx:
            await tx.execute(_GIVE_BACK, {"seqs": seqs}, name="outbox.give_back")

    async def _reconcile(self, publisher: Publisher) -> None:
        """Sends everything again if the stream is not the one, or shorter than the one, that this service has written to."""
        state = await publisher.state()
        # Most of the time nothing was sent since the last look, and nothing is to be written.
        parameters = {"stream": state.name, "created_at": state.created_at, "last_seq": state.last_seq}
        async with self._database.writer(single=True) as tx:
            if (await tx.execute(_IS_KNOWN, parameters, name="outbox.is_known_stream")).scalar_one():
                return
        async with self._database.writer() as tx:
            known = (
                (await tx.execute(_KNOWN_STREAM, {"stream": state.name}, name="outbox.known_stream"))
                .mappings()
                .one_or_none()
            )
            lost = known is not None and (known["created_at"] != state.created_at or state.last_seq < known["last_seq"])
            if lost:
                # Millions of facts take longer than what people wait for. Given up, it would begin anew for ever, and send nothing.
                await tx.execute(_BE_PATIENT, {"seconds": str(REPLAY_SECONDS)}, name="outbox.be_patient")
                replayed = await tx.execute(_REPLAY, {"days": REPLAY_DAYS}, name="outbox.replay")
                _LOG.warning("the stream lost facts: sending them again", stream=state.name, facts=replayed.rowcount)
            await tx.execute(_REMEMBER_STREAM, parameters, name="outbox.remember_stream")


# Losing a claim, or the mark of a row that was sent, in a crash costs a duplicate, which is allowed: no need to wait for the disk.
_CLAIM = text("""
    UPDATE outbox SET claimed_until = now() + make_interval(secs => :seconds), publications = publications + 1
    FROM (SELECT set_config('synchronous_commit', 'off', true)) AS lazy
    WHERE seq IN (
        SELECT seq FROM outbox
        WHERE published_at IS NULL AND (claimed_until IS NULL OR claimed_until < now())
        ORDER BY seq LIMIT :batch FOR UPDATE SKIP LOCKED
    )
    RETURNING seq, event_id, subject, aggregate_id, data, traceparent, created_at, publications
""")
_MARK = text("""
    UPDATE outbox SET published_at = now(), claimed_until = NULL, stream_seq = sent.stream_seq
    FROM (SELECT set_config('synchronous_commit', 'off', true)) AS lazy,
        unnest(CAST(:seqs AS bigint[]), CAST(:stream_seqs AS bigint[])) AS sent(seq, stream_seq)
    WHERE outbox.seq = sent.seq
""")
_GIVE_BACK = text("UPDATE outbox SET claimed_until = NULL WHERE seq = ANY(:seqs) AND published_at IS NULL")
_IS_KNOWN = text("""
    SELECT EXISTS (
        SELECT FROM outbox_stream WHERE stream = :stream AND created_at = :created_at AND last_seq = :last_seq
    )
""")
_KNOWN_STREAM = text("SELECT created_at, last_seq FROM outbox_stream WHERE stream = :stream FOR UPDATE")
_BE_PATIENT = text("SELECT set_config('statement_timeout', CAST(:seconds AS text) || 's', true)")
_REPLAY = text("""
    UPDATE outbox SET published_at = NULL, claimed_until = NULL
    WHERE (published_at IS NOT NULL OR claimed_until IS NOT NULL) AND created_at > now() - make_interval(days => :days)
""")
_REMEMBER_STREAM = text("""
    INSERT INTO outbox_stream (stream, created_at, last_seq) VALUES (:stream, :created_at, :last_seq)
    ON CONFLICT (stream) DO UPDATE SET created_at = excluded.created_at, last_seq = excluded.last_seq
""")
