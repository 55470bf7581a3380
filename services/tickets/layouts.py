"""Where things stand on a ticket's page, in the order in which they are read aloud."""

from collections.abc import Sequence
from datetime import UTC, datetime

from services.tickets.domain import EventState, Ticket, TicketState
from services.tickets.printing import (
    ACCENT,
    DANGER,
    INK,
    MUTED,
    PAPER,
    QUIET_ZONE,
    TINT,
    Document,
    Format,
    Pdf,
    Printed,
    Sheet,
    Typesetter,
)
from services.tickets.wording import clock, country_code_of, day, grouped, local_time, money, news_of, short_day

A4_WIDTH_MM, A4_HEIGHT_MM = 210.0, 297.0
PHONE_WIDTH_MM, PHONE_HEIGHT_MM = 90.0, 211.0
CONDITIONS = (
    "One person per ticket: the first scan of the code lets its bearer in, every later scan is refused. "
    "Do not show the code to anybody before the door, and do not put a picture of it online."
)

_TYPESETTER = Typesetter()


def print_tickets(printed: Sequence[Printed], page: Format) -> Pdf:
    """A PDF with a page per ticket; at least one ticket."""
    return _TYPESETTER.set(lay_out(printed, page))


def warm_up() -> None:
    """Lets this thread read the template and the font of most tickets, before somebody waits for its first ticket.

    The fonts of other scripts are read with the first text that needs them; those of East Asia are 35 MiB.
    """
    sheet = Sheet()
    sheet.write(0, 0, "From € 25", width=50, size=10)
    _TYPESETTER.set(Document("", 60, 20, datetime.fromtimestamp(0, UTC), [sheet.items], [sheet.copied], 0))


def lay_out(printed: Sequence[Printed], page: Format) -> Document:
    """What stands where on each page."""
    draw = _a4_page if page is Format.A4 else _phone_page
    sheets = []
    for each in printed:
        sheet = Sheet(country=country_code_of(each.ticket.venue_country))
        draw(sheet, each)
        sheets.append(sheet)
    first = printed[0].ticket
    width, height = (A4_WIDTH_MM, A4_HEIGHT_MM) if page is Format.A4 else (PHONE_WIDTH_MM, PHONE_HEIGHT_MM)
    return Document(
        title=f"{first.event_title}: {len(printed)} {'ticket' if len(printed) == 1 else 'tickets'}",
        width_mm=width,
        height_mm=height,
        issued_at=first.issued_at,
        sheets=[sheet.items for sheet in sheets],
        copied=[sheet.copied for sheet in sheets],
        boxes=sum(sheet.boxes for sheet in sheets),
    )


def _a4_page(sheet: Sheet, printed: Printed) -> None:
    """Folded along the dashes to a quarter, the event is on one face and the code on the other."""
    ticket = printed.ticket
    middle, fold = A4_WIDTH_MM / 2, A4_HEIGHT_MM / 2
    sheet.fill(0, 0, A4_WIDTH_MM, 17, INK)
    sheet.wordmark(14, 4.8, 19)
    counted = f"Ticket {printed.number} of {printed.count}"
    sheet.write(A4_WIDTH_MM - 64, 6.2, counted, width=50, size=10, colour=PAPER, align="end")
    sheet.fill(0, 17, A4_WIDTH_MM, 1.6, ACCENT)
    _news(sheet, ticket, y=18.6, width=A4_WIDTH_MM, margin=14, height=6.4, size=11)
    _what_and_where(sheet, printed, x=14, y=28, width=middle - 24)
    _code(sheet, printed, x=middle + 5, y=26, side=87)
    x = middle + 5 + 87 * QUIET_ZONE  # in line with the dark modules
    sheet.field(x, 115, "ORDER", ticket.order_number, width=38, size=13)
    sheet.field(x + 40, 115, "PAID", _price(printed), width=40, size=13)
    if ticket.state is TicketState.VALID:
        sheet.write(x, 129, grouped(printed.code), width=80, height=14.5, size=(6.5, 6), colour=MUTED)
    sheet.line(8, fold, A4_WIDTH_MM - 16, is_dashed=True)
    sheet.line(middle, 28, fold - 32, angle=90, is_dashed=True)
    sheet.write(A4_WIDTH_MM - 48, fold + 1, "fold here", width=40, size=6, colour=MUTED, align="end")
    _lower_half(sheet, printed, fold)


