"""The provider's side: its real application, its real facts and its real bus messages, against every pact that names it.

Pact's own verifier passes when it finds nothing to verify, ignores states without a handler, hangs for minutes when a handler
raises, and does not say what failed. Here all of that is red, at once, with a sentence (contracts/verification.py).
"""

import asyncio
import contextlib
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID, uuid4

import httpx
from pact import Verifier
from sqlalchemy import text

from chassis.clock import utc_now
from chassis.db import Database, Transaction
from chassis.facts import Fact, encode_cloud_event
from chassis.http import GUEST_HEADER, PERSON_HEADER
from chassis.idempotency import KEY_HEADER
from chassis.outbox import row_of
from chassis.settings import ServiceSettings
from chassis.testing import Harness, Overheard
from contracts import moments, over_bus
from contracts.broker import verified_as
from contracts.consumer import TRACEPARENT, with_tracing
from contracts.facts import aggregate_of
from contracts.known import unlike_known
from contracts.mutation.generated import dropped, recording
from contracts.pactfile import PACTS, ContractBroken, Edge, Interaction, Kind, render, states_of
from contracts.verification import STATE_SECONDS, Plan, StateHandler, StatesInLoop, plan_of, run, verdicts_of

HOST = "127.0.0.1"
REQUEST_MILLISECONDS = 20_000
JSON = "application/json"

Settings = TypeVar("Settings", bound=ServiceSettings)


async def verify_answers(
    provider: str, url: str, *, callers: Iterable[str], states: Mapping[str, StateHandler], pacts: Path = PACTS
) -> int:
    """Asks a running provider everything that its consumers will ask. How many interactions held.

    `callers` are the consumers that are meant to have a pact, partners outside too; `states` makes true what an interaction
    takes for granted. Raises ContractBroken with everything that does not hold.
    """
    __tracebackhide__ = True
    plan = plan_of("asks", provider, callers, pacts)
    plan.needs_handlers("state", states, states_of)
    verifier = (
        Verifier(verified_as(provider, "asks"), host=HOST)
        .add_transport(url=url)
        .set_request_timeout(REQUEST_MILLISECONDS)
    )
    if dropped.is_wanted():
        return await asyncio.to_thread(dropped.note_minded, verifier, plan)
    setting_up = StatesInLoop(states, asyncio.get_running_loop(), recording.at(url))
    verifier.state_handler(setting_up.set_up)
    held = await run(verifier, plan, setting_up.failures, lambda: _moments_of_answers(plan, url))
    recording.keep_answers(provider, url)
    return held


@dataclass(frozen=True)
class Published:
    """Something that a provider published or said, as it left, and what the test that made it happen knows of it, by the fields' names."""

    body: bytes
    known: Mapping[str, Any] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    at: datetime = field(default_factory=utc_now)


async def verify_facts(
    provider: str, *, hearers: Iterable[str], facts: Mapping[str, Published | bytes], pacts: Path = PACTS
) -> int:
    """Compares the facts that a provider publishes with what their consumers need. How many interactions held.

    `facts` are the real ones by description, as they leave: from `published_by` or `encoded`, never written by hand.
    Raises ContractBroken with everything that does not hold.
    """
    __tracebackhide__ = True
    published = {name: each if isinstance(each, Published) else Published(each) for name, each in facts.items()}
    return await _verify_published("hears", "fact", provider, hearers, published, pacts)


async def verify_messages(
    provider: str, *, watchers: Iterable[str], messages: Mapping[str, Published | Overheard], pacts: Path = PACTS
) -> int:
    """Compares what a provider says on the bus with what its consumers need. How many interactions held.

    `messages` are real ones by description, as `Harness.overhear` caught them. Raises ContractBroken.
    """
    __tracebackhide__ = True
    published = {
        name: each if isinstance(each, Published) else Published(each.body, headers=each.headers)
        for name, each in messages.items()
    }
    return await _verify_published("watches", "message", provider, watchers, published, pacts)


async def _verify_published(
    kind: Kind, what: str, provider: str, consumers: Iterable[str], published: Mapping[str, Published], pacts: Path
) -> int:
    __tracebackhide__ = True
    plan = plan_of(kind, provider, consumers, pacts)
    plan.needs_handlers(what, published, lambda interaction: [interaction["description"]])

    def beside() -> list[str]:
        return [
            _sentence(provider, edge, interaction, sentence)
            for edge, interaction in plan.interactions()
            for sentence in unlike_published(interaction, published[interaction["description"]])
        ]

    held = await run(_verifier_of(verified_as(provider, kind), published), plan, {}, beside)
    recording.keep_published(kind, provider, {name: asdict(each) for name, each in published.items()})
    return held


def unlike_published(interaction: Interaction, published: Published) -> list[str]:
    """What of a fact or a message is wrong that Pact cannot see: moments, and values that its maker knows."""
    subject = interaction["description"].split()[0]
    is_fact = subject.startswith("events.")
    aggregate = aggregate_of(subject) if is_fact else None
    return [
        *moments.unlike(interaction, published.body, published.at),
        *unlike_known(published.body, published.known, aggregate),
    ]


