"""What `make verify-queue` says of a draw: that all is as it should be, or what is not."""

import json
import threading
from collections.abc import Iterator
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import pytest

from local.processes import LOOPBACK
from local.verify_queue import NotReadable, address_of, fetch, mistakes, read_proof, verdict

SEED = "5eed" * 16
EVENT = "01a20559-a79e-75d2-b02f-f7bf1b353e34"
# By hand: printf %s 5eed...:00000000-0000-0000-0000-00000000000N | sha256sum, sorted.
IDS = [str(UUID(int=number)) for number in range(1, 26)]


def numbers() -> dict[str, int]:
    lots = sorted(IDS, key=lambda entry_id: sha256(f"{SEED}:{entry_id}".encode()).hexdigest())
    return {entry_id: number for number, entry_id in enumerate(lots, 1)}


class Shop:
    """Answers with a proof in pages of ten, as web does."""

    def __init__(self) -> None:
        self.seed: str | None = SEED
        self.seed_hash = sha256(SEED.encode()).hexdigest()
        self.numbers = numbers()
        self.address = ""

    def page(self, after: str) -> dict[str, Any]:
        behind = [entry_id for entry_id in IDS if entry_id > after] if self.seed else []
        entries = [{"entry_id": entry_id, "number": self.numbers[entry_id]} for entry_id in behind[:10]]
        more = entries[-1]["entry_id"] if len(behind) > len(entries) else None
        return {"event_id": EVENT, "seed": self.seed, "seed_hash": self.seed_hash, "entries": entries, "next": more}


@pytest.fixture
def shop() -> Iterator[Shop]:
    """A real server, since the program reads real answers."""
    made = Shop()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked = urlsplit(self.path)
            if asked.path != f"/events/{EVENT}/queue/proof.json":
                self.send_error(404)
                return
            body = json.dumps(made.page(parse_qs(asked.query).get("after", [""])[0])).encode()
            self.send_response(200)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Nobody reads it."""

    server = HTTPServer((LOOPBACK, 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    made.address = f"http://{LOOPBACK}:{server.server_port}"
    yield made
    server.shutdown()
    server.server_close()


def judged(shop: Shop, noted: str = "") -> tuple[list[str], str]:
    proof = read_proof(address_of(f"{shop.address}/events/{EVENT}/queue", str), fetch)
    wrong = mistakes(proof, noted)
    return wrong, verdict(proof, wrong, was_noted=bool(noted))


def test_a_draw_that_is_right_is_said_to_be_in_a_sentence(shop: Shop) -> None:
    wrong, said = judged(shop, shop.seed_hash)
    assert wrong == []
    assert said.startswith("All is as it should be")
    assert "drawing 25 lots again" in said


def test_a_tampered_number_is_named_with_what_its_lot_gives(shop: Shop) -> None:
    one, other = IDS[0], IDS[24]  # of two pages
    right = numbers()
    shop.numbers |= {one: right[other], other: right[one]}
    _, said = judged(shop)
    assert said.startswith("This draw is NOT as it should be.")
    assert (
        f"2 of 25 numbers are not what the lots give: entry {one} has {right[other]}, and its lot gives {right[one]}."
        in said
    )


def test_another_seed_than_the_one_that_was_promised_is_seen(shop: Shop) -> None:
    shop.seed = "another"
    assert "The seed does not fit its fingerprint." in judged(shop)[0]


def test_a_fingerprint_that_was_changed_with_its_seed_is_seen_by_who_noted_it(shop: Shop) -> None:
    assert judged(shop)[0] == []
    assert judged(shop, "00" * 32)[0] == [
        f"The fingerprint is {shop.seed_hash}, and {'00' * 32} was noted before the draw."
    ]


def test_before_the_draw_nothing_can_be_said(shop: Shop) -> None:
    shop.seed = None
    with pytest.raises(NotReadable, match="not drawn yet"):
        judged(shop)


def test_an_event_is_named_by_its_id_or_by_any_address_of_its_pages(shop: Shop) -> None:
    wanted = f"http://shop.example/events/{EVENT}/queue/proof.json"
    for named in (EVENT, f"http://shop.example/events/{EVENT}", f"http://shop.example/events/{EVENT}/queue?x=1"):
        assert address_of(named, lambda: "http://shop.example") == wanted
    with pytest.raises(NotReadable, match="neither an event's id"):
        address_of("Lakeside", str)
    with pytest.raises(NotReadable, match="cannot be read"):
        fetch(f"{shop.address}/events/unknown/queue/proof.json")
