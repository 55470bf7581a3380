"""A small waiting room for tests: its clock is what a test says, and it says no where the real one says no."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID, uuid4

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

SEED = "5eed" * 16
MOST_PER_ADDRESS = 20
# The page's script reads the one and writes the other; web looks into neither.
PUZZLE, GOOD_SOLUTION, LATE_SOLUTION = '{"a": "puzzle"}', "c29sdmVk", "bGF0ZQ=="


def _problem(status: int, code: str, detail: str = "", **facts: Any) -> JSONResponse:
    return JSONResponse({"status": status, "detail": detail, "code": code} | facts, status)


def _person(request: Request) -> str:
    return request.headers.get("onsale-person", "").removeprefix("token-")


def lot(entry_id: str) -> str:
    """An entry's lot, by the recipe of the proof's page."""
    return sha256(f"{SEED}:{entry_id}".encode()).hexdigest()


@dataclass
class WaitingNeighbour:
    """Sales by event, and entries by event and person."""

    sales: dict[str, dict[str, Any]] = field(default_factory=dict)
    entries: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    drawn: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    passes: dict[str, tuple[str, str]] = field(default_factory=dict)
    page_size: int = 1000
    # Whether the shop has a key to ask for proofs with; the only one that holds is GOOD_SOLUTION.
    has_key: bool = True
    used: set[str] = field(default_factory=set)

    def schedule(self, event_id: UUID, state: str = "doors_open", starts_in: float = 3600, **more: Any) -> None:
        """Gives an event a waiting room."""
        now = datetime.now(UTC)
        doors = now + timedelta(seconds=60 if state == "announced" else -60)
        self.sales[str(event_id)] = {
            "event_id": str(event_id),
            "state": state,
            "doors_open_at": doors.isoformat(),
            "starts_at": (now + timedelta(seconds=starts_in)).isoformat(),
            "rate": 60,
            "rate_now": 60.0,
            "most_active": 100,
            "seed_hash": sha256(SEED.encode()).hexdigest(),
            "seed": None,
            "serving": 0,
            "last_number": 0,
            "places_left": 100,
            "places_in_carts": 0,
            "challenge": False,
        } | more

    def start(self, event_id: UUID, before: int = 0, **more: Any) -> None:
        """Draws lots among all who are there; behind `before` others, whom nobody knows, come those of the test."""
        here = str(event_id)
        others = [str(uuid4()) for _ in range(before)]
        own = {entry["entry_id"]: entry for (event, _), entry in self.entries.items() if event == here}
        drawn = sorted(others, key=lot) + sorted(own, key=lot)
        self.drawn[here] = [{"entry_id": entry_id, "number": at} for at, entry_id in enumerate(drawn, 1)]
        for each in self.drawn[here]:
            if each["entry_id"] in own:
                own[each["entry_id"]] |= {"number": each["number"], "state": "waiting"}
        begun = {
            "state": "selling",
            "seed": SEED,
            "last_number": len(drawn),
            "starts_at": datetime.now(UTC).isoformat(),
        }
        self.sales[here] |= begun | more

    def set_all(self, event_id: UUID, state: str, seconds: float = 600) -> None:
        """Everybody who is in the queue stands so, until then."""
        until = (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat()
        for (event, _), entry in self.entries.items():
            if event == str(event_id):
                entry |= {"state": state, "until": until}

    def refuses(self, event_id: str, person: str, admission: str | None) -> JSONResponse | None:
        """What inventory, and so orders, says to somebody without a good pass."""
        sale = self.sales.get(event_id)
        if sale is None or sale["state"] == "ended":
            return None
        if self.passes.get(admission or "") != (event_id, person):
            return _problem(403, "pass_needed", "Come by way of the waiting room.")
        return None

    def routes(self) -> list[Route]:
        """What web may ask."""
        return [
            Route("/sales/{event_id}", self._sale, methods=["GET", "PUT", "PATCH"]),
            Route("/sales/{event_id}/drawn", self._drawn),
            Route("/sales/{event_id}/challenge", self._challenge, methods=["POST"]),
            Route("/sales/{event_id}/entry", self._entry, methods=["GET", "PUT"]),
            Route("/sales/{event_id}/entry/pass", self._pass, methods=["POST"]),
        ]

    async def _sale(self, request: Request) -> Response:
        event_id = request.path_params["event_id"]
        if request.method == "PUT":
            if event_id in self.sales and self.sales[event_id]["state"] != "announced":
                return _problem(409, "sale_has_begun")
            self.schedule(UUID(event_id), "announced", **await request.json())
        if event_id not in self.sales:
            return _problem(404, "sale_unknown")
        sale = self.sales[event_id]
        if request.method == "PATCH":
            wished = await request.json()
            if wished["challenge"] and not self.has_key:
                return _problem(409, "no_challenge")
            self._steer(sale, wished)
        return JSONResponse(sale)

    async def _challenge(self, request: Request) -> Response:
        sale = self.sales.get(request.path_params["event_id"])
        if sale is None:
            return _problem(404, "sale_unknown")
        if not sale["challenge"]:
            return _problem(409, "no_challenge")
        return JSONResponse({"puzzle": PUZZLE})

    def _steer(self, sale: dict[str, Any], wished: dict[str, Any]) -> None:
        sale |= {name: wished[name] for name in ("rate", "most_active", "challenge") if wished[name] is not None}
        if wished["paused"] is not None:
            sale["state"] = "paused" if wished["paused"] else "selling"
        if wished["ended"]:
            sale["state"] = "ended"

    async def _drawn(self, request: Request) -> Response:
        after = request.query_params.get("after", "")
        found = sorted(self.drawn.get(request.path_params["event_id"], []), key=lambda each: str(each["entry_id"]))
        found = [each for each in found if each["entry_id"] > after]
        items = found[: self.page_size]
        return JSONResponse({"items": items, "next": items[-1]["entry_id"] if len(found) > len(items) else None})

    async def _entry(self, request: Request) -> Response:
        event_id, person = request.path_params["event_id"], _person(request)
        sale = self.sales.get(event_id)
        if sale is None:
            return _problem(404, "sale_unknown")
        known = self.entries.get((event_id, person))
        if request.method == "PUT":
            sent = await request.json()
            address = sent["address"]
            if sale["state"] == "announced":
                return _problem(409, "doors_closed", doors_open_at=sale["doors_open_at"])
            if sum(entry["address"] == address for entry in self.entries.values()) >= MOST_PER_ADDRESS:
                return _problem(
                    429,
                    "too_many_from_address",
                    "20 people already wait from your network address.",
                    retry_after_seconds=60,
                )
            if known is None or known["state"] in {"missed", "done"}:
                if sale["challenge"] and (refusal := self._refused(sent["solution"])):
                    return refusal
                known = {"entry_id": str(uuid4()), "state": "equal", "number": None, "until": None, "address": address}
                self.entries[event_id, person] = known
        if known is None:
            return _problem(404, "not_in_queue")
        return JSONResponse(known | {"expected_seconds": self._expected(sale, known["number"]), "sale": sale})

    def _refused(self, solution: str | None) -> JSONResponse | None:
        """What is said of a proof that does not count."""
        if solution is None:
            return _problem(403, "challenge_missing")
        if solution == LATE_SOLUTION:
            return _problem(410, "challenge_expired")
        if solution != GOOD_SOLUTION:
            return _problem(422, "challenge_wrong")
        if solution in self.used:
            return _problem(409, "challenge_used")
        self.used.add(solution)
        return None

    def _expected(self, sale: dict[str, Any], number: int | None) -> float | None:
        if number is None or sale["state"] != "selling":
            return None
        return float(max(0, number - sale["serving"]) / sale["rate_now"] * 60)

    async def _pass(self, request: Request) -> Response:
        event_id, person = request.path_params["event_id"], _person(request)
        entry = self.entries.get((event_id, person))
        if entry is None:
            return _problem(404, "not_in_queue")
        if entry["state"] not in {"turn", "inside"}:
            code = "turn_missed" if entry["state"] == "missed" else "not_your_turn"
            return _problem(410 if code == "turn_missed" else 409, code)
        entry["state"] = "inside"
        token = f"pass.{entry['entry_id']}.signed"
        self.passes[token] = (event_id, person)
        return JSONResponse({"token": token, "until": entry["until"]})
