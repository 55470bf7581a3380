"""An application behind a subject of NATS instead of a port: the serving side of chassis/over_bus.py.

All processes of a service are one queue group, so that each request reaches one of them. A process that is not ready (its database is
away) leaves it, as Kubernetes takes one out of a Service, and joins again. A process serves so many at once, as many as a service of
ours opens connections to it, and refuses the next unread; a crowd is refused as over HTTP (chassis/crowds.py).
"""

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import suppress
from itertools import count
from typing import Any
from urllib.parse import unquote

import nats.errors
import orjson
from nats.aio.msg import Msg

from chassis.ask_bus import subject_at, subject_of
from chassis.broker import Broker, Ear
from chassis.crowds import Crowd, crowd_of, refusal
from chassis.envelope import (
    CONTINUE,
    Fields,
    Request,
    pieces,
    read_request,
    written_answer,
)
from chassis.limits import MOST_BODY_BYTES
from chassis.logs import log
from chassis.problems import MEDIA_TYPE, Problem, document_of
from tracing.asgi import CARRIED_BY
from tracing.instruments import BUS_REFUSED
from tracing.metrics import Metrics

MOST_AT_ONCE = 256
# Answers go to whoever asked, and nowhere else.
INBOXES = "_INBOX"
# How long the next piece of a large body may take; whoever sends it has a deadline besides.
PIECE_SECONDS = 10.0
# How long a process that is not ready is asked at most.
LOOK_SECONDS = 5.0
UNAVAILABLE = 503
NO_REQUEST = Problem(400, "request_unreadable", "The message is no request. See chassis/envelope.py for its form.")
TOO_LARGE = Problem(413, "body_too_large", "The body is too large. Send less at once.")
FAILED = Problem(
    500, "internal_error", "Something went wrong on our side. Try again; if it stays, send us the trace id."
)

App = Callable[[Any, Any, Any], Awaitable[None]]
Publish = Callable[[str, bytes, str], Awaitable[None]]
IsReady = Callable[[], Awaitable[bool]]

_LOG = log(__name__)


class AnswerTooLarge(Exception):
    """More than the bus carries."""

    def __init__(self) -> None:
        super().__init__(
            f"An answer over the bus has at most {MOST_BODY_BYTES} bytes. Offer it in parts, or over HTTP."
        )


async def always_ready() -> bool:
    """Of an application that needs nothing."""
    return True


