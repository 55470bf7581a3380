"""The consumer's side: its own tests, with its own real code, say what it needs, and so write the pact.

A test module declares its edge as a fixture: `inventory = asks("orders", "inventory", InventoryClient)`. Each interaction is
made alone, with a mock server or message of its own. After the last test of the module the interactions are compared with the
committed pact (or written, with `PACTS=write`); if a test failed, neither happens.
"""

import json
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Generic, TypeVar
from uuid import NAMESPACE_URL, UUID, uuid5

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pact import Pact, match
from pact.error import MismatchesError
from pact.interaction import HttpInteraction

from chassis import asking
from chassis.asking import Use
from chassis.calls import ServiceCalls
from chassis.db import Database
from chassis.facts import CloudEvent
from chassis.idempotency import KEY_HEADER
from chassis.ids import uuid7
from chassis.inbox import Inbox, Received
from chassis.tokens import ServiceTokens
from contracts import matchers, over_bus
from contracts.demanded import Demanded, refuse_unread, understood
from contracts.journal import Entry, note
from contracts.mismatches import sentences_of
from contracts.mutation.generated import requests
from contracts.pactfile import PACTS, ContractBroken, Edge, Interaction, compare, is_writing, key_of, render
from tracing.setup import TracingSettings, set_up_tracing

TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
TRACEPARENT_PATTERN = r"^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$"

Client = TypeVar("Client")


@cache
def with_tracing() -> None:
    """Makes spans in this process: the trace context is part of every contract, and without a tracer there is none to send."""
    set_up_tracing(TracingSettings("contracts", "test", "test", endpoint=None))


def an_id(words: str) -> UUID:
    """An id that is the same in every run. Each interaction has ids of its own, so that their states cannot disturb each other."""
    return uuid5(NAMESPACE_URL, f"urn:onsale:contracts:{words}")


@dataclass(frozen=True)
class State:
    """What must be true at the provider, with the ids that the consumer will use."""

    name: str
    parameters: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Ask:
    """A request. `person` is on whose behalf it is made, `guest` who that was before; values may be matchers."""

    method: str
    path: str
    body: Any = None
    query: dict[str, str] = field(default_factory=dict)
    headers: dict[str, Any] = field(default_factory=dict)
    person: UUID | None = None
    guest: UUID | None = None
    use: Use[Any] | None = None


def ask(
    use: Use[Any],
    *,
    body: Any = None,
    query: dict[str, str] | None = None,
    key: Any = None,
    person: UUID | None = None,
    guest: UUID | None = None,
    **named: object,
) -> Ask:
    """The request that running a declaration makes; `key` is the idempotency key, `named` what varies in its path.

    Raises ContractBroken if it has what the declaration does not send, or lacks what it does.
    """
    sent = {"body": body, "query": query, "key": key, "person": person, "guest": guest}
    declared = {
        "body": use.sends is not None,
        "query": use.query is not None,
        "key": use.keyed,
        "person": use.person,
        "guest": use.guest,
    }
    for name, value in sent.items():
        if (value is not None) != declared[name]:
            raise ContractBroken(
                f"{use} is declared {'with' if declared[name] else 'without'} a {name}, and the contract asks otherwise."
            )
    headers = {KEY_HEADER: key} if key is not None else {}
    return Ask(use.method, use.address(**named), body, query or {}, headers, person, guest, use)


@dataclass(frozen=True)
class Answer:
    """A response. Values in `body` may be matchers; what is plain must be exactly so. `content` instead is a file of a type.

    `headers` are those that the consumer reads, or that the chassis reads for it; their values may be matchers too.
    """

    status: int
    body: Any = None
    content_type: str = "application/json"
    content: bytes | None = None
    headers: dict[str, Any] = field(default_factory=dict)


def problem(status: int, code: str, *, headers: dict[str, Any] | None = None, **facts: Any) -> Answer:
    """A refusal (RFC 9457) with its code, a sentence, and the headers and facts that the consumer reads."""
    body = {"code": code, "status": status, "detail": matchers.text("A sentence that says what to do."), **facts}
    return Answer(status, body, "application/problem+json", headers=headers or {})


def a_state(name: str, **parameters: Any) -> State:
    """A state by name; ids among the parameters are written as text."""
    return State(name, {key: str(value) if isinstance(value, UUID) else value for key, value in parameters.items()})


