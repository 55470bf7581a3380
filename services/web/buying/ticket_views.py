"""What pages show of tickets, ready to be written down."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from uuid import UUID

import zxingcpp
from markupsafe import Markup

from services.web.browsing.words import Standing
from services.web.clients.tickets import Ticket
from services.web.frame import formats

# ISO/IEC 18004: so many light modules around a code, or scanners do not find it on a dark page.
QUIET_MODULES = 4
# Of 5 kB each. Whoever waits for a crowd looks again and again at the same tickets.
CODES_KEPT = 2_000
# In a row of bytes, one for each module.
_DARK_RUNS = re.compile(rb"\x00+")


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


@lru_cache(CODES_KEPT)
def qr_code(code: str) -> Markup:
    """The code as an SVG that takes any size, black on nothing: each run of dark modules is a stroke."""
    symbol = zxingcpp.create_barcode(code, zxingcpp.BarcodeFormat.QRCode, ec_level="M")
    picture: Any = symbol.to_image(add_quiet_zones=False)
    modules, side = bytes(picture), len(memoryview(picture))
    size = side + 2 * QUIET_MODULES
    strokes = "".join(
        f"M{QUIET_MODULES + run.start()} {QUIET_MODULES + y}.5h{run.end() - run.start()}"
        for y in range(side)
        for run in _DARK_RUNS.finditer(modules[y * side : (y + 1) * side])
    )
    drawn = f'<svg viewBox="0 0 {size} {size}"><path stroke="#000" d="{strokes}"/></svg>'
    return Markup(drawn)  # noqa: S704  # drawn from modules; the code itself is not in it


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
