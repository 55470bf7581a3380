"""What the real providers answered and published while their contracts were verified: the sound state, into which breaks are planted.

`CONTRACTS_RECORDED` names a folder in which it is kept for that.
"""

import base64
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from pydantic_core import to_jsonable_python

from chassis.clock import utc_now
from contracts.pactfile import Edge, Interaction

RECORDED = "CONTRACTS_RECORDED"

# An interaction as its provider sees it: the caller, the states, the method, the path with its query, and the body.
Sight = tuple[str, str, str, str, str]


@dataclass(frozen=True)
class Answered:
    """What a provider answered to one interaction, and when."""

    status: int
    headers: dict[str, str]
    body: bytes
    at: datetime

    def as_json(self) -> dict[str, Any]:
        """For a file."""
        body = base64.b64encode(self.body).decode()
        return {"status": self.status, "headers": self.headers, "body": body, "at": self.at.isoformat()}

    @classmethod
    def of_json(cls, written: dict[str, Any]) -> "Answered":
        """From a file."""
        at = datetime.fromisoformat(written["at"])
        return cls(written["status"], written["headers"], base64.b64decode(written["body"]), at)


def sight_of(edge: Edge, interaction: Interaction) -> Sight:
    """How the provider sees an interaction's request."""
    request = interaction["request"]
    states = interaction.get("providerStates", [])
    state = states[0] if states else {}
    query = [(name, value) for name, values in request.get("query", {}).items() for value in values]
    content = request.get("body", {}).get("content")
    return (
        edge.consumer,
        _text([state.get("name", ""), state.get("params", {})]),
        f"{request['method']} {request['path']}",
        _text(sorted(query)),
        "" if content is None else _text(content),
    )


def sight_of_request(
    caller: str, state: tuple[str, Mapping[str, Any]], method: str, path: str, query: str, body: bytes
) -> Sight:
    """The same of a request that has come; `state` is what was set up for it."""
    content = _text(json.loads(body)) if body else ""
    return caller, _text([state[0], state[1]]), f"{method} {path}", _text(sorted(parse_qsl(query, True))), content


@dataclass
class Recorder:
    """ASGI: keeps what an application answers to the requests of contracts. `state` is what was set up last."""

    app: Any
    state: tuple[str, Mapping[str, Any]] = ("", {})
    answers: dict[Sight, Answered] = field(default_factory=dict)

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        headers = {name.decode(): value.decode() for name, value in scope.get("headers", [])}
        caller = headers.get("authorization", "").removeprefix("Bearer ")
        if scope["type"] != "http" or "traceparent" not in headers:
            # Requests of contracts continue a trace; those with which states are made do not.
            await self.app(scope, receive, send)
            return
        sent, began, ended = bytearray(), {}, bytearray()

        async def receive_and_keep() -> Any:
            message = await receive()
            sent.extend(message.get("body", b""))
            return message

        async def keep_and_send(message: Any) -> None:
            if message["type"] == "http.response.start":
                began.update(message)
            ended.extend(message.get("body", b""))
            await send(message)

        await self.app(scope, receive_and_keep, keep_and_send)
        query = scope["query_string"].decode()
        sight = sight_of_request(caller, self.state, scope["method"], scope["path"], query, bytes(sent))
        headers = {name.decode().lower(): value.decode() for name, value in began["headers"]}
        self.answers[sight] = Answered(began["status"], headers, bytes(ended), utc_now())


# The recorders of what is served in this process, by its address.
_AT: dict[str, Recorder] = {}


def serve(url: str, recorder: Recorder) -> None:
    """Notes where a recorded application is served."""
    _AT[url] = recorder


def at(url: str) -> Callable[[str, Mapping[str, Any]], None]:
    """What is to be noted of each state that is set up at an address."""

    def on_state(state: str, parameters: Mapping[str, Any]) -> None:
        if url in _AT:
            _AT[url].state = (state, parameters)

    return on_state


def answers_at(url: str) -> dict[Sight, Answered]:
    """What was answered at an address until now; nothing where nobody records."""
    return _AT[url].answers if url in _AT else {}


def keep_answers(provider: str, url: str) -> None:
    """Writes what a provider answered, if somebody wants it."""
    if RECORDED in os.environ:
        _write("asks", provider, [[sight, answer.as_json()] for sight, answer in answers_at(url).items()])


def keep_published(kind: str, provider: str, published: Mapping[str, dict[str, Any]]) -> None:
    """Writes what a provider published or said, with what is known of it, by description, if somebody wants it."""
    if RECORDED in os.environ:
        plain = {name: to_jsonable_python(each | {"body": each["body"].decode()}) for name, each in published.items()}
        _write(kind, provider, plain)


def _write(kind: str, provider: str, recorded: Any) -> None:
    path = Path(os.environ[RECORDED]) / f"{provider}-{kind}.json"
    path.write_text(json.dumps(recorded), encoding="utf-8")


def answers_of(folder: Path, provider: str) -> dict[Sight, Answered]:
    """What a provider answered."""
    written = json.loads((folder / f"{provider}-asks.json").read_text(encoding="utf-8"))
    return {tuple(sight): Answered.of_json(answer) for sight, answer in written}


def published_of(folder: Path, kind: str, provider: str) -> dict[str, dict[str, Any]]:
    """What a provider published or said, with what is known of it, by description."""
    written = json.loads((folder / f"{provider}-{kind}.json").read_text(encoding="utf-8"))
    return {
        name: each | {"body": each["body"].encode(), "at": datetime.fromisoformat(each["at"])}
        for name, each in written.items()
    }


def _text(value: Any) -> str:
    return json.dumps(value, sort_keys=True)
