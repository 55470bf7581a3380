"""What the pages about orders and tickets show, ready to be written down."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal
from uuid import UUID

import segno
from markupsafe import Markup

from services.web.browsing.views import Notice
from services.web.browsing.words import STATES_TO_STAY_AWAY, Standing, standing_of
from services.web.clients.catalog import EventState
from services.web.clients.orders import Order, OrderLine
from services.web.clients.tickets import Ticket
from services.web.frame import formats

Phase = Literal[
    "placing", "held", "declined", "paying", "confirming", "issuing", "unshown", "confirmed", "cancelling", "cancelled"
]
FINAL: frozenset[Phase] = frozenset({"confirmed", "cancelled"})
# While it moves by itself: so often a browser without JavaScript asks again.
_REFRESH_SECONDS: dict[Phase, int] = {"placing": 2, "confirming": 3, "issuing": 3, "unshown": 10, "cancelling": 3}

_HEADINGS: dict[Phase, str] = {
    "placing": "Taking your places…",
    "held": "Your places are held",
    "declined": "The bank said no",
    "paying": "Your payment is open",
    "confirming": "Confirming your payment…",
    "issuing": "Confirmed. Your tickets are being made…",
    "unshown": "Confirmed. Your tickets cannot be shown right now",
    "confirmed": "Confirmed. See you there!",
    "cancelling": "Cancelling your order…",
    "cancelled": "This order is cancelled",
}
_LEADS: dict[Phase, str] = {
    "held": "Tell us who they are for, then pay. When the time is over they go back on sale.",
    "declined": "Nothing was charged, and your places are still held. Try again, perhaps with another card.",
    "paying": "Your places are held. Finish the payment on the page of the bank, or give the places back.",
    "confirmed": "Your tickets are below, and on their way to your e-mail. Each code opens the door once.",
    "issuing": "The payment is done and the places are yours. You can close this page: the tickets come by e-mail too.",
    "unshown": "The payment is done and the places are yours. The tickets are safe, and come by e-mail too.",
    "confirming": "This takes a few seconds. You can close this page: the tickets come by e-mail too.",
}
_WAITING: dict[Phase, str] = {
    "placing": "Asking for your places",
    "confirming": "Waiting for the answer of the bank",
    "issuing": "Signing your tickets",
    "unshown": "Asking again in a few seconds",
    "cancelling": "Giving the places back",
}
# What happened, and what to do, by the reason of a cancelled order.
_CANCELLED: dict[str, tuple[str, str]] = {
    "expired": (
        "The time to pay is over, so the places went back on sale. Nothing was charged. They may still be free.",
        "Choose again",
    ),
    "buyer": ("You cancelled it. Nothing was charged, and the places are on sale again.", "Choose other places"),
    "places_gone": (
        (
            "The payment came after the places had gone to somebody else. You get all of your money back by itself, "
            "usually within a few days; there is nothing you need to do."
        ),
        "See what is still free",
    ),
    "refused": ("The places could not be held for you. Nothing was charged.", "Choose again"),
    "event_cancelled": (
        (
            "The event was cancelled before your order was complete. If your bank shows a charge, it is given back by "
            "itself; there is nothing you need to do."
        ),
        "See the page of the event",
    ),
    "payment_failed": (
        (
            "The payment could not be completed. If your bank shows a charge, it is given back by itself. "
            "Your places are on sale again, so be quick if you want to try once more."
        ),
        "Try again",
    ),
}
_CANCELLED_OTHERWISE = ("Nothing was charged, or it is given back by itself.", "Choose again")

# What the buyer of an order has to know of its event, by how it stands.
_EVENT_NOTICES: dict[EventState, Notice] = {
    "cancelled": Notice(
        "error",
        "The event is cancelled.",
        "It does not take place. The organiser tells you how you get your money back.",
    ),
    "postponed": Notice(
        "warning",
        "The event is postponed: the new date is not known yet.",
        "Your places stay yours. We show the date once there is one.",
    ),
    "moved_online": Notice(
        "warning",
        "The event takes place online.",
        "Do not set out for the place. The organiser tells you how to take part.",
    ),
    "rescheduled": Notice(
        "warning", "The event has a new date.", "Your places stay yours, on the date that this page shows."
    ),
}

STATE_WORDS: dict[str, tuple[str, str]] = {
    "placing": ("Being placed", "open"),
    "held": ("Held, not paid", "open"),
    "paying": ("Waiting for payment", "open"),
    "authorised": ("Being confirmed", "open"),
    "committed": ("Being confirmed", "open"),
    "confirmed": ("Confirmed", "good"),
    "cancelling": ("Being cancelled", "gone"),
    "cancelled": ("Cancelled", "gone"),
}


# Less more time than this is no help.
_LEAST_MORE_SECONDS = 20
# ISO/IEC 18004: so many light modules around a code, or scanners do not find it on a dark page.
QUIET_MODULES = 4
_TIMES = "\u00d7"


@dataclass(frozen=True)
class LineView:
    """A line of an order."""

    name: str
    detail: str
    amount: str


@dataclass(frozen=True)
class Step:
    """One of the three steps above an order."""

    name: str
    done: bool
    now: bool


@dataclass(frozen=True)
class OrderView:
    """An order, on its own page or in the list."""

    order: Order
    phase: Phase
    heading: str
    lead: str
    waiting_for: str
    again: str
    moment: formats.Moment
    total: str
    lines: list[LineView]
    steps: list[Step]
    expires: formats.Moment | None
    seconds_left: int
    seconds_whole: int
    standing: Standing | None
    event_notice: Notice | None
    state_words: str
    tone: str
    may_prolong: bool
    trace_link: str | None
    refresh_seconds: int | None

    @property
    def order_id(self) -> UUID:
        return self.order.order_id

    @property
    def number(self) -> str:
        return self.order.number

    @property
    def state(self) -> str:
        return self.order.state

    @property
    def event_id(self) -> UUID:
        return self.order.event_id

    @property
    def event_title(self) -> str:
        return self.order.event_title

    @property
    def venue_name(self) -> str:
        return self.order.venue_name

    @property
    def redirect_url(self) -> str | None:
        return self.order.redirect_url

    @property
    def is_final(self) -> bool:
        return self.phase in FINAL

    @property
    def free(self) -> bool:
        return self.order.total_minor == 0

    @property
    def pay_words(self) -> str:
        if self.free:
            return "Get the tickets"
        return f"Try again: pay {self.total}" if self.phase == "declined" else f"Pay {self.total}"


def phase_of(order: Order, *, has_tickets: bool | None, has_returned: bool) -> Phase:
    """Where the order is for its buyer. `has_tickets`: None if nobody can say it now.
    `has_returned`: the bank has just sent the browser back."""
    if order.state in ("held", "paying") and order.last_decline:
        return "declined"
    if order.state == "paying":
        return "confirming" if has_returned else "paying"
    if order.state in ("authorised", "committed"):
        return "confirming"
    if order.state == "confirmed":
        return "unshown" if has_tickets is None else "confirmed" if has_tickets else "issuing"
    phases: dict[str, Phase] = {"placing": "placing", "held": "held", "cancelling": "cancelling"}
    return phases.get(order.state, "cancelled")


def may_prolong(order: Order) -> bool:
    """Whether its places could be held for longer than they are."""
    if order.hold_longest_until is None or order.hold_expires_at is None:
        return False
    return (order.hold_longest_until - order.hold_expires_at).total_seconds() >= _LEAST_MORE_SECONDS


def order_view(
    order: Order,
    *,
    has_tickets: bool | None = False,
    has_returned: bool = False,
    trace_url: str | None = None,
    now: datetime | None = None,
) -> OrderView:
    """The page of an order. The countdown is measured by the server's clock."""
    phase = phase_of(order, has_tickets=has_tickets, has_returned=has_returned)
    expires = order.hold_expires_at
    left = (expires - (now or datetime.now(UTC))).total_seconds() if expires else 0
    whole = (expires - order.created_at).total_seconds() if expires else 0
    lead, again = _LEADS.get(phase, ""), ""
    if phase == "cancelled":
        lead, again = _CANCELLED.get(order.reason or "", _CANCELLED_OTHERWISE)
    state_words, tone = STATE_WORDS[order.state]
    return OrderView(
        order=order,
        phase=phase,
        heading=_heading(order, phase),
        lead=lead,
        waiting_for=_WAITING.get(phase, ""),
        again=again,
        moment=formats.Moment(order.event_starts_at, order.event_time_zone),
        total=formats.money(order.total_minor, order.currency),
        lines=[_line(line, order.currency) for line in order.lines],
        steps=_steps(phase),
        expires=formats.Moment(expires, order.event_time_zone) if expires else None,
        seconds_left=max(0, int(left)),
        seconds_whole=max(1, int(whole)),
        standing=standing_of(order.event_state, order.event_previous_starts_at, order.event_time_zone),
        event_notice=None if phase in ("cancelling", "cancelled") else _EVENT_NOTICES.get(order.event_state),
        state_words=state_words,
        tone=tone,
        may_prolong=phase in ("held", "declined") and may_prolong(order),
        trace_link=f"{trace_url}/trace/{order.trace_id}" if trace_url and order.trace_id else None,
        refresh_seconds=_REFRESH_SECONDS.get(phase),
    )


