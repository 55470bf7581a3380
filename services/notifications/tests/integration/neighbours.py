"""The neighbours of this service: `accounts` and `tickets` as small applications, and a mail server that really listens."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from io import BytesIO
from typing import Any
from uuid import UUID

from aiosmtpd.smtp import SMTP, Envelope, Session
from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse
from PIL import Image
from zxingcpp import BarcodeFormat, create_barcode

from chassis.ids import uuid7
from local.processes import free_port

CODE = "OS1.A" + "B" * 164


def a_pdf(code: str = CODE) -> bytes:
    """A page with a QR code, as `tickets` would print it."""
    modules: Any = create_barcode(code, BarcodeFormat.QRCode, ec_level="M").to_image(scale=4, add_quiet_zones=True)
    height, width = memoryview(modules).shape or (0, 0)
    pdf = BytesIO()
    Image.frombuffer("L", (width, height), bytes(modules)).save(pdf, format="pdf")
    return pdf.getvalue()


@dataclass
class Neighbours:
    """What the providers know, and what they were asked."""

    # What people have given accounts; it adds what it says of everybody.
    contacts: dict[str, dict[str, Any]] = field(default_factory=dict)
    pdfs: dict[str, bytes] = field(default_factory=dict)
    requests: list[Request] = field(default_factory=list)
    # For whom tickets were to be printed.
    holders: list[dict[str, Any]] = field(default_factory=list)
    down: bool = False
    # PDFs that are not printed yet: whoever asks for one waits.
    unprinted: dict[str, asyncio.Event] = field(default_factory=dict)

    def accounts(self) -> FastAPI:
        """`accounts`, as far as it is asked."""
        app = FastAPI()

        @app.get("/people/{person_id}/contact")
        async def contact(person_id: UUID, request: Request) -> Response:
            known = self.contacts.get(str(person_id))
            found = {"order_pass": None, "language": "en", **known} if known else None
            return self._answer(request, found, JSONResponse, "person_unknown")

        return app

    def tickets(self) -> FastAPI:
        """`tickets`, as far as it is asked."""
        app = FastAPI()

        @app.post("/orders/{order_id}/tickets.pdf")
        async def pdf(order_id: UUID, request: Request) -> Response:
            self.holders.append(await request.json())
            if (printed := self.unprinted.get(str(order_id))) is not None:
                await printed.wait()

            def as_pdf(content: Any) -> Response:
                return Response(content, media_type="application/pdf")

            return self._answer(request, self.pdfs.get(str(order_id)), as_pdf, "tickets_unknown")

        return app

    def _answer(self, request: Request, found: Any, make: Callable[[Any], Response], code: str) -> Response:
        self.requests.append(request)
        if self.down:
            return Response(status_code=500)
        if found is None:
            problem = {"type": f"urn:onsale:problem:{code}", "title": code, "status": 404, "code": code}
            return JSONResponse(problem, 404, media_type="application/problem+json")
        return make(found)


class MailServer:
    """A real SMTP server on a port of its own, which can be stopped and started. Keeps what it took, in order."""

    def __init__(self) -> None:
        # It is closed at first: a port that the kernel gives to outgoing connections could be taken until it starts.
        self.port = free_port()
        self.envelopes: list[Envelope] = []
        # What it answers to RCPT and DATA; None means that it takes the mail.
        self.refuse_recipient: str | None = None
        self.refuse_mail: str | None = None
        self._server: asyncio.Server | None = None

    @property
    def messages(self) -> list[EmailMessage]:
        """What it took, read as a mail program would."""
        return [self._read(envelope) for envelope in self.envelopes]

    async def start(self) -> None:
        """Listens."""
        loop = asyncio.get_running_loop()
        # It runs in the same process: what it logs is not what the service logs.
        logging.getLogger("mail.log").setLevel(logging.CRITICAL)
        self._server = await loop.create_server(lambda: SMTP(self, loop=loop), "127.0.0.1", self.port)

    async def stop(self) -> None:
        """Does not listen any more."""
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()
            self._server = None

    async def handle_RCPT(  # noqa: N802  # the name that aiosmtpd looks for
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        """Answers RCPT."""
        if self.refuse_recipient is not None:
            return self.refuse_recipient
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Answers DATA."""
        if self.refuse_mail is not None:
            return self.refuse_mail
        self.envelopes.append(envelope)
        return "250 Taken"

    def _read(self, envelope: Envelope) -> EmailMessage:
        content = envelope.original_content
        assert content is not None
        message = message_from_bytes(content, policy=default)
        assert isinstance(message, EmailMessage)
        return message


def tickets_issued(**changes: Any) -> dict[str, Any]:
    """The data of the fact, with every field that it has."""
    return {
        "order_id": str(uuid7()),
        "order_number": "K7Q2-9MXA",
        "person_id": str(uuid7()),
        "event_id": str(uuid7()),
        "event_title": "Żółta łódź",
        "venue_name": "Theater am Fluss",
        "starts_at": "2026-12-31T19:00:00Z",
        "time_zone": "Europe/Berlin",
        "tickets": [{"ticket_id": str(uuid7()), "class_name": "Parkett", "seat_label": "Row 7, seat 12"}],
        "doors_at": None,
        "venue_street": "Uferweg 7",
        "venue_city": "Köln",
        "currency": "EUR",
        "paid_minor": 4250,
    } | changes


def tickets_changed(**changes: Any) -> dict[str, Any]:
    """The data of the fact, with every field that it has."""
    return {
        "order_id": str(uuid7()),
        "order_number": "K7Q2-9MXA",
        "person_id": str(uuid7()),
        "event_id": str(uuid7()),
        "version": 2,
        "event_title": "Żółta łódź",
        "state": "rescheduled",
        "changes": ["starts_at"],
        "starts_at": "2027-01-15T19:00:00Z",
        "previous_starts_at": "2026-12-31T19:00:00Z",
        "doors_at": None,
        "time_zone": "Europe/Berlin",
        "venue_name": "Theater am Fluss",
        "venue_street": "Uferweg 7",
        "venue_city": "Köln",
    } | changes


def order_cancelled(**changes: Any) -> dict[str, Any]:
    """The data of the fact, with every field that it has."""
    return {
        "order_id": str(uuid7()),
        "number": "K7Q2-9MXA",
        "person_id": str(uuid7()),
        "event_id": str(uuid7()),
        "event_title": "Żółta łódź",
        "reason": "places_gone",
        "paid": True,
        "cancelled_at": "2026-11-02T10:30:00Z",
    } | changes
