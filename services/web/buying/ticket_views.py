"""What pages show of tickets, ready to be written down."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

import segno
from markupsafe import Markup

from services.web.browsing.words import Standing
from services.web.clients.tickets import Ticket
from services.web.frame import formats

# ISO/IEC 18004: so many light modules around a code, or scanners do not find it on a dark page.
QUIET_MODULES = 4


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
