"""One colour per service, the same on the pages and in the terminal, and nearly always the same from trace to trace."""

from collections.abc import Iterable
from zlib import crc32

# Hues (degrees of OKLCH) that people tell apart beside each other, with the nearest of a terminal's 256 colours.
# Red is left out: red means an error.
PALETTE = (
    (255, 33),
    (150, 35),
    (65, 172),
    (310, 134),
    (200, 37),
    (345, 169),
    (110, 142),
    (280, 99),
    (90, 178),
    (225, 74),
    (175, 43),
    (330, 176),
)


def colours_of(services: Iterable[str]) -> dict[str, int]:
    """A place in the palette for each service: its favourite, or the next one that is free."""
    taken: dict[str, int] = {}
    for service in sorted(set(services)):
        favourite = crc32(service.encode()) % len(PALETTE)
        free = (place % len(PALETTE) for place in range(favourite, favourite + len(PALETTE)))
        taken[service] = next((place for place in free if place not in taken.values()), favourite)
    return taken
