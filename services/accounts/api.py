"""Routes: what web and notifications ask."""

from datetime import datetime
from typing import Annotated, Any, Self
from uuid import UUID

from fastapi import APIRouter, Depends, Response
from pydantic import AwareDatetime, Field, SecretStr, model_validator

from chassis.documented import refuses
from chassis.identity import Person as Caller
from chassis.identity import calls_from, open_to_all, person
from chassis.languages import Language
from chassis.models import Request
from chassis.models import Response as ResponseModel
from services.accounts.domain import (
    EmailInvalid,
    EmailTaken,
    NameInvalid,
    PasswordTooWeak,
    Person,
    PersonUnknown,
    SessionEnded,
    SignInFailed,
    TooBusy,
    TooManyAttempts,
)
from services.accounts.service import Accounts, SignedIn

# Bounds against nonsense; what a name, an address and a password must be like is for domain.py to say.
Text = Annotated[str, Field(max_length=400)]
Secret = Annotated[SecretStr, Field(max_length=1_000)]

_NOT_KEPT = {"Cache-Control": "no-store"}
_KEYS_KEPT = {"Cache-Control": "public, max-age=300"}


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
    """What a person has told about themselves. `language`: in whose way amounts are written for them (`de_CH`)."""

    person_id: UUID
    name: str | None
    email: str | None
    guest: bool
    language: str


class ContactOut(ResponseModel):
    """Where mail for a person goes; null while they have not told. `order_pass`: opens the order that was asked for, if it is
    a guest's, on any device. `language` as in PersonOut."""

    person_id: UUID
    name: str | None
    email: str | None
    order_pass: str | None
    language: str


def make_router(accounts: Accounts, jwks: dict[str, Any]) -> APIRouter:
    """The routes of this service."""
    router = APIRouter()
    _add_sessions(router, accounts)
    _add_people(router, accounts)

    @router.get("/.well-known/jwks.json", dependencies=[open_to_all])
    async def get_keys(response: Response) -> dict[str, Any]:
        response.headers.update(_KEYS_KEPT)
        return jwks

    return router


def _add_sessions(router: APIRouter, accounts: Accounts) -> None:
    @router.post(
        "/people",
        status_code=201,
        dependencies=[calls_from("web")],
        responses=refuses(EmailInvalid, EmailTaken, NameInvalid, PasswordTooWeak, TooBusy),
    )
    async def sign_up(body: SignUp, response: Response) -> SignedInOut:
        signed_in = await accounts.sign_up(body.email, body.password.get_secret_value(), body.name)
        return _signed_in(signed_in, response)

    @router.post("/guests", status_code=201, dependencies=[calls_from("web")])
    async def sign_in_as_guest(body: GuestSignIn, response: Response) -> SignedInOut:
        return _signed_in(await accounts.sign_in_as_guest(), response)

    @router.post(
        "/sessions",
        status_code=201,
        dependencies=[calls_from("web")],
        responses=refuses(SignInFailed, TooManyAttempts, TooBusy),
    )
    async def sign_in(body: SignIn, response: Response) -> SignedInOut:
        return _signed_in(await accounts.sign_in(body.email, body.password.get_secret_value()), response)

    @router.post("/sessions/refresh", dependencies=[calls_from("web")], responses=refuses(SessionEnded))
    async def refresh(body: RefreshToken, response: Response) -> SignedInOut:
        return _signed_in(await accounts.refresh(body.refresh_token.get_secret_value()), response)

    @router.post("/sessions/end", status_code=204, dependencies=[calls_from("web")])
    async def end_session(body: RefreshToken) -> None:
        await accounts.end_session(body.refresh_token.get_secret_value())


def _add_people(router: APIRouter, accounts: Accounts) -> None:
    @router.get("/people/me", dependencies=[calls_from("web")], responses=refuses(PersonUnknown))
    async def get_me(caller: Annotated[Caller, Depends(person)], response: Response) -> PersonOut:
        response.headers.update(_NOT_KEPT)
        return _person(await accounts.person(caller.person_id))

    @router.patch(
        "/people/me",
        dependencies=[calls_from("web")],
        responses=refuses(EmailInvalid, EmailTaken, NameInvalid, PersonUnknown),
    )
    async def change_me(
        body: ContactChange, caller: Annotated[Caller, Depends(person)], response: Response
    ) -> PersonOut:
        response.headers.update(_NOT_KEPT)
        changed = await accounts.change_contact(
            caller.person_id, name=body.name, email=body.email, language=body.language
        )
        return _person(changed)

    @router.get(
        "/people/{person_id}/contact",
        # Tickets prints the name on them.
        dependencies=[calls_from("notifications", "tickets")],
        responses=refuses(PersonUnknown),
    )
    async def get_contact(
        person_id: UUID, response: Response, order_id: UUID | None = None, pass_until: AwareDatetime | None = None
    ) -> ContactOut:
        """Where mail goes; with `order_id` and `pass_until` also what opens that order until then."""
        response.headers.update(_NOT_KEPT)
        found = await accounts.person(person_id)
        order_pass = accounts.pass_for(found, order_id, pass_until)
        return ContactOut(
            person_id=found.person_id,
            name=found.name,
            email=found.email,
            order_pass=order_pass,
            language=found.language,
        )


def _signed_in(signed_in: SignedIn, response: Response) -> SignedInOut:
    response.headers.update(_NOT_KEPT)
    return SignedInOut(
        person_id=signed_in.person_id,
        name=signed_in.name,
        token=signed_in.token.token,
        token_expires_at=signed_in.token.expires_at,
        refresh_token=signed_in.refresh_token,
    )


def _person(found: Person) -> PersonOut:
    return PersonOut(
        person_id=found.person_id, name=found.name, email=found.email, guest=found.guest, language=found.language
    )
