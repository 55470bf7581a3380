"""Forgets the rows of the chassis that nobody needs any more, a few at a time: otherwise its tables grow for ever.

Each statement finds the oldest rows at the beginning of an index, reads no more than a batch of them, and passes over what another
process deletes at this moment.
"""

from collections.abc import Callable, Iterable

from chassis.db import Database
from chassis.settings import ServiceSettings
from chassis.statements import text

# Rows of each table that are deleted in one transaction. While there are more, the next batch follows at once.
BATCH = 250
EVERY_SECONDS = 60.0


class Forgetting:
    """The step of a worker: deletes what is older than the settings say."""

    def __init__(self, database: Database, settings: ServiceSettings, consumers: Callable[[], Iterable[str]]) -> None:
        self._database = database
        self._settings = settings
        # Whose facts are in the inbox; known when the service is built.
        self._consumers = consumers

    async def __call__(self) -> int:
        """Deletes a batch of each table. The largest number that one of them gave: less than a batch has left nothing old."""
        facts = {"days": self._settings.keep_facts_days, "batch": BATCH}
        async with self._database.writer(single=True) as tx:
            deleted = [(await tx.execute(_FACTS_TOLD, facts, name="forget.facts_told")).rowcount]
        for consumer in self._consumers():
            async with self._database.writer(single=True) as tx:
                parameters = {**facts, "consumer": consumer}
                deleted.append((await tx.execute(_FACTS_HEARD, parameters, name="forget.facts_heard")).rowcount)
        async with self._database.writer(single=True) as tx:
            parameters = {"hours": self._settings.keep_keys_hours, "batch": BATCH}
            deleted.append((await tx.execute(_KEYS, parameters, name="forget.keys")).rowcount)
        async with self._database.writer(single=True) as tx:
            parameters = {"days": self._settings.keep_attempts_days, "batch": BATCH}
            deleted.append((await tx.execute(_ATTEMPTS, parameters, name="forget.attempts")).rowcount)
        return max(deleted)


# The first rows are the oldest, and no others are locked. A fact that did not leave yet stays, however old.
_FACTS_TOLD = text("""
    DELETE FROM outbox WHERE seq IN (
        SELECT seq FROM outbox
        WHERE seq <= (SELECT max(seq) FROM (SELECT seq FROM outbox ORDER BY seq LIMIT :batch) AS oldest)
            AND created_at < now() - make_interval(days => :days) AND published_at IS NOT NULL
        ORDER BY seq LIMIT :batch FOR UPDATE SKIP LOCKED
    )
""")
# The ids of facts grow with time. A fact is told again only as long as its outbox keeps it, and was heard after it was written there.
_FACTS_HEARD = text("""
    DELETE FROM inbox WHERE consumer = :consumer AND event_id IN (
        SELECT event_id FROM inbox
        WHERE consumer = :consumer AND event_id <= (
            SELECT event_id FROM (SELECT event_id FROM inbox WHERE consumer = :consumer ORDER BY event_id LIMIT :batch) AS oldest
            ORDER BY event_id DESC LIMIT 1
        ) AND received_at < now() - make_interval(days => :days)
        ORDER BY event_id LIMIT :batch FOR UPDATE SKIP LOCKED
    )
""")
# Whoever has such a key at this moment has held it for days: nobody does.
_KEYS = text("""
    DELETE FROM idempotency_key WHERE (principal, route, key) IN (
        SELECT principal, route, key FROM idempotency_key
        WHERE created_at < now() - make_interval(hours => :hours) AND leased_until < now()
        ORDER BY created_at LIMIT :batch FOR UPDATE SKIP LOCKED
    )
""")
_ATTEMPTS = text("""
    DELETE FROM work_attempt WHERE (queue, key, fence) IN (
        SELECT queue, key, fence FROM work_attempt WHERE begun_at < now() - make_interval(days => :days)
        ORDER BY begun_at LIMIT :batch FOR UPDATE SKIP LOCKED
    )
""")
