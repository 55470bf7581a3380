"""The hosts of a running system, as the system itself sees them."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from local.errors import StartError
from local.hosts.kernel import why_no_hosts
from local.hosts.switch import Link
from local.housing import DELAY_BETWEEN_REGIONS_MS, FAR, NEAR, Housing, addresses_of, hosts_of, regions_of
from local.processes import LOOPBACK, end
from local.topology import SERVICES
from local.watchdog import watchdog

ANSWER_SECONDS = 20.0
ROOT = Path(__file__).resolve().parents[2]


class Hosts:
    """`count` hosts with networks of their own, when the kernel permits it; else with names only. 0: everything is on one.

    With `regions` there is one host for each region, far from each other. Raises StartError if there is no plan for so many, or if
    both are given. Safe to use from several threads.
    """

    def __init__(self, count: int, label: str, regions: int = 0) -> None:
        if count and regions:
            raise StartError(
                "HOSTS= and REGIONS= both say where services live. Leave one of them away: make up REGIONS=2"
            )
        self._are_regions = bool(regions)
        self._services = regions_of(regions, SERVICES) if regions else hosts_of(count, SERVICES) if count else {}
        self._label = label  # of whom the process is, for `ps`
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._socket: socket.socket | None = None
        self._lines: Any = None
        self.housing = Housing(self._services)
        # Why there is no network between them, as a sentence. None: there is one.
        self.no_network: str | None = "Everything is on one host. Start several with: make up HOSTS=3"

    def open(
        self,
        ports: Mapping[str, int],
        output: int,
        say: Callable[[str], None] = lambda _sentence: None,
        elsewhere: Iterable[str] = (),
    ) -> None:
        """Makes them. `ports` is where everything listens; `say` tells a person if the network ends by itself.

        `elsewhere` are addresses that services are given beside those ports. Raises StartError if one is on another machine, and
        if hosts are permitted and cannot be made all the same.
        """
        if not self._services:
            return
        if reason := why_no_hosts():
            self.no_network = f"The hosts have names, but no network between them that could be slow or cut: {reason}."
            return
        if beyond := [url for url in elsewhere if urlsplit(url).hostname not in {LOOPBACK, "localhost"}]:
            raise StartError(
                f"Hosts reach nothing beyond this machine, so not {beyond[0]}. Take a backend at {LOOPBACK} (a collector can pass on), "
                "or leave HOSTS= and REGIONS= away."
            )
        process = self._start_process(output)
        addresses = addresses_of(self._services)
        living = {service for services in self._services.values() for service in services}
        reply = self._ask(
            {
                "hosts": addresses,
                "services": {host: [ports[each] for each in inside] for host, inside in self._services.items()},
                "shared": sorted({port for name, port in ports.items() if name not in living}),
            }
        )
        namespaces = {host: tuple(files) for host, files in reply["namespaces"].items()}
        self.housing = Housing(self._services, addresses, namespaces)
        self.no_network = None
        if self._are_regions:
            self.link(NEAR, FAR, Link(delay_ms=DELAY_BETWEEN_REGIONS_MS))
        threading.Thread(target=self._mourn, args=(process, say), name="hosts", daemon=True).start()

    def _start_process(self, output: int) -> "subprocess.Popen[bytes]":
        ours, theirs = socket.socketpair()
        ours.settimeout(ANSWER_SECONDS)
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "local.hosts.network", str(theirs.fileno()), self._label],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=ROOT,
                start_new_session=True,
            )
        watchdog.watch(self._process.pid, signal.SIGTERM)
        self._socket, self._lines = ours, ours.makefile("rb")
        return self._process

    @property
    def title(self) -> str:
        """What they are, for people."""
        return "Regions" if self._are_regions else "Hosts"

    @property
    def description(self) -> str:
        """Who lives where, for people; and why there is no network between them, if there is none."""
        who = "; ".join(f"{host}: {', '.join(services)}" for host, services in self._services.items())
        if self.no_network:
            return f"{who}\n{'':13}{self.no_network}"
        if self._are_regions:
            apart = f"{2 * DELAY_BETWEEN_REGIONS_MS:g} ms there and back; make link A={NEAR} B={FAR} DELAY="
            return f"{who}\n{'':13}{apart}"
        return f"{who}  (make link A= B=)"

    def link(self, a: str, b: str, link: Link) -> None:
        """How these two hosts are joined from now on. Raises StartError if there are no such two, or no network."""
        self._ask({"link": [a, b], "is": asdict(link)})

    def links(self) -> list[dict[str, Any]]:
        """Each pair of hosts: `a`, `b`, what the link `is`, and the packets `carried` and `dropped`."""
        found: list[dict[str, Any]] = self._ask({"links": True})["links"]
        return found

    def close(self) -> None:
        """The end of the network. Programs must have been ended before."""
        process, self._process = self._process, None
        if self._socket is not None:
            self._socket.close()
            self._lines.close()
            self._socket = None
        if process is not None:
            end(process, (signal.SIGTERM, 5.0))

    def _ask(self, question: dict[str, Any]) -> dict[str, Any]:
        if self._socket is None:
            raise StartError(self.no_network or "The hosts have ended.")
        with self._lock:
            try:
                self._socket.sendall(json.dumps(question).encode() + b"\n")
                reply: dict[str, Any] = json.loads(self._lines.readline())
            except (OSError, ValueError) as error:
                raise StartError("The hosts' network does not answer; see logs/hosts.log.") from error
        if "error" in reply:
            raise StartError(reply["error"])
        return reply

    def _mourn(self, process: "subprocess.Popen[bytes]", say: Callable[[str], None]) -> None:
        with contextlib.suppress(ChildProcessError):
            os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        if self._process is not None:
            say(
                "The network between the hosts has ended, so nothing reaches the services. Start all again: Ctrl-C, make up"
            )
