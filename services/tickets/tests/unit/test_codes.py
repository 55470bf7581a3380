"""A code is believed only as it was signed, to the character."""

import json
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
import zxingcpp
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from hypothesis import assume, given
from hypothesis import strategies as st

from services.tickets.domain import CODE_CHARACTERS, CODE_EPOCH_MAX, CodeRefused, Reason
from services.tickets.signing import KeyFileUnusable, Keyring
from services.tickets.tests.unit.examples import TICKET, a_ticket

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
KEYRING = Keyring(KEY)
CODE = KEYRING.code_of(TICKET)


def refusal(code: str, keyring: Keyring = KEYRING) -> Reason:
    with pytest.raises(CodeRefused) as refused:
        keyring.verify(code)
    assert str(refused.value)
    return refused.value.reason


@given(ticket_id=st.uuids(), event_id=st.uuids(), epoch=st.integers(1, CODE_EPOCH_MAX))
def test_a_code_says_what_was_signed(ticket_id: UUID, event_id: UUID, epoch: int) -> None:
    claims = KEYRING.verify(KEYRING.code_of(a_ticket(ticket_id=ticket_id, event_id=event_id, epoch=epoch)))
    assert (claims.ticket_id, claims.event_id, claims.epoch) == (ticket_id, event_id, epoch)


def test_the_same_ticket_has_the_same_code() -> None:
    assert KEYRING.code_of(a_ticket()) == CODE


@given(position=st.integers(0, CODE_CHARACTERS - 1), character=st.characters())
def test_no_other_character_anywhere_verifies(position: int, character: str) -> None:
    assume(CODE[position] != character)
    refusal(CODE[:position] + character + CODE[position + 1 :])


def test_no_other_character_of_the_alphabet_verifies_at_any_place() -> None:
    """All of them: one place (the last, with a bit to spare) and one character are too easily missed by chance."""
    reasons = {
        refusal(CODE[:position] + character + CODE[position + 1 :])
        for position in range(4, CODE_CHARACTERS)
        for character in "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
        if CODE[position] != character
    }
    assert reasons == {Reason.FORGED, Reason.UNKNOWN_KEY, Reason.UNKNOWN_VERSION}


@given(position=st.integers(0, CODE_CHARACTERS), character=st.characters())
def test_no_added_character_verifies(position: int, character: str) -> None:
    refusal(CODE[:position] + character + CODE[position:])


@given(length=st.integers(0, CODE_CHARACTERS - 1))
def test_no_beginning_of_a_code_verifies(length: int) -> None:
    assert refusal(CODE[:length]) in {Reason.TRUNCATED, Reason.NOT_A_TICKET}


@given(text=st.text(max_size=400))
def test_no_text_makes_it_fail_otherwise(text: str) -> None:
    refusal(text)
    refusal("OS1." + text)


def test_a_code_of_a_stranger_is_refused_even_under_our_key_id() -> None:
    stranger = Ed25519PrivateKey.generate()
    assert refusal(Keyring(stranger).code_of(TICKET)) is Reason.UNKNOWN_KEY
    impostor = Keyring(stranger)
    impostor._key_id = KEYRING._key_id
    assert refusal(impostor.code_of(TICKET)) is Reason.FORGED


def test_parts_of_two_genuine_codes_do_not_verify() -> None:
    other = KEYRING.code_of(a_ticket(ticket_id=uuid4()))
    assert refusal(CODE[:70] + other[70:]) is Reason.FORGED


def test_another_alphabet_is_named_as_the_reason() -> None:
    assert refusal(CODE.lower()) is Reason.NOT_A_TICKET
    assert refusal("OS1." + CODE[4:].lower()) is Reason.WRONG_ALPHABET
    assert refusal(CODE + "=") is Reason.WRONG_ALPHABET
    assert refusal(CODE + "A") is Reason.TOO_LONG


def test_a_retired_key_still_verifies_and_is_published(tmp_path: Path) -> None:
    retired = tmp_path / "retired.json"
    retired.write_text(json.dumps(KEYRING.public_keys()))
    pem = tmp_path / "key.pem"
    pem.write_bytes(
        Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
    )
    now = Keyring.load(pem, retired)
    assert now.verify(CODE).ticket_id == TICKET.ticket_id
    assert now.verify(now.code_of(TICKET)).ticket_id == TICKET.ticket_id
    assert [key["kid"] for key in now.public_keys()["keys"]][1] == KEYRING.public_keys()["keys"][0]["kid"]


def test_an_unusable_key_file_says_what_to_do(tmp_path: Path) -> None:
    wrong_kind = tmp_path / "wrong.pem"
    wrong_kind.write_bytes(
        generate_private_key(SECP256R1()).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
    )
    garbage = tmp_path / "garbage.pem"
    garbage.write_text("not a key")
    for path in (None, tmp_path / "missing.pem", wrong_kind, garbage):
        with pytest.raises(KeyFileUnusable, match="openssl genpkey"):
            Keyring.load(path)
    good = tmp_path / "good.pem"
    good.write_bytes(KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    with pytest.raises(KeyFileUnusable, match="JWKS"):
        Keyring.load(good, garbage)


def test_a_code_fits_a_small_qr_in_alphanumeric_mode() -> None:
    """45 modules at each side; in bytes it would need 61."""
    modules: Any = zxingcpp.create_barcode(CODE, zxingcpp.BarcodeFormat.QRCode, ec_level="M").to_image(
        add_quiet_zones=False
    )
    assert memoryview(modules).shape == (45, 45)
