"""A pytest plugin: a harness that plays the neighbours of a service on real servers, with databases and keys for each test.

It starts no server. Postgres is at the address in `ONSALE_TEST_POSTGRES_URL`, and NATS where the fixture `nats_url` says: here both
come from local/testing.py. Each test has databases of its own, copied from a migrated template or emptied after another test.
"""

import asyncio
import json
import socket
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self, TypeVar
from uuid import UUID

import asyncpg
import httpx
import jwt
import nats
import pytest
import uvicorn
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from fastapi import FastAPI
from nats.aio.client import Client

from chassis.clock import utc_now
from chassis.facts import encode_cloud_event
from chassis.ids import uuid7
from chassis.inbox import Received
from chassis.migrated import SERVICES, migrations_of
from chassis.people import PEOPLE_AUDIENCE, PEOPLE_ISSUER
from chassis.server import KEEP_ALIVE_SECONDS
from chassis.settings import ServiceSettings
from chassis.sockets import socket_options
from chassis.stream import ensure_consumer
from chassis.testing_databases import Databases
from chassis.tokens import ALGORITHM, ServiceTokens

PATIENCE_SECONDS = 30.0
POLL_SECONDS = 0.02
ACCOUNTS_KEY_ID = "accounts-test"
OTHERS = ("waitingroom", "insights", "sample", "stranger")

Settings = TypeVar("Settings", bound=ServiceSettings)

_databases = Databases()


@dataclass(frozen=True)
class Keys:
    """Keys of all services and of accounts as the issuer of people's tokens, in files as a service expects them."""

    folder: Path
    services: dict[str, Ed25519PrivateKey]
    people: Ed25519PrivateKey

    @property
    def service_keys_file(self) -> Path:
        """The JWKS of the services."""
        return self.folder / "services.jwks.json"

    @property
    def person_keys_url(self) -> str:
        """Where people's keys are published."""
        return f"file:{self.folder / 'people.jwks.json'}"

    def key_file(self, service: str) -> Path:
        """A service's private key."""
        return self.folder / f"{service}.pem"


def make_keys(folder: Path) -> Keys:
    """Generates all keys into a folder."""
    names = sorted({path.name for path in SERVICES.iterdir() if path.is_dir() and path.name[0].isalpha()} | {*OTHERS})
    keys = Keys(folder, {name: Ed25519PrivateKey.generate() for name in names}, Ed25519PrivateKey.generate())
    for name, key in keys.services.items():
        keys.key_file(name).write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    published = {"keys": [public_jwk(key, name) for name, key in keys.services.items()]}
    keys.service_keys_file.write_text(json.dumps(published))
    (folder / "people.jwks.json").write_text(json.dumps({"keys": [public_jwk(keys.people, ACCOUNTS_KEY_ID)]}))
    return keys


def public_jwk(key: Ed25519PrivateKey, key_id: str) -> dict[str, Any]:
    """The public half of a key as a JSON Web Key."""
    return {
        **jwt.algorithms.OKPAlgorithm.to_jwk(key.public_key(), as_dict=True),
        "kid": key_id,
        "alg": ALGORITHM,
        "use": "sig",
    }


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Keys:
    """Keys for all tests of this process."""
    return make_keys(tmp_path_factory.mktemp("keys"))


@pytest.fixture
async def harness(keys: Keys, nats_url: str) -> AsyncIterator["Harness"]:
    """The neighbours of the service under test."""
    async with Harness(keys, nats_url) as made:
        yield made


@dataclass(frozen=True)
class Overheard:
    """A message of the bus as it goes over the wire."""

    body: bytes
    headers: dict[str, str]


@dataclass(frozen=True)
class RunningApp:
    """An application with its lifespan started. `http` calls it in process."""

    app: FastAPI
    http: httpx.AsyncClient


