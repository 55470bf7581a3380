"""The smallest service that uses every part of the chassis: it keeps things. For the chassis' own tests."""

from typing import Annotated, ClassVar
from uuid import UUID

from fastapi import APIRouter, Depends, FastAPI, Request
from sqlalchemy import text
from starlette.responses import Response

from chassis.consistency import own_writes
from chassis.db import Database, Transaction
from chassis.errors import StoreUnavailable
from chassis.facts import Fact, Heard
from chassis.idempotency import idempotent
from chassis.identity import Person, calls_from, open_to_all, person
from chassis.ids import uuid7
from chassis.inbox import Inbox, Received, Reject
from chassis.models import Request as Body
from chassis.models import Response as Answer
from chassis.service import Service
from chassis.settings import ServiceSettings, settings_config

MAY_BE_OLD = own_writes(60, "Things stand still.")


class SampleSettings(ServiceSettings):
    model_config = settings_config("SAMPLE_")
    service_name: ClassVar[str] = "sample"


class SampleError(Exception):
    code: ClassVar[str]
    category: ClassVar[str]


class ThingUnknown(SampleError):
    code = "thing_unknown"
    category = "not_found"

    def __init__(self, thing_id: UUID) -> None:
        self.thing_id = thing_id
        super().__init__("There is no such thing. Check its id.")


class ThingMade(Fact):
    subject: ClassVar[str] = "events.sample.thing_made.v1"
    aggregate: ClassVar[str] = "thing_id"
    thing_id: UUID
    name: str


class ThingWanted(Heard):
    name: str


class NewThing(Body):
    name: str


class Thing(Answer):
    thing_id: UUID
    name: str


async def make_thing(tx: Transaction, name: str) -> Thing:
    thing = Thing(thing_id=uuid7(), name=name)
    insert = text("INSERT INTO thing (thing_id, name) VALUES (:thing_id, :name)")
    await tx.execute(insert, thing.model_dump(), name="sample.insert_thing")
    await tx.publish(ThingMade(thing_id=thing.thing_id, name=name))
    return thing


def make_inbox() -> Inbox:
    inbox = Inbox("sample")

    @inbox.hears("events.other.thing_wanted.v1", ThingWanted)
    async def on_wanted(tx: Transaction, fact: ThingWanted, _received: Received) -> None:
        if fact.name == "unicorn":
            raise Reject("There are no unicorns.")
        if fact.name == "vase":
            raise RuntimeError("It broke.")
        await make_thing(tx, fact.name)

    return inbox


def make_router(database: Database) -> APIRouter:
    router = APIRouter()

    @router.post("/things", dependencies=[calls_from("web")])
    async def post_thing(body: NewThing, request: Request, who: Annotated[Person, Depends(person)]) -> Response:
        async def work() -> Thing:
            async with database.writer() as tx:
                if body.name == "flake":
                    await tx.execute(text("SELECT pg_sleep(0.5)"), name="sample.sleep")
                    raise StoreUnavailable
                return await make_thing(tx, body.name)

        return await idempotent(request, database, str(who.person_id), body, work, status=201)

    @router.get("/things/{thing_id}", dependencies=[open_to_all])
    async def get_thing(thing_id: UUID) -> Thing:
        async with database.reader(MAY_BE_OLD) as reads:
            query = text("SELECT thing_id, name FROM thing WHERE thing_id = :thing_id")
            row = (await reads.execute(query, {"thing_id": thing_id}, name="sample.thing")).mappings().one_or_none()
        if row is None:
            raise ThingUnknown(thing_id)
        return Thing.model_validate(row)

    @router.get("/broken", dependencies=[open_to_all])
    async def broken() -> None:
        raise RuntimeError("a secret of the house")

    @router.get("/slow", dependencies=[open_to_all])
    async def slow() -> None:
        async with database.reader(MAY_BE_OLD) as reads:
            await reads.execute(text("SELECT pg_sleep(5)"), name="sample.sleep")

    return router


def create_app(settings: SampleSettings | None = None) -> FastAPI:
    service = Service(settings or SampleSettings(), title="Sample", errors=SampleError)
    database = service.database()
    service.hear(make_inbox())
    service.include(make_router(database))
    return service.build()
