"""Starts Python programs quickly: the libraries that all of them import are imported once, then each program is a fork.

`python -m local.forkserver FD DATA` is a process of its own, without threads, that opens nothing and runs nothing of ours: only
third-party modules are imported, so a program that is started again runs the code that lies on the disk by then.
It talks over a socket, one message a line: `{"start": ...}` with a file descriptor for the output comes in, `{"pid": ...}` goes
out, and later `{"ended": pid, "code": ...}`. When the other end is gone it ends; the programs are the watchdog's business.
"""

import contextlib
import gc
import importlib
import io
import json
import os
import runpy
import select
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from local.hosts.kernel import enter
from local.watchdog import watchdog

PRELOADED = (
    "aiohttp",
    "alembic.command",
    "alembic.config",
    "asyncio",
    "asyncpg",
    "babel.numbers",
    "cryptography.hazmat.primitives.asymmetric.ed25519",
    "fastapi",
    "httpx",
    "iso4217",
    "jinja2",
    "jwt",
    "nats",
    "nats.js.api",
    "opentelemetry.exporter.otlp.proto.http.metric_exporter",
    "opentelemetry.exporter.otlp.proto.http.trace_exporter",
    "opentelemetry.sdk.trace",
    "orjson",
    "pydantic_settings",
    "sqlalchemy.dialects.postgresql.asyncpg",
    "sqlalchemy.ext.asyncio",
    "sqlmodel",
    "structlog",
    "uuid_utils.compat",
    "uvicorn.config",
    "uvicorn.protocols.http.httptools_impl",
    "uvicorn.server",
    "uvloop",
)
# glibc gives each thread an arena of its own, which keeps what was freed in it; two are enough for programs of few threads.
MALLOC = {"MALLOC_ARENA_MAX": "2"}
STARTED_SECONDS = 30.0
MESSAGE_BYTES = 1 << 20


