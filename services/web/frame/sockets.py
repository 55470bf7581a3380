"""Live sockets. They are a bonus of pages that work by asking: each is expected to die, and says why where it can.

Bounded as all streams are. Both sides notice when the other is silent: the browser by heartbeats that do not come, the server by
pings of the protocol (chassis/sockets.py) that nobody answers.
"""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, suppress
from urllib.parse import urlsplit

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.websockets import WebSocket, WebSocketDisconnect

from chassis.http import ProviderProblem, ProviderUnavailable
from chassis.problems import note_refusal, problem_of, problem_response
from services.web.frame.cookies import Cookies
from services.web.frame.domain import ForeignPage, SocketNeeded, WebError
from services.web.frame.streams import End, Listener, Streams
from services.web.watches import ENDED_SOCKETS
from tracing.metrics import Metrics

# Who takes nothing for so long is slow: some ten kilobytes are on the way by then.
SEND_SECONDS = 10.0
CLOSE_SECONDS = 1.0
# The code with which a socket is closed, and what it says: a browser comes back sooner or later by it.
CLOSED = {
    End.AGE: (1000, "Open for long enough. Come again."),
    End.RESTART: (1012, "This server restarts. Come again in a moment."),
    End.SLOW: (1013, "Your connection does not keep up. Ask from time to time instead."),
}
Joined = Callable[[Listener], AbstractAsyncContextManager[None]]


class Sockets:
    """Carries what rooms say to browsers."""

    def __init__(self, streams: Streams, cookies: Cookies, metrics: Metrics, public_url: str) -> None:
        self._streams = streams
        self._cookies = cookies
        self._metrics = metrics
        self._public_host = urlsplit(public_url).netloc
        self._hello = orjson.dumps({"kind": "hello", "heartbeat_ms": int(streams.heartbeat_seconds * 1000)})
        self._heartbeat = orjson.dumps({"kind": "still-here"})

    async def serve(self, socket: WebSocket, joined: Joined) -> None:
        """One browser's socket, until either side ends it. `joined` lets a listener hear something, or raises why it cannot."""
        try:
            if not self._is_of_our_page(socket):
                raise ForeignPage
            with self._streams.listener(self._cookies.caller(socket), self._heartbeat) as listener:
                async with joined(listener):
                    if await _accept(socket):
                        await self._carry(socket, listener)
        except (WebError, ProviderUnavailable, ProviderProblem) as error:
            await _refuse(socket, error)

    def _is_of_our_page(self, socket: WebSocket) -> bool:
        """Whether a page of this site opens it, as its browser says. Programs say nothing, and have no visitor's cookies."""
        origin = socket.headers.get("origin")
        try:
            return origin is None or urlsplit(origin).netloc in (self._public_host, socket.headers.get("host"))
        except ValueError:
            # It is no address at all.
            return False

    async def _carry(self, socket: WebSocket, listener: Listener) -> None:
        hearing = asyncio.create_task(_until_it_leaves(socket))
        hearing.add_done_callback(lambda _task: listener.drop(End.GONE))
        try:
            await _send(socket, self._hello)
            async for sent in listener.messages():
                await _send(socket, sent)
        except TimeoutError:
            listener.drop(End.SLOW)
        except WebSocketDisconnect:
            listener.drop(End.GONE)
        finally:
            hearing.cancel()
        end = listener.end or End.GONE
        self._metrics.count(ENDED_SOCKETS, {"onsale.end": end})
        if end in CLOSED:
            with suppress(TimeoutError, WebSocketDisconnect, RuntimeError):
                async with asyncio.timeout(CLOSE_SECONDS):
                    await socket.close(*CLOSED[end])


async def _accept(socket: WebSocket) -> bool:
    """Opens the socket; False if its browser has left meanwhile."""
    try:
        await socket.accept()
    except OSError:
        return False
    return True


async def _send(socket: WebSocket, sent: bytes) -> None:
    """Raises TimeoutError for who takes nothing, WebSocketDisconnect for who has left."""
    async with asyncio.timeout(SEND_SECONDS):
        await socket.send_text(sent.decode())


async def _until_it_leaves(socket: WebSocket) -> None:
    """Browsers have nothing to say here: whatever comes is passed over."""
    while (await socket.receive())["type"] != "websocket.disconnect":
        pass


async def no_socket(request: Request) -> Response:
    """Answers who asks for a socket without saying so: most often a proxy has taken it out, and this says it."""
    problem = problem_of(SocketNeeded())
    note_refusal(problem)
    response = problem_response(request, problem)
    response.headers["Upgrade"] = "websocket"
    return response


async def _refuse(socket: WebSocket, error: Exception) -> None:
    problem = problem_of(error)
    note_refusal(problem)
    # Who has left meanwhile need not be told.
    with suppress(OSError):
        await socket.send_denial_response(problem_response(None, problem))
