"""What stands on a page, and the typesetter that makes a PDF of it.

A page is a list of texts, boxes and pictures in the order in which they are read aloud. Typst shapes and orders the letters of
every script, and tags the PDF for people who cannot see it (PDF/UA-1). What people typed is data to it and never markup.
Deterministic: the same pages give the same bytes. A page costs some milliseconds of CPU once a thread has printed its first,
so callers keep it off the event loop, in threads that stay.
"""

import json
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from functools import lru_cache
from io import BytesIO
from pathlib import Path
from typing import Any

import typst
import zxingcpp
from PIL import Image

from chassis.languages import DEFAULT
from services.tickets.copying import tell_letters
from services.tickets.domain import Ticket
from services.tickets.fonts import CHAIN, advances, folders
from services.tickets.scripts import (
    ENGLISH,
    breakable,
    has_right_to_left,
    is_reordered,
    printable,
    speech_of,
)

TEMPLATE = Path(__file__).parent / "ticket.typ"
STANDARD = "ua-1"

# The shop's colours (its light theme); GLOW is its red on a dark ground.
INK = "#1b1622"
MUTED = "#62596c"
ACCENT = "#cf3217"
GLOW = "#ff6b4a"
PAPER = "#ffffff"
TINT = "#fbf7ee"
LINE = "#ddd4c4"
DANGER = "#9c2009"

# A document that is large enough to be worth forgetting, and how many the typesetter remembers, to be quick with the next.
MANY_SHEETS = 9
_REMEMBERED = 10
_NEVER = datetime.fromtimestamp(0, UTC)

MM_PER_POINT = 0.3528
# Two letters beside each other may be a little further apart than their widths say.
KERNED = 1.03
LINE_HEIGHT = 1.22  # of the size of the letters, as the template has it
QR_BORDER = 4  # modules
QUIET_ZONE = QR_BORDER / (45 + 2 * QR_BORDER)  # the light border of a QR of 45 modules, as a part of its side


class Format(StrEnum):
    """What the page is for."""

    A4 = "a4"
    PHONE = "phone"


@dataclass(frozen=True, slots=True)
class Printed:
    """A ticket, its code, its place in the order (`number` of `count`), who holds it, where that was given, and their language."""

    ticket: Ticket
    code: str
    number: int
    count: int
    holder: str | None = None
    language: str = DEFAULT


@dataclass(frozen=True, slots=True)
class Pdf:
    """A PDF, and how many letters of it are boxes, because no font has them."""

    data: bytes
    boxes: int = 0


@dataclass(frozen=True, slots=True)
class Document:
    """All that is drawn. `sheets` is what the template reads; `copied` what is copied of each text, None where its letters say it."""

    title: str
    width_mm: float
    height_mm: float
    issued_at: datetime
    sheets: list[list[dict[str, Any]]]
    copied: list[list[str | None]]
    boxes: int

    def as_json(self) -> str:
        """What the typesetter is given, whole."""
        return json.dumps(
            {"title": self.title, "width": self.width_mm, "height": self.height_mm, "sheets": self.sheets},
            ensure_ascii=False,
            sort_keys=True,
        )


@dataclass(slots=True)
class Sheet:
    """A page in the making, measured in millimetres from the top left corner. `country`: where its texts belong."""

    country: str | None = None
    items: list[dict[str, Any]] = field(default_factory=list)
    copied: list[str | None] = field(default_factory=list)
    boxes: int = 0

    def write(
        self,
        x: float,
        y: float,
        text: str,
        *,
        width: float,
        size: float | Sequence[float],
        height: float = 0.0,
        bold: bool = False,
        colour: str = INK,
        align: str = "left",
        is_heading: bool = False,
    ) -> None:
        """A text in a box, in the largest of the sizes (points) in which it fits; with one size it is not measured.

        `align` is `left`, `end` (right) or `start`: where the text's own direction begins.
        """
        what = printable(text)
        speech = ENGLISH if what.isascii() else speech_of(what, self.country)
        drawn, boxes = CHAIN.drawable(what)
        self.boxes += boxes
        sizes = [size] if isinstance(size, int | float) else list(size)
        if width_mm(drawn, sizes[-1], bold=bold) > width:
            drawn = breakable(drawn)
        self.copied.append(what if _needs_text_to_copy(what, drawn) else None)
        self.items.append(
            {
                "kind": "text",
                "x": x,
                "y": y,
                "text": drawn,
                "width": width,
                "height": height,
                "sizes": sizes[:1] if _surely_fits(drawn, sizes[0], width, height, bold=bold) else sizes,
                "weight": "bold" if bold else "regular",
                "colour": colour,
                "align": align,
                "is_heading": is_heading,
                "fonts": CHAIN.families(drawn, speech),
                "language": speech.language,
                "region": speech.region,
                "right_to_left": speech.right_to_left,
            }
        )

    def field(self, x: float, y: float, label: str, value: str, *, width: float, size: float = 11) -> None:
        """A small label with its value under it, 10 mm high in all with letters of 11 points."""
        self.write(x, y, label, width=width, size=6.5, colour=MUTED)
        sizes = (size, size * 0.85, size * 0.7)
        self.write(x, y + 3.2, value, width=width, height=size * 0.46, size=sizes, bold=True)

    def fill(self, x: float, y: float, width: float, height: float, colour: str) -> None:
        """A box."""
        self.items.append({"kind": "box", "x": x, "y": y, "width": width, "height": height, "colour": colour})

    def line(self, x: float, y: float, length: float, *, angle: int = 0, is_dashed: bool = False) -> None:
        """A thin line from here; `angle` in degrees, 90 is downwards."""
        self.items.append(
            {"kind": "line", "x": x, "y": y, "length": length, "angle": angle, "is_dashed": is_dashed, "colour": LINE}
        )

    def wordmark(self, x: float, y: float, size: float) -> None:
        """The shop's sign and name on a dark ground."""
        unit = size * MM_PER_POINT / 18
        self.items.append({"kind": "sign", "x": x, "y": y, "width": 32 * unit, "colour": GLOW, "ground": INK})
        self.write(x + 40 * unit, y - 0.6, "Onsale", width=60, size=size, bold=True, colour=PAPER)

    def qr(self, x: float, y: float, side: float, code: str) -> None:
        """The QR code of a ticket code, sharp in every size, in a square with its quiet zone."""
        self.items.append(
            {
                "kind": "picture",
                "x": x,
                "y": y,
                "width": side,
                "png": list(_qr_of(code)),
                "alternative": f"The QR code of this ticket. It says: {code}",
            }
        )


