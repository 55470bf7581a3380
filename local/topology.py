"""What runs on one machine: every program, where it listens, and its environment."""

import json
import os
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from local.housing import Housing
from local.processes import LOOPBACK, free_port

Transport = Literal["http", "bus"]
ADMIN = "admin"  # makes the stream and its consumers; no service has its password
READY, WEBHOOKS = "/readyz", "/webhooks/bank"
ROOT = Path(__file__).resolve().parent.parent
# Connections of each service: as many as the cores keep busy, since each costs Postgres 4 MiB.
POOL_SIZE = min(8, max(4, 2 * (os.cpu_count() or 1)))

# The program that is several services at once, and the connections of each of them: one event loop keeps few busy.
MONOLITH, MONOLITH_POOL_SIZE = "monolith", 2

# Each service, and the providers that it calls. In this order they get their ports: a new one goes before web, after the others.
SERVICES: dict[str, tuple[str, ...]] = {
    "accounts": (),
    "catalog": (),
    "inventory": (),
    "orders": ("catalog", "inventory", "payments"),
    "payments": (),
    "tickets": ("accounts",),
    "notifications": ("accounts", "tickets"),
    "waitingroom": ("inventory",),
    "web": ("accounts", "catalog", "inventory", "notifications", "orders", "payments", "tickets", "waitingroom"),
}

# Who reads the keys of accounts, with which it knows people: it takes their tokens.
READ_PEOPLES_KEYS = ("accounts", "orders", "tickets", "waitingroom")

# On the loopback there is none. Whoever does not say so prepares for it and asks, with each connection: 1 ms of the processor.
WITHOUT_TLS = "sslmode=disable"

# The facts that each service must not miss; its consumer of the firehose has its name.
HEARS: dict[str, tuple[str, ...]] = {
    "inventory": (
        "events.catalog.event_published.v1",
        "events.catalog.seats_published.v1",
        "events.waitingroom.sale_scheduled.v1",
    ),
    "orders": (
        "events.catalog.event_changed.v1",
        "events.inventory.hold_expired.v1",
        "events.payments.payment_authorised.v1",
        "events.payments.payment_declined.v1",
        "events.tickets.tickets_issued.v1",
    ),
    "tickets": ("events.catalog.event_changed.v1", "events.orders.order_confirmed.v1"),
    "notifications": (
        "events.orders.order_cancelled.v1",
        "events.tickets.tickets_changed.v1",
        "events.tickets.tickets_issued.v1",
    ),
    "waitingroom": ("events.orders.order_cancelled.v1", "events.orders.order_confirmed.v1"),
}
# What is heard as it goes by: facts that drop caches, and messages of the bus.
LISTENS: dict[str, tuple[str, ...]] = {
    "waitingroom": ("bus.payments.bank_late.>",),
    "web": (
        "bus.inventory.places_changed.>",
        "bus.orders.order_changed.>",
        "bus.waitingroom.queue_moved.>",
        "events.catalog.>",
        "events.orders.order_cancelled.v1",
        "events.orders.order_confirmed.v1",
        "events.tickets.tickets_issued.v1",
        "events.waitingroom.sale_scheduled.v1",
    ),
}


# Who reads from a replica with `make up REPLICAS=1`: catalogue, orders and tickets are looked at far more often than changed.
REPLICATED = ("catalog", "orders", "tickets")


# Whose rows can be spread over several databases with `make up SHARDS=2`, and over how many.
SHARDED, MOST_SHARDS = "inventory", 4


def consumers_of(service: str, shards: int = 1) -> list[str]:
    """The consumers of the firehose that a service has: its own, and with several shards one for each further one."""
    further = range(1, shards) if service == SHARDED else ()
    return [service, *(f"{service}-shard-{number}" for number in further)]


def asked_by(service: str) -> list[str]:
    """The services that a service asks."""
    return sorted({*SERVICES.get(service, ()), *(("accounts",) if service in READ_PEOPLES_KEYS else ())})


def hearers_of(provider: str) -> list[str]:
    """The services that hear facts of a service, or listen to them."""
    return _with_ears_at(f"events.{provider}.", HEARS, LISTENS)


