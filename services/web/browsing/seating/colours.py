"""Colours of a plan: which can be read on which. Contrast as WCAG 2.2 measures it, 1 to 21."""

import re

# A plan is drawn on light paper in every colour scheme: its colours were chosen for that.
PAPER = "#fffdf8"
INK = "#1b1622"
WHITE = "#ffffff"
# WCAG 1.4.3 for text.
READABLE = 4.5

_HEX = re.compile(r"#(?:[0-9a-fA-F]{3}|[0-9a-fA-F]{6}|[0-9a-fA-F]{8})")
_OPAQUE_LENGTH = len("#rrggbb")


def known(colour: str | None) -> str | None:
    """The colour as `#rrggbb` or `#rrggbbaa` in lower case; None for any other text, which must not reach a drawing."""
    if colour is None or not _HEX.fullmatch(colour):
        return None
    digits = colour[1:].lower()
    return "#" + ("".join(digit * 2 for digit in digits) if len(digits) == 3 else digits)  # #rgb


def solid(colour: str | None) -> str | None:
    """The colour without its transparency; None if it is no colour."""
    found = known(colour)
    return found[:_OPAQUE_LENGTH] if found else None


def opacity(colour: str) -> float:
    """How much it hides of what is below, 0 to 1."""
    return int(colour[_OPAQUE_LENGTH:], 16) / 255 if len(colour) > _OPAQUE_LENGTH else 1.0


def over(top: str, below: str, share: float) -> str:
    """What is seen where `share` (0 to 1) of `top` lies over `below`."""
    mixed = (round(share * t + (1 - share) * b) for t, b in zip(_channels(top), _channels(below), strict=True))
    return "#" + "".join(f"{channel:02x}" for channel in mixed)


def contrast(left: str, right: str) -> float:
    """The contrast of two opaque colours."""
    lighter, darker = sorted((_luminance(left), _luminance(right)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def readable_on(ground: str, wanted: str | None = None) -> str:
    """The wanted colour if it can be read on the ground; else ink or white, whichever can be read better."""
    if wanted and contrast(wanted, ground) >= READABLE:
        return wanted
    return max((INK, WHITE), key=lambda colour: contrast(colour, ground))


def _channels(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def _luminance(colour: str) -> float:
    def linear(channel: int) -> float:
        share = channel / 255
        return share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4

    red, green, blue = (linear(channel) for channel in _channels(colour))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
