"""Which of the generated breaks are planted: all, or a part that is given in `CONTRACTS_PART` as `3/10`.

A break belongs to the same part in every run, by its name; what is planted in parts is planted once in as many runs.
"""

import os
import zlib

PART = "CONTRACTS_PART"
ALL = "0/1"


def is_chosen(name: str) -> bool:
    """Whether the break of this name is planted now."""
    number, _, count = os.environ.get(PART, ALL).partition("/")
    return zlib.crc32(name.encode()) % int(count) == int(number) % int(count)
