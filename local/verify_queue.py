"""`make verify-queue`: draws the lots of a waiting room again, from what the shop publishes, and compares.

It needs nothing but the standard library and the shop's address, and no code of the shop: whoever doubts can read it in a minute.
"""

import argparse
import json
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import urlopen

from local.errors import StartError
from local.running import Running

PATIENCE_SECONDS = 20.0
# Of a thousand entries each.
MOST_PAGES = 10_000
_EVENT = re.compile(r"(https?://[^/]+)?/?(?:events/)?([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})")

Read = Callable[[str], dict[str, Any]]


class NotReadable(Exception):
    """Nothing can be said: the proof cannot be read, or there is none yet."""


@dataclass(frozen=True)
class Proof:
    """What the shop publishes of a draw: the seed, its fingerprint, and the number of each entry, in the order of reading."""

    seed: str
    seed_hash: str
    entries: list[tuple[str, int]]


def main() -> int:
    """The command line: 0 if all is as it should be, 1 if it is not, 2 if nothing can be said."""
    parser = argparse.ArgumentParser(prog="make verify-queue", description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument(
        "--event", required=True, help="the id of an event of the running shop, or the address of its page"
    )
    parser.add_argument("--hash", default="", help="the fingerprint as it was written down before the draw")
    chosen = parser.parse_args()
    try:
        address = address_of(chosen.event, lambda: Running.find(chosen.data).addresses["web"])
        wrong = mistakes(proof := read_proof(address, fetch), chosen.hash.strip().lower())
    except (NotReadable, StartError) as error:
        print(error, file=sys.stderr)
        return 2
    print(verdict(proof, wrong, was_noted=bool(chosen.hash)))
    return 1 if wrong else 0


def address_of(event: str, shop: Callable[[], str]) -> str:
    """Where the proof of an event is; `shop` is asked for its address if none is given. Raises NotReadable."""
    found = _EVENT.match(event.strip())
    if found is None:
        said = (
            f"{event.strip()!r} is neither an event's id nor the address of its page"
            if event.strip()
            else "No event is named"
        )
        raise NotReadable(f"{said}. Copy the address from the browser: make verify-queue EVENT=...")
    return f"{found[1] or shop()}/events/{found[2]}/queue/proof.json"


def fetch(address: str) -> dict[str, Any]:
    """A JSON document of the shop. Raises NotReadable."""
    try:
        with urlopen(address, timeout=PATIENCE_SECONDS) as answer:  # noqa: S310  # http and https alone: see _EVENT
            found: dict[str, Any] = json.load(answer)
    except HTTPError as error:
        raise NotReadable(f"{address} cannot be read ({error}). Has this event a waiting room?") from error
    except (URLError, TimeoutError, ValueError) as error:
        raise NotReadable(f"{address} cannot be read ({error}). Does the shop run there?") from error
    return found


def read_proof(address: str, read: Read) -> Proof:
    """All pages of it. Raises NotReadable if there is no end of them, or lots are not drawn yet."""
    entries: list[tuple[str, int]] = []
    page = read(address)
    if page["seed"] is None:
        raise NotReadable(
            f"Lots are not drawn yet. Write the fingerprint down and come back with HASH={page['seed_hash']} after the draw."
        )
    for _ in range(MOST_PAGES):
        entries += [(each["entry_id"], each["number"]) for each in page["entries"]]
        if page["next"] is None:
            return Proof(page["seed"], page["seed_hash"], entries)
        page = read(f"{address}?after={page['next']}")
    raise NotReadable(f"There is no end of entries after {len(entries):,}: this is no proof.")


def mistakes(proof: Proof, noted_hash: str = "") -> list[str]:
    """What is not as it should be, in sentences. `noted_hash`: the fingerprint from before the draw, if somebody has it."""
    wrong = []
    if sha256(proof.seed.encode()).hexdigest() != proof.seed_hash:
        wrong.append("The seed does not fit its fingerprint.")
    if noted_hash and noted_hash != proof.seed_hash:
        wrong.append(f"The fingerprint is {proof.seed_hash}, and {noted_hash} was noted before the draw.")
    ids = [entry_id for entry_id, _ in proof.entries]
    if len(set(ids)) != len(ids):
        wrong.append(f"{len(ids) - len(set(ids)):,} entries are there twice.")
    drawn = sorted(ids, key=lambda entry_id: sha256(f"{proof.seed}:{entry_id}".encode()).hexdigest())
    right = {entry_id: number for number, entry_id in enumerate(drawn, 1)}
    others = [(entry_id, number) for entry_id, number in proof.entries if right[entry_id] != number]
    if others:
        entry_id, number = others[0]
        wrong.append(
            f"{len(others):,} of {len(ids):,} numbers are not what the lots give: entry {entry_id} has {number}, and its lot "
            f"gives {right[entry_id]}."
        )
    return wrong


def verdict(proof: Proof, wrong: list[str], *, was_noted: bool) -> str:
    """The sentence for whoever asked."""
    if wrong:
        return "This draw is NOT as it should be. " + " ".join(wrong)
    fits = (
        "the one that you noted" if was_noted else f"{proof.seed_hash} (compare it with what you noted before the draw)"
    )
    return (
        f"All is as it should be: the seed fits its fingerprint, {fits}, and drawing {len(proof.entries):,} lots again gives the "
        "same numbers."
    )


if __name__ == "__main__":
    sys.exit(main())