def _what_and_where(sheet: Sheet, printed: Printed, *, x: float, y: float, width: float) -> None:
    ticket = printed.ticket
    _title(sheet, ticket, x=x, y=y, width=width, height=26, sizes=(22, 19, 16, 13.5, 11, 9))
    sheet.field(x, y + 29, "DATE", _date(ticket), width=width)
    half = width / 2
    times = _times(ticket)
    for number, (label, time) in enumerate(times):
        sheet.field(x + number * half, y + 40, label, time, width=half - 2, size=14)
    sheet.field(x, y + 53, "PLACE", ticket.venue_name, width=width)
    sheet.write(x, y + 61.4, _address(ticket), width=width, height=4.4, size=(9.5, 8, 6.5), colour=INK)
    if printed.holder:
        sheet.field(x, y + 68, "NAME", printed.holder, width=width)
    _seat(sheet, ticket, x=x, y=y + 79, width=width)


def _title(
    sheet: Sheet, ticket: Ticket, *, x: float, y: float, width: float, height: float, sizes: Sequence[float]
) -> None:
    title = ticket.event_title
    sheet.write(x, y, title, width=width, height=height, size=sizes, bold=True, align="start", is_heading=True)


def _seat(sheet: Sheet, ticket: Ticket, *, x: float, y: float, width: float) -> None:
    sheet.fill(x, y, width, 27, TINT)
    sheet.fill(x, y, 1.4, 27, ACCENT)
    sheet.write(x + 6, y + 3, ticket.class_name, width=width - 10, height=5, size=(10, 8.5, 7), colour=MUTED)
    label = ticket.seat_label or "Free choice of place"
    sheet.write(x + 6, y + 9.5, label, width=width - 10, height=15, size=(19, 15.5, 12.5, 10, 8), bold=True)


def _news(sheet: Sheet, ticket: Ticket, *, y: float, width: float, margin: float, height: float, size: float) -> None:
    """What has changed since the ticket was bought: nobody should learn it in front of a locked door."""
    news = news_of(ticket)
    if news is None:
        return
    colour = DANGER if ticket.event_state in (EventState.CANCELLED, EventState.POSTPONED) else ACCENT
    sheet.fill(0, y, width, height, colour)
    sizes = (size, size * 0.85, size * 0.7)
    inside = width - 2 * margin
    sheet.write(margin, y + 0.8, news, width=inside, height=height - 1.6, size=sizes, bold=True, colour=PAPER)


def _lower_half(sheet: Sheet, printed: Printed, fold: float) -> None:
    ticket = printed.ticket
    x, y, width = 14.0, fold + 12, A4_WIDTH_MM - 28
    sheet.write(x, y, "At the door", width=width, size=14, bold=True)
    named = "The name is for you: " if printed.holder else "The code works without a name: "
    how = (
        "Show this page, on paper or on a screen, with the square code flat and unfolded. "
        f"{named}whoever holds the code is let in."
    )
    sheet.write(x, y + 9, how, width=width, size=10)
    y += 29
    issued = local_time(ticket.issued_at, ticket.time_zone)
    sheet.field(x, y, "ISSUED", f"{day(issued)}, {clock(issued)}", width=84, size=9)
    sheet.field(x + 91, y, "TICKET", str(ticket.ticket_id), width=width - 91, size=9)
    sheet.line(x, A4_HEIGHT_MM - 27, width)
    sheet.write(x, A4_HEIGHT_MM - 24, CONDITIONS, width=width, size=7.5, colour=MUTED)


