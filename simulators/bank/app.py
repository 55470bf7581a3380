"""Builds the bank simulator from its settings."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import httpx
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from fastapi.staticfiles import StaticFiles

from simulators.bank import api, pages
from simulators.bank.domain import BankError
from simulators.bank.ledger import Ledger
from simulators.bank.settings import BankSettings
from simulators.bank.webhooks import WebhookSender

WEBHOOK_TIMEOUT_SECONDS = 5.0
# Read once, as this module is imported: tests fork some two hundred banks after that, and it takes 40 ms of the processor.
_CERTIFICATES = httpx.create_ssl_context(trust_env=False)


def create_app(settings: BankSettings) -> FastAPI:
    """The application. Raises sqlite3.Error when the books cannot be opened."""
    ledger = Ledger(settings.data, webhook_late_seconds=settings.webhook_late_seconds)
    # No proxies from the environment: the merchant is reached as it says.
    http = httpx.AsyncClient(timeout=WEBHOOK_TIMEOUT_SECONDS, verify=_CERTIFICATES, trust_env=False)
    sender = WebhookSender(
        ledger,
        http,
        url=settings.webhook_url,
        secret=settings.webhook_secret.get_secret_value(),
        retry_seconds=settings.webhook_retry_seconds,
    )

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        sending = asyncio.create_task(sender.run())
        yield
        sending.cancel()
        with suppress(asyncio.CancelledError):
            await sending
        await http.aclose()
        ledger.close()

    app = FastAPI(title="Bank simulator", lifespan=lifespan, docs_url=None, redoc_url=None)
    app.include_router(api.make_router(settings, ledger, sender.wake))
    app.include_router(pages.make_router(settings, ledger, sender.wake))
    app.mount("/static", StaticFiles(directory=pages.HERE / "static"))
    shown = pages.Pages()

    @app.get("/livez")
    async def livez() -> dict[str, str]:
        return {"status": "ok"}

    @app.get("/readyz")
    async def readyz() -> dict[str, str]:
        ledger.is_alive()
        return {"status": "ok"}

    @app.exception_handler(BankError)
    async def refuse(request: Request, error: BankError) -> Response:
        if request.url.path.startswith("/pay/"):
            return shown.show(request, "unknown.html", None, error.status)
        return api.error_response(error)

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> JSONResponse:
        problems = [".".join(str(part) for part in item["loc"]) + ": " + item["msg"] for item in error.errors()]
        return api.error_response(BankError(422, "invalid", "; ".join(problems)))

    return app
