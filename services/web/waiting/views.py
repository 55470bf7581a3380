"""What the page of a waiting room shows, ready to be written down."""

import secrets
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.web.clients.catalog import Event
from services.web.clients.waitingroom import Sale, Standing
from services.web.frame import formats
from services.web.waiting.now_serving import places_of, slower
from services.web.waiting.words import Phase, phase_of

# Without JavaScript a page is loaded again by itself; not all of them at the same moment.
RELOAD_SECONDS, RELOAD_SPREAD_SECONDS = 15, 6


@dataclass(frozen=True)
class QueueView:
    """A waiting room as one visitor sees it."""

    event_id: UUID
    event_title: str
    phase: Phase
    number: str
    number_plain: int | None
    serving: str
    serving_plain: int
    ahead: str
    wait: str
    state: str
    places: str
    # Until the visitor's turn is over.
    seconds_left: int | None
    reload_seconds: int
    # Whether the browser computes a proof of work before its person joins.
    asks_proof: bool

    @property
    def path(self) -> str:
        return f"/events/{self.event_id}/queue"


def queue_view(event: Event, sale: Sale, standing: Standing | None, seen: float | None, now: datetime) -> QueueView:
    """The waiting room of an event for one visitor; `standing` is None for who has not joined.

    `seen`: how many people a minute were let in, as far as it was seen.
    """
    number = standing.number if standing else None
    phase = phase_of(sale, standing, event.time_zone, now)
    return QueueView(
        event_id=event.event_id,
        event_title=event.title,
        phase=phase,
        number=f"{number:,}" if number else "",
        number_plain=number,
        serving=f"{sale.serving:,}",
        serving_plain=sale.serving,
        ahead=f"{max(0, number - sale.serving - 1):,}" if number else "",
        wait=formats.wait(_expected_seconds(sale, standing, seen)),
        state=sale.state,
        places=places_of(sale),
        seconds_left=_seconds_left(standing, now),
        reload_seconds=RELOAD_SECONDS + secrets.randbelow(RELOAD_SPREAD_SECONDS),
        asks_proof=sale.challenge and phase.action == "join",
    )


def _expected_seconds(sale: Sale, standing: Standing | None, seen: float | None) -> float | None:
    """Until it is somebody's turn; None if nobody can say."""
    if standing is None or standing.expected_seconds is None:
        return None
    rate = slower(sale.rate_now, seen)
    return standing.expected_seconds * sale.rate_now / rate if rate > 0 else None


def _seconds_left(standing: Standing | None, now: datetime) -> int | None:
    if standing is None or standing.until is None or standing.until <= now:
        return None
    return int((standing.until - now).total_seconds()) + 1
