"""`make contracts-mutation`: plants every break, or those whose names have some words: `python -m contracts.mutation WORDS`.

`python -m contracts.mutation --third N` plants every third, beginning with the Nth: three such runs with 0, 1 and 2 plant all.
"""

import sys

from contracts.mutation.planted import BREAKS
from contracts.mutation.suite import run


def main(arguments: list[str]) -> int:
    """Plants the breaks that the arguments choose."""
    if arguments[:1] == ["--third"]:
        return run(BREAKS[int(arguments[1]) % 3 :: 3])
    words = " ".join(arguments)
    chosen = [each for each in BREAKS if words in each.name]
    if not chosen:
        print(f"No break has {words!r} in its name.", file=sys.stderr)
        return 2
    return run(chosen)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
