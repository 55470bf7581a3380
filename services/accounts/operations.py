"""What accounts offers to other services."""

from datetime import datetime
from typing import Annotated, Any, Self
from uuid import UUID

from pydantic import Field, SecretStr, model_validator

from chassis.consistency import no_database, own_writes, primary_only
from chassis.languages import Language
from chassis.models import Request
from chassis.models import Response as ResponseModel
from chassis.operations import EVERYBODY, Operation
from services.accounts.domain import (
    EmailInvalid,
    EmailTaken,
    NameInvalid,
    PasswordTooWeak,
    PersonUnknown,
    SessionEnded,
    SignInFailed,
    TooBusy,
    TooManyAttempts,
)

# Bounds against nonsense; what a name, an address and a password must be like is for domain.py to say.
Text = Annotated[str, Field(max_length=400)]
Secret = Annotated[SecretStr, Field(max_length=1_000)]


class SignUp(Request):
    """A new person."""

    email: Text
    password: Secret
    name: Text


class GuestSignIn(Request):
    """A buyer without an account: nothing is asked."""


class SignIn(Request):
    """Somebody who has an account."""

    email: Text
    password: Secret


class RefreshToken(Request):
    """The token that a session was continued with last."""

    refresh_token: Secret


class ContactChange(Request):
    """What shall change; what is left out stays."""

    name: Text | None = None
    email: Text | None = None
    language: Language | None = None

    @model_validator(mode="after")
    def _null_is_no_name(self) -> Self:
        if any(getattr(self, field) is None for field in self.model_fields_set):
            raise ValueError("a field cannot be null: leave it out to keep it as it is")
        return self


class SignedInOut(ResponseModel):
    """A person and the tokens of their session. `token` goes into `Onsale-Person`; `name` is null for a guest."""

    person_id: UUID
    name: str | None
    token: str
    token_expires_at: datetime
    refresh_token: str


class PersonOut(ResponseModel):
    """What a person has said about themselves. `language`: in whose way amounts are written for them (`de_CH`)."""

    person_id: UUID
    name: str | None
    email: str | None
    guest: bool
    language: str


class ContactOut(ResponseModel):
    """Where mail for a person goes; null while they have not said. `order_pass`: opens the order that was asked for, if it is
    a guest's, on any device. `language` as in PersonOut."""

    person_id: UUID
    name: str | None
    email: str | None
    order_pass: str | None
    language: str


SIGN_UP = Operation(
    "POST",
    "/people",
    callers=("web",),
    answers=SignedInOut,
    status=201,
    refuses=(EmailInvalid, EmailTaken, NameInvalid, PasswordTooWeak, TooBusy),
)
SIGN_IN_AS_GUEST = Operation("POST", "/guests", callers=("web",), answers=SignedInOut, status=201)
SIGN_IN = Operation(
    "POST",
    "/sessions",
    callers=("web",),
    answers=SignedInOut,
    status=201,
    refuses=(SignInFailed, TooManyAttempts, TooBusy),
)
# Not to be repeated: a token that was rotated is taken again for a moment only, and after that ends the whole session.
REFRESH = Operation("POST", "/sessions/refresh", callers=("web",), answers=SignedInOut, refuses=(SessionEnded,))
END_SESSION = Operation("POST", "/sessions/end", callers=("web",), status=204, repeatable=True)
GET_ME = Operation(
    "GET",
    "/people/me",
    callers=("web",),
    answers=PersonOut,
    refuses=(PersonUnknown,),
    reads=own_writes(30, "People see what they changed; on another device half a minute late."),
)
CHANGE_ME = Operation(
    "PATCH",
    "/people/me",
    callers=("web",),
    answers=PersonOut,
    refuses=(EmailInvalid, EmailTaken, NameInvalid, PersonUnknown),
    repeatable=True,
)
GET_CONTACT = Operation(
    "GET",
    "/people/{person_id}/contact",
    # Tickets prints the name on them.
    callers=("notifications", "tickets"),
    answers=ContactOut,
    refuses=(PersonUnknown,),
    reads=primary_only("A mail and a name on a ticket go out once: they must not go to the address of a moment ago."),
)
GET_KEYS = Operation(
    "GET",
    "/.well-known/jwks.json",
    callers=EVERYBODY,
    answers=dict[str, Any],
    reads=no_database("Keys come with the settings."),
)
OPERATIONS = (
    SIGN_UP,
    SIGN_IN_AS_GUEST,
    SIGN_IN,
    REFRESH,
    END_SESSION,
    GET_ME,
    CHANGE_ME,
    GET_CONTACT,
    GET_KEYS,
)
