"""How the code of a ticket is drawn."""

import segno

from services.web.buying.ticket_views import qr_code


def test_a_code_is_drawn_without_style() -> None:
    drawn = qr_code("ONSALE1.abc")

    assert drawn.startswith("<svg")
    assert "style" not in drawn
    assert "viewBox" in drawn


def test_a_code_has_the_light_border_that_scanners_need_on_a_dark_page() -> None:
    drawn = str(qr_code("OS1.AETJW2VTAGRALMGDRBZPZNFATDOCIBC3ILFWGMODNXKVO3EFAPXS33SE4HNQ"))
    code = segno.make("OS1.AETJW2VTAGRALMGDRBZPZNFATDOCIBC3ILFWGMODNXKVO3EFAPXS33SE4HNQ", error="m", micro=False)
    modules = code.symbol_size(border=0)[0]
    assert f'viewBox="0 0 {modules + 8} {modules + 8}"' in drawn
