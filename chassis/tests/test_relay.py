"""The relay, step by step, with a publisher that does what a test wants."""

from collections.abc import AsyncIterator
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