def _phone_page(sheet: Sheet, printed: Printed) -> None:
    """The code as large as the screen is wide; under it what the person at the door reads aloud."""
    ticket = printed.ticket
    margin, width = 7.0, PHONE_WIDTH_MM - 14
    half = width / 2
    sheet.fill(0, 0, PHONE_WIDTH_MM, 14, INK)
    sheet.wordmark(margin, 4.1, 15)
    counted = f"{printed.number} of {printed.count}"
    sheet.write(PHONE_WIDTH_MM - margin - 30, 4.8, counted, width=30, size=9, colour=PAPER, align="end")
    sheet.fill(0, 14, PHONE_WIDTH_MM, 1.3, ACCENT)
    _news(sheet, ticket, y=15.3, width=PHONE_WIDTH_MM, margin=margin, height=6.7, size=9)
    _code(sheet, printed, x=5, y=22, side=PHONE_WIDTH_MM - 10)
    _title(sheet, ticket, x=margin, y=103, width=width, height=19, sizes=(17, 14.5, 12, 10, 8))
    y = 124.0
    sheet.field(margin, y, "DATE", _date(ticket, is_short=True), width=half - 2, size=10)
    for number, (label, time) in enumerate(_times(ticket)):
        sheet.field(margin + half + number * half / 2, y, label, time, width=half / 2 - 1, size=10)
    sheet.field(margin, y + 11, "PLACE", ticket.venue_name, width=width, size=10)
    sheet.write(margin, y + 19, _address(ticket), width=width, height=4.2, size=(9, 7.5, 6))
    if printed.holder:
        sheet.field(margin, y + 25, "NAME", printed.holder, width=width, size=10)
    _seat(sheet, ticket, x=margin, y=y + 36, width=width)
    sheet.write(margin, 197, f"Order {ticket.order_number}", width=half, size=7.5, colour=MUTED)
    paid = f"Paid {_price(printed)}"
    sheet.write(margin + half, 197, paid, width=half, size=7.5, colour=MUTED, align="end")
    once = "One person per ticket. The first scan counts."
    sheet.write(margin, 202, once, width=width, size=6.5, colour=MUTED)


def _price(printed: Printed) -> str:
    return money(printed.ticket.unit_price_minor, printed.ticket.currency, printed.language)


def _date(ticket: Ticket, *, is_short: bool = False) -> str:
    if ticket.event_state is EventState.POSTPONED:
        return "To be announced"
    starts = local_time(ticket.starts_at, ticket.time_zone)
    return short_day(starts) if is_short else day(starts)


def _times(ticket: Ticket) -> list[tuple[str, str]]:
    """When the doors open, where that is known, and when it starts."""
    if ticket.event_state is EventState.POSTPONED:
        return []
    starts = ("STARTS", clock(local_time(ticket.starts_at, ticket.time_zone)))
    if ticket.doors_at is None:
        return [starts]
    return [("DOORS", clock(local_time(ticket.doors_at, ticket.time_zone))), starts]


def _address(ticket: Ticket) -> str:
    return ", ".join(part for part in (ticket.venue_street, ticket.venue_city) if part)


def _code(sheet: Sheet, printed: Printed, *, x: float, y: float, side: float) -> None:
    """The QR code, or on a void ticket the reason why it has none: nobody should learn it at the door."""
    if printed.ticket.state is TicketState.VALID:
        sheet.qr(x, y, side, printed.code)
        return
    inset = side * QUIET_ZONE
    x, y, side = x + inset, y + inset, side - 2 * inset
    sheet.fill(x, y, side, side, DANGER)
    sheet.write(x + 7, y + side * 0.3, "VOID", width=side - 14, size=34, bold=True, colour=PAPER)
    why = "This ticket was cancelled. It lets nobody in."
    sheet.write(x + 7, y + side * 0.3 + 17, why, width=side - 14, size=12, colour=PAPER)
