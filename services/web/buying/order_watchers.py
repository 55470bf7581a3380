"""Watchers of orders: an open order page hears when its order moves on or its tickets are there."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any
from uuid import UUID

from pydantic import ValidationError

from chassis.errors import StoreUnavailable
from chassis.facts import CloudEvent, Heard
from chassis.http import ProviderProblem, ProviderUnavailable
from services.web.frame.domain import OrderNotHere, SessionEnded
from services.web.frame.limits import Caller
from services.web.frame.streams import Listener, Streams, message
from tracing.spans import continued, current_traceparent, link_of

Snapshot = Callable[[], Awaitable[dict[str, Any]]]
_CHANGED = b"changed"


class OrderHeard(Heard):
    """A fact or a bus message about an order."""

    order_id: UUID


class OrderWatchers:
    """The browsers that have an order's page open, by order."""

    def __init__(self, streams: Streams) -> None:
        self._streams = streams
        self._listeners: dict[UUID, set[Listener]] = {}

    async def stream(self, order_id: UUID, snapshot: Snapshot, caller: Caller) -> AsyncIterator[bytes]:
        """One browser's stream of an order: a snapshot at once, and another whenever it differs from the last.

        What is heard only says *look again*: an order has one truth, and messages may come late or in another order.
        Every heartbeat looks as well, since the bus may lose messages, and ends the stream of who has signed out.
        Raises TooManyStreams, TooManyStreamsOfOne.
        """
        with self._streams.listener(caller) as listener:
            watching = self._listeners.setdefault(order_id, set())
            watching.add(listener)
            last: dict[str, Any] = {}
            listener.put(_CHANGED)
            # The page learns at once how long silence may last.
            listener.put(listener.heartbeat)
            opened_in = listener.caused_by = current_traceparent()
            try:
                async for sent in listener.messages():
                    cause, listener.caused_by = listener.caused_by, None
                    try:
                        now = await self._look(order_id, snapshot, cause, opened_in) or last
                    except (SessionEnded, OrderNotHere):
                        return
                    if now != last:
                        last = now
                        yield message("order", now)
                    elif sent == listener.heartbeat:
                        yield sent
            finally:
                watching.discard(listener)
                if not watching:
                    self._listeners.pop(order_id, None)

    async def _look(
        self, order_id: UUID, snapshot: Snapshot, cause: str | None, opened_in: str | None
    ) -> dict[str, Any] | None:
        """How the order is now, None if nobody can say: the next heartbeat looks again.

        It belongs to the trace of what changed the order; a heartbeat's look has no cause, and is a trace of its own.
        """
        links = [link] if cause is None and (link := link_of(opened_in, "stream opened in")) else []
        with continued("web.tell_order", cause, {"onsale.order_id": str(order_id)}, links=links):
            try:
                return await snapshot()
            except (ProviderUnavailable, ProviderProblem, StoreUnavailable):
                return None

    def changed(self, order_id: UUID) -> None:
        """The order may have moved on."""
        for listener in self._listeners.get(order_id, ()):
            listener.caused_by = current_traceparent()
            listener.put(_CHANGED)

    async def on_order_changed(self, _subject: str, payload: dict[str, Any]) -> None:
        """The bus says that an order changed."""
        self._hear(payload)

    async def on_fact(self, fact: CloudEvent) -> None:
        """The firehose says that an order was confirmed or cancelled, or that its tickets are there."""
        self._hear(fact.data)

    def _hear(self, data: dict[str, Any]) -> None:
        try:
            self.changed(OrderHeard.model_validate(data).order_id)
        except ValidationError:
            # The message is about no order.
            return
