"""A service that does nothing but answer, for `make bench-transport`: all that the chassis puts around an operation, and no database."""

from typing import ClassVar
from uuid import UUID

from fastapi import APIRouter, FastAPI

from chassis.consistency import no_database
from chassis.models import Response
from chassis.operations import Operation, serves
from chassis.service import Service
from chassis.settings import ServiceSettings, settings_config


class AnsweringSettings(ServiceSettings):
    """Settings of `answering`; variables start with `ANSWERING_`."""

    model_config = settings_config("ANSWERING_")
    service_name: ClassVar[str] = "answering"


class ThingOut(Response):
    """As much as a small answer of ours has."""

    thing_id: UUID
    name: str
    places: int


GET_THING = Operation(
    "GET",
    "/things/{thing_id}",
    callers=("orders",),
    answers=ThingOut,
    reads=no_database("It is made up."),
)


def create_app() -> FastAPI:
    """The service."""
    service = Service(AnsweringSettings(), title="Answering")
    router = APIRouter()

    @serves(router, GET_THING)
    async def thing(thing_id: UUID) -> ThingOut:
        """A thing, whatever it is."""
        return ThingOut(thing_id=thing_id, name="lamp", places=2)

    service.include(router)
    return service.build()
