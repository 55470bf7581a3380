"""Routes: what web and notifications ask."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Response
from pydantic import AwareDatetime

from chassis.identity import Person as Caller
from chassis.identity import person
from chassis.operations import serves
from services.accounts.domain import Person
from services.accounts.operations import (
    CHANGE_ME,
    END_SESSION,
    GET_CONTACT,
    GET_KEYS,
    GET_ME,
    REFRESH,
    SIGN_IN,
    SIGN_IN_AS_GUEST,
    SIGN_UP,
    ContactChange,
    ContactOut,
    GuestSignIn,
    PersonOut,
    RefreshToken,
    SignedInOut,
    SignIn,
    SignUp,
)
from services.accounts.service import Accounts, SignedIn

_NOT_KEPT = {"Cache-Control": "no-store"}
_KEYS_KEPT = {"Cache-Control": "public, max-age=300"}


def make_router(accounts: Accounts, jwks: dict[str, Any]) -> APIRouter:
    """The routes of this service."""
    router = APIRouter()
    _add_sessions(router, accounts)
    _add_people(router, accounts)

    @serves(router, GET_KEYS)
    async def get_keys(response: Response) -> dict[str, Any]:
        response.headers.update(_KEYS_KEPT)
        return jwks

    return router


def _add_sessions(router: APIRouter, accounts: Accounts) -> None:
    @serves(router, SIGN_UP)
    async def sign_up(body: SignUp, response: Response) -> SignedInOut:
        signed_in = await accounts.sign_up(body.email, body.password.get_secret_value(), body.name)
        return _signed_in(signed_in, response)

    @serves(router, SIGN_IN_AS_GUEST)
    async def sign_in_as_guest(body: GuestSignIn, response: Response) -> SignedInOut:
        return _signed_in(await accounts.sign_in_as_guest(), response)

    @serves(router, SIGN_IN)
    async def sign_in(body: SignIn, response: Response) -> SignedInOut:
        return _signed_in(await accounts.sign_in(body.email, body.password.get_secret_value()), response)

    @serves(router, REFRESH)
    async def refresh(body: RefreshToken, response: Response) -> SignedInOut:
        return _signed_in(await accounts.refresh(body.refresh_token.get_secret_value()), response)

    @serves(router, END_SESSION)
    async def end_session(body: RefreshToken) -> None:
        await accounts.end_session(body.refresh_token.get_secret_value())


def _add_people(router: APIRouter, accounts: Accounts) -> None:
    @serves(router, GET_ME)
    async def get_me(caller: Annotated[Caller, Depends(person)], response: Response) -> PersonOut:
        response.headers.update(_NOT_KEPT)
        return _person(await accounts.person(caller.person_id))

    @serves(router, CHANGE_ME)
    async def change_me(
        body: ContactChange, caller: Annotated[Caller, Depends(person)], response: Response
    ) -> PersonOut:
        response.headers.update(_NOT_KEPT)
        changed = await accounts.change_contact(
            caller.person_id, name=body.name, email=body.email, language=body.language
        )
        return _person(changed)

    @serves(router, GET_CONTACT)
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
