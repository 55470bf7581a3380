"""The drawings of a plan as SVG: shapes as the plan says, and words that can be read wherever they stand."""

import math
from collections.abc import Sequence

from markupsafe import escape

from services.web.browsing.seating.colours import PAPER, READABLE, contrast, known, opacity, over, readable_on, solid
from services.web.clients.catalog import Area, Lettering

FONT = 'font-family="system-ui,sans-serif"'
# Areas without a colour get a wash from which every colour of seats can be distinguished.
_WASH, _WASH_SHARE = "#857d92", 0.16
_BORDER_WIDTH = 2.0
# How wide a letter is in parts of its size, about.
_LETTER = 0.55


def shape_of(area: Area) -> str:
    """The shape alone; empty for what has none."""
    colours = _colours(area)
    if area.shape == "text":
        return ""
    if area.shape == "polygon":
        points = " ".join(f"{number(x)},{number(y)}" for x, y in area.points)
        return f'<polygon points="{points}"{colours}/>'
    middle_x, middle_y = _middle(area)
    turn = _turn(area.rotation, middle_x, middle_y)
    if area.shape == "ellipse":
        radii = f'rx="{number(area.width / 2)}" ry="{number(area.height / 2)}"'
        return f'<ellipse cx="{number(middle_x)}" cy="{number(middle_y)}" {radii}{colours}{turn}/>'
    box = f'x="{number(area.x)}" y="{number(area.y)}" width="{number(area.width)}" height="{number(area.height)}"'
    return f"<rect {box}{colours}{turn}/>"


def words_of(area: Area, areas: Sequence[Area]) -> str:
    """The words of an area among all `areas`, in a colour that can be read on what lies below them."""
    if not area.text:
        return ""
    written = lettering_of(area)
    colour, halo = _ink(area, written, areas)
    # Where no one colour can be read on all that lies below, the letters have a rim of the other.
    rim = f' stroke="{halo}" stroke-width="{number(written.size * 0.2)}" paint-order="stroke"' if halo else ""
    return (
        f'<text x="{number(written.x)}" y="{number(written.y)}" dy=".35em" font-size="{number(written.size)}" {FONT} '
        f'text-anchor="middle" fill="{colour}"{rim}{_turn(written.rotation, written.x, written.y)}>'
        f"{escape(area.text)}</text>"
    )


def lettering_of(area: Area) -> Lettering:
    """How its words are written; where the plan does not say it, in the middle and as large as the box allows."""
    if area.lettering is not None:
        return area.lettering
    x, y = _middle(area)
    size = min(area.height * 0.5, area.width / max(len(area.text or ""), 1) * 1.3)
    return Lettering(x=x, y=y, size=size, rotation=area.rotation)


def corners_of(area: Area) -> list[tuple[float, float]]:
    """The corners of what it takes on the plan."""
    if area.shape == "polygon":
        return list(area.points)
    middle = _middle(area)
    half_x, half_y = area.width / 2, area.height / 2
    around = ((-half_x, -half_y), (half_x, -half_y), (half_x, half_y), (-half_x, half_y))
    return [_turned(x, y, area.rotation, middle) for x, y in around]


def holds(area: Area, x: float, y: float) -> bool:
    """Whether a point lies in the shape."""
    if area.shape == "text":
        return False
    if area.shape == "polygon":
        return _in_polygon(area.points, x, y)
    middle_x, middle_y = _middle(area)
    there_x, there_y = _turned(x - middle_x, y - middle_y, -area.rotation, (0.0, 0.0))
    across, along = abs(there_x) / (area.width / 2 or math.inf), abs(there_y) / (area.height / 2 or math.inf)
    return across**2 + along**2 <= 1 if area.shape == "ellipse" else max(across, along) <= 1


def ground_at(areas: Sequence[Area], x: float, y: float) -> str:
    """The colour of the plan at a point, all shapes drawn and no seats."""
    ground = PAPER
    for area in areas:
        if holds(area, x, y):
            colour, share = _fill(area)
            ground = over(colour, ground, share)
    return ground


def number(value: float) -> str:
    """A coordinate, to a tenth."""
    return f"{value:.1f}".rstrip("0").rstrip(".") if math.isfinite(value) else "0"


def _ink(area: Area, written: Lettering, areas: Sequence[Area]) -> tuple[str, str | None]:
    """The colour of the letters, and of their rim if they need one."""
    half = len(area.text or "") * written.size * _LETTER / 2
    beside = (
        _turned(step * half, 0.0, written.rotation, (written.x, written.y)) for step in (-0.9, -0.45, 0, 0.45, 0.9)
    )
    grounds = {ground_at(areas, x, y) for x, y in beside}
    middle = ground_at(areas, written.x, written.y)
    wanted = solid(written.colour) or solid(area.colour if area.shape == "text" else None)
    for colour in (wanted, readable_on(middle)):
        if colour and all(contrast(colour, ground) >= READABLE for ground in grounds):
            return colour, None
    colour = readable_on(middle, wanted)
    return colour, readable_on(colour)


def _colours(area: Area) -> str:
    colour, share = _fill(area)
    fill = f' fill="{colour}"' + (f' fill-opacity="{share:.2f}"' if share < 1 else "")
    border = known(area.border_colour)
    if border is None or opacity(border) == 0:
        return fill
    through = f' stroke-opacity="{opacity(border):.2f}"' if opacity(border) < 1 else ""
    return f'{fill} stroke="{solid(border)}" stroke-width="{number(_BORDER_WIDTH)}"{through}'


def _fill(area: Area) -> tuple[str, float]:
    """The colour of the shape, and how much it hides."""
    colour = known(area.colour)
    return (colour[:7], opacity(colour)) if colour else (_WASH, _WASH_SHARE)


def _middle(area: Area) -> tuple[float, float]:
    return area.x + area.width / 2, area.y + area.height / 2


def _turn(degrees: float, x: float, y: float) -> str:
    return f' transform="rotate({number(degrees)} {number(x)} {number(y)})"' if degrees else ""


def _turned(x: float, y: float, degrees: float, about: tuple[float, float]) -> tuple[float, float]:
    """`about` and from there (x, y), turned clockwise."""
    sine, cosine = math.sin(math.radians(degrees)), math.cos(math.radians(degrees))
    return about[0] + x * cosine - y * sine, about[1] + x * sine + y * cosine


def _in_polygon(points: Sequence[tuple[float, float]], x: float, y: float) -> bool:
    inside = False
    for (x1, y1), (x2, y2) in zip(points, [*points[1:], *points[:1]], strict=True):
        if (y1 > y) != (y2 > y) and x < (x2 - x1) * (y - y1) / (y2 - y1) + x1:
            inside = not inside
    return inside
