"""pretix, from its package, as its documentation recommends it: gunicorn, a Celery worker, Postgres, Redis.

Postgres is ours, with the settings that Onsale has it with, and mail goes to our mailbox. It is set up from outside, by its own
commands and its own pages: nothing of it is imported here. Everything lives in one folder, ends with whoever started it, and
listens on the loopback only.
"""

import asyncio
import hashlib
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import asyncpg
import httpx

from local.bench.contest import ContestFailed, Reference, all_mails, came_of
from local.bench.crowd import PurchaseFailed
from local.bench.peers.pretix_buyer import check
from local.bench.reading import mails_in, tree_cpu_seconds
from local.errors import StartError
from local.postgres import PostgresServer
from local.processes import LOOPBACK, end, free_port, spawn
from local.topology import ROOT

LIST = ROOT / "requirements" / "pretix.txt"
COMMAND_SECONDS = 1200.0  # its first migration takes minutes
READY_SECONDS = 180.0
STOP_SECONDS = 30.0
# What came of a crowd, and when each mail with tickets came, by address.
Sale = tuple[dict[str, Any], dict[str, float]]
DATABASE = "pretix"
_KEPT = frozenset({"HOME", "PATH", "SSL_CERT_FILE", "TMPDIR"})
ORGANIZER = EVENT = "bench"
CONFIG = """
[pretix]
instance_name=bench
url={url}
currency=EUR
datadir={folder}/data
# It would ask the European Central Bank, and nothing leaves this machine.
ecb_rates=off
[database]
backend=postgresql
name={database}
user={database}
password={password}
host={host}
port={postgres}
[mail]
from=tickets@example.test
host={host}
port={smtp}
[redis]
location=redis://{host}:{redis}/0
sessions=true
[celery]
backend=redis://{host}:{redis}/1
broker=redis://{host}:{redis}/2
[locale]
default=en
timezone=UTC
"""
# For its own `shell` command: an organiser, whose word that money came is a token, and an event that sells what Onsale's sells.
SEEDS = """
from datetime import datetime, timezone
from django_scopes import scopes_disabled
from pretix.base.models import Organizer, Team
with scopes_disabled():
    organizer = Organizer.objects.create(name="Bench Promotions", slug="bench")
    team = Team.objects.create(
        organizer=organizer, name="bank", all_events=True, all_event_permissions=True, all_organizer_permissions=True
    )
    event = organizer.events.create(
        name="The Bench", slug="bench", currency="EUR", location="The Field, 1 Field Road, Fieldham", live=True,
        date_from=datetime(2036, 6, 21, 17, tzinfo=timezone.utc), date_to=datetime(2036, 6, 21, 20, tzinfo=timezone.utc),
    )
    event.set_defaults()
    event.enable_plugin("pretix.plugins.ticketoutputpdf")
    event.enable_plugin("pretix.plugins.manualpayment")
    event.save()
    for key, value in {
        "ticket_download": True, "mail_attach_tickets": True, "ticketoutput_pdf__enabled": True,
        "payment_manual__enabled": True, "payment_manual_public_name": "By bank", "attendee_names_asked": False,
        "frontpage_text": "Everybody wants it at once.",
    }.items():
        event.settings.set(key, value)
    for name, price in (("Paid", "25.00"), ("Free", "0.00")):
        item = event.items.create(name=name, default_price=price, admission=True)
        event.quotas.create(name=name, size=200000).items.add(item)
    print("token=" + team.tokens.create(name="bank").token)
"""


