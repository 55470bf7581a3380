"""A sale with a waiting room, in words for whoever runs it, and what they may write into its forms."""

from dataclasses import dataclass
from datetime import UTC, datetime

from chassis.clock import zone_of
from services.web.clients.waitingroom import EARLIEST, LATEST, MOST_A_MINUTE, MOST_ACTIVE, Announcement, Sale, SaleState
from services.web.frame import formats
from services.web.frame.notices import Notice, page_too_old

STATES: dict[SaleState, tuple[str, str]] = {
    "announced": ("Announced", "open"),
    "doors_open": ("Doors are open", "open"),
    "selling": ("People are let in", "good"),
    "paused": ("Paused", "bad"),
    "ended": ("Ended", "gone"),
}
SECONDS_A_MINUTE = 60
NO_TIME_OF_A_SALE = f"Write a date and a time from {EARLIEST.year} to {LATEST.year - 1}."
# What each button of the page does, and what is said then.
STEERED = {
    "pause": "The sale is paused: nobody is let in. Who is inside may go on.",
    "go-on": "The sale goes on.",
    "end": "The sale has ended: places are sold on the event's page, to everybody.",
    "change": "From now on people are let in so.",
    "ask-proof": "From now on the browser of whoever joins computes first.",
    "ask-none": "From now on people join without computing.",
    "announce": "The sale is announced.",
}
OLD_PAGE = page_too_old("Nothing was changed. Press the button again.")
NO_WAITINGROOM = Notice(
    "error", "The waiting room does not answer.", "Perhaps it was changed all the same. Look again.", focus=True
)
HAS_BEGUN = Notice(
    "warning",
    "This sale has begun.",
    "Its times stay as they are. Change its rate, pause it or end it.",
    focus=True,
)
NO_CHALLENGE = Notice(
    "warning",
    "This shop cannot ask browsers to compute.",
    "Its settings have no key for it: WAITINGROOM_CHALLENGE_KEY. Nothing was changed.",
    focus=True,
)
NO_SALE = Notice("warning", "This event has no waiting room any more.", "Announce one below.", focus=True)
NOT_READABLE = Notice("warning", "That was not all right.", "Look at what is said below the fields.", focus=True)


@dataclass(frozen=True)
class SaleView:
    """A sale as its page shows it."""

    state: SaleState
    state_words: str
    tone: str
    doors: formats.Moment
    starts: formats.Moment
    rate: int
    rate_now: str
    most_active: int
    serving: str
    last_number: str
    waiting: str
    wait: str
    places_left: str
    places_in_carts: str
    seed_hash: str
    challenge: bool

    @property
    def may_change_times(self) -> bool:
        return self.state == "announced"

    @property
    def is_running(self) -> bool:
        return self.state != "ended"


def sale_view(sale: Sale, time_zone: str) -> SaleView:
    """A sale for whoever runs it."""
    words, tone = STATES[sale.state]
    waiting = sale.last_number - sale.serving
    return SaleView(
        state=sale.state,
        state_words=words,
        tone=tone,
        doors=formats.Moment(sale.doors_open_at, time_zone),
        starts=formats.Moment(sale.starts_at, time_zone),
        rate=sale.rate,
        rate_now=f"{sale.rate_now:,.0f}",
        most_active=sale.most_active,
        serving=f"{sale.serving:,}",
        last_number=f"{sale.last_number:,}",
        waiting=f"{waiting:,}",
        wait=formats.wait(waiting / sale.rate_now * SECONDS_A_MINUTE if sale.rate_now > 0 else None),
        places_left=_known(sale.places_left),
        places_in_carts=_known(sale.places_in_carts),
        seed_hash=sale.seed_hash,
        challenge=sale.challenge,
    )


def written_of(sale: Sale | None, time_zone: str) -> dict[str, str]:
    """What the fields of the forms have in them at first."""
    if sale is None:
        return {"doors_open_at": "", "starts_at": "", "rate": "", "most_active": ""}
    zone = zone_of(time_zone)
    return {
        "doors_open_at": f"{sale.doors_open_at.astimezone(zone):%Y-%m-%dT%H:%M:%S}",
        "starts_at": f"{sale.starts_at.astimezone(zone):%Y-%m-%dT%H:%M:%S}",
        "rate": str(sale.rate),
        "most_active": str(sale.most_active),
    }


def announcement_of(written: dict[str, str], time_zone: str) -> tuple[Announcement | None, dict[str, str]]:
    """What was written into the form of an announcement; None, and what is wrong by field, if it cannot be read."""
    doors, starts = (_moment(written[name], time_zone) for name in ("doors_open_at", "starts_at"))
    rate, most_active, errors = speed_of(written)
    if doors is None:
        errors["doors_open_at"] = NO_TIME_OF_A_SALE
    if starts is None:
        errors["starts_at"] = NO_TIME_OF_A_SALE
    if doors is not None and starts is not None and doors >= starts:
        errors["starts_at"] = "The sale starts after its doors open."
    if errors or doors is None or starts is None or rate is None or most_active is None:
        return None, errors
    return Announcement(doors_open_at=doors, starts_at=starts, rate=rate, most_active=most_active), {}


def speed_of(written: dict[str, str]) -> tuple[int | None, int | None, dict[str, str]]:
    """How many people a minute, and how many inside at the same time; and what is wrong, by field."""
    errors: dict[str, str] = {}
    rate, most_active = _number(written["rate"], MOST_A_MINUTE), _number(written["most_active"], MOST_ACTIVE)
    if rate is None:
        errors["rate"] = f"Write a number from 1 to {MOST_A_MINUTE:,}."
    if most_active is None:
        errors["most_active"] = f"Write a number from 1 to {MOST_ACTIVE:,}."
    return rate, most_active, errors


def _number(words: str, most: int) -> int | None:
    digits = words.strip()
    if not digits.isascii() or not digits.isdigit() or len(digits) > len(str(most)):
        return None
    number = int(digits)
    return number if 1 <= number <= most else None


def _moment(words: str, time_zone: str) -> datetime | None:
    """A moment on the clock of the event, as the browser's field for it writes it; None if a sale cannot have it."""
    try:
        moment = datetime.fromisoformat(words).replace(tzinfo=zone_of(time_zone)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return moment if EARLIEST <= moment < LATEST else None


def _known(number: int | None) -> str:
    return "not known yet" if number is None else f"{number:,}"