def watchers_of(provider: str) -> list[str]:
    """The services that watch its messages on the bus."""
    return _with_ears_at(f"bus.{provider}.", LISTENS)


def _with_ears_at(subjects: str, *hearers: Mapping[str, tuple[str, ...]]) -> list[str]:
    return sorted(
        {name for each in hearers for name, heard in each.items() if any(s.startswith(subjects) for s in heard)}
    )


DEFAULT_PORTS = {
    "web": 8000,
    **{name: port for port, name in enumerate((each for each in SERVICES if each != "web"), 8001)},
    "bank": 8020,
    "smtp": 8025,
    "mailbox": 8026,
    "traces": 16686,
    "otlp": 4318,
    "postgres": 8032,
    "nats": 8033,
    "replica": 8034,
}
# With PORTS=9000: web 9000, accounts 9001, ..., bank 9020, smtp 9025, mailbox 9026, traces 9030, ..., replica 9034.
_MOVED = {"traces": 30, "otlp": 31}


@dataclass(frozen=True)
class Ports:
    """Where everything listens, all on the loopback but for what is not ours: `elsewhere` has the address of that."""

    of: Mapping[str, int]
    elsewhere: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def default(cls) -> "Ports":
        """The ports that the guides name: the shop's is 8000."""
        return cls(DEFAULT_PORTS)

    @classmethod
    def from_base(cls, base: int) -> "Ports":
        """All of them moved, so that a second system can run beside the first."""
        return cls({name: base + _MOVED.get(name, port - 8000) for name, port in DEFAULT_PORTS.items()})

    @classmethod
    def free(cls) -> "Ports":
        """Ports that nobody uses at this moment, for tests."""
        chosen: set[int] = set()
        while len(chosen) < len(DEFAULT_PORTS):
            chosen.add(free_port())
        return cls(dict(zip(DEFAULT_PORTS, chosen, strict=True)))

    def url(self, name: str, address: str = LOOPBACK) -> str:
        """The HTTP address of what listens there."""
        return self.elsewhere.get(name) or f"http://{address}:{self.of[name]}"


@dataclass(frozen=True)
class Program:
    """A Python program of the system: `python -m module arguments`."""

    name: str
    module: str
    arguments: tuple[str, ...]
    environment: Mapping[str, str] = field(repr=False)  # holds secrets
    ready_urls: tuple[str, ...]
    # Those of a higher rank are stopped first: web before what it calls, the trace store last.
    rank: int = 1
    # What its process enters first: the host that it lives on.
    namespaces: tuple[str, ...] = ()


@dataclass(frozen=True)
class Secrets:
    """The secrets that the parts of one system share with each other."""

    databases: Mapping[str, str] = field(repr=False)
    nats: Mapping[str, str] = field(repr=False)
    bank_api_key: str = field(repr=False)
    bank_webhook_secret: str = field(repr=False)
    web_cookie_secret: str = field(repr=False)
    web_support_key: str = field(repr=False)
    waitingroom_challenge_key: str = field(repr=False)


@dataclass(frozen=True)
class Layout:
    """The data folder: what lies where."""

    folder: Path

    @property
    def keys(self) -> Path:
        """Private keys, and the public ones of all services."""
        return self.folder / "keys"

    @property
    def books(self) -> Path:
        """The bank simulator's own ledger."""
        return self.folder / "bank.sqlite3"

    @property
    def shards_file(self) -> Path:
        """Over how many shards its rows are spread: never fewer than they were."""
        return self.folder / "shards"

    @property
    def run_file(self) -> Path:
        """The addresses of the running system; it exists while one runs."""
        return self.folder / "run.json"

    def log_file(self, name: str) -> Path:
        """What that program has said."""
        return self.folder / "logs" / f"{name}.log"

    def last_words(self, name: str) -> str:
        """The end of that, for whoever has to know why it failed."""
        file = self.log_file(name)
        said = file.read_text(errors="replace") if file.exists() else ""
        lines = [line for line in said.splitlines() if line.strip()]
        return f"The end of its log {file}:\n" + "\n".join(f"  {line}" for line in lines[-8:])


def database_of(service: str) -> str:
    """The name of a service's database and of its login."""
    return f"onsale_{service}"


