"""Each user of NATS x each subject and each call of JetStream: a real server is asked, and refuses all that is not the user's own.

What is expected comes from who tells what (the contracts) and who hears what (the applications), and not from the rights themselves. A new
service, a new fact, or a call that a new server knows is red here until somebody has said whose it is.
"""

import asyncio
import importlib
import json
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import nats
import pytest
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js.api import ConsumerConfig

from chassis.service import Service
from chassis.stream import STREAM, ensure_stream
from contracts.pactfile import edges
from contracts.promises.documents import ASYNCAPI, FOLDER
from k8s.edges import takes_people
from k8s.nats import users_conf
from local.nats import ADMIN, MOST_ANSWERS, NatsServer, binary
from local.provision import make_keys, make_secrets, make_stream
from local.topology import HEARS, LISTENS, SERVICES, Layout, Ports, programs

WORDS = {name: f"word-of-{name}" for name in (*SERVICES, ADMIN)}
OWN, NOBODY, EVERYBODY = "who owns it", "nobody", "everybody"

# Every call of JetStream, and who may make it. {consumer} stands for the service that owns the consumer.
CALLS = {
    "INFO": NOBODY,
    "ACCOUNT.INFO": NOBODY,
    "ACCOUNT.PURGE.$G": NOBODY,
    "ACCOUNT.STREAM.CANCEL": NOBODY,
    "ACCOUNT.STREAM.MOVE.$G.EVENTS": NOBODY,
    "CONSUMER.CREATE.EVENTS": NOBODY,
    "CONSUMER.CREATE.EVENTS.{consumer}": NOBODY,
    "CONSUMER.CREATE.EVENTS.{consumer}.events.>": NOBODY,
    "CONSUMER.DELETE.EVENTS.{consumer}": NOBODY,
    "CONSUMER.DURABLE.CREATE.EVENTS.{consumer}": NOBODY,
    "CONSUMER.INFO.EVENTS.{consumer}": OWN,
    "CONSUMER.LEADER.STEPDOWN.EVENTS.{consumer}": NOBODY,
    "CONSUMER.LIST.EVENTS": NOBODY,
    "CONSUMER.MSG.NEXT.EVENTS.{consumer}": OWN,
    "CONSUMER.NAMES.EVENTS": NOBODY,
    "CONSUMER.PAUSE.EVENTS.{consumer}": NOBODY,
    "CONSUMER.PEER.EVACUATE.EVENTS.{consumer}": NOBODY,
    "CONSUMER.PEER.REMOVE.EVENTS.{consumer}": NOBODY,
    "CONSUMER.RESET.EVENTS.{consumer}": NOBODY,
    "CONSUMER.UNPIN.EVENTS.{consumer}": NOBODY,
    "DIRECT.GET.EVENTS": NOBODY,
    "META.LEADER.STEPDOWN": NOBODY,
    "META.RESCUE": NOBODY,
    "SERVER.EVACUATE": NOBODY,
    "SERVER.REMOVE": NOBODY,
    "STREAM.CANCEL": NOBODY,
    "STREAM.CREATE.EVENTS": NOBODY,
    "STREAM.CREATE.OTHER": NOBODY,
    "STREAM.DELETE.EVENTS": NOBODY,
    "STREAM.INFO.EVENTS": EVERYBODY,
    "STREAM.INFO.OTHER": NOBODY,
    "STREAM.LEADER.STEPDOWN.EVENTS": NOBODY,
    "STREAM.LIST": NOBODY,
    "STREAM.MSG.DELETE.EVENTS": NOBODY,
    "STREAM.MSG.GET.EVENTS": EVERYBODY,
    "STREAM.NAMES": NOBODY,
    "STREAM.PEER.EVACUATE.EVENTS": NOBODY,
    "STREAM.PEER.REMOVE.EVENTS": NOBODY,
    "STREAM.PURGE.EVENTS": NOBODY,
    "STREAM.RESTORE.EVENTS": NOBODY,
    "STREAM.SNAPSHOT.EVENTS": NOBODY,
    "STREAM.UPDATE.EVENTS": NOBODY,
}


def subjects_of_services() -> list[str]:
    """Every fact and bus message that a service tells, by its address; an id where it ends with one."""
    channels = json.loads((FOLDER / ASYNCAPI).read_text())["channels"].values()
    return sorted(re.sub(r"\{\w+\}", "1", channel["address"]) for channel in channels)


def asking() -> dict[str, set[str]]:
    """Who asks each service: by contract, and for the keys that vouch for people."""
    asked = {
        service: {edge.consumer for edge in edges() if (edge.kind, edge.provider) == ("asks", service)}
        for service in SERVICES
    }
    return asked | {"accounts": asked["accounts"] | {name for name in SERVICES if takes_people(name)}}


