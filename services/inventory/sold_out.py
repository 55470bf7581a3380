"""What is sold out, remembered for a moment: in a crowd most wishes are refused, and need no transaction for it."""

import time
from collections import OrderedDict
from uuid import UUID

from services.inventory.domain import NoneLeft, Wish

# A place that comes back through another process is seen after so long; one that comes back through this process at once.
MEMORY_SECONDS = 0.25
MOST_CLASSES = 10_000


class SoldOutClasses:
    """Classes of which nothing was left a moment ago."""

    def __init__(self) -> None:
        self._known: OrderedDict[tuple[UUID, UUID], tuple[float, NoneLeft]] = OrderedDict()
        self.changes = 0

    def refusal(self, event_id: UUID, wish: Wish) -> NoneLeft | None:
        """Why this wish cannot be granted, if that is known."""
        for class_id, _ in wish.places:
            until, refusal = self._known.get((event_id, class_id), (0.0, None))
            if refusal is not None and time.monotonic() < until:
                return NoneLeft(refusal.class_id, refusal.held)
        return None

    def remember(self, event_id: UUID, refusal: NoneLeft, changes: int) -> None:
        """Nothing was left when there had been so many `changes`: if there are more by now, it may be wrong."""
        if changes != self.changes:
            return
        self._known[event_id, refusal.class_id] = time.monotonic() + MEMORY_SECONDS, refusal
        self._known.move_to_end((event_id, refusal.class_id))
        if len(self._known) > MOST_CLASSES:
            self._known.popitem(last=False)

    def forget(self, event_id: UUID, class_ids: set[UUID]) -> None:
        """Places of these classes came back."""
        self.changes += 1
        for class_id in class_ids:
            self._known.pop((event_id, class_id), None)
