"""What the page of an order and the list of orders show, ready to be written down."""

from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from services.web.browsing.words import STATES_TO_STAY_AWAY, Standing, standing_of
from services.web.buying.words import (
    CANCELLED,
    CANCELLED_OTHERWISE,
    EVENT_NOTICES,
    FINAL,
    HEADINGS,
    LEADS,
    REFRESH_SECONDS,
    STATE_WORDS,
    WAITING,
    Phase,
)
from services.web.clients.orders import Order, OrderLine
from services.web.frame import formats
from services.web.frame.notices import Notice

# A buyer who would get less time than this is not offered more.
_LEAST_MORE_SECONDS = 20
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
    lead, again = LEADS.get(phase, ""), ""
    if phase == "cancelled":
        lead, again = CANCELLED.get(order.reason or "", CANCELLED_OTHERWISE)
    state_words, tone = STATE_WORDS[order.state]
    return OrderView(
        order=order,
        phase=phase,
        heading=_heading(order, phase),
        lead=lead,
        waiting_for=WAITING.get(phase, ""),
        again=again,
        moment=formats.Moment(order.event_starts_at, order.event_time_zone),
        total=formats.money(order.total_minor, order.currency),
        lines=[_line(line, order.currency) for line in order.lines],
        steps=_steps(phase),
        expires=formats.Moment(expires, order.event_time_zone) if expires else None,
        seconds_left=max(0, int(left)),
        seconds_whole=max(1, int(whole)),
        standing=standing_of(order.event_state, order.event_previous_starts_at, order.event_time_zone),
        event_notice=None if phase in ("cancelling", "cancelled") else EVENT_NOTICES.get(order.event_state),
        state_words=state_words,
        tone=tone,
        may_prolong=phase in ("held", "declined") and may_prolong(order),
        trace_link=f"{trace_url}/trace/{order.trace_id}" if trace_url and order.trace_id else None,
        refresh_seconds=REFRESH_SECONDS.get(phase),
    )


def _heading(order: Order, phase: Phase) -> str:
    if phase == "confirmed" and order.event_state in STATES_TO_STAY_AWAY:
        return "Confirmed"  # nobody is seen there
    return HEADINGS[phase]


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