@dataclass
class Pretix:
    """One pretix in one folder; what was measured of it is in `found`."""

    apart: ClassVar[frozenset[str]] = frozenset({"mailbox"})  # it stands for a machine of others, beside Onsale too
    folder: Path
    found: dict[str, list[float]] = field(default_factory=dict)
    _ports: dict[str, int] = field(default_factory=dict)
    _postgres: PostgresServer = field(init=False)
    _processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._postgres = PostgresServer(self.folder / "postgres")

    @classmethod
    def below(cls, folder: Path) -> "Pretix":
        """In a folder of its own there, which has the digest of the packages' list in its name: another list, another folder."""
        return cls(folder / f"pretix-{hashlib.sha256(LIST.read_bytes()).hexdigest()[:10]}")

    @property
    def name(self) -> str:
        """With its version."""
        listed = LIST.read_text(encoding="utf-8").splitlines()
        return (
            next(line for line in listed if line.startswith("pretix==")).removesuffix("\\").strip().replace("==", " ")
        )

    @property
    def url(self) -> str:
        """Of its shop, while it runs."""
        return f"http://{LOOPBACK}:{self._ports['web']}"

    @property
    def event_url(self) -> str:
        """The page of the event that it sells."""
        return f"{self.url}/{ORGANIZER}/{EVENT}/"

    @property
    def list_url(self) -> str:
        """The page of all events of the organiser."""
        return f"{self.url}/{ORGANIZER}/"

    @property
    def token_file(self) -> Path:
        """Holds what lets its bearer say that an order was paid; there as soon as the event is on sale."""
        return self.folder / "token"

    def install(self) -> None:
        """The environment and an event on sale, unless that was done before. Raises ContestFailed."""
        if shutil.which("redis-server") is None:
            raise ContestFailed(
                "pretix needs Redis: install the program redis-server (Debian: apt-get install redis-server)."
            )
        if not (self.folder / "installed").exists():
            shutil.rmtree(self.folder / "venv", ignore_errors=True)
            uv, python = str(Path(sys.executable).parent / "uv"), str(self.folder / "venv/bin/python")
            self.folder.mkdir(parents=True, exist_ok=True)
            self._said([uv, "venv", "--quiet", "--python", sys.executable, str(self.folder / "venv")])
            self._said([uv, "pip", "install", "--quiet", "--require-hashes", "--python", python, "-r", str(LIST)])
            (self.folder / "installed").touch()
        if not self.token_file.exists():
            self._postgres.remove()
            try:
                self._start_servers()
                asyncio.run(self._make_database())
                self._configure()
                self._said([self._program("python"), "-m", "pretix", "migrate"])
                said = self._said([self._program("python"), "-m", "pretix", "shell", "-c", SEEDS])
                self.token_file.touch(mode=0o600)
                self.token_file.write_text(said.rpartition("token=")[2].strip(), encoding="utf-8")
            finally:
                self.stop()

    def start(self) -> float:
        """Starts all of it; after how many seconds its shop was ready. Raises ContestFailed."""
        began = time.perf_counter()
        self._start_servers()
        self._configure()
        # As many workers as its image for containers takes; what it recommends to recycle is recycled.
        workers = str(2 * (os.cpu_count() or 1))
        recycling = ("--max-requests", "1200", "--max-requests-jitter", "50")
        bound = f"--bind={LOOPBACK}:{self._ports['web']}"
        options = ("--name", "pretix", "--workers", workers, *recycling, "--log-level=info", bound)
        self._spawn("web", self._program("gunicorn"), "pretix.wsgi", *options)
        self._spawn("worker", self._program("celery"), "-A", "pretix.celery_app", "worker", "-l", "info")
        while not self._is_ready():
            if time.perf_counter() - began > READY_SECONDS or any(each.poll() for each in self._processes.values()):
                raise ContestFailed(f"{self.name} did not start; see {self.folder}/*.log.")
            time.sleep(0.1)
        return time.perf_counter() - began

    def stop(self) -> None:
        """Ends all of it, Postgres last."""
        for process in reversed(self._processes.values()):
            end(process, (signal.SIGTERM, STOP_SECONDS))
        self._processes.clear()
        self._postgres.stop()

    def cpu_seconds(self) -> dict[str, float]:
        """User and system time until now, by name; each with all that it has started."""
        pids = {name: process.pid for name, process in self._processes.items()}
        if self._postgres.pid is not None:
            pids["postgres"] = self._postgres.pid
        return {name: tree_cpu_seconds(pid) for name, pid in pids.items()}

    async def sell(self, count: int, wide: int, reference: Reference | None, *, free: bool) -> Sale:
        """To a crowd, until the last mail is out. Raises ContestFailed unless all have all."""
        options = ["--token-file", str(self.token_file), "--count", str(count), "--wide", str(wide)]
        options += ["--free"] if free else []
        came = await came_of("local.bench.peers.pretix_buyer", self.event_url, *options, reference=reference)
        if came.get("bought") != count:
            raise ContestFailed(f"{self.name}: {came.get('bought')} of {count} bought; {came.get('failures')}")
        return came, await all_mails(self.name, lambda: mails_in(self.folder / "mailbox"), came["done_at"])

    async def check(self, sale: Sale) -> None:
        """That each order is there, is paid, and can be printed. Raises ContestFailed."""
        orders, token = sale[0]["orders"].values(), self.token_file.read_text(encoding="utf-8")
        try:
            await check(self.event_url, token, [*orders], sale[0]["paid_minor"] // sale[0]["bought"])
        except PurchaseFailed as error:
            raise ContestFailed(f"{self.name}: {error}") from error

    def note(self, row: str, value: float) -> None:
        """One more value of a row."""
        self.found.setdefault(row, []).append(value)

    def _start_servers(self) -> None:
        """Postgres, Redis and the mailbox, each on a free port."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self._ports = {name: free_port() for name in ("web", "redis", "smtp", "mailbox")}
        try:
            self._postgres.start()
        except StartError as error:
            raise ContestFailed(str(error)) from error
        # What Redis does by itself, snapshots too, is what Debian's does.
        kept = self.folder / "redis"
        kept.mkdir(exist_ok=True)
        redis = ("--bind", LOOPBACK, "--port", str(self._ports["redis"]), "--dir", str(kept))
        self._spawn("redis", "redis-server", *redis)
        ports = ("--smtp-port", str(self._ports["smtp"]), "--port", str(self._ports["mailbox"]))
        box = ("-m", "simulators.mailbox", *ports, "--data", str(self.folder / "mailbox"))
        self._spawn("mailbox", sys.executable, *box, cwd=ROOT)

    async def _make_database(self) -> None:
        connection = await asyncpg.connect(self._postgres.url())
        await connection.execute(f"CREATE ROLE {DATABASE} LOGIN PASSWORD '{self._postgres.password}'")
        await connection.execute(f"CREATE DATABASE {DATABASE} OWNER {DATABASE}")
        await connection.close()

    def _configure(self) -> None:
        config = self.folder / "pretix.cfg"
        config.touch(mode=0o600)
        ports = self._ports | {"postgres": self._postgres.port}
        password = self._postgres.password
        values = {"url": self.url, "folder": self.folder, "database": DATABASE, "host": LOOPBACK, "password": password}
        config.write_text(CONFIG.format(**values, **ports), encoding="utf-8")

    def _spawn(self, name: str, program: str, *arguments: str, cwd: Path | None = None) -> None:
        with (self.folder / f"{name}.log").open("ab") as log:
            command = [program, *arguments]
            self._processes[name] = spawn(command, output=log, env=self._environment(), cwd=cwd or self.folder)

    def _program(self, name: str) -> str:
        return str(self.folder / "venv/bin" / name)

    def _environment(self) -> dict[str, str]:
        """Nothing of ours but where programs and the package index are."""
        kept = {name: value for name, value in os.environ.items() if name in _KEPT or name.startswith(("PIP_", "UV_"))}
        return kept | {"PRETIX_CONFIG_FILE": str(self.folder / "pretix.cfg"), "LC_ALL": "C.UTF-8"}

    def _said(self, command: list[str]) -> str:
        """What a command printed. Raises ContestFailed with its last words if it failed."""
        try:
            done = subprocess.run(
                command,
                cwd=self.folder,
                env=self._environment(),
                capture_output=True,
                text=True,
                timeout=COMMAND_SECONDS,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise ContestFailed(f"{Path(command[0]).name} could not be run: {error}") from error
        if done.returncode:
            raise ContestFailed(f"{' '.join(command)[:120]} failed: {(done.stderr or done.stdout)[-800:]}")
        return done.stdout

    def _is_ready(self) -> bool:
        """Whether the event's page is shown; the first one takes a worker seconds."""
        try:
            return httpx.get(self.event_url, timeout=READY_SECONDS, trust_env=False).is_success
        except httpx.HTTPError:
            return False
