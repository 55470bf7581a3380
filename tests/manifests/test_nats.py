"""NATS' configuration in a cluster: a real server takes it, and gives each service its own rights and no more."""

import asyncio
import os
import re
import shutil
import socket
import subprocess
import sysconfig
import time
from collections.abc import Iterator
from pathlib import Path

import nats
import pytest
from nats.aio.client import Client

from chassis.stream import ensure_stream
from k8s.nats import USERS_FILE, users_conf
from local.nats import ADMIN
from local.processes import LOOPBACK, free_port
from local.topology import SERVICES

FOLDER = USERS_FILE.parent
PRODUCTION = FOLDER.parent / "production" / "nats" / "nats.conf"
SERVER = Path(sysconfig.get_path("scripts")) / "nats-server"
PASSWORDS = {user: f"word-of-{user}" for user in (*SERVICES, ADMIN)}


def copy_of_configuration(folder: Path, port: int) -> Path:
    """The configuration as a pod sees it, but for the places that only a pod has."""
    for file in FOLDER.glob("*.conf"):
        shutil.copy(file, folder)
    common = folder / "common.conf"
    text = common.read_text().replace("0.0.0.0:4222", f"{LOOPBACK}:{port}").replace("0.0.0.0:8222", f"{LOOPBACK}:-1")
    common.write_text(text.replace("/run/nats/", f"{folder}/"))
    alone = folder / "nats.conf"
    alone.write_text(alone.read_text().replace('"/data"', f'"{folder}/data"'))
    return alone


def environment(passwords: dict[str, str]) -> dict[str, str]:
    """What the Secret `nats-users` puts into the server's environment."""
    return os.environ | {"SERVER_NAME": "nats-0"} | {user.upper(): word for user, word in passwords.items()}


def checked(configuration: Path, passwords: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """What the server says of a configuration, without starting."""
    command = [str(SERVER), "-t", "-c", str(configuration)]
    return subprocess.run(command, env=environment(passwords), capture_output=True, text=True, check=False)


@pytest.fixture
def port(tmp_path: Path) -> Iterator[int]:
    """Where a server with the cluster's configuration listens."""
    port = free_port()
    configuration = copy_of_configuration(tmp_path, port)
    with (tmp_path / "log").open("wb") as log:
        server = subprocess.Popen([SERVER, "-c", configuration], env=environment(PASSWORDS), stdout=log, stderr=log)
    try:
        wait_until_answered(port)
        yield port
    finally:
        server.kill()
        server.wait()


def wait_until_answered(port: int) -> None:
    """Returns when somebody listens there; raises OSError after 10 s."""
    deadline = time.monotonic() + 10
    while True:
        try:
            socket.create_connection((LOOPBACK, port), timeout=1).close()
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.01)
        else:
            return


async def connect(port: int, user: str, complaints: "asyncio.Queue[str] | None" = None) -> Client:
    """A login of that user, as its service makes it."""

    async def remember(error: Exception) -> None:
        if complaints is not None:
            complaints.put_nowait(str(error).lower())

    return await nats.connect(
        f"nats://{LOOPBACK}:{port}",
        user=user,
        password=PASSWORDS[user],
        inbox_prefix=f"_INBOX_{user}",
        error_cb=remember,
        allow_reconnect=False,
    )


def test_the_committed_users_are_those_that_the_code_gives() -> None:
    assert USERS_FILE.read_text() == users_conf(), "Write them again: python -m k8s.nats"


def test_a_server_takes_the_whole_configuration(tmp_path: Path) -> None:
    said = checked(copy_of_configuration(tmp_path, 4222), PASSWORDS)
    assert said.returncode == 0, said.stderr


def test_a_server_takes_what_each_of_three_is_given_in_production(tmp_path: Path) -> None:
    configuration = copy_of_configuration(tmp_path, 4222)
    shutil.copy(PRODUCTION, configuration)
    said = checked(configuration, PASSWORDS)
    assert said.returncode == 0, said.stderr


@pytest.mark.parametrize("word", ["4-x", "-abc", "2026-01-01"])
def test_a_server_refuses_a_password_that_does_not_begin_with_a_letter(tmp_path: Path, word: str) -> None:
    said = checked(copy_of_configuration(tmp_path, 4222), PASSWORDS | {"orders": word})
    assert said.returncode != 0
    assert "ORDERS" in said.stderr


def test_a_server_refuses_a_user_without_a_password(tmp_path: Path) -> None:
    without = {user: word for user, word in PASSWORDS.items() if user != "orders"}
    said = checked(copy_of_configuration(tmp_path, 4222), without)
    assert said.returncode != 0
    assert "ORDERS" in said.stderr


def test_every_user_has_a_password_of_its_own() -> None:
    named = dict(re.findall(r"user: (\w+), password: \$(\w+)", users_conf()))
    assert named == {user: user.upper() for user in PASSWORDS}


async def test_every_user_can_log_in(port: int) -> None:
    for user in PASSWORDS:
        client = await connect(port, user)
        await client.close()


async def test_a_service_tells_its_own_facts(port: int) -> None:
    admin, orders = await connect(port, ADMIN), await connect(port, "orders")
    await ensure_stream(admin)
    acknowledged = await orders.jetstream().publish("events.orders.order_confirmed.v1", b"{}")
    assert acknowledged.seq == 1
    await admin.close()
    await orders.close()


@pytest.mark.parametrize(
    "subject",
    ["events.payments.payment_authorised.v1", "bus.inventory.seats_changed.1", "$JS.API.STREAM.PURGE.events"],
)
async def test_a_service_does_not_speak_for_another_nor_manage_streams(port: int, subject: str) -> None:
    complaints: asyncio.Queue[str] = asyncio.Queue()
    orders = await connect(port, "orders", complaints)
    await orders.publish(subject, b"{}")
    await orders.flush()
    assert "permissions violation for publish" in await asyncio.wait_for(complaints.get(), 20)
    await orders.close()


async def test_a_wrong_password_is_refused(port: int) -> None:
    with pytest.raises(nats.errors.Error):
        await nats.connect(
            f"nats://{LOOPBACK}:{port}", user="orders", password=PASSWORDS["tickets"], allow_reconnect=False
        )
