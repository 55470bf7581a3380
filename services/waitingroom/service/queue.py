"""People in a queue: they join, look how they stand, and come in with a pass."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from chassis.db import Database, Reads, Transaction
from chassis.ids import uuid7
from services.waitingroom import queries
from services.waitingroom.domain import (
    ChallengeUsed,
    Entry,
    EntryState,
    NotInQueue,
    NotYourTurn,
    Sale,
    TooManyFromAddress,
    TurnMissed,
    check_open,
)
from services.waitingroom.passes import Passes
from services.waitingroom.service.addresses import Addresses
from services.waitingroom.service.proofs import Proofs
from services.waitingroom.service.sales import known_sale
from tracing.spans import note, span


@dataclass(frozen=True)
class Standing:
    """How somebody stands in a queue, and when that was so."""

    sale: Sale
    entry: Entry
    now: datetime


class Queue:
    """Use cases of one person in one queue."""

    def __init__(
        self, database: Database, passes: Passes, proofs: Proofs, pass_seconds: int, most_per_address: int
    ) -> None:
        self._database = database
        self._passes = passes
        self._proofs = proofs
        self._pass_seconds = pass_seconds
        self._most = most_per_address
        self._addresses = Addresses()

    async def join(self, event_id: UUID, person_id: UUID, address: str, solution: str | None = None) -> Standing:
        """Puts a person into the queue; who is in it stays where they are, and who missed their turn is at its end again.

        `solution` is what their browser computed, where the sale asks for it: it is used up with the joining, in one
        transaction. Raises `SaleUnknown`, `DoorsClosed`, `SaleEnded`, what `Proofs.take` raises and `TooManyFromAddress`.
        """
        with span("waitingroom.join", {"onsale.event_id": str(event_id)}):
            async with self._addresses.turn(event_id, address), self._database.writer() as tx:
                sale, now = await known_sale(tx, event_id)
                check_open(sale, now)
                known = await queries.entry_of(tx, event_id, person_id)
                if known is not None and known.state(now) not in {EntryState.MISSED, EntryState.DONE}:
                    note({"onsale.duplicate": True})
                    return Standing(sale, known, now)
                if known is not None:
                    await queries.leave(tx, known.entry_id)
                entry = await self._enter(tx, sale, person_id, address, solution)
            return Standing(sale, entry, now)

    async def _enter(self, tx: Transaction, sale: Sale, person_id: UUID, address: str, solution: str | None) -> Entry:
        event_id = sale.event_id
        try:
            await self._proofs.take(tx, sale, solution)
        except ChallengeUsed:
            # Who pressed twice at the same moment has joined with it themselves.
            if (entry := await queries.entry_of(tx, event_id, person_id)) is None:
                raise
            return entry
        if await queries.from_address(tx, event_id, address, self._most) >= self._most:
            raise TooManyFromAddress(self._most)
        await queries.join(tx, uuid7(), event_id, person_id, address)
        return await _entry(tx, event_id, person_id)

    async def standing(self, event_id: UUID, person_id: UUID) -> Standing:
        """How a person stands. Raises `SaleUnknown` and `NotInQueue`."""
        async with self._database.reader() as reads:
            sale, now = await known_sale(reads, event_id)
            return Standing(sale, await _entry(reads, event_id, person_id), now)

    async def come_in(self, event_id: UUID, person_id: UUID) -> tuple[str, datetime]:
        """A pass for whose turn it is, and until when it is good; asked again, the same. Raises `NotYourTurn` and `TurnMissed`."""
        with span("waitingroom.come_in", {"onsale.event_id": str(event_id)}):
            async with self._database.writer() as tx:
                _, now = await known_sale(tx, event_id)
                entry = await _entry(tx, event_id, person_id)
                until = await queries.let_inside(tx, entry.entry_id, self._pass_seconds)
                if until is None:
                    # Somebody pressed twice, perhaps at the same moment: the pass is the one that there is.
                    entry = await _entry(tx, event_id, person_id)
                    until = _until(entry, now)
            return self._passes.issue(entry.entry_id, event_id, person_id, until), until

    async def finish(self, tx: Transaction, event_id: UUID, person_id: UUID) -> None:
        """A person has bought, or has given up: their place among those who are active is free."""
        await queries.finish(tx, event_id, person_id)


def _until(entry: Entry, now: datetime) -> datetime:
    state = entry.state(now)
    if state in {EntryState.EQUAL, EntryState.WAITING}:
        raise NotYourTurn
    if state is not EntryState.INSIDE or entry.until is None:
        raise TurnMissed
    return entry.until


async def _entry(reads: Reads, event_id: UUID, person_id: UUID) -> Entry:
    found = await queries.entry_of(reads, event_id, person_id)
    if found is None:
        raise NotInQueue
    return found
