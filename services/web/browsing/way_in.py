"""What the page of an event shows in place of its form while buying goes by way of a waiting room."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.web.browsing.words import Unsold
from services.web.clients.waitingroom import Sale
from services.web.frame import formats
from services.web.frame.cookies import Admission
from services.web.frame.notices import Notice


@dataclass(frozen=True)
class WayIn:
    """The way into the waiting room: what it is, and when."""

    title: str
    sentences: tuple[str, ...]
    href: str
    words: str


def queue_path(event_id: UUID) -> str:
    """The page of an event's waiting room."""
    return f"/events/{event_id}/queue"


def needs_pass(sale: Sale | None) -> bool:
    """Whether places are held only for who has been let in."""
    return sale is not None and sale.state != "ended"


def way_in(
    sale: Sale | None, admission: Admission | None, unsold: Unsold | None, time_zone: str, now: datetime
) -> WayIn | None:
    """The way into the waiting room; None if the form is shown, or there is nothing to buy.

    What is kept of a sale may be from before its doors opened, so that its times decide.
    """
    if sale is None or not needs_pass(sale) or admission is not None or not (unsold is None or unsold.is_ahead):
        return None
    words = "See the waiting room" if now < sale.doors_open_at else "Go to the waiting room"
    title, sentences = _when(sale, time_zone, now)
    return WayIn(title, sentences, queue_path(sale.event_id), words)


def _when(sale: Sale, time_zone: str, now: datetime) -> tuple[str, tuple[str, ...]]:
    """What is said of the waiting room: before its doors open, before the sale starts, and after."""
    if now >= sale.starts_at:
        begun = "The sale has begun. Who comes now gets the next number, first come, first served."
        return "Tickets are sold by way of a waiting room.", (begun,)
    starts, doors = (formats.Moment(each, time_zone) for each in (sale.starts_at, sale.doors_open_at))
    start = f"The sale starts on {starts.full} {starts.zone_name}. Then lots are drawn among all who are there: "
    if now >= sale.doors_open_at:
        return "The waiting room is open.", (f"{start}everybody who comes before has the same chance.",)
    return "Tickets are sold by way of a waiting room.", (
        f"Its doors open on {doors.full} {doors.zone_name}.",
        f"{start}coming earlier than others brings nothing.",
    )


def admitted_notice(admission: Admission, time_zone: str) -> Notice:
    """Until when somebody with a pass may choose."""
    until = formats.Moment(admission.until, time_zone)
    return Notice(
        "info",
        f"It is your turn until {until.time} {until.zone_name}.",
        "Choose your places and hold them before then. With them held you have more time to pay.",
    )
