"""Use cases: signing up, signing in, staying signed in, and what people tell about themselves."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from chassis.clock import utc_now
from chassis.db import Database, Transaction
from chassis.ids import uuid7
from chassis.logs import log
from services.accounts import queries
from services.accounts.contacts import checked_email
from services.accounts.domain import (
    EmailInvalid,
    Person,
    PersonUnknown,
    SessionEnded,
    SignInFailed,
    TooManyAttempts,
    check_password,
    checked_name,
    email_key,
)
from services.accounts.keys import Keyring, PersonToken
from services.accounts.passwords import Passwords
from services.accounts.settings import AccountsSettings

_TIDY_BATCH = 1_000
LONGEST_PASS = timedelta(days=366)
_LOG = log(__name__)


@dataclass(frozen=True)
class SignedIn:
    """A person with the tokens of their session."""

    person_id: UUID
    name: str | None
    token: PersonToken
    refresh_token: str


class Accounts:
    """The use cases of this service. Reads are on the primary: who has just changed something sees it."""

    def __init__(self, database: Database, keyring: Keyring, passwords: Passwords, settings: AccountsSettings) -> None:
        self._database = database
        self._keyring = keyring
        self._passwords = passwords
        self._settings = settings

    async def sign_up(self, email: str, password: str, name: str) -> SignedIn:
        """A new person, signed in. EmailInvalid, EmailTaken, NameInvalid, PasswordTooWeak."""
        address, known_as = self._email(email), checked_name(name)
        check_password(password, email=address, name=known_as)
        password_hash = await self._passwords.hash(password)
        person_id = uuid7()
        values = {
            "person_id": person_id,
            "guest": False,
            "name": known_as,
            "email": address,
            "email_key": email_key(address),
            "password_hash": password_hash,
        }
        async with self._database.writer() as tx:
            await queries.insert_person(tx, values)
            return await self._begin_session(tx, person_id, known_as, guest=False)

    async def sign_in_as_guest(self) -> SignedIn:
        """A buyer without an account."""
        person_id, refresh_token = uuid7(), _new_refresh_token()
        async with self._database.writer(single=True) as tx:
            await queries.insert_guest(
                tx, person_id, uuid7(), _hash(refresh_token), self._settings.refresh_lives_seconds
            )
        return SignedIn(person_id, None, self._keyring.token_of(person_id, guest=True), refresh_token)

    async def sign_in(self, email: str, password: str) -> SignedIn:
        """The person who gives the right password. SignInFailed for a wrong one and for an unknown address, after the same time.

        TooManyAttempts after some; each is counted before the password is looked at, so that many at once do not get by."""
        key = self._key(email)
        email_hash = _hash(key)
        async with self._database.writer() as tx:
            counted = await queries.count_attempt(tx, email_hash, self._settings.sign_in_window_seconds)
            person = await queries.registered_with(tx, key)
        if counted["attempts"] > self._settings.sign_in_attempts:
            raise TooManyAttempts(max(1, int(counted["seconds_left"])))
        kept = None if person is None else str(person["password_hash"])
        if not await self._passwords.verify(kept, password) or person is None or kept is None:
            raise SignInFailed
        stronger = await self._passwords.hash(password) if self._passwords.is_outdated(kept) else None
        async with self._database.writer() as tx:
            await queries.forget_attempts(tx, email_hash)
            if stronger is not None:
                await queries.change_password_hash(tx, person["person_id"], stronger)
            return await self._begin_session(tx, person["person_id"], person["name"], guest=False)

    async def refresh(self, refresh_token: str) -> SignedIn:
        """New tokens for old; SessionEnded if the token is not taken. Reuse of a rotated token ends the whole session:
        either its owner or a thief has an older copy, and nobody can tell which."""
        token_hash, fresh = _hash(refresh_token), _new_refresh_token()
        async with self._database.writer() as tx:
            found = await queries.token_for_rotation(tx, token_hash, self._settings.refresh_grace_seconds)
            takes = found is not None and found["is_live"] and not found["is_reused"]
            if found is not None and takes:
                await queries.mark_rotated(tx, token_hash)
                await queries.insert_token(tx, found["session_id"], _hash(fresh), self._settings.refresh_lives_seconds)
            elif found is not None and found["is_reused"]:
                await queries.end_session(tx, found["session_id"], "token_reused")
        if found is None or not takes:
            if found is not None and found["is_reused"] and found["is_live"]:
                _LOG.warning(
                    "a rotated refresh token was used again: session ended", session_id=str(found["session_id"])
                )
            raise SessionEnded
        token = self._keyring.token_of(found["person_id"], guest=found["guest"])
        return SignedIn(found["person_id"], found["name"], token, fresh)

    async def end_session(self, refresh_token: str) -> None:
        """Ends the session of this token, if there is one."""
        async with self._database.writer() as tx:
            session_id = await queries.session_of_token(tx, _hash(refresh_token))
            if session_id is not None:
                await queries.end_session(tx, session_id, "signed_out")

    async def person(self, person_id: UUID) -> Person:
        """Somebody; PersonUnknown if there is nobody with this id."""
        async with self._database.reader() as reads:
            row = await queries.person(reads, person_id)
        if row is None:
            raise PersonUnknown(person_id)
        return Person(**row)

    def pass_for(self, person: Person, order_id: UUID | None, until: datetime | None) -> str | None:
        """A token that opens one order of a guest on another device; people with an account sign in there. It ends within a year."""
        if not person.guest or order_id is None or until is None or until <= utc_now():
            return None
        return self._keyring.pass_of(person.person_id, order_id, min(until, utc_now() + LONGEST_PASS)).token

    async def change_contact(
        self, person_id: UUID, *, name: str | None, email: str | None, language: str | None = None
    ) -> Person:
        """Changes name, address and language; None leaves one as it is. NameInvalid, EmailInvalid, EmailTaken, PersonUnknown."""
        values: dict[str, Any] = {} if language is None else {"language": language}
        if name is not None:
            values["name"] = checked_name(name)
        if email is not None:
            address = self._email(email)
            values |= {"email": address, "email_key": email_key(address)}
        if not values:
            return await self.person(person_id)
        async with self._database.writer(single=True) as tx:
            row = await queries.change_contact(tx, person_id, values)
        if row is None:
            raise PersonUnknown(person_id)
        return Person(**row)

    async def forget_what_is_over(self) -> int:
        """Deletes a batch of what nobody needs any more; how much."""
        async with self._database.writer() as tx:
            return await queries.forget_what_is_over(tx, _TIDY_BATCH)

    def _email(self, email: str) -> str:
        return checked_email(email, public=self._settings.environment == "production")

    def _key(self, email: str) -> str:
        """An address as it is typed at sign-in; what is none belongs to nobody, and is answered alike."""
        try:
            return email_key(self._email(email))
        except EmailInvalid:
            return email_key(email)

    async def _begin_session(self, tx: Transaction, person_id: UUID, name: str | None, *, guest: bool) -> SignedIn:
        refresh_token = _new_refresh_token()
        await queries.insert_session(tx, uuid7(), person_id, _hash(refresh_token), self._settings.refresh_lives_seconds)
        return SignedIn(person_id, name, self._keyring.token_of(person_id, guest=guest), refresh_token)


def _new_refresh_token() -> str:
    return secrets.token_urlsafe(32)


def _hash(secret: str) -> bytes:
    # Refresh tokens are random, so one round is enough.
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()
