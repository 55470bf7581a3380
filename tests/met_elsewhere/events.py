"""Events as organisers' files have them, and the way of such a file into a running system."""

import asyncio
import json
import tempfile
from pathlib import Path
from typing import Any

from local.errors import StartError
from local.system import System


def an_event(identifier: str, name: str, **changes: Any) -> dict[str, Any]:
    """A concert with one class of standing places; a key that is changed to `...` is left out."""
    event: dict[str, Any] = {
        "@context": "https://schema.org",
        "@type": "MusicEvent",
        "identifier": f"met-elsewhere-{identifier}",
        "name": name,
        "startDate": "2031-06-20T20:00:00+02:00",
        "doorTime": "2031-06-20T19:00:00+02:00",
        "onsale:timeZone": "Europe/Berlin",
        "location": {
            "@type": "Place",
            "name": "Kulturhaus am Kanal",
            "address": {
                "@type": "PostalAddress",
                "streetAddress": "Kanalstraße 11",
                "addressLocality": "Fürth",
                "addressCountry": "DE",
            },
        },
        "organizer": {"@type": "Organization", "name": "Konzertbüro Beispiel"},
        "offers": [an_offer()],
    }
    return {key: value for key, value in (event | changes).items() if value is not ...}


def an_offer(**changes: Any) -> dict[str, Any]:
    """Standing places at 25 euros."""
    return {
        "@type": "Offer",
        "name": "Standing",
        "price": "25.00",
        "priceCurrency": "EUR",
        "inventoryLevel": 100,
    } | changes


async def load(system: System, *documents: Any) -> tuple[int, str]:
    """Brings a file of these documents into the catalogue, as `make load` does; the exit code and what was printed."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "events.json")
        file.write_text(json.dumps(list(documents)), encoding="utf-8")
        try:
            return 0, await asyncio.to_thread(system.load, str(file))
        except StartError as error:
            return 1, str(error)
