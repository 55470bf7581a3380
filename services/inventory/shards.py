"""Where an event's places live. One shard by default; everything that touches places asks here first."""

from uuid import UUID

from chassis.db import Database


class Shards:
    """The databases of inventory, in a fixed order."""

    def __init__(self, databases: list[Database]) -> None:
        self._databases = databases

    def shard_of(self, event_id: UUID) -> int:
        """The number of the shard that holds an event. All of an event is in one shard: a hold is one transaction."""
        return event_id.int % len(self._databases)

    def of(self, event_id: UUID) -> Database:
        """The database that holds an event."""
        return self._databases[self.shard_of(event_id)]

    def all(self) -> list[Database]:
        """Every shard, for what concerns all events."""
        return list(self._databases)
