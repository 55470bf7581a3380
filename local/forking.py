"""The process that programs are forks of: `python -m local.forking FD DATA` in the checkout. It has no threads, and runs nothing.

It imports what programs have in common, third-party modules and ours, so that they share that memory and import nothing. When a file
of ours is not as it was, it begins anew before the next program: one that is started again runs the code that lies on the disk by then.

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
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from local.hosts.kernel import enter

OURS = ("chassis", "tracing", "services", "simulators")
# What programs are made of, beside the services' own applications.
PROGRAMS = (
    "chassis.migrate",
    "chassis.monolith",
    "simulators.bank.app",
    "simulators.mailbox.app",
    "simulators.serving",
    "tracing.store.app",
)
# What they import only when they run.
LATER = (
    "encodings.idna",
    "pydantic.v1.dataclasses",
    "urllib3",
    "uvicorn.lifespan.on",
    "uvicorn.loops.uvloop",
    "uvicorn.protocols.http.httptools_impl",
)
MESSAGE_BYTES = 1 << 20
Stamp = dict[str, tuple[int, int]]


def stamp_of_ours(root: Path) -> Stamp:
    """When each Python file of ours was written, and how long it is: another stamp means other code."""
    return dict(_stamps([str(root / folder) for folder in OURS]))


def _stamps(folders: list[str]) -> Iterator[tuple[str, tuple[int, int]]]:
    while folders:
        with contextlib.suppress(FileNotFoundError), os.scandir(folders.pop()) as entries:
            for entry in entries:
                if entry.name.endswith(".py"):
                    status = entry.stat()
                    yield entry.path, (status.st_mtime_ns, status.st_size)
                elif entry.name not in ("tests", "__pycache__") and entry.is_dir(follow_symlinks=False):
                    folders.append(entry.path)


def _serve(control: socket.socket, root: Path, stamp: Stamp) -> None:
    """Forks on request and reports ends, until the other side is gone. `stamp` is that of the code that was imported."""
    wake_read, wake_write = os.pipe()
    os.set_blocking(wake_write, False)
    signal.set_wakeup_fd(wake_write, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    _report_ends(control)  # of those that ended while this process began anew
    while True:
        readable, _, _ = select.select([control.fileno(), wake_read], [], [])
        if wake_read in readable:
            os.read(wake_read, 4096)
            _report_ends(control)
        if control.fileno() in readable:
            if stamp_of_ours(root) != stamp:
                _begin_anew()
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


def _begin_anew() -> None:
    """The same process with the files as they are now. Its programs stay its children, and the request waits in the socket."""
    os.execv(sys.executable, [sys.executable, "-m", "local.forking", *sys.argv[1:]])  # noqa: S606  # itself


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
    sys.modules.pop(request["start"], None)
    runpy.run_module(request["start"], run_name="__main__", alter_sys=True)


def _preload(root: Path) -> None:
    applications = sorted(f"services.{file.parent.name}.app" for file in root.glob("services/*/app.py"))
    for module in (*PROGRAMS, *applications, *LATER):
        # The program that needs it meets the error again, and says so in its own log.
        with contextlib.suppress(Exception):
            importlib.import_module(module)


def main() -> None:
    """Imports what programs need, then serves."""
    control = socket.socket(fileno=int(sys.argv[1]))
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    root = Path.cwd()
    stamp = stamp_of_ours(root)
    # Nearly all that imports make stays for ever: to look for garbage in between takes a tenth of their time.
    gc.disable()
    _preload(root)
    gc.freeze()
    gc.enable()
    _serve(control, root, stamp)


if __name__ == "__main__":
    main()