class Forked:
    """A program that the fork server started; the part of subprocess.Popen's surface that a supervisor needs."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._code: int | None = None
        self._ended = threading.Event()

    def ended(self, code: int) -> None:
        """Reported by the fork server, who is its parent."""
        self._code = code
        watchdog.forget(self.pid)
        self._ended.set()

    def poll(self) -> int | None:
        """The exit code (negative: the signal) once it has ended, else None."""
        return self._code

    def wait(self, seconds: float) -> int | None:
        """Waits that long for the end. The exit code, or None if it still runs."""
        self._ended.wait(seconds)
        return self._code

    def send_signal(self, number: int) -> None:
        """Nothing happens if it has ended."""
        if self._code is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)


class ForkServer:
    """The fork server as its client sees it. Safe to use from several threads."""

    def __init__(self, cwd: Path, label: str) -> None:
        self._cwd = cwd
        self._label = label  # programs keep the server's command line: `ps` shows whose they are
        self._lock = threading.Lock()
        self._answers: list[Forked] = []
        self._answered = threading.Condition()
        self._children: dict[int, Forked] = {}
        self._gone = False
        self._process: subprocess.Popen[bytes] | None = None
        self._socket: socket.socket | None = None

    def open(self, output: int) -> None:
        """Starts it; it imports in the background, the first start waits for that."""
        ours, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "local.forkserver", str(theirs.fileno()), self._label],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=self._cwd,
                env={**MALLOC, **os.environ},
                start_new_session=True,
            )
        watchdog.watch(self._process.pid, signal.SIGTERM)
        self._socket = ours
        threading.Thread(target=self._listen, args=(ours,), name="fork server", daemon=True).start()

    def start(
        self,
        module: str,
        arguments: Sequence[str],
        environment: Mapping[str, str],
        output: int,
        namespaces: Sequence[str] = (),
    ) -> Forked:
        """`python -m module arguments` with exactly that environment, in these namespaces (`local/hosts/kernel.py`).

        Raises RuntimeError if the server is gone.
        """
        request = {
            "start": module,
            "arguments": list(arguments),
            "environment": dict(environment),
            "namespaces": list(namespaces),
        }
        with self._lock:
            if self._socket is None or self._gone:
                raise RuntimeError("The fork server has ended; see its log.")
            message = json.dumps(request).encode() + b"\n"
            sent = socket.send_fds(self._socket, [message], [output])
            self._socket.sendall(message[sent:])
            with self._answered:
                if not self._answered.wait_for(lambda: self._answers or self._gone, STARTED_SECONDS) or self._gone:
                    raise RuntimeError("The fork server does not answer; see its log.")
                child = self._answers.pop()
            watchdog.watch(child.pid, signal.SIGTERM)
            if child.poll() is not None:
                watchdog.forget(child.pid)
            return child

    def close(self) -> None:
        """Ends the server. Programs must have been ended before."""
        if self._socket is not None:
            with contextlib.suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)
        if self._process is not None:
            try:
                self._process.wait(5)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            watchdog.forget(self._process.pid)

    def _listen(self, ours: socket.socket) -> None:
        with ours, ours.makefile("rb") as lines, contextlib.suppress(OSError):
            for line in lines:
                message: dict[str, int] = json.loads(line)
                with self._answered:
                    if "pid" in message:
                        child = self._children[message["pid"]] = Forked(message["pid"])
                        self._answers.append(child)
                        self._answered.notify_all()
                    else:
                        self._children.pop(message["ended"]).ended(message["code"])
        with self._answered:
            self._gone = True
            self._answered.notify_all()


def _serve(control: socket.socket) -> None:
    """Forks on request and reports ends, until the other side is gone."""
    wake_read, wake_write = os.pipe()
    os.set_blocking(wake_write, False)
    signal.set_wakeup_fd(wake_write, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    while True:
        readable, _, _ = select.select([control.fileno(), wake_read], [], [])
        if wake_read in readable:
            os.read(wake_read, 4096)
            _report_ends(control)
        if control.fileno() in readable:
            request, output = _receive(control)
            if request is None:
                return
            pid = os.fork()
            if pid == 0:
                signal.set_wakeup_fd(-1)
                os.close(wake_read)
                os.close(wake_write)
                control.close()
                _become(request, output)
                return
            os.close(output)
            _send(control, {"pid": pid})


def _receive(control: socket.socket) -> tuple[dict[str, Any] | None, int]:
    """The next request and the file descriptor that came with it. Requests come one at a time."""
    message, descriptors, _, _ = socket.recv_fds(control, MESSAGE_BYTES, 1)
    while message and not message.endswith(b"\n"):
        message += control.recv(MESSAGE_BYTES)
    return (json.loads(message), descriptors[0]) if message else (None, -1)


def _send(control: socket.socket, message: dict[str, int]) -> None:
    with contextlib.suppress(OSError):  # the other end is gone: the next read says so
        control.sendall(json.dumps(message).encode() + b"\n")


def _report_ends(control: socket.socket) -> None:
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid == 0:
            return
        _send(control, {"ended": pid, "code": os.waitstatus_to_exitcode(status)})


def _become(request: dict[str, Any], output: int) -> None:
    """Runs the program in this fork. What it raises, SystemExit too, ends the interpreter in the ordinary way."""
    for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.setsid()
    os.dup2(output, 1)
    os.dup2(output, 2)
    os.close(output)
    enter(request["namespaces"])
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(line_buffering=True)
    os.environ.clear()
    os.environ.update(request["environment"])
    sys.argv = [request["start"], *request["arguments"]]
    runpy.run_module(request["start"], run_name="__main__", alter_sys=True)


def main() -> None:
    """Imports what all programs need, then serves."""
    control = socket.socket(fileno=int(sys.argv[1]))
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    for module in PRELOADED:
        importlib.import_module(module)
    gc.freeze()
    _serve(control)


if __name__ == "__main__":
    main()