def _heading(order: Order, phase: Phase) -> str:
    if phase == "confirmed" and order.event_state in STATES_TO_STAY_AWAY:
        return "Confirmed"  # nobody is seen there
    return _HEADINGS[phase]


def _line(line: OrderLine, currency: str) -> LineView:
    amount = formats.money(line.unit_price_minor * line.quantity, currency)
    if line.seat_label:
        return LineView(line.seat_label, line.class_name, amount)
    each = f"{formats.price(line.unit_price_minor, currency)} each" if line.quantity > 1 else ""
    return LineView(f"{line.quantity} {_TIMES} {line.class_name}", each, amount)


def _steps(phase: Phase) -> list[Step]:
    at = {
        "placing": 0,
        "held": 1,
        "declined": 1,
        "paying": 1,
        "confirming": 1,
        "issuing": 2,
        "unshown": 2,
        "confirmed": 3,
    }.get(phase)
    if at is None:
        return []
    names = ("Places", "Payment", "Tickets")
    return [Step(name, done=number < at, now=number == at) for number, name in enumerate(names)]


@dataclass(frozen=True)
class TicketView:
    """A ticket as a stub with its code."""

    ticket_id: UUID
    code: str
    qr: Markup
    class_name: str
    seat: str
    event_title: str
    venue_name: str
    moment: formats.Moment
    void: bool


