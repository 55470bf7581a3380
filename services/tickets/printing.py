"""The PDF of tickets: A4 to print at home and fold, or a tall narrow page for a phone.

Deterministic: the same tickets and codes give the same bytes. Takes about a tenth of a second of CPU, most of it for
cutting the fonts down to the letters that are used, so callers keep it off the event loop.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import cast

import segno
from fpdf import FPDF
from fpdf.enums import MethodReturnValue, WrapMode

from services.tickets.domain import Ticket

FONTS = Path(__file__).parent / "fonts"
FONT = "DejaVu"

# The shop's colours (its light theme); GLOW is its red on a dark ground.
INK = (27, 22, 34)
MUTED = (98, 89, 108)
ACCENT = (207, 50, 23)
GLOW = (255, 107, 74)
PAPER = (255, 255, 255)
TINT = (251, 247, 238)
LINE = (221, 212, 196)
DANGER = (156, 32, 9)

QUIET_ZONE = 4 / (45 + 2 * 4)  # the light border of a QR of 45 modules, as a part of its side
PHONE_WIDTH_MM, PHONE_HEIGHT_MM = 90.0, 195.0


class Format(StrEnum):
    """What the page is for."""

    A4 = "a4"
    PHONE = "phone"


@dataclass(frozen=True, slots=True)
class Printed:
    """A ticket, its code, and its place in the order: `number` of `count`."""

    ticket: Ticket
    code: str
    number: int
    count: int


class Sheet(FPDF):
    """A document in Onsale's colours and letters, measured in millimetres from the top left corner."""

    def __init__(self, printed: Sequence[Printed], size: tuple[float, float]) -> None:
        super().__init__(unit="mm", format=size)
        first = printed[0].ticket
        self.set_auto_page_break(auto=False)
        self.set_margin(0)
        self.c_margin = 0
        self.add_font(FONT, "", FONTS / "DejaVuSans.ttf")
        self.add_font(FONT, "B", FONTS / "DejaVuSans-Bold.ttf")
        self.set_title(f"{first.event_title}: {len(printed)} {'ticket' if len(printed) == 1 else 'tickets'}")
        self.set_author("Onsale")
        self.set_lang("en")
        # The time of issue and not of printing: the same ticket is the same file.
        self.set_creation_date(first.issued_at)

    def write_line(
        self, x: float, y: float, text: str, *, size: float, bold: bool = False, colour: tuple[int, int, int] = INK
    ) -> None:
        """One line whose top is at y; `size` in points."""
        self.set_font(FONT, "B" if bold else "", size)
        self.set_text_color(*colour)
        self.text(x, y + size * 0.3528 * 0.8, text)

    def write_fitted(
        self,
        x: float,
        y: float,
        text: str,
        *,
        width: float,
        height: float,
        sizes: Sequence[float],
        bold: bool = False,
        colour: tuple[int, int, int] = INK,
        breaks: WrapMode = WrapMode.WORD,
    ) -> float:
        """Text in a box, in the largest of `sizes` (points) in which it fits; what does not fit in the last is cut.

        Returns the y below it.
        """
        for size in sizes:
            self.set_font(FONT, "B" if bold else "", size)
            leading = size * 0.3528 * 1.22
            lines = self._broken(text, width, leading, breaks)
            if len(lines) * leading <= height:
                break
        fitting = max(1, int(height / leading + 1e-6))
        if len(lines) > fitting:
            lines = [*lines[: fitting - 1], lines[fitting - 1].rstrip() + "\N{HORIZONTAL ELLIPSIS}"]
        for index, line in enumerate(lines):
            self.write_line(x, y + index * leading, line, size=size, bold=bold, colour=colour)
        return y + len(lines) * leading

    def _broken(self, text: str, width: float, leading: float, breaks: WrapMode) -> list[str]:
        self.set_xy(0, 0)
        broken = self.multi_cell(width, leading, text, dry_run=True, output=MethodReturnValue.LINES, wrapmode=breaks)
        return [str(line) for line in cast("list[str]", broken)]

    def field(self, x: float, y: float, label: str, value: str, *, width: float, size: float = 11) -> float:
        """A small label with its value under it. Returns the y below them."""
        self.write_line(x, y, label, size=6.5, colour=MUTED)
        below = self.write_fitted(
            x, y + 4, value, width=width, height=size * 0.9, sizes=(size, size * 0.85, size * 0.7), bold=True
        )
        return below + 3.5

    def filled(self, x: float, y: float, width: float, height: float, colour: tuple[int, int, int]) -> None:
        """A box."""
        self.set_fill_color(*colour)
        self.rect(x, y, width, height, style="F")

    def wordmark(self, x: float, y: float, size: float) -> None:
        """The shop's sign and name on a dark ground: a ticket with a hole and a line to tear along."""
        unit = size * 0.3528 / 18  # the sign is drawn 32 x 22 units large
        with self.rotation(9, x + 16 * unit, y + 11 * unit):
            self.set_fill_color(*GLOW)
            self.rect(x, y, 32 * unit, 22 * unit, style="F", round_corners=True, corner_radius=3 * unit)
            self.set_fill_color(*INK)
            for centre, radius in ((0, 4.4), (32, 4.4), (13, 5.5)):
                self.circle(x + centre * unit, y + 11 * unit, radius * unit, style="F")
            for dash in range(3):
                self.rect(x + 23 * unit, y + (4.5 + 5 * dash) * unit, 2 * unit, 2.5 * unit, style="F")
        self.write_line(x + 40 * unit, y + size * 0.02, "Onsale", size=size, bold=True, colour=PAPER)

    def qr(self, x: float, y: float, side: float, code: str) -> None:
        """The QR code of a ticket code, drawn as boxes (sharp in every size), in a square with its quiet zone."""
        rows = segno.make_qr(code, error="m", boost_error=False).matrix
        border = 4
        module = side / (len(rows) + 2 * border)
        self.filled(x, y, side, side, PAPER)
        self.set_fill_color(0, 0, 0)
        for row_number, row in enumerate(rows):
            for start, length in _runs(row):
                self.rect(
                    x + (border + start) * module, y + (border + row_number) * module, length * module, module, "F"
                )


def _runs(row: Sequence[int]) -> list[tuple[int, int]]:
    """Dark runs of a row as (start, length): a box per run leaves no hairlines between modules, and a smaller file."""
    runs: list[tuple[int, int]] = []
    for column, dark in enumerate(row):
        if dark and runs and sum(runs[-1]) == column:
            runs[-1] = (runs[-1][0], runs[-1][1] + 1)
        elif dark:
            runs.append((column, 1))
    return runs
