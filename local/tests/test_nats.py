"""NATS from the wheel: JetStream, a login per service, and what each may say."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import nats
import pytest
from nats.aio.client import Client

from chassis.stream import STREAM, ensure_stream
from local.errors import StartError
from local.nats import ADMIN, NatsServer
from local.provision import make_stream

USERS = {"orders": "word-o", "tickets": "word-t", ADMIN: "word-a"}


@pytest.fixture
def server(tmp_path: Path) -> Iterator[NatsServer]:
    with NatsServer(tmp_path / "nats", users=USERS) as running:
        yield running


async def connect(server: NatsServer, user: str, complaints: "asyncio.Queue[str] | None" = None) -> Client:
    async def remember(error: Exception) -> None:
        if complaints is not None:
            complaints.put_nowait(str(error).lower())

    return await nats.connect(server.url(user), inbox_prefix=f"_INBOX_{user}", error_cb=remember, allow_reconnect=False)


async def test_facts_survive_a_kill_of_the_server(tmp_path: Path) -> None:
    server = NatsServer(tmp_path / "nats")
    server.start()
    client = await nats.connect(server.url(), allow_reconnect=False)
    await ensure_stream(client)
    await client.jetstream().publish("events.orders.order_confirmed.v1", b"{}")
    await client.close()
    server.kill()
    with server:
        client = await nats.connect(server.url())
        assert (await client.jetstream().stream_info(STREAM)).state.messages == 1
        await client.close()


async def test_a_stranger_is_refused(server: NatsServer) -> None:
    with pytest.raises(nats.errors.Error):
        await nats.connect(server.url(), allow_reconnect=False, connect_timeout=1)


async def test_a_service_publishes_its_own_facts_and_hears_others(server: NatsServer) -> None:
    await make_stream(server.url(ADMIN))
    orders, tickets = await connect(server, "orders"), await connect(server, "tickets")
    await orders.jetstream().publish("events.orders.order_confirmed.v1", b"{}")
    subscription = await tickets.jetstream().pull_subscribe_bind("tickets", STREAM)
    (message,) = await subscription.fetch(1, timeout=5)
    await message.ack_sync()
    for client in (orders, tickets):
        await client.close()


@pytest.mark.parametrize(
    "subject", ["events.orders.order_confirmed.v1", "bus.orders.order_changed.1", "_INBOX_orders.x"]
)
async def test_a_service_cannot_speak_for_another(server: NatsServer, subject: str) -> None:
    complaints: asyncio.Queue[str] = asyncio.Queue()
    tickets = await connect(server, "tickets", complaints)
    await tickets.publish(subject, b"{}")
    await tickets.flush()
    assert "permissions violation for publish" in await asyncio.wait_for(complaints.get(), 20)
    await tickets.close()


async def test_a_service_cannot_read_anothers_answers(server: NatsServer) -> None:
    complaints: asyncio.Queue[str] = asyncio.Queue()
    tickets = await connect(server, "tickets", complaints)
    await tickets.subscribe("_INBOX_orders.>")
    await tickets.flush()
    assert "permissions violation for subscription" in await asyncio.wait_for(complaints.get(), 20)
    await tickets.close()


async def test_a_service_cannot_delete_the_firehose(server: NatsServer) -> None:
    admin, tickets = await connect(server, ADMIN), await connect(server, "tickets")
    await ensure_stream(admin)
    with pytest.raises(nats.errors.Error):
        await tickets.jetstream(timeout=0.5).delete_stream(STREAM)
    assert (await admin.jetstream().stream_info(STREAM)).config.name == STREAM
    await admin.close()
    await tickets.close()


def test_a_taken_port_is_named(server: NatsServer, tmp_path: Path) -> None:
    with pytest.raises(StartError, match=f"Port {server.port} .*taken"):
        NatsServer(tmp_path / "other", server.port).start()
