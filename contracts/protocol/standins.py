"""In place of NATS and Postgres, for code of the chassis that is otherwise real: what it sends is kept, what it asks is answered."""

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, Self

from chassis.broker import OnMessage
from tracing.metrics import Metrics


@dataclass
class Message:
    """A message of NATS, as it goes over the wire."""

    subject: str
    data: bytes
    headers: dict[str, str] | None = None
    metadata: Any = field(default_factory=lambda: SimpleNamespace(num_delivered=1, sequence=SimpleNamespace(stream=1)))

    async def ack(self) -> None:
        """Nobody waits for it."""

    async def nak(self, delay: float | None = None) -> None:
        """Nobody waits for it."""

    async def term(self) -> None:
        """Nobody waits for it."""


class Wire:
    """A chassis.broker.Broker whose connection keeps what is published, and whose subscribers are called by hand."""

    def __init__(self) -> None:
        self.sent: list[Message] = []
        self.heard_by: dict[str, OnMessage] = {}

    async def client(self) -> Self:
        """Connected at once."""
        return self

    def client_now(self) -> Self:
        """Connected at any time."""
        return self

    def jetstream(self) -> Self:
        """The same."""
        return self

    async def publish(self, subject: str, data: bytes, *, headers: dict[str, str], timeout: float = 0) -> Any:  # noqa: ASYNC109  # of nats-py
        """Keeps a message; JetStream's answer to it."""
        self.sent.append(Message(subject, data, headers))
        return SimpleNamespace(seq=len(self.sent))

    def subscribe(self, subject: str, on_message: OnMessage, on_gap: Callable[[], None] | None = None) -> None:
        """Keeps a subscriber."""
        self.heard_by[subject] = on_message


@dataclass
class Rows:
    """What a statement gave."""

    rows: list[dict[str, Any]] = field(default_factory=list)

    @property
    def rowcount(self) -> int:
        """How many."""
        return len(self.rows)

    def mappings(self) -> Self:
        """By name."""
        return self

    def all(self) -> list[dict[str, Any]]:
        """All of them."""
        return self.rows

    def one(self) -> dict[str, Any]:
        """The only one."""
        (row,) = self.rows
        return row

    def scalar_one_or_none(self) -> Any:
        """The only value."""
        return next(iter(self.rows[0].values())) if self.rows else None


class Store:
    """A chassis.db.Database: `answers` are given to statements by their names; idempotency keys are kept as their table keeps them."""

    name = "sample"

    def __init__(self, **answers: list[dict[str, Any]]) -> None:
        self.metrics = Metrics()
        self.keys: list[dict[str, Any]] = []
        # The parameters of all statements by the names of these.
        self.asked: dict[str, Any] = {}
        self._answers = answers

    @asynccontextmanager
    async def writer(self, *, single: bool = False) -> AsyncIterator[Self]:
        """A transaction; here nothing differs if it is a single statement."""
        del single
        yield self

    async def execute(self, _statement: Any, parameters: Any = None, *, name: str) -> Rows:
        """What the statement of this name gives."""
        self.asked[name] = parameters
        if name.startswith("idempotency."):
            return self._of_key(name, parameters)
        return Rows(self._answers.get(name.replace(".", "_"), []))

    def _of_key(self, name: str, given: dict[str, Any]) -> Rows:
        identity = {part: given[part] for part in ("principal", "route", "key")}
        row = next((each for each in self.keys if identity.items() <= each.items()), None)
        if name == "idempotency.take":
            if row is not None:
                return Rows([{"fence": None, "known": _as_json(row)}])
            self.keys.append(identity | {"request_hash": given["request_hash"], "status": None, "response": None})
            return Rows([{"fence": 1, "known": None}])
        if name == "idempotency.store" and row is not None:
            row |= {"status": given["status"], "response": given["response"]}
        return Rows([row] if row else [])


def _as_json(row: dict[str, Any]) -> dict[str, Any]:
    """A row as the statement gives it that finds the key taken."""
    response = row["response"]
    return row | {
        "request_hash": row["request_hash"].hex(),
        "response": json.loads(response) if isinstance(response, str) else response,
    }
