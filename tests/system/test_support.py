"""The flight recorder on a running system: what went wrong with a purchase can be read when its spans are gone."""

import asyncio
import time
from typing import Any

import pytest

from local.buyer import Buyer, Wish
from local.story import render
from local.system import System
from tests.books import rows
from tests.support import story_of_support

pytestmark = pytest.mark.system

BROKEN_FOR_A_WHILE = "4000 0000 0000 1026"
SOON_SECONDS = 30.0
LOOK_SECONDS = 0.2
ALL_GONE = "The spans are gone; what you read is from the records."
# In the order in which they happen; others may stand between them.
STORY = (
    "The order was placed.",
    "The order has its places: 2 places for",
    "The buyer was sent to the bank.",
    "The bank was asked to take the money.",
    "The bank answered 500 when asked to take the money.",
    "The bank took the money, at the third attempt.",
    "The money is taken, and the order is confirmed.",
    "2 tickets were issued.",
    "The mail server took the mail with the tickets.",
)


async def until_mailed(system: System, number: str) -> dict[str, Any]:
    """The story, as soon as its last line is written: the mailbox has a mail a moment before that is noted."""
    deadline = time.monotonic() + SOON_SECONDS
    while True:
        story = await story_of_support(system, number)
        if any(line["text"].startswith(STORY[-1]) for line in story["lines"]) or time.monotonic() > deadline:
            return story
        await asyncio.sleep(LOOK_SECONDS)


def missing_of(story: dict[str, Any]) -> list[str]:
    """The sentences that are not there, or not in their order."""
    lines = iter(line["text"] for line in story["lines"])
    return [sentence for sentence in STORY if not any(text.startswith(sentence) for text in lines)]


async def test_a_purchase_with_a_failing_capture_tells_its_story_with_and_without_its_spans(system: System) -> None:
    wish = Wish(places=2, card=BROKEN_FOR_A_WHILE)
    purchase = await Buyer(system.addresses, wish).buy(await Buyer(system.addresses, wish).find_events())
    assert purchase.failure is None
    story = await until_mailed(system, purchase.order_number)
    assert missing_of(story) == []
    assert (story["state"], story["trace_id"], story["notes"]) == ("confirmed", purchase.trace_id, [])
    bad = next(line for line in story["lines"] if "answered 500" in line["text"])
    viewer = system.addresses["traces"]
    assert (bad["tone"], bad["url"]) == ("bad", f"{viewer}/trace/{purchase.trace_id}?uiFind={bad['span_id']}")

    # Weeks later: nobody knows the trace any more.
    forget = "UPDATE purchase_order SET trace_id = repeat('a', 32) WHERE number = $1 RETURNING 1 AS n"
    assert await rows(system, "orders", forget, purchase.order_number)
    late = await story_of_support(system, purchase.order_number)
    assert late["notes"] == [ALL_GONE]
    assert missing_of(late) == []
    assert ALL_GONE in render(late, colour=False)
