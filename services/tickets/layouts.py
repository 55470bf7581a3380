"""Where things stand on a ticket's page."""

from collections.abc import Sequence

from fpdf.enums import WrapMode

from services.tickets.domain import TicketState
from services.tickets.printing import (
    ACCENT,
    DANGER,
    INK,
    LINE,
    MUTED,
    PAPER,
    PHONE_HEIGHT_MM,
    PHONE_WIDTH_MM,
    QUIET_ZONE,
    TINT,
    Format,
    Printed,
    Sheet,
)
from services.tickets.wording import clock, day, grouped, local_time, money

A4_WIDTH_MM, A4_HEIGHT_MM = 210.0, 297.0
CONDITIONS = (
    "One person per ticket: the first scan of the code lets its bearer in, every later scan is refused. "
    "Do not show the code to anybody before the door, and do not put a picture of it online."
)


def print_tickets(printed: Sequence[Printed], page: Format) -> bytes:
    """A PDF with a page per ticket; at least one ticket."""
    size = (A4_WIDTH_MM, A4_HEIGHT_MM) if page is Format.A4 else (PHONE_WIDTH_MM, PHONE_HEIGHT_MM)
    sheet = Sheet(printed, size)
    draw = _a4_page if page is Format.A4 else _phone_page
    for each in printed:
        sheet.add_page()
        draw(sheet, each)
    return bytes(sheet.output())


def _a4_page(sheet: Sheet, printed: Printed) -> None:
    """Folded along the dashes to a quarter, the event is on one face and the code on the other."""
    middle, fold = A4_WIDTH_MM / 2, A4_HEIGHT_MM / 2
    sheet.filled(0, 0, A4_WIDTH_MM, 17, INK)
    sheet.wordmark(14, 4.8, 19)
    _right(sheet, A4_WIDTH_MM - 14, 6.2, f"Ticket {printed.number} of {printed.count}", size=10)
    sheet.filled(0, 17, A4_WIDTH_MM, 1.6, ACCENT)
    _what_and_where(sheet, printed, x=14, y=29, width=middle - 24, title_height=31)
    _code(sheet, printed, x=middle + 5, y=24, side=89)
    x = middle + 5 + 89 * QUIET_ZONE  # in line with the dark modules
    sheet.field(x, 116, "ORDER", printed.ticket.order_number, width=44, size=13)
    sheet.field(x + 46, 116, "PRICE", _price(printed), width=36, size=13)
    if printed.ticket.state is TicketState.VALID:
        _code_in_text(sheet, printed, x=x, y=131, width=80)
    _folds(sheet, middle, fold)
    _lower_half(sheet, printed, fold)


def _what_and_where(sheet: Sheet, printed: Printed, *, x: float, y: float, width: float, title_height: float) -> None:
    ticket = printed.ticket
    starts = local_time(ticket.starts_at, ticket.time_zone)
    sheet.write_fitted(
        x, y, ticket.event_title, width=width, height=title_height, sizes=(22, 19, 16, 13.5, 11), bold=True
    )
    y += title_height + 4
    y = sheet.field(x, y, "DATE", day(starts), width=width, size=11)
    y = sheet.field(x, y, "STARTS", clock(starts), width=width, size=16)
    y = sheet.field(x, y, "PLACE", f"{ticket.venue_name}, {ticket.venue_city}", width=width, size=11)
    _seat(sheet, printed, x=x, y=max(y + 1, 112), width=width)


def _seat(sheet: Sheet, printed: Printed, *, x: float, y: float, width: float) -> None:
    ticket = printed.ticket
    sheet.filled(x, y, width, 27, TINT)
    sheet.filled(x, y, 1.4, 27, ACCENT)
    sheet.write_fitted(x + 6, y + 4, ticket.class_name, width=width - 10, height=6, sizes=(10, 8.5, 7), colour=MUTED)
    sheet.write_fitted(
        x + 6,
        y + 11,
        ticket.seat_label or "Free choice of place",
        width=width - 10,
        height=13,
        sizes=(19, 15.5, 12.5, 10, 8),
        bold=True,
    )


def _code_in_text(sheet: Sheet, printed: Printed, *, x: float, y: float, width: float) -> None:
    sheet.write_fitted(
        x,
        y,
        grouped(printed.code),
        width=width,
        height=14,
        sizes=(6.5, 6, 5.5, 5),
        colour=MUTED,
        breaks=WrapMode.WORD,
    )