def shards_of(service: str, shards: int) -> list[str]:
    """The names of its databases: the main one, which is shard 0, and those of further shards."""
    further = range(1, shards) if service == SHARDED else ()
    return [database_of(service), *(f"{database_of(service)}_{number}" for number in further)]


def database_url(
    service: str, ports: Ports, secrets: Secrets, server: str = "postgres", database: str | None = None
) -> str:
    """The service's own login to its own database, or to that of a further shard."""
    name = database_of(service)
    return f"postgresql://{name}:{secrets.databases[service]}@{LOOPBACK}:{ports.of[server]}/{database or name}?{WITHOUT_TLS}"


def nats_url(user: str, ports: Ports, secrets: Secrets) -> str:
    """The address of NATS with the login of that user."""
    return f"nats://{user}:{secrets.nats[user]}@{LOOPBACK}:{ports.of['nats']}"


def programs(
    layout: Layout,
    ports: Ports,
    secrets: Secrets,
    log_format: str,
    housing: Housing | None = None,
    *,
    with_replica: bool = False,
    shards: int = 1,
    together: Collection[str] = (),
) -> list[Program]:
    """Every Python program, in the order in which they are started. Without `housing` all live on this machine.

    The services of `together` are one program.
    """
    where = housing or Housing()
    services = [_service(name, layout, ports, secrets, log_format, where) for name in SERVICES]
    if shards > 1:
        services = [_sharded(each, ports, secrets, shards) for each in services]
    if with_replica:
        services = [_reading_a_replica(each, ports, secrets) for each in services]
    if together:
        apart = [each for each in services if each.name not in together]
        services = [*apart, _monolith([each for each in services if each.name in together])]
    store = [] if "otlp" in ports.elsewhere else [_trace_store(layout, ports)]
    return [*store, _bank(layout, ports, secrets), _mailbox(layout, ports), *services]


def _service(name: str, layout: Layout, ports: Ports, secrets: Secrets, log_format: str, housing: Housing) -> Program:
    def at(provider: str) -> str:
        return ports.url(provider, housing.address_of(provider))

    common = {
        "ENVIRONMENT": "local",
        "HOST": housing.address_of(name),
        "PORT": str(ports.of[name]),
        "DATABASE_URL": database_url(name, ports, secrets),
        "DATABASE_POOL_SIZE": str(POOL_SIZE),
        "NATS_URL": nats_url(name, ports, secrets),
        "OTLP_ENDPOINT": ports.url("otlp"),
        "KEY_FILE": str(layout.keys / f"{name}.pem"),
        "SERVICE_KEYS_FILE": str(layout.keys / "services.jwks.json"),
        "PERSON_KEYS_URL": f"{at('accounts')}/.well-known/jwks.json",
        "LOG_FORMAT": log_format,
    }
    if (host := housing.host_of(name)) and not housing.addresses:  # a host with an address is a namespace of that name
        common["HOST_NAME"] = host
    providers = {f"{provider.upper()}_URL": at(provider) for provider in SERVICES[name]}
    own = _own_settings(layout, ports, secrets).get(name, {})
    return Program(
        name=name,
        module="chassis.serve",
        arguments=(f"services.{name}.app:create_app",),
        environment={f"{name.upper()}_{key}": value for key, value in {**common, **providers, **own}.items()},
        ready_urls=(f"{ports.url(name)}{READY}",),
        rank=2 if name == "web" else 1,
        namespaces=housing.namespaces_of(name),
    )


def _monolith(services: Sequence[Program]) -> Program:
    """One program for several services, with the settings of all of them: each has a prefix of its own."""
    environment = {name: value for each in services for name, value in each.environment.items()}
    pools = {f"{each.name.upper()}_DATABASE_POOL_SIZE": str(MONOLITH_POOL_SIZE) for each in services}
    return Program(
        name=MONOLITH,
        module="chassis.monolith",
        arguments=tuple(each.name for each in services),
        environment={**environment, **pools, "TICKETS_PRINTER_THREADS": "1"},
        ready_urls=tuple(url for each in services for url in each.ready_urls),
        rank=max(each.rank for each in services),
    )


