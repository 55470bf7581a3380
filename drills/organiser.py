"""An organiser who changes an event while the shop is open: `services.catalog.load`, as `make up` runs it."""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from drills.shopper import Shopper
from local.browser import Page
from local.provision import make_secrets
from local.topology import ROOT, Layout, Ports, programs

if TYPE_CHECKING:
    from drills.stage import Stage

KNOWN_SECONDS = 20.0
ORGANISER = "Lesekreis"
LISTING = f"/?q={ORGANISER}"


@dataclass(frozen=True)
class Renamed:
    """What the shop shows of an event that has a new name."""

    name: str
    listing: Page
    event: Page


async def rename_an_event(stage: Stage) -> Renamed:
    """An organiser looks at an event, renames it, and looks again when the list has the new name."""
    name = f"Reading No. {secrets.randbelow(10**6):06}"
    async with Shopper(stage.addresses) as organiser:
        if not _links(await organiser.open(LISTING)):
            await load(stage, _reading("Reading in spring"))
        listing = await organiser.watch(LISTING, lambda seen: bool(_links(seen)), KNOWN_SECONDS)
        page = _links(listing)[0]
        await organiser.open(page)
        await load(stage, _reading(name))
        listing = await organiser.watch(LISTING, lambda seen: name in seen.text, KNOWN_SECONDS)
        return Renamed(name, listing, await organiser.open(page))


def _links(listing: Page) -> list[str]:
    return [url for url, _ in listing.links if "/events/" in url]


async def load_sale(stage: Stage, many: int = 40) -> str:
    """An organiser publishes an event of so many places that can be bought; the address of its page."""
    name = f"Premiere No. {secrets.randbelow(10**6):06}"
    await load(stage, _premiere(name, many))
    async with Shopper(stage.addresses) as organiser:
        listing = await organiser.watch(f"/?q={quote(name)}", lambda seen: bool(_links(seen)), KNOWN_SECONDS)
        event = stage.addresses["web"] + urlsplit(_links(listing)[0]).path
        # Who counts places hears of it a moment later.
        await organiser.watch(event, lambda seen: "We cannot see" not in seen.text, KNOWN_SECONDS)
    return event


async def load(stage: Stage, document: Mapping[str, Any]) -> None:
    """Brings an event into the catalogue of the running system. Raises RuntimeError if it is refused."""
    command = [sys.executable, "-m", "services.catalog.load"]
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "event.json")
        file.write_text(json.dumps(document))
        environment = {**os.environ, **_environment_of_catalog(stage.data)}
        loading = await asyncio.create_subprocess_exec(
            *command,
            str(file),
            cwd=ROOT,
            env=environment,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        printed = (await loading.communicate())[0].decode()
    if loading.returncode != 0:
        raise RuntimeError(f"The event could not be loaded: {printed}")


def _premiere(name: str, many: int) -> dict[str, Any]:
    """An event that is new each time, as its organiser's file has it."""
    identifier = name.lower().replace(" ", "-").replace(".", "")
    reading = _reading(name)
    return reading | {
        "offers": [offer | {"inventoryLevel": many} for offer in reading["offers"]],
        "identifier": identifier,
        "onsale:onSale": True,
        "organizer": {"@type": "Organization", "name": "Haus"},
    }


def _reading(name: str) -> dict[str, Any]:
    """A small event that is not on sale, so that nobody chooses it, as its organiser's file has it."""
    address = {"@type": "PostalAddress", "streetAddress": "Kirchgasse 4", "addressLocality": "Bonn"}
    return {
        "@context": "https://schema.org",
        "@type": "LiteraryEvent",
        "identifier": "reading-by-the-rhine",
        "name": name,
        "startDate": "2039-05-06T19:00:00",
        "onsale:timeZone": "Europe/Berlin",
        "onsale:onSale": False,
        "location": {"@type": "Place", "name": "Alte Druckerei", "address": {**address, "addressCountry": "DE"}},
        "organizer": {"@type": "Organization", "name": ORGANISER},
        "offers": [{"@type": "Offer", "name": "Entry", "price": "9.00", "priceCurrency": "EUR", "inventoryLevel": 40}],
    }


def _environment_of_catalog(data: Path) -> Mapping[str, str]:
    layout = Layout(data)
    ports = Ports(json.loads(layout.run_file.read_text())["ports"])
    known = {each.name: each for each in programs(layout, ports, make_secrets(layout), "json")}
    return known["catalog"].environment
