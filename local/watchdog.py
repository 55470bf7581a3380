"""Ends what this process started when this process dies, however it dies.

A supervisor that is killed with SIGKILL cannot clean up, so a second, tiny process does it: it reads process ids from a
pipe whose other end only its parent holds. When the pipe closes, it sends every process that is still known its own stop
signal, then SIGKILL after the grace time. A pipe works on Linux and macOS, from any thread, and across a change of user;
PR_SET_PDEATHSIG does none of the three.
"""

import atexit
import contextlib
import os
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

GRACE_SECONDS = 10.0


class Watchdog:
    """One watching process per process that starts others. Started when the first is watched."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._owner_pid = 0

    def watch(self, pid: int, stop_signal: signal.Signals) -> None:
        """Ends `pid` with `stop_signal` when this process is gone. Those watched first are ended last."""
        self._tell(f"+{pid} {int(stop_signal)}\n")

    def forget(self, pid: int) -> None:
        """To be called after the process has ended, so that a stranger with the same number is left alone."""
        self._tell(f"-{pid}\n")

    def _tell(self, line: str) -> None:
        with self._lock:
            if self._process is None or self._owner_pid != os.getpid():
                self._start()
            process = self._process
            if process is None or process.stdin is None:
                raise RuntimeError("the watchdog has no pipe")
            try:
                process.stdin.write(line.encode())
            except BrokenPipeError:
                # Somebody killed the watchdog. The processes live on; only the cover against SIGKILL is gone.
                self._process = None

    def _close(self) -> None:
        """At the end of the process: what is still known ends now, and the watchdog with it."""
        if self._process is not None and self._process.stdin is not None and self._owner_pid == os.getpid():
            self._process.stdin.close()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(GRACE_SECONDS)

    def _start(self) -> None:
        self._owner_pid = os.getpid()
        atexit.register(self._close)
        self._process = subprocess.Popen(
            [sys.executable, "-ES", str(Path(__file__))],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            bufsize=0,
            start_new_session=True,  # Ctrl-C and a kill of the whole group must not reach it
        )


class _Known:
    """A watched process. On Linux held by a pidfd, which never means another process."""

    def __init__(self, pid: int, stop_signal: int) -> None:
        self.pid = pid
        self.stop_signal = stop_signal
        self.fd = os.pidfd_open(pid) if hasattr(os, "pidfd_open") else None

    def send(self, number: int) -> bool:
        """Returns whether the process was still there."""
        try:
            if self.fd is None:
                os.kill(self.pid, number)
            else:
                signal.pidfd_send_signal(self.fd, number)
        except (ProcessLookupError, PermissionError):
            return False
        return True

    def ended(self) -> bool:
        if self.fd is None:
            return not self.send(0)
        return bool(select.select([self.fd], [], [], 0)[0])

    def close(self) -> None:
        if self.fd is not None:
            os.close(self.fd)


def _lines() -> Iterator[str]:
    """What the parent writes, line by line, until it is gone."""
    rest = b""
    while chunk := os.read(0, 65536):
        *lines, rest = (rest + chunk).split(b"\n")
        yield from (line.decode() for line in lines)


def _read(known: dict[int, _Known]) -> None:
    for line in _lines():
        pid = int(line[1:].split()[0])
        if (old := known.pop(pid, None)) is not None:
            old.close()
        if line[0] == "+":
            try:
                known[pid] = _Known(pid, int(line.split()[1]))
            except ProcessLookupError:
                continue  # it has ended already


def _end(known: dict[int, _Known]) -> None:
    """Last in, first out: services hear of it before the servers that they talk to."""
    deadline = time.monotonic() + GRACE_SECONDS
    left = [one for one in reversed(known.values()) if one.send(one.stop_signal)]
    while left and time.monotonic() < deadline:
        left = [one for one in left if not one.ended()]
        time.sleep(0.02)
    for one in left:
        one.send(signal.SIGKILL)


def _main() -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    known: dict[int, _Known] = {}
    _read(known)
    _end(known)


watchdog = Watchdog()

if __name__ == "__main__":
    _main()
