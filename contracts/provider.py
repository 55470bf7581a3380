"""The provider's side: its real application, or its real facts, against every pact that names it.

Pact's own verifier passes when it finds nothing to verify, ignores states without a handler, hangs for minutes when a handler
raises, and does not say what failed. Here all of that is red, at once, with a sentence.
"""

import asyncio
import json
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID

import httpx
import pytest
from pact import Verifier
from sqlalchemy import text

from chassis.clock import utc_now
from chassis.db import Database
from chassis.facts import Fact, encode_cloud_event
from chassis.outbox import Outbox
from chassis.settings import ServiceSettings
from chassis.testing import Harness
from contracts.consumer import TRACEPARENT, is_writing, with_tracing
from contracts.pactfile import PACTS, ContractBroken, Edge, Interaction, Kind, edges, read, states_of

HOST = "127.0.0.1"
STATE_SECONDS = 20.0
REQUEST_MILLISECONDS = 20_000
JSON = "application/json"

StateHandler = Callable[[dict[str, Any]], Awaitable[None]]
Settings = TypeVar("Settings", bound=ServiceSettings)


async def verify_answers(
    provider: str, url: str, *, callers: Iterable[str], states: Mapping[str, StateHandler], pacts: Path = PACTS
) -> int:
    """Asks a running provider everything that its consumers will ask. How many interactions held.

    `callers` are the consumers that are meant to have a pact; `states` makes true what an interaction takes for granted.
    Raises ContractBroken with everything that does not hold.
    """
    __tracebackhide__ = True
    contracts = _contracts("asks", provider, callers, pacts)
    _check_handlers(
        provider, "state", states, {name: edge for edge, each in _flat(contracts) for name in states_of(each)}
    )
    verifier = Verifier(provider, host=HOST).add_transport(url=url).set_request_timeout(REQUEST_MILLISECONDS)
    setting_up = _StatesInLoop(states, asyncio.get_running_loop())
    verifier.state_handler(setting_up.set_up)
    return await _run(verifier, contracts, pacts, setting_up.failures)


async def verify_facts(
    provider: str, *, hearers: Iterable[str], facts: Mapping[str, bytes], pacts: Path = PACTS
) -> int:
    """Compares the facts that a provider publishes with what their consumers need. How many interactions held.

    `facts` are the real ones by description, as they leave: from `told_by` or `encoded`, never written by hand.
    Raises ContractBroken with everything that does not hold.
    """
    __tracebackhide__ = True
    contracts = _contracts("hears", provider, hearers, pacts)
    needed = {each["description"]: edge for edge, each in _flat(contracts)}
    _check_handlers(provider, "fact", facts, needed)
    messages = {
        name: {"contents": body, "metadata": {"contentType": JSON}, "content_type": JSON}
        for name, body in facts.items()
    }
    verifier = Verifier(provider, host=HOST).message_handler(messages)  # type: ignore[arg-type]  # a dict is no TypedDict
    return await _run(verifier, contracts, pacts, {})


def encoded(fact: Fact) -> bytes:
    """A fact as it goes out, within a trace: the row of the outbox, and the relay's encoding of it."""
    with_tracing()
    return encode_cloud_event(**Outbox.row_of(fact, traceparent=TRACEPARENT), created_at=utc_now())


async def told_by(database: Database) -> dict[str, bytes]:
    """What a use case left in the outbox, as the relay sends it; of several facts of a subject the last one."""
    query = text("SELECT event_id, subject, aggregate_id, data, traceparent, created_at FROM outbox ORDER BY seq")
    async with database.reader() as reads:
        rows = (await reads.execute(query, name="contracts.outbox")).mappings().all()
    return {row["subject"]: encode_cloud_event(**row) for row in rows}


class RealTokens:
    """ASGI: gives a request of a contract the tokens that its placeholders stand for.

    `Authorization: Bearer orders` becomes a token of orders for this provider, `Onsale-Person: <id>` a token of that person.
    A request without a placeholder gets no token. That tokens are checked at all is tested elsewhere.
    """

    def __init__(self, app: Any, harness: Harness, provider: str) -> None:
        self._app = app
        self._harness = harness
        self._provider = provider

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            headers = [(name, self._real(name, value.decode())) for name, value in scope["headers"]]
            scope = {**scope, "headers": headers}
        await self._app(scope, receive, send)

    def _real(self, name: bytes, value: str) -> bytes:
        if name == b"authorization":
            caller = value.removeprefix("Bearer ")
            value = f"Bearer {self._harness.service_token(caller, self._provider)}"
        elif name == b"onsale-person":
            value = self._harness.person_token(UUID(value))
        return value.encode()


@dataclass(frozen=True)
class Provided:
    """A provider's real application on a real socket, and a way for state handlers to use it."""

    url: str
    http: httpx.AsyncClient

    async def do(
        self, method: str, path: str, *, caller: str, person: UUID | str | None = None, body: Any = None
    ) -> httpx.Response:
        """A request as a service makes it, on behalf of a person or not. Raises ContractBroken if it is refused."""
        headers = {"Authorization": f"Bearer {caller}"} | ({"Onsale-Person": str(person)} if person else {})
        response = await self.http.request(method, path, json=body, headers=headers)
        if response.is_error:
            raise ContractBroken(f"{method} {path} was refused while a state was made: {response.text}")
        return response