class BusServer:
    """Serves an application from `start` on, whenever `is_ready`. `stop` takes no more, finishes what was taken, and returns."""

    def __init__(
        self,
        broker: Broker,
        service: str,
        app: App,
        metrics: Metrics,
        crowds: Sequence[Crowd] = (),
        most_at_once: int = MOST_AT_ONCE,
        is_ready: IsReady = always_ready,
        look_seconds: float = LOOK_SECONDS,
    ) -> None:
        self._broker = broker
        self._service = service
        self._app = app
        self._crowds = crowds
        self._most_at_once = most_at_once
        self._tasks: set[asyncio.Task[None]] = set()
        self._pieces = f"{subject_of(service)}.pieces.{secrets.token_hex(8)}."
        self._numbers = count(1)
        self._reading: dict[str, asyncio.Queue[bytes]] = {}
        self._refused = 0
        metrics.show(BUS_REFUSED, lambda: [(self._refused, {})])
        self._is_ready = is_ready
        self._look_seconds = look_seconds
        self._looking: asyncio.Task[None] | None = None
        self._asked = Ear(subject_of(service), self._take, queue=service)
        self._is_asked = False
        self._beside = (Ear(subject_at(service), self._take), Ear(f"{self._pieces}*", self._take_piece))

    async def start(self) -> None:
        """Takes requests from now on, with each connection that is made."""
        for ear in self._beside:
            await self._broker.join(ear)
        await self._be_asked()
        self._looking = asyncio.create_task(self._look())

    async def stop(self, seconds: float) -> None:
        """Takes no more, and waits until all that was taken is answered, for so long at most."""
        if self._looking is not None:
            self._looking.cancel()
            await asyncio.wait({self._looking})
        await self._be_spared()
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=seconds)
            for task in late:
                task.cancel()
        for ear in self._beside:
            await self._broker.leave(ear)

    async def _look(self) -> None:
        """Whoever cannot answer leaves its share to the others, who may be able to."""
        while True:
            await asyncio.sleep(self._look_seconds)
            if await self._is_ready():
                await self._be_asked()
            else:
                await self._be_spared()

    async def _be_asked(self) -> None:
        if not self._is_asked:
            self._is_asked = True
            await self._broker.join(self._asked)

    async def _be_spared(self) -> None:
        if self._is_asked:
            self._is_asked = False
            await self._broker.leave(self._asked)

    async def _take(self, message: Msg) -> None:
        if not message.reply.startswith(INBOXES):
            return  # nobody would hear the answer, or it would be said with our rights where the caller has none
        try:
            request = read_request(message.data)
        except ValueError:
            await self._answer(message.reply, NO_REQUEST)
            return
        crowd, wanted = crowd_of(self._crowds, request.method.encode(), request.target) or (None, b"")
        if len(self._tasks) >= self._most_at_once:
            self._refused += 1
            await self._refuse(message.reply, request)
        elif crowd is not None and not crowd.has_room(wanted):
            await self._refuse(message.reply, request)
        elif request.length > MOST_BODY_BYTES:
            await self._answer(message.reply, TOO_LARGE)
        else:
            app = crowd.enter(self._app, wanted) if crowd is not None else self._app
            task = asyncio.create_task(self._serve(app, request, message.reply))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _serve(self, app: App, request: Request, reply: str) -> None:
        exchange = _Exchange(request, reply, self._publish, self._next_piece_of)
        number = str(next(self._numbers))
        exchange.number = number
        try:
            await app(_scope_of(self._service, request), exchange.receive, exchange.send)
        except Exception as error:  # noqa: BLE001  # as our server does over HTTP: the next request is another's
            _LOG.exception("a request over the bus failed", error=type(error).__name__)
        finally:
            self._reading.pop(number, None)
        if not exchange.is_answered:
            await self._answer(reply, FAILED)

    async def _next_piece_of(self, exchange: "_Exchange") -> bytes | None:
        """The next piece of a large body, which is asked for at the first time; None if it does not come."""
        queue = self._reading.get(exchange.number)
        if queue is None:
            # So many pieces can be on their way: more are not of this body.
            queue = self._reading[exchange.number] = asyncio.Queue(maxsize=1 + MOST_BODY_BYTES // 1024)
            await self._publish(exchange.reply, written_answer(CONTINUE, (), 0), self._pieces + exchange.number)
        try:
            return await asyncio.wait_for(queue.get(), PIECE_SECONDS)
        except TimeoutError:
            return None

    async def _take_piece(self, message: Msg) -> None:
        queue = self._reading.get(message.subject[len(self._pieces) :])
        if queue is not None:
            with suppress(asyncio.QueueFull):
                queue.put_nowait(message.data)

    async def _refuse(self, reply: str, request: Request) -> None:
        rest = refusal(request.fields)
        await self._publish(reply, b"%d %d\r\n" % (UNAVAILABLE, len(rest.partition(b"\r\n\r\n")[2])) + rest)

    async def _answer(self, reply: str, problem: Problem) -> None:
        body = orjson.dumps(document_of(problem, None))
        await self._publish(
            reply, written_answer(problem.status, [(b"content-type", MEDIA_TYPE.encode())], len(body)) + body
        )

    async def _publish(self, subject: str, data: bytes, reply: str = "") -> None:
        """Says something if NATS is connected; what is lost is a time-out of whoever waits for it."""
        client = self._broker.client_now()
        if client is None:
            return
        try:
            for piece in pieces(data, client.max_payload):
                await client.publish(subject, piece, reply=reply)
        except nats.errors.Error as error:
            _LOG.info("an answer over the bus was lost", error=str(error))


class _Exchange:
    """ASGI's two ends of one request."""

    __slots__ = (
        "_body",
        "_fields",
        "_is_head",
        "_length",
        "_missing",
        "_next",
        "_over",
        "_piece",
        "_publish",
        "_size",
        "_status",
        "is_answered",
        "number",
        "reply",
    )

    def __init__(
        self,
        request: Request,
        reply: str,
        publish: Callable[..., Awaitable[None]],
        next_piece_of: Callable[["_Exchange"], Awaitable[bytes | None]],
    ) -> None:
        self.reply = reply
        self.number = ""
        self.is_answered = False
        self._publish = publish
        self._next = next_piece_of
        self._piece: bytes | None = request.piece
        self._missing = request.length
        self._is_head = request.method == "HEAD"
        self._status = 500
        self._fields: Iterable[tuple[bytes, bytes]] = ()
        self._body: list[bytes] = []
        self._size = 0
        self._over = asyncio.Event()

    async def receive(self) -> dict[str, Any]:
        """The body, piece by piece; then, once there is an answer, that nobody listens any more."""
        piece, self._piece = self._piece, None
        if piece is None and self._missing > 0:
            piece = await self._next(self)
        elif piece is None:
            await self._over.wait()
        if piece is None:
            return {"type": "http.disconnect"}
        self._missing -= len(piece)
        return {"type": "http.request", "body": piece, "more_body": self._missing > 0}

    async def send(self, message: Any) -> None:
        """Some of the answer, which leaves when it is whole."""
        if message["type"] == "http.response.start":
            self._status, self._fields = message["status"], message.get("headers", ())
            return
        if message["type"] != "http.response.body" or self.is_answered:
            return
        if (chunk := message.get("body", b"")) and not self._is_head:
            self._body.append(chunk)
            self._size += len(chunk)
            if self._size > MOST_BODY_BYTES:
                raise AnswerTooLarge
        if not message.get("more_body", False):
            self.is_answered = True
            self._over.set()
            await self._publish(
                self.reply, b"".join((written_answer(self._status, self._fields, self._size), *self._body))
            )


def _scope_of(service: str, request: Request) -> dict[str, Any]:
    path, _, query = request.target.partition(b"?")
    fields: Fields = request.fields
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": request.method,
        "scheme": "http",
        "path": unquote(path.decode("ascii")),
        "raw_path": path,
        "query_string": query,
        "root_path": "",
        "headers": fields,
        "client": None,
        "server": (service, 80),
        "state": {},
        CARRIED_BY: "nats",
    }
