"""The smallest service on the real chassis: it answers what it understood of a request, and refuses as services do."""

from typing import Annotated, Any, ClassVar
from uuid import UUID

from fastapi import APIRouter, Depends, FastAPI, Header, Request
from starlette.responses import Response

from chassis.asking import NOTHING, Client, Sent, Use
from chassis.db import required_pin, written_pin
from chassis.deadline import MAX_SECONDS, remaining_seconds
from chassis.facts import Fact, Heard
from chassis.http import GUEST_HEADER
from chassis.idempotency import KEY_HEADER, idempotent
from chassis.identity import Person, calls_from, open_to_all, person
from chassis.models import Request as Body
from chassis.models import Response as Answer
from chassis.service import Service
from chassis.settings import ServiceSettings, settings_config
from contracts.protocol.fixed import CALLER, PIN, PROVIDER
from tracing.spans import current_trace_id


class SampleSettings(ServiceSettings):
    """Settings of a service that connects to nothing."""

    model_config = settings_config("SAMPLE_OF_THE_PROTOCOL_")
    service_name: ClassVar[str] = PROVIDER


class SampleError(Exception):
    """Base of its refusals."""


class TooFewLeft(SampleError):
    """A refusal with a fact."""

    code = "too_few_left"
    category = "conflict"
    left: int

    def __init__(self, left: int) -> None:
        self.left = left
        super().__init__(f"Only {left} are left. Take fewer.")


class TooBusy(SampleError):
    """A refusal that says when to come again."""

    code = "too_busy"
    category = "too_many"

    def __init__(self) -> None:
        self.retry_after_seconds = 7
        super().__init__("There is too much to do. Try again in a few seconds.")


class ThingPriced(Fact):
    """A fact."""

    subject: ClassVar[str] = f"events.{PROVIDER}.thing_priced.v1"
    aggregate: ClassVar[str] = "thing_id"
    thing_id: UUID
    price_minor: int


class PriceHeard(Heard):
    """The same as somebody reads it."""

    price_minor: int


class NewThing(Body):
    """What is sent."""

    name: str
    price_minor: int


class ThingSent(Sent):
    """The same as a client sends it."""

    name: str
    price_minor: int


class Understood(Answer):
    """What arrived of a request. `pin`: what its reads must at least see; `seconds`: what it has left for calls of its own."""

    caller: str
    person_id: UUID
    guest_id: UUID
    seconds: float
    pin: str | None
    key: str | None
    trace_id: str | None
    body: dict[str, Any]


class Kept(Answer):
    """What is answered to whoever asks with a key; `times`: how often the work was done."""

    name: str
    price_minor: int
    times: int


PATH = "/things/{thing_id}"
ASKED = Use("POST", PATH, NOTHING, sends=ThingSent, person=True, guest=True, keyed=True)


class SampleClient(Client):
    """The client of the sample."""

    provider = PROVIDER
    uses = (ASKED,)


def create_app(settings: SampleSettings, store: Any = None) -> FastAPI:
    """The service. `store` keeps its idempotency keys. Nothing connects unless its lifespan is started."""
    router = APIRouter()
    worked: list[NewThing] = []

    @router.post(PATH)
    async def understand(
        thing_id: UUID,
        body: NewThing,
        request: Request,
        who: Annotated[Person, Depends(person)],
        guest_token: Annotated[str, Header(alias=GUEST_HEADER)],
        caller: str = calls_from(CALLER),  # type: ignore[assignment]
    ) -> Understood:
        guest = await request.app.state.person_verifier.person(guest_token)
        written_pin.set(PIN)
        return Understood(
            caller=caller,
            person_id=who.person_id,
            guest_id=guest.person_id,
            seconds=remaining_seconds(MAX_SECONDS),
            pin=required_pin.get(),
            key=request.headers.get(KEY_HEADER),
            trace_id=current_trace_id(),
            body=body.model_dump(),
        )

    @router.post("/kept", dependencies=[open_to_all])
    async def keep(body: NewThing, request: Request) -> Response:
        async def work() -> Kept:
            worked.append(body)
            return Kept(name=body.name, price_minor=body.price_minor, times=len(worked))

        return await idempotent(request, store, CALLER, body, work, status=201)

    @router.get("/busy", dependencies=[open_to_all])
    async def busy() -> None:
        raise TooBusy

    @router.get("/few", dependencies=[open_to_all])
    async def few() -> None:
        raise TooFewLeft(3)

    service = Service(settings, title="Sample", errors=SampleError)
    service.include(router)
    return service.build()
