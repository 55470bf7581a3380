"""Who is at the other end of a cookie: sessions, and the tokens that are kept for them."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import orjson
from cryptography.exceptions import InvalidTag

from chassis.consistency import own_writes
from chassis.db import Database
from chassis.http import ProviderProblem, ProviderUnavailable
from chassis.logs import log
from services.web import queries
from services.web.clients.accounts import AccountsClient, SignedIn
from services.web.frame.domain import SessionEnded
from services.web.frame.signing import digest, new_secret, seal, unseal

LIFETIME = timedelta(days=30)
# A token is exchanged for a new one when it has less than this to live: enough for the slowest request.
REFRESH_BEFORE = timedelta(seconds=90)
REFRESH_LEASE_SECONDS = 10.0
WAIT_FOR_OTHERS_SECONDS = 4.0
MAY_BE_OLD = own_writes(5, "Each page asks for it. What must know of a session's end at once asks the primary.")

_LOG = log(__name__)


@dataclass(frozen=True)
class Session:
    """A session as it was read. `session_id` is the cookie; only its hash is stored."""

    session_id: str
    person_id: UUID
    guest: bool
    name: str | None
    token: str
    refresh_token: str
    token_expires_at: datetime


class Sessions:
    """Begins, finds, renews and ends sessions."""

    def __init__(self, database: Database, accounts: AccountsClient) -> None:
        self._database = database
        self._accounts = accounts
        self._renewals: dict[str, asyncio.Task[Session]] = {}

    async def is_open(self, session_id: str) -> bool:
        """Whether it has not ended, by the primary: who has signed out a moment ago is out."""
        async with self._database.writer(single=True) as tx:
            return await queries.session_by_hash(tx, digest(session_id)) is not None

    async def find(self, session_id: str) -> Session | None:
        """The session of a cookie, None if there is none any more."""
        async with self._database.reader(MAY_BE_OLD) as reads:
            row = await queries.session_by_hash(reads, digest(session_id))
        if row is None:
            # The session may have begun a moment ago, so that a replica does not know it yet.
            async with self._database.writer(single=True) as tx:
                row = await queries.session_by_hash(tx, digest(session_id))
        return _session(session_id, row) if row else None

    async def begin(self, signed_in: SignedIn, *, guest: bool) -> Session:
        """A new session with an id of its own, so that one which was planted before is worth nothing."""
        session_id = new_secret()
        values = {"id_hash": digest(session_id), "guest": guest, **_values(session_id, signed_in)}
        async with self._database.writer(single=True) as tx:
            await queries.insert_session(tx, values)
        return _session(session_id, values)

    async def begin_as_guest(self) -> Session:
        """A session for a visitor who buys without an account."""
        return await self.begin(await self._accounts.new_guest(), guest=True)

    async def end(self, session: Session) -> None:
        """Ends it here, and at accounts if that can be reached."""
        async with self._database.writer(single=True) as tx:
            await queries.delete_session(tx, digest(session.session_id))
        try:
            await self._accounts.end(session.refresh_token)
        except (ProviderProblem, ProviderUnavailable) as error:
            # The refresh token is held by nobody any more, and ends by its age.
            _LOG.info("accounts did not hear of a sign-out", error=str(error))

    async def token_of(self, session: Session) -> str:
        """A token of this person that lives long enough for a request. Raises SessionEnded."""
        if session.token_expires_at - datetime.now(UTC) > REFRESH_BEFORE:
            return session.token
        renewal = self._renewals.get(session.session_id)
        if renewal is None:
            renewal = asyncio.create_task(self._renew(session))
            self._renewals[session.session_id] = renewal
            renewal.add_done_callback(lambda _: self._renewals.pop(session.session_id, None))
        return (await asyncio.shield(renewal)).token

    async def _renew(self, session: Session) -> Session:
        """Exchanges the tokens once, whoever asks: a refresh token that is used twice would end the session."""
        id_hash = digest(session.session_id)
        async with self._database.writer(single=True) as tx:
            mine = await queries.claim_refresh(tx, id_hash, session.token_expires_at, REFRESH_LEASE_SECONDS)
        if not mine:
            return await self._renewed_elsewhere(session)
        try:
            signed_in = await self._accounts.refresh(session.refresh_token)
        except ProviderUnavailable:
            if session.token_expires_at > datetime.now(UTC):
                return session
            raise
        except ProviderProblem as problem:
            async with self._database.writer(single=True) as tx:
                await queries.delete_session(tx, id_hash)
            raise SessionEnded from problem
        values = _values(session.session_id, signed_in)
        async with self._database.writer(single=True) as tx:
            await queries.update_session(tx, id_hash, values)
        return _session(session.session_id, {"guest": session.guest, **values})

    async def _renewed_elsewhere(self, session: Session) -> Session:
        """Another process renews it, or has just done so."""
        loop = asyncio.get_running_loop()
        end = loop.time() + WAIT_FOR_OTHERS_SECONDS
        while loop.time() < end:
            found = await self.find(session.session_id)
            if found is None:
                raise SessionEnded
            if found.token_expires_at > session.token_expires_at:
                return found
            await asyncio.sleep(0.1)
        if session.token_expires_at > datetime.now(UTC):
            return session
        raise ProviderUnavailable("accounts")

    async def sweep(self) -> int:
        """Removes sessions that are over; returns how many."""
        async with self._database.writer(single=True) as tx:
            return await queries.delete_ended_sessions(tx)


def _values(session_id: str, signed_in: SignedIn) -> dict[str, Any]:
    tokens = orjson.dumps([signed_in.token, signed_in.refresh_token]).decode()
    return {
        "person_id": signed_in.person_id,
        "name": signed_in.name,
        "sealed_tokens": seal(session_id, tokens),
        "token_expires_at": signed_in.token_expires_at,
        "expires_at": datetime.now(UTC) + LIFETIME,
    }


def _session(session_id: str, row: Mapping[str, Any]) -> Session:
    try:
        token, refresh_token = orjson.loads(unseal(session_id, row["sealed_tokens"]))
    except InvalidTag as error:
        raise SessionEnded from error
    return Session(
        session_id=session_id,
        person_id=row["person_id"],
        guest=row["guest"],
        name=row["name"],
        token=token,
        refresh_token=refresh_token,
        token_expires_at=row["token_expires_at"],
    )