def sayable() -> dict[str, str | set[str]]:
    """Subjects that somebody could say something on, each with whose it is, or with all who may."""
    subjects: dict[str, str | set[str]] = {subject: subject.split(".")[1] for subject in subjects_of_services()}
    for service, callers in asking().items():
        subjects |= {
            f"calls.{service}": callers,
            f"calls.{service}.pieces.x.1": callers,
            f"calls.{service}.at.host": service,
        }
        subjects |= {f"calls.{service}.anything": NOBODY}
    for service in SERVICES:
        subjects |= {f"events.{service}.anything.v1": service, f"bus.{service}.anything.1": service}
        subjects[f"_INBOX_{service}.x"] = NOBODY
        subjects[f"$JS.ACK.{STREAM}.{service}.1.1.1.1.1"] = service
        for call, whose in CALLS.items():
            subjects[f"$JS.API.{call.format(consumer=service)}"] = service if whose == OWN else whose
    return subjects | {"events.anything": NOBODY, "bus.anything": NOBODY, "$SYS.REQ.SERVER.PING": NOBODY, "x": NOBODY}


def hearable() -> dict[str, set[str]]:
    """Subjects that somebody could listen to, each with those who may."""
    subjects = {">": set[str](), "bus.>": set[str](), "events.>": set[str](), "$JS.>": set[str](), "$SYS.>": set[str]()}
    subjects |= {"_INBOX.>": set[str](), "*.>": set[str]()}
    for service in SERVICES:
        subjects |= {f"_INBOX_{service}.>": {service}, f"calls.{service}.at.*": {service}}
        # Each request goes to one process, in its service's queue group: to hear them beside that is nobody's right.
        subjects |= {f"calls.{service}": set[str](), f"calls.{service}.>": set[str]()}
        subjects |= {f"{kind}.{service}.>": listening(f"{kind}.{service}.>") for kind in ("events", "bus")}
    return subjects | {subject: listening(subject) for subject in subjects_of_services()}


def listening(subject: str) -> set[str]:
    """The services that listen to it, or to more."""
    return {name for name, heard in LISTENS.items() if any(covers(each, subject) for each in heard)}


def covers(pattern: str, subject: str) -> bool:
    return subject == pattern or (pattern.endswith(".>") and subject.startswith(pattern[:-1]))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NatsServer]:
    with NatsServer(tmp_path_factory.mktemp("nats"), users=WORDS) as running:
        asyncio.run(make_stream(running.url(ADMIN)))
        yield running


async def connect(server: NatsServer, user: str) -> tuple[Client, list[str]]:
    refused: list[str] = []

    async def remember(error: Exception) -> None:
        if found := re.search(r'permissions violation for \w+ to "(.+?)"', str(error), re.IGNORECASE):
            refused.append(found[1].lower())

    client = await nats.connect(server.url(user), inbox_prefix=f"_INBOX_{user}", error_cb=remember)
    return client, refused


async def answered(client: Client) -> None:
    """Waits until the server has looked at everything. Twice: nats-py's first flush may overtake what is still in its buffer."""
    await client.flush()
    await client.flush()
    await client.close()


@pytest.mark.parametrize("user", SERVICES)
async def test_a_user_says_what_is_its_own_and_nothing_else(server: NatsServer, user: str) -> None:
    client, refused = await connect(server, user)
    for subject in sayable():
        # Not understood where it is allowed: nothing happens.
        await client.publish(subject, b"?", reply=f"_INBOX_{user}.x")
    await answered(client)
    wrong = {
        subject: whose
        for subject, whose in sayable().items()
        if (user in whose if isinstance(whose, set) else whose in {user, EVERYBODY}) is (subject.lower() in refused)
    }
    assert wrong == {}


@pytest.mark.parametrize("user", SERVICES)
async def test_a_user_hears_what_it_listens_to_and_nothing_else(server: NatsServer, user: str) -> None:
    client, refused = await connect(server, user)
    for subject in hearable():
        await client.subscribe(subject)
    await answered(client)
    wrong = {subject: who for subject, who in hearable().items() if (user in who) is (subject.lower() in refused)}
    assert wrong == {}


@pytest.mark.parametrize("user", SERVICES)
async def test_a_service_takes_its_share_of_what_it_is_asked_and_nobody_elses(server: NatsServer, user: str) -> None:
    client, refused = await connect(server, user)
    for service in SERVICES:
        for group in (user, service):
            await client.subscribe(f"calls.{service}", queue=group)
    await answered(client)
    # Two refusals for each other service: in its queue group, and in the user's own.
    assert sorted(set(refused)) == sorted(f"calls.{service}" for service in SERVICES if service != user)


