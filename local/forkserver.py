"""Starts Python programs quickly: what they have in common is imported once, then each program is a fork (local/forking.py).

This is the fork server as its client sees it.
"""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

from local.watchdog import watchdog

# glibc gives each thread an arena of its own, which keeps what was freed in it; two are enough for programs of few threads. And it keeps
# more for the next time the larger the pieces are that were freed, up to 64 MiB: the typesetter of tickets never gave 15 MiB back.
MALLOC = {"MALLOC_ARENA_MAX": "2", "MALLOC_TRIM_THRESHOLD_": "131072"}
STARTED_SECONDS = 30.0


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
                [sys.executable, "-m", "local.forking", str(theirs.fileno()), self._label],
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
