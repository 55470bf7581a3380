"""The connection to NATS that the bus and the firehose share. Whatever ends it, another one is made; readiness tells meanwhile.

nats-py's own way of connecting again is not used. It ends for ever when a login is refused once (a password that is changed and put
back, a user that is removed for a moment), and it leaves a subscription that was refused once deaf. So there is one way for all kinds:
a connection that is lost, that does not answer, or that may not hear is let go, and a new one takes its place.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from time import monotonic

import nats.errors
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription

from chassis.logs import log
from tracing.instruments import NATS_CONNECTED, NATS_LOST
from tracing.metrics import Metrics

RETRY_SECONDS = 1.0
CONNECT_SECONDS = 10.0
ANSWER_SECONDS = 2
# One answer may be late because this process was busy; a server that owes more than two is not there.
HEARTBEAT_SECONDS = 2
MISSED_BEATS = 2
LOOK_SECONDS = 1.0
CLOSE_SECONDS = 1.0
DRAIN_SECONDS = 2.0
# A subscription that the server refuses is tried again after the first pause, then after twice as long, up to the last.
DEAF_SECONDS = (1.0, 8.0)
# The loop that keeps the connection turns every few seconds; one that stands for so long will not turn again.
STUCK_SECONDS = 60.0
# A process is given its password when it starts: if that is refused for so long, only another process can have another.
REFUSED_SECONDS = 600.0
HUNG = "NATS does not answer any more: its heartbeats were missed."

OnMessage = Callable[[Msg], Awaitable[None]]

_LOG = log(__name__)
_FAILURES = (OSError, nats.errors.Error, TimeoutError)


@dataclass(eq=False, slots=True)
class Ear:
    """What is subscribed to on each connection; with `queue`, each message goes to one of those who name the same."""

    subject: str
    on_message: OnMessage
    on_gap: Callable[[], None] | None = None
    queue: str = ""
    # On the connection that there is now.
    present: Subscription | None = field(default=None, repr=False)


class Broker:
    """The connections of one service to NATS, one after the other."""

    def __init__(self, url: str, service_name: str, metrics: Metrics | None = None) -> None:
        self._url = url
        self._name = service_name
        self._client: Client | None = None
        self._connected = asyncio.Event()
        self._ears: list[Ear] = []
        self._metrics = metrics or Metrics()
        self._metrics.show(NATS_CONNECTED, lambda: [(float(self.is_connected), {})])
        self._is_running = False
        self._turned_at = monotonic()
        self._problem = "It has not been connected yet."
        self._refused_since: float | None = None
        # Each process has a patience of its own, so that not all of them end at once.
        self._patience_seconds = REFUSED_SECONDS * random.uniform(1.0, 1.5)  # noqa: S311  # jitter is no secret
        self._ended = asyncio.Event()
        self._replace_at: float | None = None
        self._deaf_seconds = DEAF_SECONDS[0]

    @property
    def is_connected(self) -> bool:
        """Whether messages flow at this moment."""
        return self._client is not None and self._connected.is_set() and bool(self._client.is_connected)

    @property
    def problem(self) -> str | None:
        """What is wrong with the connection, in a sentence; None if all is well."""
        if self._problem:
            return self._problem
        return None if self.is_connected else "NATS is not connected."

    @property
    def beyond_repair(self) -> str | None:
        """Why only another process can be connected again, in a sentence; None as long as this one may be."""
        now = monotonic()
        if self._is_running and now - self._turned_at > STUCK_SECONDS:
            return f"Nobody has looked after the connection to NATS for {now - self._turned_at:.0f} s."
        if self._refused_since is not None and now - self._refused_since > self._patience_seconds:
            return f"NATS has refused this login for {now - self._refused_since:.0f} s; a new process may know another password."
        return None

    @property
    def subjects(self) -> list[str]:
        """What is subscribed to."""
        return sorted({ear.subject for ear in self._ears})

    def subscribe(self, subject: str, on_message: OnMessage, on_gap: Callable[[], None] | None = None) -> None:
        """Subscribes on each connection that is made; `on_gap` is called each time, since messages of before were missed.

        Raises RuntimeError once the service runs: what it hears is settled when it is built.
        """
        if self._is_running:
            raise RuntimeError("Subscribe before the service is started.")
        self._ears.append(Ear(subject, on_message, on_gap))

    async def join(self, ear: Ear) -> None:
        """Subscribes now and on each further connection: for what begins when the service has started. `leave` ends it."""
        self._ears.append(ear)
        if (client := self._client) is not None:
            with suppress(*_FAILURES):  # if it is just lost, the next one hears
                await _listen(client, ear)

    async def leave(self, ear: Ear) -> None:
        """Subscribes no more; returns when all that came until now was handed over."""
        self._ears.remove(ear)
        present, ear.present = ear.present, None
        if present is not None and self.is_connected:
            with suppress(*_FAILURES):
                await asyncio.wait_for(present.drain(), DRAIN_SECONDS)  # type: ignore[no-untyped-call]

    async def client(self) -> Client:
        """The connected client; waits for it. It may be lost at any time: ask for it again after an error."""
        while True:
            await self._connected.wait()
            if self._client is not None:
                return self._client
            await asyncio.sleep(RETRY_SECONDS)

    def client_now(self) -> Client | None:
        """The client if it is connected right now, for messages that may be lost."""
        return self._client if self.is_connected else None

    async def run(self) -> None:
        """Keeps a connection, for ever; cancelled at shutdown."""
        self._is_running = True
        while True:
            self._turned_at = monotonic()
            client = Client()
            try:
                await self._connect(client)
                reason = await self._watch(client)
            except _FAILURES as error:
                reason = f"{type(error).__name__}: {error}"
            self._note_loss(client, reason)
            await _let_go(client)
            await asyncio.sleep(RETRY_SECONDS)

    async def close(self) -> None:
        """Sends what is buffered and closes."""
        client, self._client = self._client, None
        self._connected.clear()
        if client is not None:
            try:
                await asyncio.wait_for(client.drain(), DRAIN_SECONDS)
            except _FAILURES:
                await _let_go(client)

    async def _connect(self, client: Client) -> None:
        self._ended.clear()
        self._replace_at = None
        async with asyncio.timeout(CONNECT_SECONDS):
            await client.connect(
                self._url,
                name=f"onsale-{self._name}",
                # Each login may listen to its own inboxes only.
                inbox_prefix=f"_INBOX_{self._name}",
                allow_reconnect=False,
                max_reconnect_attempts=1,
                reconnect_time_wait=1,
                connect_timeout=ANSWER_SECONDS,
                # The client's own heartbeat, not `rtt` or `flush`: the late answer to one that was given up ends nats-py's reading.
                ping_interval=HEARTBEAT_SECONDS,
                max_outstanding_pings=MISSED_BEATS,
                # A forbidden subject is a time-out for the caller; the reason comes only here.
                error_cb=self._report,
                closed_cb=self._note_end,
            )
            for ear in self._ears:
                await _listen(client, ear)
                if ear.on_gap is not None:
                    ear.on_gap()
        self._client = client
        if self._replace_at is None:
            self._problem = ""
        self._refused_since = None
        self._connected.set()

    async def _watch(self, client: Client) -> str:
        """Returns once the connection is of no use any more, with the reason."""
        since = monotonic()
        while client.is_connected:
            self._turned_at = now = monotonic()
            if self._replace_at is None and now - since > DEAF_SECONDS[1]:
                self._deaf_seconds = DEAF_SECONDS[0]
            if self._replace_at is not None and now > self._replace_at:
                return self._problem
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_SECONDS):
                    await self._ended.wait()
        if isinstance(client.last_error, nats.errors.StaleConnectionError):
            return HUNG
        return str(client.last_error or "The connection was closed.")

    def _note_loss(self, client: Client, reason: str) -> None:
        was_connected = self._client is client
        self._client = None
        self._connected.clear()
        is_refused = _is_refusal(reason)
        self._refused_since = (self._refused_since or monotonic()) if is_refused else None
        self._problem = f"NATS is not connected ({reason.rstrip('.')})."
        if was_connected:
            kind = "refused" if is_refused else "deaf" if self._replace_at else "hung" if reason == HUNG else "lost"
            self._metrics.count(NATS_LOST, {"error.type": kind})
            _LOG.warning("the connection to NATS is lost, another one is made", reason=reason)
        else:
            _LOG.warning("NATS cannot be used yet, trying again", reason=reason)

    async def _note_end(self) -> None:
        self._ended.set()

    async def _report(self, error: Exception) -> None:
        _LOG.warning("NATS reports", error=f"{type(error).__name__}: {error}")
        if "permissions violation for subscription" in str(error).lower() and self._replace_at is None:
            # The server has dropped the subscription; only a new connection subscribes to everything again.
            self._problem = f"NATS does not let this service hear all that it should ({error})."
            self._replace_at = monotonic() + self._deaf_seconds
            self._deaf_seconds = min(2 * self._deaf_seconds, DEAF_SECONDS[1])


def _is_refusal(reason: str) -> bool:
    """Whether it is this login that the server does not want, and not a server that is away."""
    return any(word in reason.lower() for word in ("authorization", "authentication", "expired", "revoked"))


async def _listen(client: Client, ear: Ear) -> None:
    ear.present = await client.subscribe(ear.subject, queue=ear.queue, cb=ear.on_message)


async def _let_go(client: Client) -> None:
    """Closes a connection; one whose server does not read any more would wait for ever to have its bytes taken."""
    closing = asyncio.create_task(_close(client))
    await asyncio.wait({closing}, timeout=CLOSE_SECONDS)
    transport = client._transport  # noqa: SLF001  # nats-py has no way to end a connection whose server does not read
    if (writer := getattr(transport, "_io_writer", None)) is not None:
        writer.transport.abort()
    closing.cancel()


async def _close(client: Client) -> None:
    # Errors do not matter here, since nobody uses the client any more. nats-py asserts that there was a connection.
    with suppress(*_FAILURES, AssertionError):
        await client.close()
