"""The relay, step by step, with a publisher that does what a test wants."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from chassis.clock import utc_now
from chassis.db import Database
from chassis.relay import Relay, StreamState
from chassis.statements import text
from chassis.testing import Harness
from chassis.tests.sample.app import SampleSettings, make_thing

MIGRATIONS = Path(__file__).parent / "sample" / "migrations"
# Which transaction has written last what the relay knows of the stream.
REMEMBERED = text("SELECT CAST(CAST(xmin AS text) AS bigint) FROM outbox_stream")


class Publisher:
    """Stores messages in a list; refuses those whose number (from 1) is in `refused`."""

    def __init__(self, refused: set[int] | None = None) -> None:
        self.bodies: list[bytes] = []
        self._refused = refused or set()
        self._tried = 0

    async def publish(self, subject: str, body: bytes, *, message_id: str) -> int:
        self._tried += 1
        if self._tried in self._refused:
            raise ConnectionError("the broker is away")
        self.bodies.append(body)
        return len(self.bodies)

    async def state(self) -> StreamState:
        return StreamState("EVENTS", utc_now(), len(self.bodies))


class OtherStream(Publisher):
    """A broker whose stream is another one than that which the service has written to."""

    def __init__(self) -> None:
        super().__init__()
        self._made_at = utc_now()

    async def state(self) -> StreamState:
        return StreamState("EVENTS", self._made_at, len(self.bodies))


@pytest.fixture
async def database(harness: Harness) -> AsyncIterator[Database]:
    made = Database(harness.settings(SampleSettings, migrations=MIGRATIONS))
    yield made
    await made.close()


async def tell(database: Database, *names: str) -> None:
    async with database.writer() as tx:
        for name in names:
            await make_thing(tx, name)


async def test_facts_are_sent_in_the_order_of_writing(database: Database) -> None:
    await tell(database, "lamp", "chair", "table")
    publisher = Publisher()
    assert await Relay(database).send_batch(publisher) == 3
    assert [name in body.decode() for name, body in zip(("lamp", "chair", "table"), publisher.bodies, strict=True)] == [
        True
    ] * 3
    assert await Relay(database).send_batch(publisher) == 0


async def test_a_fact_that_could_not_be_sent_goes_out_with_the_next_round(database: Database) -> None:
    await tell(database, "lamp", "chair")
    publisher = Publisher(refused={1})
    with pytest.raises(ConnectionError):
        await Relay(database).send_batch(publisher)
    assert await Relay(database).send_batch(publisher) == 1
    assert sorted("lamp" in body.decode() for body in publisher.bodies) == [False, True]


async def test_a_fact_of_a_transaction_that_failed_is_never_sent(database: Database) -> None:
    async def fail() -> None:
        async with database.writer() as tx:
            await make_thing(tx, "lamp")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    assert await Relay(database).send_batch(Publisher()) == 0


async def test_a_stream_that_is_as_it_was_is_not_written_down_again(database: Database) -> None:
    class Still(Publisher):
        made_at = utc_now()

        async def state(self) -> StreamState:
            return StreamState("EVENTS", self.made_at, 7)

    relay, publisher = Relay(database), Still()
    await relay._reconcile(publisher)
    async with database.reader() as reads:
        remembered = (await reads.execute(REMEMBERED, name="test.remembered")).scalar_one()
    await relay._reconcile(publisher)
    async with database.reader() as reads:
        assert (await reads.execute(REMEMBERED, name="test.remembered")).scalar_one() == remembered


async def test_facts_are_sent_again_however_long_it_takes_to_look_them_up(harness: Harness) -> None:
    settings = harness.settings(SampleSettings, migrations=MIGRATIONS, statement_timeout_seconds=0.5)
    database = Database(settings)
    await tell(database, "lamp")
    await Relay(database).send_batch(first := Publisher())
    async with database.writer() as tx:
        await tx.execute(_KNOWN, {"made_at": utc_now() - timedelta(days=1)}, name="tests.know")
    # As of a million facts: to take one back takes longer than any statement may.
    await harness.write(settings.database_url.get_secret_value(), *_SLOW)
    relaying = asyncio.create_task(Relay(database).run(again := OtherStream()))

    async def is_sent_again() -> bool:
        return len(again.bodies) == len(first.bodies)

    try:
        await harness.eventually(is_sent_again)
    finally:
        relaying.cancel()
        await asyncio.wait({relaying})
        await database.close()


_KNOWN = text("INSERT INTO outbox_stream (stream, created_at, last_seq) VALUES ('EVENTS', :made_at, 1)")
_SLOW = (
    "CREATE FUNCTION take_long() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(1); RETURN NEW; END'",
    """CREATE TRIGGER slow BEFORE UPDATE ON outbox FOR EACH ROW
    WHEN (OLD.published_at IS NOT NULL AND NEW.published_at IS NULL) EXECUTE FUNCTION take_long()""",
)
