"""Calls between services of one process: the provider's application is called as its server would, without a network between.

What a call means stays as it is over HTTP. The provider gets a task and a context of its own, so that nothing of the caller's reaches
it but what the request says: headers with the tokens, the deadline, the trace. A caller who waits no longer leaves; the provider
goes on until its deadline. What crowds come for is refused unread.
"""

import asyncio
from collections.abc import Callable, Mapping
from contextvars import Context, ContextVar
from typing import Any, ClassVar
from urllib.parse import unquote

from multidict import CIMultiDict

from chassis.calls import Answered, Carry, NotSent, Sending
from chassis.crowds import Crowd, crowd_of, refusal
from chassis.logs import log
from tracing.parts import Part, current_part

UNAVAILABLE = 503
SERVER_ERROR = 500

_LOG = log(__name__)


class Housed:
    """An ASGI application that shares its process with others: what it does is told under its own name."""

    def __init__(self, app: Any) -> None:
        self.app = app
        self.state = app.state
        self.router = app.router
        self.crowds: list[Crowd] = app.state.service.crowds
        self.is_open = False
        self._part: Part | None = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await self.app(scope, receive, self._noting(send))
            return
        current_part.set(self._part)
        await self.app(scope, receive, send)

    def _noting(self, send: Any) -> Any:
        async def send_and_note(message: Any) -> None:
            if message["type"] == "lifespan.startup.complete":
                self._part, self.is_open = current_part.get(), True
            elif message["type"].startswith("lifespan.shutdown"):
                self.is_open = False
            await send(message)

        return send_and_note


class Household:
    """The services of one process, by their names. Those who are not of it are called over the network."""

    def __init__(self, names: set[str]) -> None:
        self._names = names
        self._members: dict[str, Housed] = {}

    def take_in(self, name: str, build: Callable[[], Any]) -> Housed:
        """Builds the application of a member."""
        token = household.set(self)
        try:
            self._members[name] = member = Housed(build())
        finally:
            household.reset(token)
        member.app.state.service.needs("process", self._check_members)
        return member

    async def _check_members(self) -> None:
        """Whoever is asked how it is answers for all: what reaches one of them reaches the others through it."""
        if waiting := sorted(name for name in self._names if not self._serves(name)):
            raise ConnectionError(f"{', '.join(waiting)} of the same process has not started")

    def _serves(self, name: str) -> bool:
        member = self._members.get(name)
        return member is not None and member.is_open

    def carry_to(self, provider: str) -> Carry | None:
        """What carries calls to a member; None for a service of another process."""
        if provider not in self._names:
            return None

        async def carry(sending: Sending) -> Answered:
            if not self._serves(provider):
                raise NotSent(f"{provider} does not answer calls yet, or any more.")
            return await _carried(self._members[provider], sending)

        return carry


# Whom the service that is being built shares its process with.
household: ContextVar[Household | None] = ContextVar("household", default=None)


def carry_to(provider: str) -> Carry | None:
    """What carries calls of the service that is being built to another one of its process; None if that is elsewhere."""
    members = household.get()
    return members.carry_to(provider) if members else None


async def _carried(member: Housed, sending: Sending) -> Answered:
    headers = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in sending.headers.items()]
    headers.append((b"host", sending.origin.partition("://")[2].encode()))
    if sending.body:
        headers.append((b"content-length", b"%d" % len(sending.body)))
    method, address = (
        sending.method.encode(),
        sending.path.encode() + (f"?{sending.query}".encode() if sending.query else b""),
    )
    app: Any = member
    if found := crowd_of(member.crowds, method, address):
        crowd, wanted = found
        if not crowd.has_room(wanted):
            return _refused(headers)
        app = crowd.enter(member, wanted)
    exchange = _Exchange(sending.body)
    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "method": sending.method,
        "scheme": "http",
        "root_path": "",
        "path": unquote(sending.path),
        "raw_path": sending.path.encode(),
        "query_string": sending.query.encode(),
        "headers": headers,
        "client": None,
        "server": None,
        "state": {},
    }
    exchange.begin(app, scope)
    try:
        async with asyncio.timeout(sending.seconds):
            return await exchange.answered
    finally:
        exchange.leave()


class _Exchange:
    """One request and its answer, as an ASGI application receives and sends them."""

    # A task that nobody holds may be collected while it works.
    _running: ClassVar[set[asyncio.Task[None]]] = set()

    def __init__(self, body: bytes) -> None:
        self._body: bytes | None = body
        self._gone = asyncio.Event()
        self._status = 0
        self._headers: CIMultiDict[str] = CIMultiDict()
        self._parts: list[bytes] = []
        self.answered: asyncio.Future[Answered] = asyncio.get_running_loop().create_future()

    def begin(self, app: Any, scope: Mapping[str, Any]) -> None:
        """Lets the application work in a context that has nothing of the caller's."""
        task = asyncio.get_running_loop().create_task(self._serve(app, scope), context=Context())
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    def leave(self) -> None:
        """Nobody waits for the answer any more, or it is there."""
        self._gone.set()
        self.answered.cancel()

    async def _serve(self, app: Any, scope: Mapping[str, Any]) -> None:
        try:
            await app(scope, self._receive, self._send)
        except Exception:  # noqa: BLE001  # as uvicorn does for who comes over the network
            _LOG.exception("a request failed")
        if not self.answered.done():
            self.answered.set_result(Answered(SERVER_ERROR, CIMultiDict(), b""))

    async def _receive(self) -> dict[str, Any]:
        if self._body is not None:
            body, self._body = self._body, None
            return {"type": "http.request", "body": body, "more_body": False}
        await self._gone.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Mapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            self._status = message["status"]
            for name, value in message.get("headers", ()):
                self._headers.add(name.decode("latin-1"), value.decode("latin-1"))
        elif message["type"] == "http.response.body":
            self._parts.append(message.get("body", b""))
            if not message.get("more_body", False) and not self.answered.done():
                self.answered.set_result(Answered(self._status, self._headers, b"".join(self._parts)))


def _refused(headers: list[tuple[bytes, bytes]]) -> Answered:
    """The refusal that a server writes, read."""
    head, _, body = refusal(headers).partition(b"\r\n\r\n")
    lines = (line.partition(": ") for line in head.decode("latin-1").split("\r\n"))
    return Answered(UNAVAILABLE, CIMultiDict((name, value) for name, _, value in lines), body)
