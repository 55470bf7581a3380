"""Holds that came to nothing are forgotten when nobody asks about them any more; what was sold stays."""

from chassis.db import Database
from chassis.statements import text
from services.inventory.shards import Shards

# Holds that are deleted in one transaction. While there are more, the next batch follows at once.
BATCH = 250
EVERY_SECONDS = 60.0


class ForgetHolds:
    """The step of a worker: deletes holds that were given back or ran out so many days ago, with what was noted of them."""

    def __init__(self, shards: Shards, keep_days: int) -> None:
        self._shards = shards
        self._keep_days = keep_days

    async def __call__(self) -> int:
        """Deletes a batch in each shard. The most that one of them gave."""
        return max([await self._forget(database) for database in self._shards.all()])

    async def _forget(self, database: Database) -> int:
        parameters = {"days": self._keep_days, "batch": BATCH}
        async with database.writer(single=True) as tx:
            return (await tx.execute(_FORGET, parameters, name="inventory.forget_holds")).rowcount


# A hold that is being asked about at this moment is passed over, and so is one that has seats, as none should: the auditor names it,
# and it must not keep all others. A pass that was used long ago has run out by itself.
_FORGET = text("""
    WITH old AS MATERIALIZED (
        SELECT hold_id FROM hold
        WHERE state IN ('released', 'expired') AND expires_at < now() - make_interval(days => :days)
            AND NOT EXISTS (SELECT FROM seat WHERE seat.hold_id = hold.hold_id)
        ORDER BY expires_at LIMIT :batch FOR UPDATE SKIP LOCKED
    ), changes AS (
        DELETE FROM hold_change USING old WHERE hold_change.hold_id = old.hold_id
    ), passes AS (
        DELETE FROM used_pass USING old WHERE used_pass.hold_id = old.hold_id
    )
    DELETE FROM hold USING old WHERE hold.hold_id = old.hold_id
""")
