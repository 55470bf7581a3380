"""The lots of the waiting room, drawn again from what the shop publishes, as anybody can (`make verify-queue`)."""

import asyncio
from dataclasses import dataclass

from local.verify_queue import NotReadable, fetch, mistakes, read_proof, verdict


@dataclass(frozen=True)
class Lots:
    """What came of drawing them again, in a sentence."""

    sentence: str
    is_right: bool


async def fingerprint(shop: str, event_id: str) -> str:
    """What is published of the seed before the draw. Raises NotReadable."""
    return str((await asyncio.to_thread(fetch, _proof(shop, event_id)))["seed_hash"])


async def drawn_again(shop: str, event_id: str, noted: str) -> Lots:
    """Whether the numbers are those that the seed gives; `noted` is the fingerprint from before the draw."""
    try:
        proof = await asyncio.to_thread(read_proof, _proof(shop, event_id), fetch)
    except NotReadable as error:
        return Lots(f"The lots could not be drawn again: {error}", is_right=False)
    wrong = mistakes(proof, noted)
    return Lots(verdict(proof, wrong, was_noted=True), is_right=not wrong)


def _proof(shop: str, event_id: str) -> str:
    return f"{shop}/events/{event_id}/queue/proof.json"
