"""The connection to NATS that the bus and the firehose share. It is tried for ever; readiness tells."""

import asyncio
from collections.abc import Awaitable, Callable

import nats
from nats.aio.client import Client

from chassis.logs import log

RETRY_SECONDS = 1.0
RECONNECT_SECONDS = 0.5

_LOG = log(__name__)


class Broker:
    """One NATS connection of one service."""

    def __init__(self, url: str, service_name: str) -> None:
        self._url = url
        self._name = service_name
        self._client: Client | None = None
        self._connected = asyncio.Event()
        self._on_connected: list[Callable[[Client], Awaitable[None]]] = []

    @property
    def is_connected(self) -> bool:
        """Whether messages flow at this moment."""
        return self._client is not None and bool(self._client.is_connected)

    def on_connected(self, callback: Callable[[Client], Awaitable[None]]) -> None:
        """Calls back once, when the first connection is made (subscriptions survive reconnections by themselves).

        Raises RuntimeError once it was made: what a service hears is settled when it is built.
        """
        if self._client is not None:
            raise RuntimeError("Subscribe before the service is started.")
        self._on_connected.append(callback)

    async def client(self) -> Client:
        """The connected client; waits for it."""
        await self._connected.wait()
        if self._client is None:
            raise ConnectionError("The connection to NATS was closed.")
        return self._client

    def client_now(self) -> Client | None:
        """The client if it is connected right now, for messages that may be lost."""
        return self._client if self.is_connected else None

    async def run(self) -> None:
        """Connects, as often as it takes, and then calls whoever waits for it."""
        while True:
            try:
                client = await nats.connect(
                    self._url,
                    name=f"onsale-{self._name}",
                    # Each login may listen to its own inboxes only.
                    inbox_prefix=f"_INBOX_{self._name}",
                    max_reconnect_attempts=-1,
                    reconnect_time_wait=RECONNECT_SECONDS,
                    connect_timeout=2,
                    # A forbidden subject is a time-out for the caller; the reason comes only here.
                    error_cb=self._report,
                )
                break
            except (OSError, nats.errors.Error, TimeoutError) as error:
                _LOG.warning("NATS is not reachable yet, trying again", error=f"{type(error).__name__}: {error}")
                await asyncio.sleep(RETRY_SECONDS)
        self._client = client
        for callback in self._on_connected:
            await callback(client)
        self._connected.set()

    async def close(self) -> None:
        """Sends what is buffered and closes."""
        if self._client is not None:
            try:
                await asyncio.wait_for(self._client.drain(), 2.0)
            except (nats.errors.Error, TimeoutError, OSError):
                await self._client.close()
            self._client = None

    async def _report(self, error: Exception) -> None:
        if not isinstance(error, nats.errors.StaleConnectionError):
            _LOG.warning("NATS reports", error=f"{type(error).__name__}: {error}")
