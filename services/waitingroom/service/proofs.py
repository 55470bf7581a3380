"""Proofs that whoever joins a queue is asked for, where the sale wants one: each counts once."""

from uuid import UUID

from chassis.db import Database, Transaction
from services.waitingroom import queries
from services.waitingroom.challenge import Challenge
from services.waitingroom.domain import ChallengeMissing, ChallengeUsed, ChallengeWrong, NoChallenge, Sale, check_open
from services.waitingroom.service.sales import known_sale
from tracing.spans import note, span

SWEPT_AT_ONCE = 1000
# Whether a proof has expired is decided by this process's clock, and when it is forgotten by the database's.
GRACE_SECONDS = 3600.0


class Proofs:
    """Asks for proofs, takes them, and forgets those that have expired."""

    def __init__(self, database: Database, challenge: Challenge | None) -> None:
        self._database = database
        self._challenge = challenge

    async def puzzle(self, event_id: UUID) -> str:
        """What a browser is to compute. Raises `SaleUnknown`, `DoorsClosed`, `SaleEnded` and `NoChallenge`."""
        with span("waitingroom.make_challenge", {"onsale.event_id": str(event_id)}):
            async with self._database.reader() as reads:
                sale, now = await known_sale(reads, event_id)
            check_open(sale, now)
            if self._challenge is None or not sale.challenge:
                raise NoChallenge("Nobody is asked for a proof here. Join without one.")
            return await self._challenge.puzzle(event_id)

    async def take(self, tx: Transaction, sale: Sale, solution: str | None) -> None:
        """Uses up the proof of somebody who joins, if the sale asks for one.

        Raises `ChallengeMissing`, `ChallengeWrong`, `ChallengeExpired` and `ChallengeUsed`. A sale that asks while the key is
        gone from the settings takes nobody: robots would notice first that nobody is asked any more.
        """
        if not sale.challenge:
            return
        if solution is None:
            raise ChallengeMissing
        if self._challenge is None:
            raise ChallengeWrong
        solved = self._challenge.check(sale.event_id, solution)
        note({"onsale.solving_ms": solved.solving_ms})
        if not await queries.use_solution(tx, solved.solution_id, sale.event_id, solved.expires_at):
            raise ChallengeUsed

    async def sweep(self) -> int:
        """Forgets some used proofs that have expired; returns how many."""
        async with self._database.writer(single=True) as tx:
            return await queries.forget_solutions(tx, GRACE_SECONDS, SWEPT_AT_ONCE)
