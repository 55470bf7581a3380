"""Anybody may check a code; nobody learns who holds it."""

import asyncpg
import pytest

from chassis.ids import uuid7
from chassis.testing import Harness, RunningApp
from services.tickets.domain import Claims
from services.tickets.settings import TicketsSettings
from services.tickets.signing import Keyring
from services.tickets.tests.integration.orders import ORDER_CONFIRMED, TICKETS_ISSUED, a_line, order_confirmed
from services.tickets.tests.unit.examples import a_ticket


@pytest.fixture
async def code(harness: Harness, running: RunningApp) -> str:
    """The code of an issued ticket."""
    person_id = uuid7()
    order = order_confirmed(a_line(), person_id=person_id)
    await harness.tell(ORDER_CONFIRMED, order)
    await harness.heard(TICKETS_ISSUED)
    headers = harness.headers("web", to="tickets", person=person_id)
    response = await running.http.get(f"/orders/{order['order_id']}/tickets", headers=headers)
    return str(response.json()["items"][0]["code"])


async def change(settings: TicketsSettings, statement: str) -> None:
    connection = await asyncpg.connect(settings.database_url.get_secret_value())
    await connection.execute(statement)
    await connection.close()


async def test_a_genuine_code_is_valid_and_tells_nothing_of_its_holder(running: RunningApp, code: str) -> None:
    response = await running.http.post("/verify", json={"code": code})
    verdict = response.json()
    assert set(verdict) == {
        "valid",
        "reason",
        "message",
        "ticket_id",
        "event_title",
        "class_name",
        "seat_label",
        "event_state",
    }
    assert (verdict["valid"], verdict["reason"]) == (True, "genuine")
    assert (verdict["event_title"], verdict["class_name"]) == ("Żółta łódź", "Stehplatz")


async def test_a_code_copied_from_paper_with_its_spaces_is_the_same(running: RunningApp, code: str) -> None:
    spaced = "\n ".join(code[i : i + 5] for i in range(0, len(code), 5))
    assert (await running.http.post("/verify", json={"code": spaced})).json()["valid"] is True


async def test_a_void_and_a_replaced_ticket_are_refused_with_the_reason(
    running: RunningApp, settings: TicketsSettings, code: str
) -> None:
    await change(settings, "UPDATE ticket SET epoch = 2")
    assert (await running.http.post("/verify", json={"code": code})).json()["reason"] == "replaced"
    await change(settings, "UPDATE ticket SET epoch = 1, state = 'void'")
    verdict = (await running.http.post("/verify", json={"code": code})).json()
    assert (verdict["valid"], verdict["reason"]) == (False, "void")


async def test_a_forged_code_is_refused_and_tells_nothing(running: RunningApp, code: str) -> None:
    for forged in (code[:-5] + "AAAAA", code[:100], "OS1.", "", "hello", code.lower()):
        verdict = (await running.http.post("/verify", json={"code": forged})).json()
        assert verdict["valid"] is False
        assert verdict["message"]
        assert {verdict[name] for name in ("ticket_id", "event_title", "class_name", "seat_label")} == {None}


async def test_a_signed_code_without_a_ticket_is_refused(running: RunningApp, settings: TicketsSettings) -> None:
    stray = Keyring.load(settings.signing_key_file).code_of(a_ticket(ticket_id=uuid7()))
    verdict = (await running.http.post("/verify", json={"code": stray})).json()
    assert (verdict["valid"], verdict["reason"], verdict["ticket_id"]) == (False, "unknown_ticket", None)


async def test_a_very_long_code_is_refused_before_it_is_looked_at(running: RunningApp) -> None:
    assert (await running.http.post("/verify", json={"code": "A" * 1001})).status_code == 422
    assert (await running.http.post("/verify", json={"code": "OS1.", "valid": True})).status_code == 422


async def test_a_gate_verifies_codes_offline_with_the_published_keys(running: RunningApp, code: str) -> None:
    """As a stranger would: with the README's description of a code, a JWKS and a cryptography library."""
    import base64

    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    keys = (await running.http.get("/.well-known/ticket-keys.json")).json()["keys"]
    body = code.removeprefix("OS1.")
    raw = base64.b32decode(body + "=" * (-len(body) % 8))
    [key] = [each for each in keys if each["kid"] == raw[1:5].hex()]
    public = Ed25519PublicKey.from_public_bytes(base64.urlsafe_b64decode(key["x"] + "="))
    public.verify(raw[39:], raw[:39])
    assert Claims(key["kid"], a_ticket().ticket_id, a_ticket().event_id, 1).signed_bytes()[:5] == raw[:5]
