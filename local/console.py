"""What a person sees of a running system: one stream of lines, each with the name of who said it."""

import contextlib
import os
import selectors
import sys
import threading
from pathlib import Path
from typing import IO

COLOURS = (36, 33, 32, 35, 34, 96, 93, 92, 95, 94, 31, 91)
NAME_WIDTH = 13
LOG_BYTES = 20_000_000  # of one program; then the file begins anew, and one older file is kept


class Console:
    """Prints lines from several threads. `quiet` drops what programs say (their log files have it)."""

    def __init__(self, output: IO[str] | None = None, quiet: bool = False) -> None:
        self._output = output or sys.stdout
        self._quiet = quiet
        self._lock = threading.Lock()
        self._colours: dict[str, int] = {}
        self._coloured = self._output.isatty() and "NO_COLOR" not in os.environ

    @property
    def is_terminal(self) -> bool:
        """Whether a person reads it as it comes."""
        return self._output.isatty()

    def say(self, text: str) -> None:
        """Something of our own, as it is."""
        self._print(text)

    def show(self, name: str, line: str) -> None:
        """A line that a program said."""
        if not self._quiet:
            self._print(f"{self._prefix(name)} {line}")

    def _prefix(self, name: str) -> str:
        padded = f"{name:<{NAME_WIDTH}}|"
        if not self._coloured:
            return padded
        colour = self._colours.setdefault(name, COLOURS[len(self._colours) % len(COLOURS)])
        return f"\x1b[{colour}m{padded}\x1b[0m"

    def _print(self, text: str) -> None:
        with self._lock, contextlib.suppress(OSError, ValueError):  # the reader went away: logs are in files too
            self._output.write(f"{text}\n")
            self._output.flush()


class Pumps:
    """Carries what programs say into their log files and to the console. One thread for all."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._selector = selectors.DefaultSelector()
        self._wake_read, self._wake_write = os.pipe()
        self._selector.register(self._wake_read, selectors.EVENT_READ)
        self._new: list[_Pump] = []
        self._lock = threading.Lock()
        self._closing = False
        self._thread = threading.Thread(target=self._run, name="log lines", daemon=True)
        self._thread.start()

    def pipe(self, name: str, log_file: Path) -> int:
        """The writing end for a program's output. The caller closes it once the program has it."""
        read_end, write_end = os.pipe()
        log_file.parent.mkdir(parents=True, exist_ok=True)
        with self._lock:
            self._new.append(_Pump(name, log_file, read_end))
        os.write(self._wake_write, b".")
        return write_end

    def close(self) -> None:
        """Carries what is left and ends. Programs must have been ended before."""
        self._closing = True
        os.write(self._wake_write, b".")
        self._thread.join(5)

    def _run(self) -> None:
        open_pumps = 0
        while True:
            events = self._selector.select(timeout=1.0 if self._closing else None)
            if self._closing and (not events or not open_pumps):
                break
            for key, _ in events:
                pump = key.data
                if pump is None:
                    os.read(self._wake_read, 4096)
                    open_pumps += self._take_new()
                elif not pump.carry(self._console):
                    self._selector.unregister(pump.fd)
                    pump.close()
                    open_pumps -= 1
        self._selector.close()
        os.close(self._wake_read)
        os.close(self._wake_write)

    def _take_new(self) -> int:
        with self._lock:
            new, self._new = self._new, []
        for pump in new:
            self._selector.register(pump.fd, selectors.EVENT_READ, pump)
        return len(new)


class _Pump:
    def __init__(self, name: str, log_file: Path, fd: int) -> None:
        self.name = name
        self.fd = fd
        self._path = log_file
        self._log = log_file.open("ab")
        self._rest = b""

    def carry(self, console: Console) -> bool:
        """Carries what is there. False at the end."""
        chunk = os.read(self.fd, 65536)
        self._write(chunk)
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        for line in lines if chunk else [*lines, self._rest]:
            if line:
                console.show(self.name, line.decode(errors="replace"))
        return bool(chunk)

    def _write(self, chunk: bytes) -> None:
        self._log.write(chunk)
        self._log.flush()
        if self._log.tell() > LOG_BYTES:
            self._log.close()
            self._path.replace(self._path.with_suffix(".log.1"))
            self._log = self._path.open("ab")

    def close(self) -> None:
        os.close(self.fd)
        self._log.close()
