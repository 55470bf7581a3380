"""Colours: from what CSS allows to hexadecimal digits, which is all that a page's drawing takes."""

import math

from tinycss2.color4 import parse_color

_HEX_DIGITS = len("#rrggbb")
_NOTHING = "#00000000"


def hex_colour(text: str) -> str | None:
    """A colour of CSS as `#rrggbb`, or `#rrggbbaa` if it is transparent; None if it is not known here."""
    if text.strip().lower() == "none":
        return _NOTHING  # as SVG says it
    parsed = parse_color(text)  # type: ignore[no-untyped-call]  # the library has no types
    # What depends on where it stands (`currentcolor`) is no colour of its own.
    if parsed is None or isinstance(parsed, str):
        return None
    try:
        parts = [float(part or 0.0) for part in parsed.to("srgb")]
    except (NotImplementedError, TypeError, ValueError, OverflowError):
        return (
            None  # spaces that the library reads and cannot turn into sRGB (`lab`, `display-p3`), and endless numbers
        )
    if any(math.isnan(part) for part in parts):
        return None
    *channels, alpha = (round(min(max(part, 0.0), 1.0) * 255) for part in parts)
    digits = "".join(f"{channel:02x}" for channel in channels)
    return f"#{digits}" if alpha == 255 else f"#{digits}{alpha:02x}"


def opaque(colour: str | None) -> str | None:
    """The colour without its transparency; None if it is fully transparent."""
    if colour is None or (len(colour) > _HEX_DIGITS and colour.endswith("00")):
        return None
    return colour[:_HEX_DIGITS]