def _folds(sheet: Sheet, middle: float, fold: float) -> None:
    sheet.set_draw_color(*LINE)
    sheet.set_line_width(0.25)
    sheet.set_dash_pattern(dash=1.6, gap=1.6)
    sheet.line(8, fold, A4_WIDTH_MM - 8, fold)
    sheet.line(middle, 24, middle, fold - 4)
    sheet.set_dash_pattern()
    _right(sheet, A4_WIDTH_MM - 8, fold + 1.4, "fold here", size=6, colour=MUTED)


def _lower_half(sheet: Sheet, printed: Printed, fold: float) -> None:
    ticket = printed.ticket
    x, y, width = 14.0, fold + 14, A4_WIDTH_MM - 28
    sheet.write_line(x, y, "At the door", size=14, bold=True)
    sheet.write_fitted(
        x,
        y + 9,
        "Show this page, on paper or on a screen, with the square code flat and unfolded. "
        "The code works without a name: whoever holds it is let in.",
        width=width,
        height=14,
        sizes=(10,),
    )
    y += 29
    issued = local_time(ticket.issued_at, ticket.time_zone)
    sheet.field(x, y, "ISSUED", f"{day(issued)}, {clock(issued)}", width=84, size=9)
    sheet.field(x + 91, y, "TICKET", str(ticket.ticket_id), width=width - 91, size=9)
    sheet.set_draw_color(*LINE)
    sheet.set_line_width(0.25)
    sheet.line(x, A4_HEIGHT_MM - 27, A4_WIDTH_MM - 14, A4_HEIGHT_MM - 27)
    sheet.write_fitted(x, A4_HEIGHT_MM - 23, CONDITIONS, width=width, height=10, sizes=(7.5, 7), colour=MUTED)


def _phone_page(sheet: Sheet, printed: Printed) -> None:
    """The code as large as the screen is wide; under it what the person at the door reads aloud."""
    ticket = printed.ticket
    starts = local_time(ticket.starts_at, ticket.time_zone)
    margin, width = 7.0, PHONE_WIDTH_MM - 14
    sheet.filled(0, 0, PHONE_WIDTH_MM, 14, INK)
    sheet.wordmark(margin, 4.1, 15)
    _right(sheet, PHONE_WIDTH_MM - margin, 5.2, f"{printed.number} of {printed.count}", size=9)
    sheet.filled(0, 14, PHONE_WIDTH_MM, 1.3, ACCENT)
    _code(sheet, printed, x=2, y=16, side=PHONE_WIDTH_MM - 4)
    y = 104.0
    sheet.write_fitted(margin, y, ticket.event_title, width=width, height=19, sizes=(17, 14.5, 12, 10), bold=True)
    y += 22
    half = width / 2
    sheet.field(margin, y, "DATE", f"{starts:%a} {starts.day} {starts:%b %Y}", width=half - 2, size=10.5)
    sheet.field(margin + half, y, "STARTS", clock(starts), width=half, size=10.5)
    sheet.field(margin, y + 13, "PLACE", f"{ticket.venue_name}, {ticket.venue_city}", width=width, size=10.5)
    _seat(sheet, printed, x=margin, y=y + 27, width=width)
    sheet.write_line(margin, 183.5, f"Order {ticket.order_number}", size=7.5, colour=MUTED)
    _right(sheet, PHONE_WIDTH_MM - margin, 183.5, _price(printed), size=7.5, colour=MUTED)
    sheet.write_line(margin, 188.5, "One person per ticket. The first scan counts.", size=6.5, colour=MUTED)


def _price(printed: Printed) -> str:
    return money(printed.ticket.unit_price_minor, printed.ticket.currency)


def _right(
    sheet: Sheet, right: float, y: float, text: str, *, size: float, colour: tuple[int, int, int] = PAPER
) -> None:
    sheet.set_font("DejaVu", "", size)
    sheet.write_line(right - sheet.get_string_width(text), y, text, size=size, colour=colour)


def _code(sheet: Sheet, printed: Printed, *, x: float, y: float, side: float) -> None:
    """The QR code; in its place, of a void ticket, why there is none: nobody should learn it at the door."""
    if printed.ticket.state is TicketState.VALID:
        sheet.qr(x, y, side, printed.code)
        return
    inset = side * QUIET_ZONE
    x, y, side = x + inset, y + inset, side - 2 * inset
    sheet.filled(x, y, side, side, DANGER)
    sheet.write_line(x + 7, y + side * 0.3, "VOID", size=34, bold=True, colour=PAPER)
    why = "This ticket was cancelled. It lets nobody in."
    sheet.write_fitted(x + 7, y + side * 0.3 + 17, why, width=side - 14, height=20, sizes=(12,), colour=PAPER)
