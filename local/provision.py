"""What a system needs before its first start: secrets and keys, a database and a login per service, the firehose's stream.

All of it is made once, stays in the data folder (mode 0600) and is never committed. Doing it again changes nothing.
"""

import asyncio
import base64
import json
import os
import secrets as random
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import asyncpg
import nats
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from chassis.migrated import migrations_of, newest_migration
from chassis.stream import ensure_consumer, ensure_stream
from local.errors import StartError
from local.nats import ADMIN
from local.postgres import CONNECTIONS
from local.topology import HEARS, SERVICES, Layout, Secrets, consumers_of, database_of, shards_of

# Keys that are not a service's identity: accounts signs people's tokens, tickets signs codes.
OTHER_KEYS = ("people.signing", "tickets.signing")


def make_secrets(layout: Layout) -> Secrets:
    """Reads the secrets of this data folder, making those that are missing."""
    layout.folder.mkdir(parents=True, exist_ok=True)
    file = _secrets_file(layout)
    known = _read_json(file)
    made: dict[str, Any] = {
        "databases": {name: random.token_urlsafe(24) for name in SERVICES} | known.get("databases", {}),
        "nats": {name: _nats_password() for name in (*SERVICES, ADMIN)} | known.get("nats", {}),
        "bank_api_key": known.get("bank_api_key") or random.token_urlsafe(24),
        "bank_webhook_secret": known.get("bank_webhook_secret") or random.token_urlsafe(32),
        "web_cookie_secret": known.get("web_cookie_secret") or random.token_urlsafe(32),
        "web_support_key": known.get("web_support_key") or random.token_urlsafe(24),
        "waitingroom_challenge_key": known.get("waitingroom_challenge_key") or random.token_urlsafe(32),
    }
    if made != known:
        write_private(file, json.dumps(made, indent=1))
    return Secrets(**made)


def _nats_password() -> str:
    """With a letter first: in a cluster NATS reads it from its environment, as it reads its configuration, and `5k` would be a number."""
    return f"n{random.token_urlsafe(24)}"


def restore_secrets(layout: Layout, known: Mapping[str, object]) -> None:
    """Puts what is known from elsewhere into an empty data folder; `make_secrets` then adds what is missing."""
    write_private(_secrets_file(layout), json.dumps(known))


def _secrets_file(layout: Layout) -> Path:
    return layout.folder / "secrets.json"


def make_keys(layout: Layout) -> None:
    """An Ed25519 key per service and the JWKS of their public halves (key id = service), and the signing keys."""
    layout.keys.mkdir(mode=0o700, exist_ok=True)
    public = [_jwk(name, _key(layout.keys / f"{name}.pem")) for name in SERVICES]
    for name in OTHER_KEYS:
        _key(layout.keys / f"{name}.pem")
    write_private(layout.keys / "services.jwks.json", json.dumps({"keys": public}, indent=1))


async def make_databases(superuser_url: str, passwords: Mapping[str, str], shards: int = 1) -> list[str]:
    """A login and a database per service of `passwords`, with so many shards of the one that has some; nobody else's login is let
    in. The services whose database is new."""
    connection = await asyncpg.connect(superuser_url)
    try:
        logins = {row["rolname"] for row in await connection.fetch("SELECT rolname FROM pg_roles")}
        databases = {row["datname"] for row in await connection.fetch("SELECT datname FROM pg_database")}
        await connection.execute("REVOKE CONNECT ON DATABASE postgres, template1 FROM PUBLIC")
        for service, password in passwords.items():
            name = database_of(service)  # a fixed word: safe to write into SQL
            word = await connection.fetchval("SELECT quote_literal($1)", password)
            verb = "ALTER" if name in logins else "CREATE"
            rights = (
                f"LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS CONNECTION LIMIT {CONNECTIONS}"
            )
            await connection.execute(f"{verb} ROLE {name} {rights} PASSWORD {word}")
            for each in shards_of(service, shards):
                if each not in databases:
                    await connection.execute(f"CREATE DATABASE {each} OWNER {name}")
                    await connection.execute(f"REVOKE ALL ON DATABASE {each} FROM PUBLIC")
        return [service for service in passwords if database_of(service) not in databases]
    finally:
        await connection.close()


async def to_be_migrated(url_of: Callable[[str], str], services: Iterable[str], shards: int = 1) -> list[str]:
    """The services with a database that is not at the newest migration. `url_of`: the address of a database by its name.

    To ask costs a hundredth of a process that migrates, and most starts have nothing to migrate.
    """

    async def is_newest(service: str, database: str) -> bool:
        connection = await asyncpg.connect(url_of(database))
        try:
            found = await connection.fetchval("SELECT min(version_num) FROM alembic_version")
        except asyncpg.UndefinedTableError:
            return False
        finally:
            await connection.close()
        return found is not None and found == newest_migration(migrations_of(service))

    asked = [(service, database) for service in services for database in shards_of(service, shards)]
    answers = await asyncio.gather(*(is_newest(*each) for each in asked))
    return list(dict.fromkeys(service for (service, _), newest in zip(asked, answers, strict=True) if not newest))


async def make_stream(admin_url: str, replicas: int = 1, shards: int = 1) -> None:
    """The stream of all facts, kept by so many servers, and the consumers of each service. Services may use them, and not change them."""
    reasons: list[str] = []

    async def remember(error: Exception) -> None:
        reasons.append(str(error))

    try:
        client = await nats.connect(admin_url, allow_reconnect=False, error_cb=remember)
        await ensure_stream(client, replicas)
        for service, subjects in HEARS.items():
            for consumer in consumers_of(service, shards):
                await ensure_consumer(client, consumer, subjects)
        await client.close()
    except (nats.errors.Error, OSError, TimeoutError) as error:
        raise StartError(
            f"The firehose's stream could not be made ({'; '.join(reasons) or error}). If the data may go: `make clean`."
        ) from error


def write_private(path: Path, text: str) -> None:
    """Writes a file that only its owner can read, all of it or nothing."""
    unfinished = path.with_name(f".{path.name}.new")
    unfinished.unlink(missing_ok=True)
    with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
    unfinished.replace(path)


def _read_json(file: Path) -> dict[str, Any]:
    if not file.exists():
        return {}
    try:
        known: dict[str, Any] = json.loads(file.read_text())
    except (OSError, ValueError) as error:
        raise StartError(
            f"{file} cannot be read ({error}). Without it the data cannot be opened: restore it, or remove all data with "
            "`make clean`."
        ) from error
    return known


def _key(file: Path) -> Ed25519PrivateKey:
    if not file.exists():
        fresh = Ed25519PrivateKey.generate()
        write_private(file, fresh.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode())
    try:
        key = load_pem_private_key(file.read_bytes(), password=None)
    except (OSError, ValueError) as error:
        raise StartError(
            f"The key {file} cannot be read ({error}). Remove the file: the next start makes a new one."
        ) from error
    if not isinstance(key, Ed25519PrivateKey):
        raise StartError(f"The key {file} is not an Ed25519 key. Remove the file: the next start makes a new one.")
    return key


def _jwk(key_id: str, key: Ed25519PrivateKey) -> dict[str, str]:
    raw = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    x = base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
    return {"kty": "OKP", "crv": "Ed25519", "x": x, "kid": key_id, "use": "sig", "alg": "EdDSA"}