def _qr_of(code: str) -> bytes:
    symbol = zxingcpp.create_barcode(code, zxingcpp.BarcodeFormat.QRCode, ec_level="M")
    modules: Any = symbol.to_image(scale=1, add_quiet_zones=True)
    height, width = memoryview(modules).shape or (0, 0)
    picture = BytesIO()
    Image.frombuffer("L", (width, height), bytes(modules)).save(picture, format="png")
    return picture.getvalue()


def _needs_text_to_copy(text: str, drawn: str) -> bool:
    """Whether the drawn letters do not say what was written. Right to left, a viewer turns the given text around, so none is given."""
    if text.isascii() or has_right_to_left(text):
        return drawn != text and text.isascii()
    return drawn != text or is_reordered(text)


def width_mm(text: str, size: float, *, bold: bool = False) -> float:
    """How wide a line of this is, by a guess that is never too small."""
    widths = advances(bold=bold)
    return sum(widths.get(each) or _em_of(each) for each in text) * KERNED * size * MM_PER_POINT


def _em_of(letter: str) -> float:
    return 0.8 if letter < "\u0250" else 1.1


def _surely_fits(text: str, size: float, width: float, height: float, *, bold: bool) -> bool:
    """So that most texts need not be measured, which costs a second layout."""
    lines = _most_lines(text, size, width, bold=bold)
    return lines is not None and lines * size * MM_PER_POINT * LINE_HEIGHT <= height + 0.03


def _most_lines(text: str, size: float, width: float, *, bold: bool) -> int | None:
    """How many lines it takes at most; None if a word may be longer than a line."""
    space = width_mm(" ", size, bold=bold)
    lines, used = 1, -space
    for word in text.split(" "):
        length = width_mm(word, size, bold=bold)
        if length > width:
            return None
        if used + space + length > width:
            lines, used = lines + 1, length
        else:
            used += space + length
    return lines


@lru_cache(maxsize=1)
def _fonts() -> typst.Fonts:
    return typst.Fonts(
        include_system_fonts=False,
        include_embedded_fonts=False,
        font_paths=[str(folder) for folder in folders()],
    )


class Typesetter(threading.local):
    """Makes PDFs; one in each thread, because a compiler serves one caller. The fonts are shared, and read once."""

    def __init__(self) -> None:
        self._compiler = typst.Compiler(str(TEMPLATE), font_paths=_fonts(), ignore_system_fonts=True)

    def set(self, document: Document) -> Pdf:
        """The PDF of a document."""
        pdf = self._compiled(document, [STANDARD])
        if len(document.sheets) >= MANY_SHEETS:
            self._forget()
        if pdf is None:
            # Some letter that a font has cannot be drawn together with its neighbours. Without the promise of PDF/UA, which
            # forbids it, the typesetter draws a box: still a ticket.
            return Pdf(self._compiled(document, []) or b"", document.boxes + 1)
        if any(text is not None for sheet in document.copied for text in sheet):
            pdf = tell_letters(pdf, document.copied)
        return Pdf(pdf, document.boxes)

    def _forget(self) -> None:
        """Lets the typesetter forget a large document: it remembers the last ten, which of 50 tickets are 400 MiB."""
        for number in range(_REMEMBERED + 1):
            title = str(number)
            self._compiled(Document(title, 1, 1, _NEVER, sheets=[[]], copied=[[]], boxes=0), [])

    def _compiled(self, document: Document, standards: list[Any]) -> bytes | None:
        try:
            made = self._compiler.compile(
                sys_inputs={"data": document.as_json()},
                format="pdf",
                pdf_standards=standards,
                # The time of issue and not of printing: the same ticket is the same file.
                timestamp=int(document.issued_at.timestamp()),
            )
        except typst.TypstError:
            if not standards:
                raise
            return None
        return made if isinstance(made, bytes) else None
