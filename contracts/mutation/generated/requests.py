"""Breaks of what consumers ask: planted into the real requests of their real clients, and sent to Pact's mock server once more.

The consumer's own contract test makes the sound request; each broken one goes to a server of the same interaction, which has to refuse
it. This happens within the tests of consumers, where the contract is at hand, and only if somebody wants the result (recording.py).
"""

import json
import os
import ssl
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import httpx
from pact import Pact

from chassis.calls import Answered, Carry, Network, Sending
from chassis.deadline import DEADLINE_HEADER
from contracts.demanded import paths_of
from contracts.mutation.generated.kinds import KINDS
from contracts.mutation.generated.parts import is_chosen
from contracts.mutation.generated.recording import RECORDED
from contracts.pactfile import Edge

HOST = "127.0.0.1"
# The header by which Pact's mock server says that a request is not the one of the contract.
REFUSED = "x-pact"
# Headers that every HTTP client sends by itself; no contract asks for them.
_OWN = frozenset({"host", "accept", "accept-encoding", "connection", "user-agent", "content-length", "content-type"})
# Trusts nobody. Pact's servers speak HTTP without TLS, and to load the certificates of the world takes 25 ms for each client.
_NO_CERTIFICATES = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
FILE = "requests.jsonl"
DEADLINE = DEADLINE_HEADER.lower()

Pairs = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Asked:
    """A request as it left."""

    method: str
    path: str
    query: Pairs
    headers: Pairs
    body: bytes

    @classmethod
    def of(cls, sending: Sending) -> "Asked":
        """What a client of ours sends."""
        headers = tuple((name.lower(), value) for name, value in sending.headers.items() if name.lower() not in _OWN)
        return cls(sending.method, sending.path, tuple(parse_qsl(sending.query)), headers, sending.body)


Spoil = Callable[[Asked], Asked | None]


class Carrier:
    """Carries requests over the network, or by `carry`, and keeps what it carried. `close` it."""

    def __init__(self, carry: Carry | None = None) -> None:
        self._network = Network(is_encrypted=False)
        self._carry = carry or self._network.carry
        self.carried: list[Asked] = []

    async def carry(self, sending: Sending) -> Answered:
        """One request (chassis/calls.py)."""
        self.carried.append(Asked.of(sending))
        return await self._carry(sending)

    async def close(self) -> None:
        """Lets go of the connections."""
        await self._network.close()


async def probe(pact: Pact, edge: Edge, use: str, carried: list[Asked]) -> None:
    """Plants every break into the request of an interaction, and notes which of them the contract refuses, if somebody wants that."""
    folder = os.environ.get(RECORDED)
    if not folder or not carried:
        return
    lines = []
    with pact.serve(HOST, raises=False) as server:
        async with httpx.AsyncClient(base_url=str(server.url), verify=_NO_CERTIFICATES, trust_env=False) as http:
            for what, kind, spoil in breaks_of(carried[0]):
                broken = spoil(carried[0])
                if broken is not None and is_chosen(f"{edge}, {use}: {what} {kind}"):
                    is_minded = await _is_refused(http, broken)
                    lines.append(json.dumps([str(edge), use, what, kind, is_minded]))
    with (Path(folder) / FILE).open("a", encoding="utf-8") as file:
        file.write("".join(f"{line}\n" for line in lines))


def breaks_of(asked: Asked) -> Iterator[tuple[str, str, Spoil]]:
    """What of a request is wrong, how, and the change that makes it so."""
    yield "the method", "another", lambda each: replace(each, method="POST" if each.method == "GET" else "GET")
    yield "the path", "another", lambda each: replace(each, path=f"{each.path}/more")
    for name, _ in asked.query:
        yield f"?{name}", "removed", _in_query(_without, name)
        yield f"?{name}", "renamed", _in_query(_renamed, name)
        yield f"?{name}", "another value", _in_query(_other, name)
    for name, _ in asked.headers:
        yield f"{name}:", "removed", _in_headers(_without, name)
    yield f"{DEADLINE}:", "another unit", _in_headers(_in_seconds, DEADLINE)
    for path in sorted(set(paths_of("$", _content(asked)))):
        for kind in KINDS:
            yield path, kind.name, _in_body(kind.at(path))


async def _is_refused(http: httpx.AsyncClient, asked: Asked) -> bool:
    kind = {"content-type": "application/json"} if asked.body else {}
    answer = await http.request(
        asked.method, asked.path, params=list(asked.query), headers={**dict(asked.headers), **kind}, content=asked.body
    )
    return REFUSED in answer.headers


def _content(asked: Asked) -> Any:
    return json.loads(asked.body) if asked.body else None


def _in_body(change: Callable[[Any], Any | None]) -> Spoil:
    def spoil(asked: Asked) -> Asked | None:
        changed = change(_content(asked))
        return None if changed is None else replace(asked, body=json.dumps(changed).encode())

    return spoil


def _in_query(change: Callable[[Pairs, str], Pairs], name: str) -> Spoil:
    return lambda asked: replace(asked, query=change(asked.query, name))


def _in_headers(change: Callable[[Pairs, str], Pairs], name: str) -> Spoil:
    return lambda asked: replace(asked, headers=change(asked.headers, name))


def _without(pairs: Pairs, name: str) -> Pairs:
    return tuple(pair for pair in pairs if pair[0] != name)


def _renamed(pairs: Pairs, name: str) -> Pairs:
    return tuple((f"{key}_" if key == name else key, value) for key, value in pairs)


def _other(pairs: Pairs, name: str) -> Pairs:
    return tuple((key, f"{value}0" if key == name else value) for key, value in pairs)


def _in_seconds(pairs: Pairs, name: str) -> Pairs:
    return tuple((key, value[:-3] if key == name else value) for key, value in pairs)
