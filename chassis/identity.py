"""Who calls: the service, and the person on whose behalf. Every route says who may call it."""

from typing import Any
from uuid import UUID

from fastapi import Depends, Request
from fastapi.params import Depends as DependsMarker

from chassis.errors import CallerNotAllowed, NotAuthenticated
from chassis.http import PERSON_HEADER, person_token
from chassis.people import Person, PersonVerifier
from chassis.tokens import CallerVerifier
from tracing.spans import note

ACCESS_ATTRIBUTE = "onsale_access"


def calls_from(*services: str) -> DependsMarker:
    """A dependency that lets only these services in. As a parameter's default it gives the caller's name."""

    async def check(request: Request) -> str:
        verifier: CallerVerifier = request.app.state.caller_verifier
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise NotAuthenticated("Send this service's token as Authorization: Bearer.")
        caller = verifier.caller(token)
        # If the caller's span is lost, this attribute still says which service it was.
        note({"onsale.caller": caller})
        if caller not in services:
            raise CallerNotAllowed(caller)
        return caller

    setattr(check, ACCESS_ATTRIBUTE, services)
    dependency: Any = Depends(check)
    return dependency  # type: ignore[no-any-return]


async def _anybody() -> None:
    """Lets everybody in."""


setattr(_anybody, ACCESS_ATTRIBUTE, ("*",))
open_to_all: DependsMarker = Depends(_anybody)


async def person(request: Request) -> Person:
    """A dependency: the person whose token came along. Refused without one, and for one that is for a single order."""
    found = await _person(request)
    if found.order_id is not None:
        raise NotAuthenticated("This link opens one order and nothing else. Sign in to do more.")
    return found


async def person_of_order(request: Request, order_id: UUID) -> Person:
    """A dependency of routes that show `order_id`: the person whose token came along, also one for this very order."""
    found = await _person(request)
    if found.order_id not in (None, order_id):
        raise NotAuthenticated("This link opens another order. Open the one in the mail of this order.")
    return found


async def _person(request: Request) -> Person:
    token = request.headers.get(PERSON_HEADER)
    if not token:
        raise NotAuthenticated("This needs a person who is signed in. Sign in, then try again.")
    verifier: PersonVerifier = request.app.state.person_verifier
    found = await verifier.person(token)
    person_token.set(token)
    return found


def access_of(dependency: Any) -> tuple[str, ...] | None:
    """Who may pass this dependency; None if it is not about access."""
    return getattr(dependency, ACCESS_ATTRIBUTE, None)


__all__ = ["Person", "access_of", "calls_from", "open_to_all", "person", "person_of_order"]