@asynccontextmanager
async def provided(
    create_app: Callable[[Settings], Any], settings: Settings, harness: Harness
) -> AsyncIterator[Provided]:
    """Serves an application with its lifespan. Requests carry real tokens in place of the contracts' placeholders."""
    app = RealTokens(create_app(settings), harness, settings.service_name)
    async with harness.serving(app) as url, httpx.AsyncClient(base_url=url, timeout=STATE_SECONDS) as http:
        yield Provided(url, http)


class _StatesInLoop:
    """Calls state handlers, which the verifier asks for in a thread of its own, in the test's event loop.

    A handler that raises is remembered, and the verifier told that all is well: it would repeat the call for minutes.
    """

    def __init__(self, states: Mapping[str, StateHandler], loop: asyncio.AbstractEventLoop) -> None:
        self._states = states
        self._loop = loop
        # What went wrong, by state.
        self.failures: dict[str, str] = {}

    def set_up(self, state: str, parameters: dict[str, Any] | None) -> None:
        if not state:
            return  # Pact's way to say that an interaction needs none
        try:
            asyncio.run_coroutine_threadsafe(self._call(state, parameters or {}), self._loop).result(STATE_SECONDS)
        except Exception:  # noqa: BLE001  # told at the end, with its own traceback
            self.failures[state] = f'The state "{state}" could not be set up:\n{traceback.format_exc()}'

    async def _call(self, state: str, parameters: dict[str, Any]) -> None:
        await self._states[state](parameters)


def _contracts(kind: Kind, provider: str, consumers: Iterable[str], pacts: Path) -> dict[Edge, list[Interaction]]:
    __tracebackhide__ = True
    if is_writing():
        pytest.skip("Pacts are being written; run `make contracts` to verify them.")
    found = [edge for edge in edges(pacts) if edge.kind == kind and edge.provider == provider]
    have, declared = {edge.consumer for edge in found}, set(consumers)
    if not declared:
        raise ContractBroken(f"The verification of {provider} names no consumers, so it would verify nothing.")
    if missing := declared - have:
        names = ", ".join(sorted(missing))
        raise ContractBroken(
            f"There is no pact in which {names} {kind} {provider}. "
            "Is a name misspelt, or was a pact deleted? `PACTS=write make contracts` writes what the consumers' tests say."
        )
    if further := have - declared:
        names = ", ".join(sorted(further))
        raise ContractBroken(
            f"{names} {kind} {provider} by a pact, but its verification does not name {names}. Add it there."
        )
    return {edge: read(edge, pacts) for edge in found}


def _flat(contracts: Mapping[Edge, list[Interaction]]) -> list[tuple[Edge, Interaction]]:
    return [(edge, interaction) for edge, interactions in contracts.items() for interaction in interactions]


def _check_handlers(provider: str, what: str, handlers: Mapping[str, Any], needed: Mapping[str, Edge]) -> None:
    __tracebackhide__ = True
    problems = [
        f'The {what} "{name}" has no handler at {provider}, but "{needed[name]}" needs it. Write one.'
        for name in sorted(needed.keys() - handlers.keys())
    ]
    problems += [
        f'The handler of the {what} "{name}" at {provider} is dead: no pact needs it. Remove it, or correct its name.'
        for name in sorted(handlers.keys() - needed.keys())
    ]
    if problems:
        raise ContractBroken("\n".join(problems))


async def _run(
    verifier: Verifier, contracts: Mapping[Edge, list[Interaction]], pacts: Path, failures: Mapping[str, str]
) -> int:
    __tracebackhide__ = True
    for edge in contracts:
        verifier.add_source(pacts / edge.file_name)
    verifier.set_coloured_output(enabled=False)
    try:
        await asyncio.to_thread(verifier.verify)
    except RuntimeError:
        passed = False  # its text says nothing; the results do
    else:
        passed = True
    results = verifier.results["interactionResults"]
    problems = list(failures.values())
    # What follows from a state that is not there is no news.
    broken = (result for result in results if result["result"] != "OK")
    problems += [_sentence(result) for result in broken if failures.keys().isdisjoint(result.get("providerStates", []))]
    expected = sum(len(interactions) for interactions in contracts.values())
    if len(results) != expected:
        problems.append(f"The pacts have {expected} interactions, but {len(results)} were verified.")
    if not passed and not problems:
        problems.append(f"The verifier failed and did not say why:\n{verifier.output(strip_ansi=True)}")
    if problems:
        raise ContractBroken("\n".join(problems))
    return expected


def _sentence(result: dict[str, Any]) -> str:
    """Who promised what to whom, and where it is not so."""
    mismatch = result.get("mismatch", {})
    found = mismatch.get("mismatches") or [mismatch]
    lines = "\n".join(f"    {_where(each)}{each.get('mismatch') or json.dumps(each)}" for each in found)
    given = "".join(f', given "{state}"' for state in result.get("providerStates", []))
    return f'{result["provider"]} breaks what {result["consumer"]} relies on, in "{result["description"]}"{given}:\n{lines}'


def _where(mismatch: dict[str, Any]) -> str:
    return f"{mismatch['path']}: " if mismatch.get("path") else ""
