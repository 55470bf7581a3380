"""Where an event's places live. One shard by default; everything that touches places asks here first, and names its event."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from functools import wraps
from time import monotonic
from typing import Any, Concatenate, ParamSpec, Protocol, Self, TypeVar
from uuid import UUID

import asyncpg

from chassis.db import Database, Reads, Transaction
from chassis.deadline import remaining_seconds
from chassis.errors import StoreUnavailable
from services.inventory.buckets import BUCKETS, NOT_HERE_SQLSTATE, Owners, bucket_of, hand_out, owners_by, state_of
from tracing.spans import note

# A bucket that moves is frozen for less than two seconds: who comes meanwhile waits, and is served where it went.
PATIENCE_SECONDS, LOOK_SECONDS = 5.0, 0.05


class BucketElsewhere(Exception):
    """The shard that was asked does not have the event's bucket, or gives it away at this moment."""


class Shards:
    """The databases of inventory, in a fixed order. With more than one it is opened before it is used: an async context manager."""

    def __init__(self, databases: list[Database]) -> None:
        self._databases = databases
        self._owners: Owners = dict.fromkeys(range(BUCKETS), 0)
        self._looking: asyncio.Task[None] | None = None

    @property
    def are_several(self) -> bool:
        """Whether events are spread."""
        return len(self._databases) > 1

    async def __aenter__(self) -> Self:
        if self.are_several:
            await hand_out(self._databases)
            await self._look()
        return self

    async def __aexit__(self, *_error: object) -> None:
        """Its databases are the service's, which closes them."""

    def shard_of(self, event_id: UUID) -> int:
        """The number of the shard that holds an event. All of an event is in one shard: a hold is one transaction.

        Raises TypeError without an event: what names none would be asked of all shards, and nobody could add one.
        """
        if not isinstance(event_id, UUID):
            raise TypeError(
                f"Say of which event this is: {event_id!r} is none. What concerns all events asks `all()`, rarely."
            )
        return self._owners[bucket_of(event_id)]

    async def look_again(self) -> None:
        """Learns who has which bucket, a moment later: once for all who wait, so that a crowd does not hold up the move."""
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._look())
        await asyncio.shield(self._looking)

    async def _look(self) -> None:
        await asyncio.sleep(LOOK_SECONDS)
        self._owners |= await owners_by(self._databases)

    @asynccontextmanager
    async def reader(self, event_id: UUID) -> AsyncIterator[Reads]:
        """Reads what is about one event, from its shard. Raises `BucketElsewhere`; see `where_it_is`."""
        async with self._databases[self.shard_of(event_id)].reader() as reads:
            await self._check(reads, event_id)
            yield reads

    @asynccontextmanager
    async def writer(self, event_id: UUID) -> AsyncIterator[Transaction]:
        """A transaction about one event, in its shard. Raises `BucketElsewhere`; see `where_it_is`."""
        try:
            async with self._databases[self.shard_of(event_id)].writer() as tx:
                await self._check(tx, event_id)
                yield tx
        except asyncpg.PostgresError as error:
            if error.sqlstate == NOT_HERE_SQLSTATE:
                raise BucketElsewhere from error
            raise

    def all(self) -> list[Database]:
        """Every shard, for what concerns all events."""
        return list(self._databases)

    async def _check(self, reads: Reads, event_id: UUID) -> None:
        # A refusal writes nothing that the database could refuse, so it is asked first. It costs where there are several shards.
        if self.are_several and await state_of(reads, bucket_of(event_id)) != "here":
            raise BucketElsewhere


class _Sharded(Protocol):
    _shards: Shards


Own = TypeVar("Own", bound=_Sharded)
Rest = ParamSpec("Rest")
Answer = TypeVar("Answer")
UseCase = Callable[Concatenate[Own, UUID, Rest], Coroutine[Any, Any, Answer]]


def where_it_is(use_case: UseCase[Own, Rest, Answer]) -> UseCase[Own, Rest, Answer]:
    """A use case about one event, done where the event is: if its bucket moves meanwhile, once more, and there.

    What was done so far is rolled back. Raises `StoreUnavailable` if that takes too long.
    """

    @wraps(use_case)
    async def follow(self: Own, event_id: UUID, *rest: Rest.args, **named: Rest.kwargs) -> Answer:
        until: float | None = None
        while True:
            try:
                return await use_case(self, event_id, *rest, **named)
            except BucketElsewhere:
                until = until or monotonic() + remaining_seconds(PATIENCE_SECONDS)
                note({"onsale.bucket_moved": True})
                if monotonic() > until:
                    raise StoreUnavailable from None
                await self._shards.look_again()

    return follow  # type: ignore[return-value]  # its first parameters have names
