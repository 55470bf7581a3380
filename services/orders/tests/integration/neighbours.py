"""Hand-written neighbours of orders: a catalog, an inventory and payments that remember what they were asked, and misbehave on request."""

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse

PRICE_MINOR = 2500


@dataclass
class Neighbours:
    """All three in one application; their paths do not overlap."""

    event_id: UUID = field(default_factory=uuid4)
    class_id: UUID = field(default_factory=uuid4)
    free_class_id: UUID = field(default_factory=uuid4)
    on_sale: bool = True
    max_per_buyer: int | None = None
    # What catalog says besides, of the event and of its class.
    event_says: dict[str, Any] = field(default_factory=dict)
    class_says: dict[str, Any] = field(default_factory=dict)
    holds: dict[str, dict[str, Any]] = field(default_factory=dict)
    payments: dict[str, dict[str, Any]] = field(default_factory=dict)
    captures: list[str] = field(default_factory=list)
    # The next answers to a kind of call ("hold", "commit", "capture", ...), before it works again: (status, code).
    refusals: dict[str, list[tuple[int, str]]] = field(default_factory=dict)
    # What the next holds consist of, instead of what was asked for.
    lines_instead: list[list[dict[str, Any]]] = field(default_factory=list)
    # The next answers to "begin" wait for these.
    slow_begins: list[asyncio.Event] = field(default_factory=list)
    # The next answers to "capture" wait for these.
    slow_captures: list[asyncio.Event] = field(default_factory=list)

    def refuse(self, call: str, status: int, code: str, times: int = 1) -> None:
        self.refusals.setdefault(call, []).extend([(status, code)] * times)

    def refusal(self, call: str) -> JSONResponse | None:
        if not self.refusals.get(call):
            return None
        status, code = self.refusals[call].pop(0)
        body = {"code": code, "detail": f"{code}.", "seat_ids": ["A1"], "available": 0}
        body |= {"class_id": str(self.class_id), "begins_at": None}
        return JSONResponse(body, status, media_type="application/problem+json")

    def authorise(self, payment_id: str) -> None:
        self.payments[payment_id]["state"] = "authorised"

    def hold_states(self) -> list[str]:
        return [hold["state"] for hold in self.holds.values()]

    def expiries(self) -> list[str]:
        return [hold["expires_at"].replace("+00:00", "Z") for hold in self.holds.values()]

    def expire_in(self, seconds: float) -> None:
        """The only hold ends so soon."""
        (hold,) = self.holds.values()
        hold["expires_at"] = (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat()

    def app(self) -> FastAPI:
        app = FastAPI()
        self._add_catalog(app)
        self._add_inventory(app)
        self._add_payments(app)
        return app

    def _add_catalog(self, app: FastAPI) -> None:
        @app.get("/events/{event_id}")
        async def event(event_id: UUID) -> Any:
            if event_id != self.event_id:
                return JSONResponse({"code": "event_unknown", "detail": "Unknown."}, 404)
            sold = {"on_sale": True, "sale_begins_at": None}
            classes = [
                {"class_id": str(self.class_id), "name": "Standing", "price_minor": PRICE_MINOR, **sold}
                | self.class_says,
                {"class_id": str(self.free_class_id), "name": "Children", "price_minor": 0, **sold},
            ]
            return (
                self.refusal("catalog")
                or {
                    "event_id": str(event_id),
                    "title": "Hamlet",
                    "starts_at": "2027-05-01T18:00:00Z",
                    "doors_at": None,
                    "time_zone": "Europe/Berlin",
                    "venue": {"name": "Globe", "street": "Spreeufer 1", "city": "Berlin", "country": "DE"},
                    "currency": "EUR",
                    "on_sale": self.on_sale,
                    "sale_begins_at": None,
                    "state": "scheduled",
                    "version": 1,
                    "max_per_order": 6,
                    "max_per_buyer": self.max_per_buyer,
                    "classes": classes,
                }
                | self.event_says
            )

    def _add_inventory(self, app: FastAPI) -> None:
        @app.put("/events/{event_id}/holds/{hold_id}")
        async def hold(event_id: str, hold_id: str, request: Request) -> Any:
            refused = self.refusal("hold")
            if refused:
                return refused
            body = await request.json()
            lines = [{**place, "seat_id": None, "seat_label": None} for place in body["places"]]
            lines += [
                {"class_id": str(self.class_id), "seat_id": seat, "seat_label": f"Seat {seat}", "quantity": 1}
                for seat in body["seats"]
            ]
            if self.lines_instead:
                lines = self.lines_instead.pop(0)
            expires_at = datetime.now(UTC) + timedelta(seconds=body["ttl_seconds"])
            self.holds[hold_id] = {"state": "held", "expires_at": expires_at.isoformat(), "lines": lines}
            return self.refusal("hold_answer") or JSONResponse(self.holds[hold_id], 201)

        @app.post("/events/{event_id}/holds/{hold_id}/prolong")
        async def prolong(event_id: str, hold_id: str, request: Request) -> Any:
            if refused := self.refusal("prolong"):
                return refused
            wanted = datetime.now(UTC) + timedelta(seconds=(await request.json())["ttl_seconds"])
            hold = self.holds.setdefault(hold_id, {"expires_at": wanted.isoformat(), "lines": []})
            hold["expires_at"] = max(wanted, datetime.fromisoformat(hold["expires_at"])).isoformat()
            return hold

        @app.post("/events/{event_id}/holds/{hold_id}/{how}")
        async def end(event_id: str, hold_id: str, how: str) -> Any:
            refused = self.refusal(how)
            if refused:
                return refused
            hold = self.holds.setdefault(hold_id, {"expires_at": "2027-01-01T00:00:00Z", "lines": []})
            hold["state"] = "committed" if how == "commit" else "released"
            return hold

    def _add_payments(self, app: FastAPI) -> None:
        @app.put("/payments/{payment_id}")
        async def begin(payment_id: str, request: Request) -> Any:
            body = await request.json()
            refused = self.refusal("begin")
            made = {"state": "created", "redirect_url": f"http://bank/pay/{payment_id}", "decline_reason": None}
            payment = self.payments.setdefault(payment_id, {**body, **made})
            if self.slow_begins:
                await self.slow_begins.pop(0).wait()
            if "redirect_url" not in payment:  # it was called off before it was made
                return JSONResponse({"code": "payment_voided", "detail": "It was called off."}, 409)
            return refused or JSONResponse(payment, 201)

        @app.get("/payments/{payment_id}")
        async def look_up(payment_id: str) -> Any:
            unknown = JSONResponse({"code": "payment_unknown", "detail": "Unknown."}, 404)
            return self.refusal("look_up") or self.payments.get(payment_id) or unknown

        @app.post("/payments/{payment_id}/capture")
        async def capture(payment_id: str) -> Any:
            refused = self.refusal("capture")
            if refused:
                return refused
            if self.slow_captures:
                await self.slow_captures.pop(0).wait()
            self.payments[payment_id]["state"] = "captured"
            self.captures.append(payment_id)
            return self.payments[payment_id]

        @app.post("/payments/{payment_id}/void")
        async def void(payment_id: str) -> Any:
            payment = self.payments.setdefault(payment_id, {"state": "created"})
            payment["was_authorised"] = payment["state"] in {"authorised", "captured", "refunded"}
            payment["state"] = "refunded" if payment["state"] == "captured" else "voided"
            return self.refusal("void") or payment