def minded_of_published(
    edge: Edge, interactions: Sequence[Interaction], published: Mapping[str, Published]
) -> set[str]:
    """The descriptions of interactions that do not hold with what is published by those descriptions."""
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / edge.file_name
        source.write_text(render(edge, list(interactions)), encoding="utf-8")
        verifier = _verifier_of(edge.provider, published).add_source(source)
        minded = {key[0] for _, key in verdicts_of(verifier, {edge: list(interactions)})}
    for each in interactions:
        try:
            is_unlike = bool(unlike_published(each, published[each["description"]]))
        except (ValueError, TypeError, KeyError, AttributeError):
            is_unlike = False  # its form is wrong, and Pact minds
        minded |= {each["description"]} if is_unlike else set()
    return minded


def _moments_of_answers(plan: Plan, url: str) -> list[str]:
    answers = recording.answers_at(url)
    found = []
    for edge, interaction in plan.interactions():
        answer = answers.get(recording.sight_of(edge, interaction))
        if answer is not None and moments.asks_for_moments(interaction):
            apart = moments.unlike(interaction["response"], answer.body, answer.at)
            found += [_sentence(plan.provider, edge, interaction, sentence) for sentence in apart]
    return found


def _sentence(provider: str, edge: Edge, interaction: Interaction, sentence: str) -> str:
    return f'{provider} breaks what {edge.consumer} relies on, in "{interaction["description"]}":\n    {sentence}'


def _verifier_of(provider: str, said: Mapping[str, Published]) -> Verifier:
    messages: dict[str, dict[str, Any]] = {
        name: {"contents": each.body, "metadata": {"contentType": JSON, **each.headers}, "content_type": JSON}
        for name, each in said.items()
    }
    return Verifier(provider, host=HOST).message_handler(messages)  # type: ignore[arg-type]  # a dict is no TypedDict


def encoded(fact: Fact) -> bytes:
    """A fact as it goes out, within a trace: the row of the outbox, and the relay's encoding of it."""
    with_tracing()
    return encode_cloud_event(**row_of(fact, traceparent=TRACEPARENT), created_at=utc_now(), version=1)


async def published_by(database: Database) -> dict[str, bytes]:
    """What a use case left in the outbox, as the relay sends it; of several facts of a subject the last one."""
    query = text(
        "SELECT event_id, subject, aggregate_id, data, traceparent, created_at, seq AS version FROM outbox ORDER BY seq"
    )
    async with database.reader() as reads:
        rows = (await reads.execute(query, name="contracts.outbox")).mappings().all()
    return {row["subject"]: encode_cloud_event(**row) for row in rows}


async def refuse_published_after_rollback(
    provider: str, database: Database, work: Callable[[Transaction], Awaitable[object]]
) -> None:
    """Lets a use case happen in a transaction that is rolled back: then nothing may have been published.

    Raises ContractBroken if something was: it was published in another transaction than the one in which it happened.
    """
    async with database.reader() as reads:
        before = (await reads.execute(_NEWEST, name="contracts.newest")).scalar_one()
    with contextlib.suppress(_Undone):
        async with database.writer() as tx:
            await work(tx)
            raise _Undone
    async with database.reader() as reads:
        found = await reads.execute(_PUBLISHED_SINCE, {"seq": before}, name="contracts.published_since")
    if published := ", ".join(sorted(set(found.scalars()))):
        raise ContractBroken(
            f"{provider} publishes {published} of what was rolled back: publish it in the transaction in which it happens."
        )


class _Undone(Exception):
    """Ends a transaction without an effect."""


_NEWEST = text("SELECT coalesce(max(seq), 0) FROM outbox")
_PUBLISHED_SINCE = text("SELECT subject FROM outbox WHERE seq > :seq")


class RealTokens:
    """ASGI: gives a request of a contract the tokens that its placeholders stand for.

    `Authorization: Bearer orders` becomes a token of orders for this provider, `Onsale-Person: <id>` a token of that person,
    `Onsale-Guest: <id>` a token of a guest.
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
        elif name == b"onsale-guest":
            value = self._harness.person_token(UUID(value), guest=True)
        return value.encode()


@dataclass(frozen=True)
class Provided:
    """A provider's real application on a real socket, and a way for state handlers to use it."""

    url: str
    http: httpx.AsyncClient

    async def do(
        self,
        method: str,
        path: str,
        *,
        caller: str,
        person: UUID | str | None = None,
        guest: UUID | str | None = None,
        key: str | None = None,
        body: Any = None,
    ) -> httpx.Response:
        """A request as a service makes it, on behalf of a person or not; with a new key, unless one is given.

        Raises ContractBroken if it is refused.
        """
        headers = {"Authorization": f"Bearer {caller}", KEY_HEADER: key or str(uuid4())}
        headers |= {name: str(who) for name, who in ((PERSON_HEADER, person), (GUEST_HEADER, guest)) if who}
        response = await self.http.request(method, path, json=body, headers=headers)
        if response.is_error:
            raise ContractBroken(f"{method} {path} was refused while a state was made: {response.text}")
        return response


@asynccontextmanager
async def provided(
    create_app: Callable[[Settings], Any], settings: Settings, harness: Harness
) -> AsyncIterator[Provided]:
    """Serves an application with its lifespan. Requests carry real tokens in place of the contracts' placeholders."""
    app = recording.Recorder(RealTokens(create_app(settings), harness, settings.service_name))
    serving = (
        over_bus.served_over_bus(harness, app, settings.service_name) if over_bus.is_wanted() else harness.serving(app)
    )
    async with serving as url, httpx.AsyncClient(base_url=url, timeout=STATE_SECONDS) as http:
        recording.serve(url, app)
        yield Provided(url, http)
