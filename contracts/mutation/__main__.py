"""`make contracts-mutation`: plants every break, or those whose names have some words: `python -m contracts.mutation WORDS`.

`python -m contracts.mutation --part 1/6` plants every sixth, beginning with number 1 (from 0).
"""

import sys

from contracts.mutation.planted import BREAKS
from contracts.mutation.suite import run
from local.parts import part_of


def main(arguments: list[str]) -> int:
    """Plants the breaks that the arguments choose."""
    if arguments[:1] == ["--part"]:
        return run(part_of(BREAKS, arguments[1]))
    words = " ".join(arguments)
    chosen = [each for each in BREAKS if words in each.name]
    if not chosen:
        print(f"No break has {words!r} in its name.", file=sys.stderr)
        return 2
    return run(chosen)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
