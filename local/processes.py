"""Starting and ending processes, also as another user, so that none outlives the one who started it."""

import os
import pwd
import random
import signal
import socket
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from local.errors import StartError
from local.watchdog import watchdog

LOOPBACK = "127.0.0.1"
# Below those that the kernel gives to outgoing connections.
SERVERS_PORTS = range(10_000, 32_768)


@dataclass(frozen=True)
class Account:
    """A user of this machine that a process runs as."""

    name: str
    uid: int
    gid: int
    home: str


def current_account() -> Account:
    """The user that runs this."""
    return account_of(os.geteuid())


def account_of(user: int | str) -> Account:
    """Raises KeyError if there is no such user."""
    entry = pwd.getpwuid(user) if isinstance(user, int) else pwd.getpwnam(user)
    return Account(entry.pw_name, entry.pw_uid, entry.pw_gid, entry.pw_dir)


def changes_user(account: Account | None) -> bool:
    """Whether running as that user needs a change of user, which only root may do."""
    return account is not None and account.uid != os.geteuid()


def spawn(
    command: Sequence[str | Path],
    *,
    output: int | IO[bytes],
    env: Mapping[str, str],
    cwd: Path | None = None,
    account: Account | None = None,
    stop_signal: signal.Signals = signal.SIGTERM,
) -> subprocess.Popen[bytes]:
    """Starts a process that ends when this one dies, in a session of its own: Ctrl-C reaches only the supervisor."""
    other = account if changes_user(account) else None
    process = subprocess.Popen(
        [str(part) for part in command],
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        cwd=cwd,
        env=dict(env),
        start_new_session=True,
        user=other.uid if other else None,
        group=other.gid if other else None,
        extra_groups=[] if other else None,
    )
    watchdog.watch(process.pid, stop_signal)
    return process


def end(process: subprocess.Popen[bytes], *steps: tuple[signal.Signals, float]) -> None:
    """Sends each signal in turn and waits so many seconds for the end; SIGKILL after the last."""
    for number, seconds in steps:
        if process.poll() is not None:
            break
        with suppress(ProcessLookupError):
            process.send_signal(number)
        with suppress(subprocess.TimeoutExpired):
            process.wait(seconds)
    if process.poll() is None:
        process.kill()
        process.wait()
    watchdog.forget(process.pid)


def free_port() -> int:
    """A port of the loopback that nobody listens on at this moment, of those that are no outgoing connection's.

    The kernel gives outgoing connections ports from 32768 on (49152 on a Mac). A server whose port is one of those
    finds it taken now and then when it comes back from a restart.
    """
    for port in random.sample(SERVERS_PORTS, 200):
        if not port_is_taken(port):
            return port
    raise StartError("200 ports between 10000 and 32767 were tried, and all are taken. End what is not needed there.")


def port_is_taken(port: int) -> bool:
    """Whether somebody listens there. Connections of the past (TIME_WAIT) do not count."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return True
        return False
