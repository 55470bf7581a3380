"""accounts, as web sees it: people, guests and their tokens."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field

from chassis.asking import NOTHING, Client, Read, Sent, Use
from chassis.languages import DEFAULT, Language

# Accounts reads no longer ones.
LONGEST_TEXT = 400
LONGEST_SECRET = 1_000

_Text = Annotated[str, Field(max_length=LONGEST_TEXT)]
# With `repr=False` a body that is printed or logged shows no secret.
_Secret = Annotated[str, Field(max_length=LONGEST_SECRET, repr=False)]


class _NewPerson(Sent):
    email: _Text
    password: _Secret
    name: _Text


class _NewGuest(Sent):
    """Nothing is asked."""


class _Credentials(Sent):
    email: _Text
    password: _Secret


class _RefreshToken(Sent):
    refresh_token: _Secret


class _Contact(Sent):
    name: _Text
    email: _Text
    language: Language


class SignedIn(Read):
    """A person with the tokens that web keeps for them. `name` is null for a guest."""

    person_id: UUID
    name: str | None = None
    token: str
    token_expires_at: datetime
    refresh_token: str


class Me(Read):
    """What accounts knows of a person."""

    name: str | None = None
    email: str | None = None
    language: str = DEFAULT


class TooOften(Read):
    """In how many seconds it may be tried again: ProviderBusyForYou says so to pages."""

    retry_after_seconds: int


SIGN_UP = Use(
    "POST",
    "/people",
    reads=SignedIn,
    statuses=(201,),
    sends=_NewPerson,
    refusals={"email_taken": None, "email_invalid": None, "name_invalid": None, "password_too_weak": None},
)
BECOME_GUEST = Use("POST", "/guests", reads=SignedIn, statuses=(201,), sends=_NewGuest)
SIGN_IN = Use(
    "POST",
    "/sessions",
    reads=SignedIn,
    statuses=(201,),
    sends=_Credentials,
    refusals={"sign_in_failed": None, "too_many_attempts": TooOften},
)
REFRESH_SESSION = Use(
    "POST", "/sessions/refresh", reads=SignedIn, sends=_RefreshToken, refusals={"session_ended": None}
)
END_SESSION = Use("POST", "/sessions/end", reads=NOTHING, statuses=(204,), sends=_RefreshToken)
GET_ME = Use("GET", "/people/me", reads=Me, person=True)
TELL_CONTACT = Use(
    "PATCH",
    "/people/me",
    reads=NOTHING,
    sends=_Contact,
    refusals={"email_taken": None, "email_invalid": None, "name_invalid": None},
    person=True,
)


class AccountsClient(Client):
    """Asks accounts."""

    provider = "accounts"
    uses = (SIGN_UP, BECOME_GUEST, SIGN_IN, REFRESH_SESSION, END_SESSION, GET_ME, TELL_CONTACT)

    async def sign_up(self, email: str, password: str, name: str) -> SignedIn:
        """A new person. Raises ProviderProblem if accounts does not like one of the three."""
        return await self.ask(SIGN_UP, body=_NewPerson(email=email, password=password, name=name))

    async def new_guest(self) -> SignedIn:
        """A buyer without an account."""
        return await self.ask(BECOME_GUEST, body=_NewGuest())

    async def sign_in(self, email: str, password: str) -> SignedIn:
        """The person who gave the right password. Raises ProviderProblem if it is the wrong one."""
        return await self.ask(SIGN_IN, body=_Credentials(email=email, password=password))

    async def refresh(self, refresh_token: str) -> SignedIn:
        """New tokens for old; the old refresh token is worth nothing afterwards.

        Raises ProviderProblem if the session has ended.
        """
        return await self.ask(REFRESH_SESSION, body=_RefreshToken(refresh_token=refresh_token))

    async def end(self, refresh_token: str) -> None:
        """Forgets the session."""
        await self.ask(END_SESSION, body=_RefreshToken(refresh_token=refresh_token))

    async def me(self, token: str) -> Me:
        """What accounts knows of the person."""
        return await self.ask(GET_ME, person=token)

    async def tell_contact(self, token: str, name: str, email: str, language: str) -> None:
        """Who the tickets are for, where they go, and in which language.

        Raises ProviderProblem if accounts does not like one of them.
        """
        await self.ask(TELL_CONTACT, body=_Contact(name=name, email=email, language=language), person=token)
