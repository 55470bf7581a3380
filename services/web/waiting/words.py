"""What is said to somebody who waits: one phase, one heading, and what to do."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from services.web.clients.waitingroom import Sale, Standing
from services.web.frame import formats
from services.web.frame.notices import Notice, page_too_old
from services.web.waiting.now_serving import places_of

Action = Literal["", "join", "come-in"]

OLD_PAGE = page_too_old("Nothing was done. Press the button again.")
NO_QUEUE = Notice(
    "error",
    "We could not do that just now.",
    "Your place in the queue is kept. Press the button again in a few seconds.",
    focus=True,
)
NOT_YET = Notice("info", "It is not your turn yet.", "Stay on this page: it tells you when it is.", focus=True)
TURN_OVER = Notice(
    "warning", "Your turn is over.", "Join the queue again: you get a new number at its end.", focus=True
)
TOO_MANY = Notice(
    "warning",
    "Very many people wait from your network.",
    "No more can join from it at the moment. Join from another one, with a phone's own connection for example.",
    focus=True,
)


NEEDS_SCRIPT = (
    "Before you join, your browser computes for some seconds, so that robots which come in thousands have to pay for it. "
    "You need do nothing, but JavaScript has to be switched on."
)
# By the code with which the waiting room refuses a proof. The button below asks for a new challenge each time.
PROOF_REFUSED = {
    "challenge_missing": Notice(
        "warning",
        "Your browser has to compute first.",
        "You are not in the queue yet: press the button again. If you read this again, JavaScript is switched off for this "
        "page. Switch it on, or come with another browser or device.",
        focus=True,
    ),
    "challenge_wrong": Notice(
        "warning",
        "What your browser computed is not right.",
        "You are not in the queue yet. Press the button again: it computes anew.",
        focus=True,
    ),
    "challenge_used": Notice(
        "warning",
        "Somebody has joined with this computation already.",
        "Each counts once. Press the button again: your browser makes one of its own.",
        focus=True,
    ),
    "challenge_expired": Notice(
        "warning",
        "Your browser was too slow, or this page slept.",
        "You are not in the queue yet. Press the button again and keep this page open until you are.",
        focus=True,
    ),
}


@dataclass(frozen=True)
class Phase:
    """How somebody stands, in words. `button` does `action`; `href` leads on; `numbers`: position and estimate are shown."""

    key: str
    title: str
    sentences: tuple[str, ...] = ()
    action: Action = ""
    button: str = ""
    href: str = ""
    words: str = ""
    numbers: bool = False
    # The page is of no more use by itself: nothing will change.
    final: bool = False


def phase_of(sale: Sale, standing: Standing | None, time_zone: str, now: datetime) -> Phase:
    """How somebody stands; `standing` is None for who has not joined."""
    event = f"/events/{sale.event_id}"
    if sale.state == "ended":
        text = "Nobody waits any more. What is left can be bought on the event's page."
        return Phase("over", "This waiting room is closed.", (text,), href=event, words="Go to the event", final=True)
    if sale.state == "announced":
        return _before_doors(sale, time_zone)
    if standing is None:
        return _not_joined(sale, time_zone, now)
    match standing.state:
        case "equal":
            return _equal(sale, time_zone, now)
        case "waiting":
            return _waiting(sale)
        case "turn" | "inside":
            return _turn(standing, time_zone)
        case "missed":
            text = "It went to somebody else. Join again: you get a new number at the end of the queue."
            return Phase("missed", "You missed your turn.", (text,), "join", "Join the queue again")
        case "done":
            text = "Your turn is used: you find what you bought among your orders. For more places, join again."
            words = "See my orders"
            return Phase(
                "done", "You were inside.", (text,), "join", "Join the queue again", href="/my/orders", words=words
            )


def _moment(instant: datetime, time_zone: str) -> str:
    moment = formats.Moment(instant, time_zone)
    return f"{moment.full} {moment.zone_name}"


def _clock(instant: datetime, time_zone: str) -> str:
    moment = formats.Moment(instant, time_zone)
    return f"{moment.time} {moment.zone_name}"


def _before_doors(sale: Sale, time_zone: str) -> Phase:
    return Phase(
        "closed",
        f"The doors open on {_moment(sale.doors_open_at, time_zone)}.",
        (
            "You can join then. Coming earlier than others brings nothing.",
            f"The sale starts on {_moment(sale.starts_at, time_zone)}: then lots are drawn among all who are there.",
            *((NEEDS_SCRIPT,) if sale.challenge else ()),
        ),
    )


def _not_joined(sale: Sale, time_zone: str, now: datetime) -> Phase:
    if places_of(sale) == "none":
        return _sold_out(sale)
    if now < sale.starts_at:
        sentences = (
            f"Everybody who joins before then is equal: lots are drawn at {_clock(sale.starts_at, time_zone)}.",
            "You need no account. Your place is kept in this browser.",
        )
        title = f"The sale starts on {_moment(sale.starts_at, time_zone)}."
        return Phase("join", title, sentences, "join", "Join the queue")
    sentences = (
        "Who joins now gets the next number, first come, first served.",
        "You need no account. Your place is kept in this browser.",
    )
    return Phase("join", "The sale has begun.", sentences, "join", "Join the queue")


def _equal(sale: Sale, time_zone: str, now: datetime) -> Phase:
    if now >= sale.starts_at:
        return Phase("numbered_soon", "You are in the queue.", ("Your number comes in a moment.",))
    sentences = (
        f"Everybody is equal until then: lots are drawn at {_clock(sale.starts_at, time_zone)}, and then you get your number.",
        "Your place is kept in this browser: you may close this page, and come back before the draw.",
    )
    return Phase("equal", "You are in the queue.", sentences)


def _waiting(sale: Sale) -> Phase:
    places = places_of(sale)
    if places == "none":
        return _sold_out(sale)
    if places == "in_carts":
        text = "Whoever holds them may give some back. Then the queue goes on: your number stays yours."
        return Phase("in_carts", "All places are in carts, some may come back.", (text,), numbers=True)
    if sale.state == "paused":
        text = "Nobody is let in at the moment. Your number stays yours; you need do nothing."
        return Phase("paused", "The queue is paused.", (text,), numbers=True)
    text = "Stay on this page, or come back: it tells you when it is your turn. Reloading makes it no faster."
    return Phase("waiting", "You are in the queue.", (text,), numbers=True)


def _sold_out(sale: Sale) -> Phase:
    text = "All places are sold. Look at the event's page later: some may come back."
    return Phase("sold_out", "Sold out.", (text,), href=f"/events/{sale.event_id}", words="Go to the event")


def _turn(standing: Standing, time_zone: str) -> Phase:
    until = _clock(standing.until, time_zone) if standing.until else "soon"
    if standing.state == "inside":
        text = "Choose your places and hold them before then."
        return Phase("inside", f"You can buy until {until}.", (text,), "come-in", "Choose your places")
    text = "Come in before then, or your turn goes to the next. Inside you have time to choose."
    return Phase("turn", f"It is your turn until {until}.", (text,), "come-in", "Come in and choose your places")
