"""Facts that waitingroom publishes, and what it says on the bus."""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from chassis.facts import BusMessage, Fact


class SaleScheduled(Fact):
    """An event has a waiting room, or it has changed. While `needs_pass`, places are held only with a pass of the waiting room."""

    subject: ClassVar[str] = "events.waitingroom.sale_scheduled.v1"
    aggregate: ClassVar[str] = "event_id"

    event_id: UUID
    doors_open_at: datetime
    starts_at: datetime
    needs_pass: bool


class QueueMoved(BusMessage):
    """People were let in: up to number `serving`."""

    subject: ClassVar[str] = "bus.waitingroom.queue_moved"
    aggregate: ClassVar[str] = "event_id"

    event_id: UUID
    serving: int
