"""Draws the tickets of docs/pictures from their PDFs: `python -m services.tickets.tests.pictures`."""

from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any

import pypdfium2

from services.tickets.layouts import print_tickets
from services.tickets.printing import Format, Printed
from services.tickets.tests.unit.examples import a_ticket
from services.tickets.tests.unit.test_printing import KEYRING

PICTURES = Path(__file__).resolve().parents[3] / "docs" / "pictures"
_DOTS_PER_POINT = 1.5
_COLOURS = 32

TICKETS: dict[str, tuple[str, dict[str, Any]]] = {
    "ticket-arabic": (
        "علي المثال",
        {
            "event_title": "ليلة الموسيقى العربية: السبت ٢١",
            "venue_name": "مسرح المدينة",
            "venue_street": "شارع المثال ٥",
            "venue_city": "عمّان",
            "venue_country": "JO",
            "starts_at": datetime(2031, 6, 21, 18, tzinfo=UTC),
            "doors_at": datetime(2031, 6, 21, 17, tzinfo=UTC),
            "time_zone": "Asia/Amman",
            "class_name": "مدرج",
            "seat_label": "صف ٣، مقعد ١٢",
            "currency": "JOD",
            "unit_price_minor": 12500,
        },
    ),
    "ticket-japanese": (
        "見本 太郎",
        {
            "event_title": "日本の音楽祭 2031 第一夜",
            "venue_name": "見本ホール",
            "venue_street": "見本町1-2-3",
            "venue_city": "大阪市",
            "venue_country": "JP",
            "starts_at": datetime(2031, 6, 20, 10, tzinfo=UTC),
            "doors_at": datetime(2031, 6, 20, 9, tzinfo=UTC),
            "time_zone": "Asia/Tokyo",
            "class_name": "指定席",
            "seat_label": "3列 12番",
            "currency": "JPY",
            "unit_price_minor": 4800,
        },
    ),
}


def draw(name: str) -> None:
    """Writes one picture: the upper half of the page, which is what is folded to the outside."""
    holder, changes = TICKETS[name]
    ticket = a_ticket(**changes)
    pdf = print_tickets([Printed(ticket, KEYRING.code_of(ticket), 1, 1, holder)], Format.A4).data
    page = pypdfium2.PdfDocument(BytesIO(pdf))[0]  # type: ignore[no-untyped-call]  # the library has no types
    image = page.render(scale=_DOTS_PER_POINT).to_pil()
    upper = image.crop((0, 0, image.width, image.height // 2))
    upper.quantize(_COLOURS).save(PICTURES / f"{name}.png", optimize=True)


if __name__ == "__main__":
    for each in TICKETS:
        draw(each)
