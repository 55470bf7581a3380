"""The Secrets of a cluster: what `make up` keeps in its data folder, under the names that the manifests refer to."""

import secrets as random
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from local.nats import ADMIN
from local.provision import OTHER_KEYS, make_keys, make_secrets, restore_secrets, write_private
from local.topology import SERVICES, Layout, Secrets, database_of

LOGIN = "kubernetes.io/basic-auth"
OPAQUE = "Opaque"
SERVICE_KEYS = "services.jwks.json"
POSTGRES_ADMIN = "postgres-admin"


@dataclass(frozen=True)
class Document:
    """A Secret: its Kubernetes type, and its data as text."""

    type: str
    data: Mapping[str, str] = field(repr=False)


Documents = Mapping[str, Document]


def generated(folder: Path, known: Documents) -> dict[str, Document]:
    """All Secrets of a development cluster: what is known stays, what is missing is generated. `folder` is used for the work.

    A new service's key is added to the public ones (`service-keys`), and its password to NATS's (`nats-users`).
    """
    layout = Layout(folder)
    layout.folder.mkdir(parents=True, exist_ok=True)
    layout.keys.mkdir(mode=0o700, exist_ok=True)
    for name, (secret, key) in _key_files().items():
        if secret in known and key in known[secret].data:
            write_private(layout.keys / name, known[secret].data[key])
    restore_secrets(layout, _restored(known))
    made = make_secrets(layout)
    make_keys(layout)
    admin = Document(LOGIN, {"username": "postgres", "password": random.token_urlsafe(24)})
    whole = {**_logins(made), **_keys(layout), **_others(made), POSTGRES_ADMIN: admin}
    return {name: _kept(name, document, known.get(name)) for name, document in whole.items()}


def _kept(name: str, document: Document, known: Document | None) -> Document:
    """What somebody put there stays; only the public keys are those of all services that there are now."""
    if known is None:
        return document
    data = {**known.data, **document.data} if name == "service-keys" else {**document.data, **known.data}
    return Document(known.type, data)


def names() -> dict[str, frozenset[str]]:
    """Every Secret that the manifests may refer to, and its keys."""
    login = frozenset({"username", "password"})
    found = {f"{service}-{kind}": login for service in SERVICES for kind in ("database", "nats")}
    for secret, key in _key_files().values():
        found[secret] = frozenset({key})
    return found | {
        "service-keys": frozenset({SERVICE_KEYS}),
        "payments-bank": frozenset({"api-key", "webhook-secret"}),
        "web-cookie": frozenset({"secret"}),
        "web-support": frozenset({"key"}),
        "waitingroom-challenge": frozenset({"key"}),
        "nats-users": frozenset(_nats_key(user) for user in (*SERVICES, ADMIN)),
        POSTGRES_ADMIN: login,
    }


def _key_files() -> dict[str, tuple[str, str]]:
    """Each private key's file in the data folder, and the Secret and key under which a cluster has it."""
    own = {f"{service}.pem": (f"{service}-key", "key.pem") for service in SERVICES}
    return own | {f"{name}.pem": (f"{SIGNERS[name]}-signing", f"{name}.pem") for name in OTHER_KEYS}


SIGNERS = {"people.signing": "accounts", "tickets.signing": "tickets"}


def _logins(made: Secrets) -> dict[str, Document]:
    databases = {
        f"{service}-database": Document(LOGIN, {"username": database_of(service), "password": password})
        for service, password in made.databases.items()
    }
    brokers = {
        f"{user}-nats": Document(LOGIN, {"username": user, "password": password})
        for user, password in made.nats.items()
        if user != ADMIN
    }
    return databases | brokers


def _keys(layout: Layout) -> dict[str, Document]:
    private = {
        secret: Document(OPAQUE, {key: (layout.keys / name).read_text()})
        for name, (secret, key) in _key_files().items()
    }
    public = (layout.keys / SERVICE_KEYS).read_text()
    return private | {"service-keys": Document(OPAQUE, {SERVICE_KEYS: public})}


def _others(made: Secrets) -> dict[str, Document]:
    return {
        "nats-users": Document(OPAQUE, {_nats_key(user): password for user, password in made.nats.items()}),
        "payments-bank": Document(OPAQUE, {"api-key": made.bank_api_key, "webhook-secret": made.bank_webhook_secret}),
        "web-cookie": Document(OPAQUE, {"secret": made.web_cookie_secret}),
        "web-support": Document(OPAQUE, {"key": made.web_support_key}),
        "waitingroom-challenge": Document(OPAQUE, {"key": made.waitingroom_challenge_key}),
    }


def _restored(known: Documents) -> dict[str, object]:
    """The data folder's `secrets.json`, as far as the cluster knows it."""

    def value(secret: str, key: str) -> str | None:
        return known[secret].data.get(key) if secret in known else None

    nats = {
        user: value("nats-users", _nats_key(user)) or value(f"{user}-nats", "password") for user in (*SERVICES, ADMIN)
    }
    databases = {service: value(f"{service}-database", "password") for service in SERVICES}
    whole: dict[str, object] = {
        "nats": {user: password for user, password in nats.items() if password},
        "databases": {service: password for service, password in databases.items() if password},
        "bank_api_key": value("payments-bank", "api-key"),
        "bank_webhook_secret": value("payments-bank", "webhook-secret"),
        "web_cookie_secret": value("web-cookie", "secret"),
        "web_support_key": value("web-support", "key"),
        "waitingroom_challenge_key": value("waitingroom-challenge", "key"),
    }
    return {name: each for name, each in whole.items() if each}


def _nats_key(user: str) -> str:
    return user.upper()
