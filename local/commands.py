"""What the commands for people share: numbers that say what is wrong with them, and an end when nobody reads any more."""

import argparse
import signal


def stop_when_nobody_reads() -> None:
    """`make traces | head` ends without a complaint, as other programs do."""
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)


def seconds(text: str) -> float:
    """A number of seconds as it is typed, 0 or more. Raises argparse's error with a sentence."""
    try:
        found = float(text)
    except ValueError:
        found = -1.0
    if not 0 <= found < 10**9:
        raise argparse.ArgumentTypeError(f"it is a number of seconds, 0 or more, not {text!r}")
    return found
