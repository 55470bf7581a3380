"""The programs of a system on the bus: who has a port, and whose address who knows; and how a service without a port is asked."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import nats
import pytest
from nats.aio.msg import Msg

from chassis.ask_bus import main
from chassis.envelope import written_answer
from local.nats import ADMIN, NatsServer
from local.on_bus import on_the_bus
from local.provision import make_secrets
from local.ready import got, is_ready, shown
from local.topology import MONOLITH, SERVICES, Layout, Ports, Program, programs

USERS = {"orders": "word-o", "web": "word-w", ADMIN: "word-@"}
STATUS, LARGE = 200, b"x" * 3_000_000


def started(folder: Path, ports: Ports, together: Sequence[str] = ()) -> dict[str, Program]:
    secrets = make_secrets(Layout(folder))
    over_http = programs(Layout(folder), ports, secrets, "json", together=together)
    return {each.name: each for each in on_the_bus(over_http, ports, secrets)}


def test_no_service_knows_the_address_of_another_and_none_but_web_has_a_port(tmp_path: Path) -> None:
    ports = Ports.default()
    told = {
        name: {
            key for key, value in each.environment.items() if any(f":{ports.of[other]}" in value for other in SERVICES)
        }
        for name, each in started(tmp_path, ports).items()
    }
    assert told.pop("bank") == {"BANK_WEBHOOK_URL"}
    assert told.pop("web") == {"WEB_PUBLIC_URL"}
    assert told.pop("notifications") == {"NOTIFICATIONS_SHOP_URL"}  # for the links in mails
    assert [name for name, variables in told.items() if variables] == []
    assert [
        each.name for each in started(tmp_path, ports).values() if f"{each.name.upper()}_PORT" in each.environment
    ] == [
        "bank",
        "web",
    ]


def test_one_process_for_all_has_the_port_of_web_alone_and_each_service_is_asked_by_its_name(tmp_path: Path) -> None:
    ports = Ports.default()
    monolith = started(tmp_path, ports, together=[*SERVICES])[MONOLITH]
    assert [name for name in monolith.environment if name.endswith("_PORT") and "SMTP" not in name] == ["WEB_PORT"]
    assert {name for name in monolith.environment if name.endswith("_TRANSPORT")} == {
        f"{name.upper()}_TRANSPORT" for name in SERVICES
    }
    asked = dict(zip(monolith.arguments, map(shown, monolith.ready_urls), strict=True))
    nats_at = f"nats://127.0.0.1:{ports.of['nats']}"
    assert asked.pop("web") == f"{ports.url('web')}/readyz"
    assert asked == {name: f"{nats_at}/{name}/readyz" for name in SERVICES if name != "web"}


def test_the_bank_tells_web(tmp_path: Path) -> None:
    ports = Ports.default()
    assert started(tmp_path, ports)["bank"].environment["BANK_WEBHOOK_URL"] == f"{ports.url('web')}/webhooks/bank"


def test_a_password_is_not_shown() -> None:
    assert shown("nats://admin:secret@127.0.0.1:1/orders/readyz") == "nats://127.0.0.1:1/orders/readyz"
    assert shown("http://127.0.0.1:1/readyz") == "http://127.0.0.1:1/readyz"


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[NatsServer]:
    """One on which a process of orders answers: `/readyz` well, `/work` at length, anything else with 503."""
    with NatsServer(tmp_path / "nats", users=USERS) as running:
        client = await nats.connect(running.url("orders"), inbox_prefix="_INBOX_orders", allow_reconnect=False)

        async def answer(message: Msg) -> None:
            path = message.data.split(b" ")[1].partition(b"?")[0]
            body = LARGE if path == b"/work" else b"{}"
            whole = written_answer(200 if path in {b"/work", b"/readyz"} else 503, (), len(body)) + body
            for begin in range(0, len(whole), client.max_payload):
                await client.publish(message.reply, whole[begin : begin + client.max_payload])

        await client.subscribe("calls.orders", queue="orders", cb=answer)
        await client.subscribe("calls.orders.at.*", cb=answer)
        await client.flush()
        await client.flush()
        yield running
        await client.close()


async def test_a_service_without_a_port_is_asked_with_the_login_of_the_administrator(server: NatsServer) -> None:
    url = f"{server.url(ADMIN)}/orders"
    assert await asyncio.to_thread(is_ready, f"{url}/readyz")
    assert not await asyncio.to_thread(is_ready, f"{url}/livez")
    assert await asyncio.to_thread(got, f"{url}/work?older_seconds=60", 5.0) == (STATUS, LARGE)
    assert not await asyncio.to_thread(is_ready, f"{server.url(ADMIN)}/tickets/readyz")


async def test_who_may_not_ask_is_told_so(server: NatsServer) -> None:
    with pytest.raises(PermissionError, match="Permissions Violation"):
        await asyncio.to_thread(got, f"{server.url('orders')}/tickets/readyz", 5.0)


@pytest.mark.parametrize(("path", "code"), [("/readyz", 0), ("/livez", 1)])
async def test_a_probe_asks_the_process_beside_it_with_its_own_login(server: NatsServer, path: str, code: int) -> None:
    environment = {"ONSALE_SERVICE": "orders", "ONSALE_NATS_URL": server.url("orders")}
    assert await asyncio.to_thread(main, [path], environment) == code


async def test_a_probe_of_a_process_that_is_not_there_fails_and_without_nats_it_counts_as_alive(
    server: NatsServer, capsys: pytest.CaptureFixture[str]
) -> None:
    there = {"ONSALE_SERVICE": "web", "ONSALE_NATS_URL": server.url("web")}
    assert await asyncio.to_thread(main, ["/livez"], there) == 1
    assert "web does not answer: Nobody is asked there" in capsys.readouterr().err
    gone = {"ONSALE_SERVICE": "web", "ONSALE_NATS_URL": "nats://web:x@127.0.0.1:1"}
    assert main(["/livez"], gone) == 0
    assert main(["/readyz"], gone) == 1
    assert "NATS does not answer" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [[], ["readyz"], ["orders", "readyz"]])
def test_a_probe_that_does_not_say_what_it_asks_says_how(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments, {"ONSALE_SERVICE": "orders", "ONSALE_NATS_URL": "nats://127.0.0.1:1"}) == 2
    assert "Say what" in capsys.readouterr().err
