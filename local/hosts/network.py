"""The process that is the network: `python -m local.hosts.network FD DATA` makes the hosts, and carries what they send.

It talks over a socket, one JSON object a line each way, with whoever started it. When it ends the hosts have no network any more;
when whoever started it is gone, it ends.
"""

import asyncio
import contextlib
import json
import os
import signal
import socket
import sys
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import uvloop

from local.hosts.forwarding import BACKLOG, forward
from local.hosts.kernel import Host, inside, make_host
from local.hosts.switch import Link, Switch
from local.processes import LOOPBACK

LARGEST_PACKET = 65_536
PACKETS_AT_ONCE = 64
LONGEST_LINE = 1 << 20


class Network:
    """The hosts and the switch between them. Everything happens in the loop's thread."""

    def __init__(self, addresses: Mapping[str, str]) -> None:
        loop = asyncio.get_running_loop()
        self._hosts: dict[str, Host] = {name: make_host(name, address) for name, address in addresses.items()}
        self._switch = Switch(addresses, self._deliver, loop.call_later, loop.time)
        for name, host in self._hosts.items():
            loop.add_reader(host.card, self._collect, name, host.card)

    @property
    def namespaces(self) -> dict[str, tuple[str, ...]]:
        """By host, the files through which other processes of this machine enter it."""
        return {
            name: tuple(f"/proc/{os.getpid()}/fd/{held}" for held in (host.network, host.name))
            for name, host in self._hosts.items()
        }

    async def open_ways(self, shared: list[int], services: Mapping[str, list[int]]) -> None:
        """Within each host, the loopback's `shared` ports are this machine's; on this machine, the services' are their hosts'."""
        for host in self._hosts.values():
            for port in shared:
                listener = self._within(host, partial(_listener, port))
                await forward(listener, _connection, (LOOPBACK, port))
        for name, ports in services.items():
            host = self._hosts[name]
            for port in ports:
                await forward(_listener(port), partial(self._within, host, _connection), (host.address, port))

    def answer(self, asked: dict[str, Any]) -> dict[str, Any]:
        """What comes of a question. Raises ValueError with a sentence, TypeError for what nobody asks."""
        match asked:
            case {"link": [str(a), str(b)], "is": dict(link)}:
                self._switch.set_link(a, b, Link(**link))
                return {}
            case {"links": True}:
                links = self._switch.links().items()
                return {
                    "links": [
                        {"a": a, "b": b, "is": str(link), "carried": carried, "dropped": dropped}
                        for (a, b), (link, carried, dropped) in links
                    ]
                }
            case _:
                raise ValueError(f"The hosts' network does not know what to do with {sorted(asked)}.")

    def _collect(self, name: str, card: int) -> None:
        with contextlib.suppress(BlockingIOError):
            for _ in range(PACKETS_AT_ONCE):
                self._switch.carry(name, os.read(card, LARGEST_PACKET))

    def _deliver(self, name: str, packet: bytes) -> None:
        with contextlib.suppress(OSError):  # a full card drops packets, here as elsewhere
            os.write(self._hosts[name].card, packet)

    def _within(self, host: Host, make: Callable[[], socket.socket]) -> socket.socket:
        with inside(host.network):
            return make()


def _listener(port: int) -> socket.socket:
    return socket.create_server((LOOPBACK, port), backlog=BACKLOG)


def _connection() -> socket.socket:
    return socket.socket()


async def serve(control: socket.socket) -> None:
    """Makes what the first line asks for, then answers until the other side is gone."""
    reader, writer = await asyncio.open_unix_connection(sock=control, limit=LONGEST_LINE)
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, reader.feed_eof)
    network: Network | None = None
    while line := await reader.readline():
        asked = json.loads(line)
        try:
            if network is None:
                network = Network(asked["hosts"])
                await network.open_ways(asked["shared"], asked["services"])
                reply: dict[str, Any] = {"namespaces": network.namespaces}
            else:
                reply = network.answer(asked)
        except (OSError, ValueError, TypeError) as error:
            reply = {"error": str(error)}
        writer.write(json.dumps(reply).encode() + b"\n")


def main() -> None:
    """The command line."""
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    control = socket.socket(fileno=int(sys.argv[1]))
    uvloop.run(serve(control))


if __name__ == "__main__":
    main()