class Book:
    """The interactions that the tests of one edge made."""

    def __init__(self, edge: Edge) -> None:
        self.edge = edge
        self.made: dict[tuple[str, str], Interaction] = {}
        self.demanded = Demanded(edge)

    def add(self, pact: Pact, use: Use[Any] | None = None) -> None:
        """Notes the one interaction of a pact, and of which operation it is.

        Raises ContractBroken if there is one of this description and states already, or if it demands what is not read.
        """
        with tempfile.TemporaryDirectory() as folder:
            pact.write_file(folder)
            (path,) = Path(folder).iterdir()
            (interaction,) = json.loads(path.read_text(encoding="utf-8"))["interactions"]
        key = key_of(interaction)
        if key in self.made:
            raise ContractBroken(
                f'{self.edge}: there are two interactions "{key[0]}" in the same states. '
                "The second would replace the first: describe what is different about it."
            )
        self.made[key] = interaction
        if use is not None:
            self.demanded.add(use, interaction)

    def close(self, *, complete: bool, write: bool, pacts: Path | None = None) -> None:
        """Compares with what is committed, or writes it. `complete`: all tests of the edge have run and passed."""
        pacts = pacts or PACTS
        if complete and not self.made:
            raise ContractBroken(f"The tests of {self.edge} made no interaction, so the pact would promise nothing.")
        if complete:
            self.demanded.refuse_undemanded()
        made = list(self.made.values())
        if not write:
            compare(self.edge, made, pacts, complete=complete)
            note(Entry("compared", self.edge, len(made)))
        elif complete:
            (pacts / self.edge.file_name).write_text(render(self.edge, made), encoding="utf-8")
            note(Entry("written", self.edge, len(made)))
        else:
            raise ContractBroken(f"Only some tests of {self.edge} ran, so its pact is not written. Run the whole file.")


class Asking(Generic[Client]):
    """An HTTP edge, from its consumer's side."""

    def __init__(self, book: Book, make_client: Callable[[asking.Http], Client]) -> None:
        self.book = book
        self._make_client = make_client
        with_tracing()

    @asynccontextmanager
    async def expects(self, description: str, state: State | None, ask: Ask, answer: Answer) -> AsyncIterator[Client]:
        """The consumer's client, in front of a provider that expects this request and gives this answer.

        The provider's tokens are the real client's; in the pact they are placeholders that say whose they are.
        Raises ContractBroken if another request came, or none, or if the client does not understand the answer.
        """
        edge = self.book.edge
        pact = Pact(edge.consumer, edge.provider)
        interaction = pact.upon_receiving(description)
        if state is not None:
            interaction.given(state.name, state.parameters)
        _describe(interaction, edge, ask, answer)
        tokens = ServiceTokens(edge.consumer, Ed25519PrivateKey.generate())
        about = f'{edge}, "{description}"'
        try:
            async with AsyncExitStack() as stack:
                server = stack.enter_context(pact.serve("127.0.0.1"))
                carrier = requests.Carrier(await over_bus.way_to(stack, edge, str(server.url)))
                async with ServiceCalls(edge.provider, str(server.url), tokens, carry=carrier.carry) as http:
                    with understood(about, edge.consumer):
                        client = self._make_client(http)
                        if isinstance(client, asking.Client):
                            self._refuse_undeclared(client, ask, about)
                        yield client
            await carrier.close()
        except MismatchesError as error:
            differences = "\n".join(
                f"  - {sentence}" for sentence in [*sentences_of(error.mismatches), *_why_not(error)]
            )
            raise ContractBroken(
                f"{about}: {edge.consumer} does not ask what its contract says:\n{differences}"
            ) from None
        self.book.add(pact, ask.use)
        if ask.use is not None:
            await requests.probe(pact, edge, str(ask.use), carrier.carried)

    def _refuse_undeclared(self, client: asking.Client, ask: Ask, about: str) -> None:
        self.book.demanded.uses = client.uses
        if ask.use not in client.uses:
            raise ContractBroken(
                f"{about}: {ask.method} {ask.path} is no operation that {type(client).__name__} declares. Write the request as "
                "`ask(USE, ...)`, with one of its `uses`."
            )


def _why_not(mismatches: MismatchesError) -> list[str]:
    """Why nothing was asked, if the client itself refused to ask: Pact's error takes the place of that one."""
    reason = mismatches.__context__
    if reason is None or type(reason) not in (ContractBroken, ValueError) or reason.__cause__ is not None:
        return []
    return [str(reason)]


def _describe(interaction: HttpInteraction, edge: Edge, ask: Ask, answer: Answer) -> None:
    interaction.with_request(ask.method, ask.path)
    headers = {
        "Authorization": match.regex(f"Bearer {edge.consumer}", regex=r"^Bearer \S+$"),
        # Milliseconds: of seconds there are fewer digits.
        "Onsale-Deadline-Ms": match.regex("30000", regex=r"^[1-9]\d{3,4}$"),
        "traceparent": match.regex(TRACEPARENT, regex=TRACEPARENT_PATTERN),
        **ask.headers,
    }
    if ask.person is not None:
        headers["Onsale-Person"] = match.regex(str(ask.person), regex=r"^\S+$")
    if ask.guest is not None:
        headers["Onsale-Guest"] = match.regex(str(ask.guest), regex=r"^\S+$")
    for name, value in headers.items():
        interaction.with_header(name, value)
    for name, value in ask.query.items():
        interaction.with_query_parameter(name, value)
    if ask.body is not None:
        interaction.with_body(ask.body, "application/json")
    interaction.will_respond_with(answer.status)
    for name, value in answer.headers.items():
        interaction.with_header(name, value, part="Response")
    if answer.content is not None:
        interaction.with_binary_body(answer.content, answer.content_type)
        rule = {"combine": "AND", "matchers": [{"match": "contentType", "value": answer.content_type}]}
        interaction.with_matching_rules({"body": {"$": rule}})
    elif answer.body is not None:
        interaction.with_body(answer.body, answer.content_type)


