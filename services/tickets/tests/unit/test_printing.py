"""The printed ticket: what is on it can be read by people and by scanners."""

import subprocess
import sys
from datetime import UTC, datetime
from io import BytesIO
from typing import Any

import pypdfium2
import pytest
import zxingcpp
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from services.tickets.domain import Ticket, TicketState
from services.tickets.layouts import lay_out
from services.tickets.layouts import print_tickets as print_pdf
from services.tickets.printing import MM_PER_POINT, Document, Format, Printed, Sheet, Typesetter, width_mm
from services.tickets.signing import Keyring
from services.tickets.tests.unit.examples import a_ticket

KEYRING = Keyring(Ed25519PrivateKey.from_private_bytes(bytes(range(32))))
ISSUED = datetime(2026, 11, 2, tzinfo=UTC)
LONG_TITLE = "Żółta łódź podwodna: Ένα μεγάλο φεστιβάλ, Большой летний концерт под открытым небом"


def printed(*tickets: Ticket) -> list[Printed]:
    return [Printed(each, KEYRING.code_of(each), n, len(tickets)) for n, each in enumerate(tickets, 1)]


def print_tickets(tickets: list[Printed], page: Format) -> bytes:
    return print_pdf(tickets, page).data


def opened(pdf: bytes) -> Any:
    return pypdfium2.PdfDocument(BytesIO(pdf))  # type: ignore[no-untyped-call]  # the library has no types


def text_of(pdf: bytes, page: int = 0) -> str:
    return " ".join(opened(pdf)[page].get_textpage().get_text_bounded().split())


def codes_in(pdf: bytes, dots_per_inch: int = 110) -> list[str]:
    pages = opened(pdf)
    images = [page.render(scale=dots_per_inch / 72).to_pil().convert("L") for page in pages]
    return [found.text for image in images for found in zxingcpp.read_barcodes(image)]


@pytest.mark.parametrize("page", list(Format))
def test_the_qr_of_each_page_is_the_code_of_its_ticket(page: Format) -> None:
    tickets = printed(a_ticket(), a_ticket(epoch=2), a_ticket(epoch=3))
    assert codes_in(print_tickets(tickets, page)) == [each.code for each in tickets]


def test_the_qr_is_read_from_a_rotated_and_coarse_scan() -> None:
    pdf = print_tickets(printed(a_ticket()), Format.A4)
    image = opened(pdf)[0].render(scale=1.0).to_pil().convert("L")
    [found] = zxingcpp.read_barcodes(image.rotate(17, expand=True, fillcolor=255))
    assert found.text == KEYRING.code_of(a_ticket())


@pytest.mark.parametrize("page", list(Format))
def test_names_in_many_scripts_are_printed_whole(page: Format) -> None:
    ticket = a_ticket(
        event_title="Größenwahn & Łódź",
        venue_name="Ωδείο Ηρώδου",
        venue_city="Москва",
        class_name="Šašek žluťoučký",
        seat_label="Řada 7",
    )
    text = text_of(print_tickets(printed(ticket), page))
    for name in ("Größenwahn & Łódź", "Ωδείο Ηρώδου", "Москва", "Šašek žluťoučký", "Řada 7", "K7Q2-9MXA", "€42.50"):
        assert name in text


def test_the_time_is_that_of_the_place() -> None:
    sydney = a_ticket(time_zone="Australia/Sydney")
    text = text_of(print_tickets(printed(sydney), Format.A4))
    assert "Friday 1 January 2027" in text
    assert "06:00 AEDT" in text
    assert "19:00 UTC" in text_of(print_tickets(printed(a_ticket(time_zone="Mars/Olympus")), Format.A4))


def test_a_long_title_is_made_smaller_and_a_very_long_one_is_cut() -> None:
    assert LONG_TITLE in text_of(print_tickets(printed(a_ticket(event_title=LONG_TITLE)), Format.A4))
    cut = text_of(print_tickets(printed(a_ticket(event_title=LONG_TITLE * 9)), Format.PHONE))
    assert "Żółta łódź" in cut
    assert "…" in cut


@pytest.mark.parametrize("page", list(Format))
def test_the_same_tickets_give_the_same_bytes(page: Format) -> None:
    tickets = printed(a_ticket(), a_ticket(seat_label=None))
    assert print_tickets(tickets, page) == print_tickets(tickets, page)


@pytest.mark.parametrize("page", list(Format))
def test_a_void_ticket_says_so_and_shows_no_code(page: Format) -> None:
    pdf = print_tickets(printed(a_ticket(state=TicketState.VOID)), page)
    assert "VOID" in text_of(pdf)
    assert "OS1." not in text_of(pdf)
    assert codes_in(pdf) == []


def test_a_page_per_ticket_and_all_of_a_large_order() -> None:
    pdf = print_tickets(printed(*[a_ticket(epoch=n) for n in range(1, 21)]), Format.A4)
    assert len(opened(pdf)) == 20
    assert "Ticket 20 of 20" in text_of(pdf, 19)
    assert len(pdf) < 500_000


def test_many_large_orders_do_not_fill_the_memory() -> None:
    """The typesetter remembers its last documents, to be quick: large ones it is made to forget."""
    many = (
        "from services.tickets.layouts import print_tickets\n"
        "from services.tickets.printing import Format, Printed\n"
        "from services.tickets.tests.unit.examples import a_ticket\n"
        "from pathlib import Path\n"
        "for n in range(9):\n"
        "    print_tickets([Printed(a_ticket(seat_label=f'{n} {k} \u65e5'), 'OS1.' + 'A' * 165, k, 50) for k in range(50)], Format.A4)\n"
        # The most of this program alone: what `getrusage` says begins with what its parent had.
        "print(Path('/proc/self/status').read_text().partition('VmHWM:')[2].split()[0])\n"
    )
    said = subprocess.run([sys.executable, "-c", many], capture_output=True, text=True, check=True, timeout=240)
    assert int(said.stdout) < 400 * 1024


@pytest.mark.parametrize("bold", [False, True])
@pytest.mark.parametrize(
    "text",
    ["Ticket 12 of 50", "WAVE AND TYPE To. Yv.", "illicit fluff", "".join(map(chr, range(0x21, 0x7F))), "M" * 60],
)
def test_a_text_fits_where_it_was_said_to_fit_without_measuring_it(text: str, bold: bool) -> None:
    sheet = Sheet()
    width = width_mm(text, 12, bold=bold)
    sheet.write(5, 5, text, width=width, size=12, bold=bold)
    pdf = Typesetter().set(Document("", 500, 50, ISSUED, [sheet.items], [sheet.copied], 0)).data
    found = opened(pdf)[0].get_textpage()
    lines = {round(found.get_charbox(at)[1] / 12) for at in range(found.count_chars())}
    assert found.count_chars() == len(text)
    assert max(lines) - min(lines) <= 1
    assert width / MM_PER_POINT < 1.06 * (found.get_charbox(len(text) - 1)[2] - found.get_charbox(0)[0]) + 12


@pytest.mark.parametrize("page", list(Format))
def test_no_text_of_a_usual_ticket_has_to_be_measured(page: Format) -> None:
    """To measure one costs the layout of the whole page a second time."""
    (sheet,) = lay_out(printed(a_ticket()), page).sheets
    assert [item["text"] for item in sheet if len(item.get("sizes", [])) > 1] == []
