"""How the code of a ticket is drawn."""

import re

import zxingcpp
from PIL import Image, ImageDraw

from services.web.buying.ticket_views import qr_code

CODE = "OS1.AETJW2VTAGRALMGDRBZPZNFATDOCIBC3ILFWGMODNXKVO3EFAPXS33SE4HNQ"


def test_a_code_is_drawn_without_style() -> None:
    drawn = qr_code("ONSALE1.abc")

    assert drawn.startswith("<svg")
    assert "style" not in drawn
    assert "viewBox" in drawn


def test_what_is_drawn_is_read_by_a_scanner_with_a_light_border_on_a_dark_page() -> None:
    drawn = str(qr_code(CODE))
    [size] = [int(each) for each in re.findall(r'viewBox="0 0 (\d+) \1"', drawn)]
    picture = Image.new("L", (size, size), 255)
    strokes = [(int(x), int(y), int(n)) for x, y, n in re.findall(r"M(\d+) (\d+)\.5h(\d+)", drawn)]
    for x, y, length in strokes:
        ImageDraw.Draw(picture).line((x, y, x + length - 1, y), fill=0)
    [found] = zxingcpp.read_barcodes(picture.resize((8 * size, 8 * size), Image.Resampling.NEAREST))
    assert (found.text, str(found.ec_level)) == (CODE, "M")
    across = [(x, x + length) for x, _, length in strokes]
    down = [y for _, y, _ in strokes]
    assert (min(across)[0], max(end for _, end in across), min(down), max(down)) == (4, size - 4, 4, size - 5)
