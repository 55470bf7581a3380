"""Facts that inventory publishes."""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from chassis.facts import Fact


class HoldExpired(Fact):
    """Nobody paid in time: the places are free again."""

    subject: ClassVar[str] = "events.inventory.hold_expired.v1"
    aggregate: ClassVar[str] = "hold_id"

    hold_id: UUID
    event_id: UUID
    order_id: UUID
    expired_at: datetime
