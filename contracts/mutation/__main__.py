"""`make contracts-mutation`: plants every break, or those whose names have some words: `python -m contracts.mutation WORDS`."""

import sys

from contracts.mutation.planted import BREAKS
from contracts.mutation.suite import run


def main(words: str) -> int:
    """Plants the breaks whose names contain the words."""
    chosen = [each for each in BREAKS if words in each.name]
    if not chosen:
        print(f"No break has {words!r} in its name.", file=sys.stderr)
        return 2
    return run(chosen)


if __name__ == "__main__":
    sys.exit(main(" ".join(sys.argv[1:])))
