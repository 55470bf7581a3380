"""The event of a rehearsal: one of its own, with as many places as were asked for, brought in by the catalogue's loader."""

import asyncio
import json
import re
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlencode
from uuid import uuid4

import aiohttp

from local.bench.crowd import QUANTITY
from local.errors import StartError

ON_SALE_SECONDS = 60.0
LOOK_SECONDS = 0.3
PRICE = 25
WAY_IN = "data-way-in"
_EVENT = re.compile(r"/events/([0-9a-f-]{36})")


def document_of(name: str, places: int) -> dict[str, object]:
    """The event as a schema.org document: one class for general admission."""
    return {
        "@context": "https://schema.org",
        "@type": "MusicEvent",
        "identifier": name.lower().replace(" ", "-"),
        "name": name,
        "description": "Nobody plays: this is a rehearsal.",
        "startDate": "2036-06-21T19:00:00+02:00",
        "endDate": "2036-06-21T22:00:00+02:00",
        "organizer": {"@type": "Organization", "name": "Rehearsals"},
        "location": {
            "@type": "Place",
            "name": "The Field",
            "address": {"@type": "PostalAddress", "streetAddress": "1 Field Road", "addressLocality": "Fieldham"},
        },
        "offers": [
            {"@type": "Offer", "name": "Standing", "price": PRICE, "priceCurrency": "EUR", "inventoryLevel": places}
        ],
    }


async def until_it_has_a_waiting_room(shop: str, event_id: str) -> None:
    """Returns when the event's page leads to it. Raises StartError if that does not happen."""
    async with aiohttp.ClientSession() as http:
        for _ in range(int(ON_SALE_SECONDS / LOOK_SECONDS)):
            if WAY_IN in await _page(http, f"{shop}/events/{event_id}"):
                return
            await asyncio.sleep(LOOK_SECONDS)
    raise StartError(f"The page of the event did not lead to its waiting room within {ON_SALE_SECONDS:g} s. make stuck")


async def make_event(load: Callable[[str], object], shop: str, places: int) -> str:
    """Loads it, and waits until it is on sale; its id. Raises StartError if it does not get so far."""
    name = f"Rehearsal {uuid4().hex[:8]}"
    with tempfile.TemporaryDirectory() as folder:
        # The loader may be another user's process.
        file = Path(folder) / "event.json"
        file.write_text(json.dumps(document_of(name, places)))
        await asyncio.to_thread(load, str(file))
    deadline = time.monotonic() + ON_SALE_SECONDS
    async with aiohttp.ClientSession() as http:
        while time.monotonic() < deadline:
            found = _EVENT.search(await _page(http, f"{shop}/?{urlencode({'q': name})}"))
            if found and QUANTITY.search(await _page(http, f"{shop}/events/{found[1]}")):
                return found[1]
            await asyncio.sleep(LOOK_SECONDS)
    raise StartError(
        f"The event of the rehearsal was not on sale within {ON_SALE_SECONDS:g} s. Is inventory well? make stuck"
    )


async def _page(http: aiohttp.ClientSession, url: str) -> str:
    async with http.get(url) as answer:
        return await answer.text()