class Hearing:
    """An edge of facts, from its consumer's side."""

    def __init__(self, book: Book) -> None:
        self.book = book

    @contextmanager
    def published(self, subject: str, data: dict[str, Any], *, about: UUID, flavour: str = "") -> Iterator[CloudEvent]:
        """A fact as the consumer needs it; what comes out is its example, decoded as the firehose does it.

        `data` are the fields that it reads; `about` the aggregate's id; `flavour` tells apart facts of one subject.
        All continue a trace.
        """
        edge = self.book.edge
        pact = Pact(edge.consumer, edge.provider)
        body = {
            "specversion": "1.0",
            "id": matchers.identifier(an_id(f"{subject} {flavour}")),
            "source": f"/services/{edge.provider}",
            "type": subject,
            "subject": matchers.identifier(about),
            "time": matchers.from_now(0),
            "traceparent": matchers.text(TRACEPARENT, TRACEPARENT_PATTERN),
            "data": data,
        }
        pact.upon_receiving(f"{subject} {flavour}".strip(), "Async").with_body(body, "application/json")
        bodies: list[str | bytes | None] = []
        pact.verify(lambda content, _metadata: bodies.append(content), "Async")
        (content,) = bodies
        yield CloudEvent.model_validate_json(content or b"")
        self.book.add(pact)


class Watching:
    """An edge of bus messages, from its consumer's side."""

    def __init__(self, book: Book) -> None:
        self.book = book

    @contextmanager
    def said(self, subject: str, payload: dict[str, Any], *, flavour: str = "") -> Iterator[bytes]:
        """A message as the consumer needs it, `subject` without the id that ends it; what comes out is its example.

        `payload` are the fields that it reads; `flavour` tells apart messages of one subject. All continue a trace.
        """
        edge = self.book.edge
        pact = Pact(edge.consumer, edge.provider)
        interaction = pact.upon_receiving(f"{subject} {flavour}".strip(), "Async")
        interaction.with_body(payload, "application/json")
        interaction.with_metadata({"traceparent": match.regex(TRACEPARENT, regex=TRACEPARENT_PATTERN)})
        bodies: list[str | bytes | None] = []
        pact.verify(lambda content, _metadata: bodies.append(content), "Async")
        (content,) = bodies
        yield content.encode() if isinstance(content, str) else content or b""
        self.book.add(pact)


async def deliver(inbox: Inbox, database: Database, event: CloudEvent) -> None:
    """Hands a fact to the consumer's real inbox: its model reads it, its handler acts in a transaction of its database.

    Raises ContractBroken if the inbox does not hear it, or if the pact asks for a field that the model does not read.
    """
    subscription = inbox.subscriptions.get(event.type)
    if subscription is None:
        raise ContractBroken(f"{inbox.consumer} does not hear {event.type}: its inbox has no handler for it.")
    refuse_unread(event.data, subscription.model, event.type)
    fact = subscription.model.model_validate(event.data)
    # Examples share an id; each of them is a fact of its own.
    received = Received(
        uuid7(), event.type, event.subject, event.time, 1, event.traceparent, event.sequence, inbox.consumer
    )
    await subscription.take_effect(database, fact, received)


def asks(consumer: str, provider: str, client: Callable[[asking.Http], Client]) -> Any:
    """A fixture for the tests of an HTTP edge: `Asking[...]` with the consumer's own client class."""

    @pytest.fixture(scope="module")
    def asking(request: pytest.FixtureRequest) -> Iterator[Asking[Client]]:
        book = Book(Edge(consumer, "asks", provider))
        with _closed_after_the_last_test(request, book):
            yield Asking(book, client)

    return asking


def hears(consumer: str, provider: str) -> Any:
    """A fixture for the tests of an edge of facts: `Hearing`."""

    @pytest.fixture(scope="module")
    def hearing(request: pytest.FixtureRequest) -> Iterator[Hearing]:
        book = Book(Edge(consumer, "hears", provider))
        with _closed_after_the_last_test(request, book):
            yield Hearing(book)

    return hearing


def watches(consumer: str, provider: str) -> Any:
    """A fixture for the tests of an edge of bus messages: `Watching`."""

    @pytest.fixture(scope="module")
    def watching(request: pytest.FixtureRequest) -> Iterator[Watching]:
        book = Book(Edge(consumer, "watches", provider))
        with _closed_after_the_last_test(request, book):
            yield Watching(book)

    return watching


@contextmanager
def _closed_after_the_last_test(request: pytest.FixtureRequest, book: Book) -> Iterator[None]:
    failed_before = request.session.testsfailed
    yield
    if request.session.testsfailed > failed_before:
        return  # the failure is the message; a pact of the other tests alone would mislead
    module = request.node.obj
    functions = (item for item in request.session.items if isinstance(item, pytest.Function))
    chosen = {item.originalname for item in functions if item.module is module}
    complete = chosen >= {name for name in vars(module) if name.startswith("test_")}
    book.close(complete=complete, write=is_writing())