@dataclass(frozen=True)
class TicketGroup:
    """The tickets of one order."""

    order_id: UUID
    event_title: str
    venue_name: str
    moment: formats.Moment
    standing: Standing | None
    tickets: list[TicketView]


def ticket_view(ticket: Ticket) -> TicketView:
    """A ticket with its code drawn."""
    return TicketView(
        ticket_id=ticket.ticket_id,
        code=ticket.code,
        qr=qr_code(ticket.code),
        class_name=ticket.class_name,
        seat=ticket.seat_label or "Free choice of place",
        event_title=ticket.event_title,
        venue_name=ticket.venue_name,
        moment=formats.Moment(ticket.starts_at, ticket.time_zone),
        void=ticket.state == "void",
    )


def qr_code(code: str) -> Markup:
    """The code as an SVG that takes any size, black on nothing."""
    drawn = segno.make(code, error="m", micro=False).svg_inline(
        border=QUIET_MODULES, omitsize=True, svgclass=None, lineclass=None
    )
    return Markup(drawn)  # noqa: S704  # drawn by segno from modules; the code itself is not in it


def ticket_groups(tickets: Sequence[Ticket], standings: Mapping[UUID, Standing] | None = None) -> list[TicketGroup]:
    """Tickets by order, in the order in which they come; with how their events stand, by event, where that is known."""
    groups: dict[UUID, TicketGroup] = {}
    for ticket in tickets:
        view = ticket_view(ticket)
        group = groups.setdefault(
            ticket.order_id,
            TicketGroup(
                ticket.order_id,
                view.event_title,
                view.venue_name,
                view.moment,
                (standings or {}).get(ticket.event_id),
                [],
            ),
        )
        group.tickets.append(view)
    return list(groups.values())
