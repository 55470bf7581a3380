"""Tickets for partners whose pacts hold codes: signed with a key that everybody may know, and that only these tests believe.

`python -m services.tickets.tests.contract.specimens NAME ...` prints a code for each name; the state "a valid ticket" with that
code then makes it one of a valid ticket.
"""

import hashlib
import json
import sys
from pathlib import Path
from typing import Any
from uuid import uuid4

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from chassis.db import Database
from contracts.consumer import an_id
from services.tickets import queries
from services.tickets.domain import TicketState
from services.tickets.signing import Keyring
from services.tickets.tests.unit.examples import a_ticket

KEYRING = Keyring(Ed25519PrivateKey.from_private_bytes(hashlib.sha256(b"urn:onsale:contracts:specimen").digest()))
WITHOUT_A_SEAT: dict[str, Any] = {"class_name": "Stehplatz", "seat_id": None, "seat_label": None}


def code_for(name: str) -> str:
    """The code of the specimen of a name, always the same one."""
    about = {"ticket_id": an_id(f"specimen {name}"), "event_id": an_id(f"specimen {name}: event")}
    return KEYRING.code_of(a_ticket(**about))


def write_keys(folder: Path) -> Path:
    """Writes the specimens' public key, to be believed as a retired one."""
    path = folder / "specimens.json"
    path.write_text(json.dumps(KEYRING.public_keys()))
    return path


class Specimens:
    """Makes true what partners take for granted of a code."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def a_valid_ticket(self, given: dict[str, Any]) -> None:
        await self._insert(given)

    async def a_valid_ticket_without_a_seat(self, given: dict[str, Any]) -> None:
        await self._insert(given, changes=WITHOUT_A_SEAT)

    async def a_cancelled_ticket(self, given: dict[str, Any]) -> None:
        await self._insert(given, changes={"state": TicketState.VOID})

    async def a_ticket_that_was_issued_anew(self, given: dict[str, Any]) -> None:
        await self._insert(given, later=1)

    async def _insert(self, given: dict[str, Any], *, later: int = 0, changes: dict[str, Any] | None = None) -> None:
        claims = KEYRING.verify(given["code"])
        about = {"ticket_id": claims.ticket_id, "event_id": claims.event_id, "epoch": claims.epoch + later}
        ticket = a_ticket(order_id=uuid4(), line_id=uuid4(), **about, **(changes or {}))
        async with self._database.writer() as tx:
            await queries.insert_tickets(tx, [ticket])


if __name__ == "__main__":
    for specimen in sys.argv[1:]:
        print(f"{specimen}: {code_for(specimen)}")
