"""A part of a long programme, others with each commit."""

import re
from collections.abc import Sequence
from typing import TypeVar

Thing = TypeVar("Thing")
_PART = re.compile(r"(\d{1,9})/([1-9]\d{0,3})")


def part_of(things: Sequence[Thing], which: str) -> list[Thing]:
    """`7/12`: every twelfth, beginning with that of number 7 (from 0, and all over again from 12 on). Twelve in a row are all.

    Raises ValueError with a sentence for anything else.
    """
    found = _PART.fullmatch(which)
    if found is None:
        raise ValueError(f"A part is said as 7/12, every twelfth beginning with number 7, and not as {which!r}.")
    number, of = int(found[1]), int(found[2])
    return list(things[number % of :: of])