class Harness:
    """Databases, tokens, facts and neighbours for one test. Everything it made is gone after the test."""

    def __init__(self, keys: Keys, nats_url: str) -> None:
        self.keys = keys
        self.nats_url = nats_url
        self._stack = AsyncExitStack()
        self._nats: Client | None = None
        self._heard: dict[str, asyncio.Queue[dict[str, Any]]] = {}

    async def __aenter__(self) -> Self:
        self._nats = await nats.connect(self.nats_url)
        return self

    async def __aexit__(self, *_error: object) -> None:
        await self._stack.aclose()
        if self._nats is not None:
            await self._nats.close()

    def settings(self, kind: type[Settings], *, migrations: Path | None = None, **values: Any) -> Settings:
        """Settings of a service on a new database of its own."""
        name = kind.service_name
        defaults: dict[str, Any] = {
            "environment": "test",
            "database_url": self.database_url(name, migrations) if "database_url" not in values else "",
            "database_pool_size": 4,
            # Those who run tests beside other work would rather wait than hear that the store does not answer.
            "database_wait_seconds": 30.0,
            "nats_url": self.nats_url,
            "log_format": "text",
            "log_level": "WARNING",
            "key_file": self.keys.key_file(name),
            "service_keys_file": self.keys.service_keys_file,
            "person_keys_url": self.keys.person_keys_url,
        }
        return kind(**(defaults | values))

    def database_url(self, service: str, migrations: Path | None = None) -> str:
        """The address of a new database, migrated by the service's migrations, or by those of another folder."""
        lent = _databases.lend(service, migrations or migrations_of(service))
        self._stack.push_async_callback(_databases.take_back, lent)
        return lent.url

    async def write(self, url: str, *statements: str) -> None:
        """Writes to a database past all code, in one transaction."""
        connection = await asyncpg.connect(url)
        try:
            async with connection.transaction():
                for statement in statements:
                    await connection.execute(statement)
        finally:
            await connection.close()

    async def refused(self, url: str, *statements: str) -> str:
        """What the database itself says to these statements. Fails if it takes them all."""
        with pytest.raises(asyncpg.CheckViolationError) as refusal:
            await self.write(url, *statements)
        return str(refusal.value)

    @asynccontextmanager
    async def running(self, create: Callable[[Any], FastAPI], settings: ServiceSettings) -> AsyncIterator[RunningApp]:
        """Starts an application as its server would, and waits until it is ready."""
        app = create(settings)
        await self.make_consumers(app)
        async with app.router.lifespan_context(app):
            transport = httpx.ASGITransport(app, raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport, base_url="http://service", timeout=30) as client:
                await self.eventually(lambda: _is_ready(client))
                yield RunningApp(app, client)

    async def make_consumers(self, app: FastAPI) -> None:
        """Makes the consumers of what an application hears, as an administrator does; those of the services are there."""
        for inbox in app.state.service.inboxes:
            await ensure_consumer(self._client(), inbox.consumer, inbox.subscriptions)

    @asynccontextmanager
    async def serving(self, app: Any) -> AsyncIterator[str]:
        """Serves an ASGI application on a real socket; its base address."""
        listener = listening_socket()
        config = uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            timeout_graceful_shutdown=1,
            # As our servers have it: on a busy machine uvicorn's own five seconds end a connection just when it is used again.
            timeout_keep_alive=KEEP_ALIVE_SECONDS,
            **socket_options(app),
        )
        server = uvicorn.Server(config)
        task = asyncio.create_task(server.serve(sockets=[listener]))
        try:
            await self.eventually(lambda: server.started or task.done())
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            await task

    def service_token(self, caller: str, to: str) -> str:
        """A token with which `caller` calls `to`."""
        return ServiceTokens(caller, self.keys.services[caller]).to(to)

    def person_token(
        self, person_id: UUID, *, guest: bool = False, lives_seconds: int = 900, order: str | None = None
    ) -> str:
        """A token of a person, as accounts issues it; with `order` one that shows this order alone."""
        now = int(time.time())
        claims = {
            "iss": PEOPLE_ISSUER,
            "aud": PEOPLE_AUDIENCE,
            "sub": str(person_id),
            "guest": guest,
            "iat": now,
            "exp": now + lives_seconds,
        } | ({"order": order} if order else {})
        return jwt.encode(claims, self.keys.people, algorithm=ALGORITHM, headers={"kid": ACCOUNTS_KEY_ID})

    def headers(self, caller: str, *, to: str, person: UUID | None = None, **more: str) -> dict[str, str]:
        """The headers of a call between services. Further ones by keyword, with `_` for `-`."""
        headers = {"Authorization": f"Bearer {self.service_token(caller, to)}"}
        if person is not None:
            headers["Onsale-Person"] = self.person_token(person)
        return headers | {name.replace("_", "-"): value for name, value in more.items()}

    async def tell(
        self,
        subject: str,
        data: dict[str, Any],
        *,
        aggregate_id: str = "",
        event_id: UUID | None = None,
        traceparent: str | None = None,
        version: int | None = None,
    ) -> UUID:
        """Publishes a fact as another service's outbox would. Its event id."""
        known_id = event_id or uuid7()
        body = encode_cloud_event(
            event_id=known_id,
            subject=subject,
            aggregate_id=aggregate_id or str(known_id),
            created_at=utc_now(),
            data=data,
            traceparent=traceparent,
            version=version,
        )
        await self._client().jetstream().publish(subject, body)
        return known_id

    async def heard(self, subject: str, *, patience_seconds: float = PATIENCE_SECONDS) -> dict[str, Any]:
        """The next fact of a subject as a CloudEvent, from the beginning of the firehose on."""
        if subject not in self._heard:
            queue: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
            self._heard[subject] = queue

            async def keep(message: Any) -> None:
                await queue.put(json.loads(message.data))

            await self._client().jetstream().subscribe(subject, cb=keep, ordered_consumer=True)
        return await asyncio.wait_for(self._heard[subject].get(), patience_seconds)

    async def on_bus(self, subject: str) -> "asyncio.Queue[dict[str, Any]]":
        """A queue of what is said on a bus subject from now on."""
        queue: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        await self._listen(subject, lambda message: queue.put_nowait(json.loads(message.body)))
        return queue

    async def overhear(self, subject: str) -> "asyncio.Queue[Overheard]":
        """The same, as it goes over the wire."""
        queue: asyncio.Queue[Overheard] = asyncio.Queue()
        await self._listen(subject, queue.put_nowait)
        return queue

    async def _listen(self, subject: str, keep: Callable[[Overheard], None]) -> None:
        async def on_message(message: Any) -> None:
            keep(Overheard(message.data, dict(message.headers or {})))

        await self._client().subscribe(subject, cb=on_message)
        await self._client().flush()

    async def eventually(
        self,
        condition: Callable[[], Any],
        *,
        patience_seconds: float = PATIENCE_SECONDS,
    ) -> Any:
        """Polls a condition until it is true (or returns something); fails after `patience_seconds`."""
        deadline = time.monotonic() + patience_seconds
        while True:
            outcome: Any = condition()
            result = await outcome if hasattr(outcome, "__await__") else outcome
            if result:
                return result
            assert time.monotonic() < deadline, f"It did not become true within {patience_seconds} s."
            await asyncio.sleep(POLL_SECONDS)

    def _client(self) -> Client:
        assert self._nats is not None, "The harness is used as a fixture."
        return self._nats


def listening_socket() -> socket.socket:
    """On any free port. asyncio lets answers wait for acknowledgements (40 ms each) unless its socket says that it speaks TCP."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.bind(("127.0.0.1", 0))
    return listener


async def _is_ready(client: httpx.AsyncClient) -> bool:
    """Whether the application answers and is connected to NATS: "degraded" is not enough.

    On a busy machine its checks may take longer than a request may: then it is no report that comes, but a refusal.
    """
    return bool((await client.get("/readyz")).json().get("state") == "ready")


def first_delivery(consumer: str) -> Received:
    """A fact that `consumer` hears for the first time, for tests of a statement that writes its row of the inbox."""
    return Received(uuid7(), "events.other.thing_made.v1", "thing-1", utc_now(), 1, None, 1, consumer)