async def test_who_was_asked_answers_in_so_many_pieces_and_nobody_else_does(server: NatsServer) -> None:
    """Not even if it knows the inbox: an answer is the right of whoever was given the request."""
    (orders, _), (inventory, _), (tickets, refused) = [
        await connect(server, name) for name in ("orders", "inventory", "tickets")
    ]
    heard: asyncio.Queue[bytes] = asyncio.Queue()

    async def keep(message: Msg) -> None:
        heard.put_nowait(message.data)

    async def answer(message: Msg) -> None:
        await tickets.publish(message.reply, b"forged")
        await tickets.flush()
        await tickets.flush()
        for number in range(MOST_ANSWERS):
            await inventory.publish(message.reply, b"%d" % number)

    await inventory.subscribe("calls.inventory", queue="inventory", cb=answer)
    await orders.subscribe("_INBOX_orders.x.*", cb=keep)
    for client in (inventory, orders):
        await client.flush()
        await client.flush()
    await orders.publish("calls.inventory", b"?", reply="_INBOX_orders.x.1")
    pieces = [await asyncio.wait_for(heard.get(), 20) for _ in range(MOST_ANSWERS)]
    assert pieces == [b"%d" % number for number in range(MOST_ANSWERS)]
    assert [each.startswith("_inbox_orders.") for each in refused] == [True]
    for client in (orders, inventory, tickets):
        await client.close()


@pytest.mark.parametrize("user", SERVICES)
async def test_no_fact_goes_where_a_user_wants_it_to(server: NatsServer, user: str) -> None:
    """A consumer with a subject to deliver to would have the server itself speak there: nobody may make one, or change one."""
    client, _ = await connect(server, user)
    for name in (user, "tickets", "anything"):
        config = ConsumerConfig(durable_name=name, deliver_subject="bus.orders.order_changed.1")
        with pytest.raises(nats.errors.Error):
            await client.jetstream(timeout=0.2).add_consumer(STREAM, config)
    await client.close()
    admin, _ = await connect(server, ADMIN)
    kept = await admin.jetstream().consumers_info(STREAM)
    assert {each.name: each.config.deliver_subject for each in kept} == dict.fromkeys(HEARS)
    await admin.close()


@pytest.mark.parametrize("user", sorted(HEARS))
async def test_a_user_takes_and_acknowledges_its_own_facts(server: NatsServer, user: str) -> None:
    admin, _ = await connect(server, ADMIN)
    await ensure_stream(admin)
    await admin.jetstream().publish(HEARS[user][0], b"{}")
    client, refused = await connect(server, user)
    subscription = await client.jetstream().pull_subscribe_bind(user, STREAM)
    (message,) = await subscription.fetch(1, timeout=5)
    await message.ack_sync()
    info = await client.jetstream().consumer_info(STREAM, user)
    assert (info.num_ack_pending, refused) == (0, [])
    await client.close()
    await admin.close()


def test_every_call_that_the_server_knows_has_a_row() -> None:
    """Its own program says which there are."""
    words = {each.decode() for each in re.findall(rb"\$JS\.API\.((?:[A-Z]{3,}\.)*[A-Z]{4,})", binary().read_bytes())}
    known = {re.sub(r"\.(EVENTS|OTHER|\$G).*", "", call) for call in CALLS}
    # In the program, the next text stands right behind one, and a longer one begins like a shorter.
    unknown = {word for word in words if not any(word.startswith(call) or call.startswith(word) for call in known)}
    assert "CONSUMER.MSG.NEXT" in words
    assert unknown == set()


def test_every_user_has_a_row() -> None:
    users = set(re.findall(r"user: (\w+), ", users_conf()))
    assert users == {*SERVICES, ADMIN}
    assert {subject.split(".")[1] for subject in subjects_of_services()} <= set(SERVICES)


def test_who_hears_what_is_what_the_applications_hear(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    layout = Layout(tmp_path)
    make_keys_into(layout)
    started = {each.name: each.environment for each in programs(layout, Ports.free(), make_secrets(layout), "json")}
    heard: dict[str, tuple[str, ...]] = {}
    listened: dict[str, list[str]] = {}
    for service in SERVICES:
        application = built(service, started[service], monkeypatch)
        heard |= {each.consumer: tuple(sorted(each.subscriptions)) for each in application.inboxes}
        listened[service] = application.subjects
    assert heard == {name: tuple(sorted(subjects)) for name, subjects in HEARS.items()}
    assert listened == {name: sorted(LISTENS.get(name, ())) for name in SERVICES}


def make_keys_into(layout: Layout) -> None:
    make_secrets(layout)
    make_keys(layout)


def built(service: str, environment: Mapping[str, str], monkeypatch: pytest.MonkeyPatch) -> Service:
    with monkeypatch.context() as patched:
        for name, value in {**os.environ, **environment}.items():
            patched.setenv(name, value)
        app = importlib.import_module(f"services.{service}.app").create_app()
    application: Service = app.state.service
    return application
