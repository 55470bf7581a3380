"""What a buyer wishes of an event, and an event that is not there."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from uuid import UUID

from services.web.frame.domain import WebError


class EventUnknown(WebError):
    """An event that does not exist, or is gone."""

    code = "event_unknown"
    category = "not_found"

    def __init__(self) -> None:
        super().__init__("We do not know this event. It may be over. All coming events are on the list.")


@dataclass(frozen=True)
class Wish:
    """The places that a buyer has chosen so far: how many of which class, and which seats."""

    quantities: Mapping[UUID, int] = field(default_factory=dict)
    seats: Collection[str] = ()

    @property
    def places(self) -> int:
        """How many these are."""
        return sum(self.quantities.values()) + len(self.seats)

    @property
    def is_empty(self) -> bool:
        return not self.seats and not any(self.quantities.values())