def services_of(program: Program) -> tuple[str, ...]:
    """The services that a program is, in the order of its `ready_urls`; none if it is none of ours, such as the bank."""
    if program.name == MONOLITH:
        return program.arguments
    return (program.name,) if program.name in SERVICES else ()


def _reading_a_replica(program: Program, ports: Ports, secrets: Secrets) -> Program:
    """The program with the address of its replica, if it is one of those that read much."""
    if program.name not in REPLICATED:
        return program
    url = database_url(program.name, ports, secrets, server="replica")
    return replace(program, environment={**program.environment, f"{program.name.upper()}_REPLICA_URL": url})


def _sharded(program: Program, ports: Ports, secrets: Secrets, shards: int) -> Program:
    """The program with the addresses of its further shards, if it is the one that has some."""
    if program.name != SHARDED:
        return program
    urls = [database_url(SHARDED, ports, secrets, database=each) for each in shards_of(SHARDED, shards)[1:]]
    return replace(program, environment={**program.environment, f"{program.name.upper()}_SHARD_URLS": json.dumps(urls)})


def _own_settings(layout: Layout, ports: Ports, secrets: Secrets) -> dict[str, dict[str, str]]:
    """Settings that only one service has."""
    return {
        "accounts": {"SIGNING_KEY_FILE": str(layout.keys / "people.signing.pem")},
        "tickets": {"SIGNING_KEY_FILE": str(layout.keys / "tickets.signing.pem")},
        "payments": {
            "BANK_URL": ports.url("bank"),
            "BANK_API_KEY": secrets.bank_api_key,
            "BANK_WEBHOOK_SECRET": secrets.bank_webhook_secret,
        },
        "notifications": {
            "SMTP_HOST": LOOPBACK,
            "SMTP_PORT": str(ports.of["smtp"]),
            "SHOP_URL": ports.url("web"),
        },
        # Sales may ask whoever joins for a proof of work; none does until it is told to, on its page of support. As many may wait
        # from one address as web lets become guests there.
        "waitingroom": {"CHALLENGE_KEY": secrets.waitingroom_challenge_key, "MOST_PER_ADDRESS": "20000"},
        "web": {
            "COOKIE_SECRET": secrets.web_cookie_secret,
            "SUPPORT_KEY": secrets.web_support_key,
            "PUBLIC_URL": ports.url("web"),
            "TRACE_URL": ports.url("traces"),
            "TRACE_QUERY_URL": ports.url("traces"),
            "PAYMENT_ORIGINS": ports.url("bank"),
            # Every crowd of this machine comes from one address, and scripts buy faster than people.
            "MAX_GUESTS_PER_ADDRESS": "20000",
            "MAX_GUESTS_PER_ADDRESS_AND_EVENT": "20000",
        },
    }


def _bank(layout: Layout, ports: Ports, secrets: Secrets) -> Program:
    return Program(
        name="bank",
        module="simulators.bank",
        arguments=(),
        environment={
            "BANK_HOST": LOOPBACK,
            "BANK_PORT": str(ports.of["bank"]),
            "BANK_DATA": str(layout.books),
            "BANK_API_KEY": secrets.bank_api_key,
            "BANK_WEBHOOK_SECRET": secrets.bank_webhook_secret,
            "BANK_WEBHOOK_URL": f"{ports.url('payments')}{WEBHOOKS}",
            "BANK_PUBLIC_URL": ports.url("bank"),
        },
        ready_urls=(f"{ports.url('bank')}/readyz",),
    )


def _mailbox(layout: Layout, ports: Ports) -> Program:
    listening = ("--smtp-port", str(ports.of["smtp"]), "--port", str(ports.of["mailbox"]))
    return Program(
        name="mailbox",
        module="simulators.mailbox",
        arguments=(*listening, "--data", str(layout.folder / "mailbox")),
        environment={},
        ready_urls=(f"{ports.url('mailbox')}/readyz",),
    )


def _trace_store(layout: Layout, ports: Ports) -> Program:
    listening = ("--port", str(ports.of["traces"]), "--otlp-port", str(ports.of["otlp"]))
    return Program(
        name="traces",
        module="tracing.store",
        arguments=(*listening, "--data", str(layout.folder / "traces")),
        environment={},
        ready_urls=(f"{ports.url('traces')}/livez",),
        rank=0,
    )
