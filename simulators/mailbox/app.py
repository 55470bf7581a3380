"""The pages and the JSON API of the mailbox."""

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import FastAPI, HTTPException, Query, Request
from fastapi.responses import HTMLResponse, JSONResponse, Response
from fastapi.staticfiles import StaticFiles
from fastapi.templating import Jinja2Templates

from simulators.mailbox.messages import Attachment, Message, read
from simulators.mailbox.smtp import smtp_server
from simulators.mailbox.store import Store

HERE = Path(__file__).parent
PAGE_SIZE = 50
PAGE_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; frame-src 'self'; form-action 'self'; base-uri 'none'"
)
# What came by mail is shown, never run: no scripts, no origin, nothing fetched, whatever it contains.
MAIL_POLICY = "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; font-src data:; base-uri 'none'"
SHOWN_IN_PLACE = frozenset({"application/pdf", "image/png", "image/jpeg", "text/plain"})


def create_app(store: Store, smtp_socket: socket.socket) -> FastAPI:
    """The application; while it runs, mail is taken on the socket."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with smtp_server(store, smtp_socket):
            yield
        store.close()

    app = FastAPI(title="Mailbox", lifespan=lifespan, docs_url=None, redoc_url=None)
    app.mount("/static", StaticFiles(directory=HERE / "static"))
    add_health(app, store)
    add_api(app, store)
    add_pages(app, store)
    return app


def add_health(app: FastAPI, store: Store) -> None:
    """`/livez` and `/readyz`."""

    @app.get("/livez")
    async def livez() -> dict[str, str]:
        return {"status": "ok"}

    @app.get("/readyz")
    async def readyz() -> dict[str, str]:
        store.newest(None, None, 1)
        return {"status": "ok"}


def add_api(app: FastAPI, store: Store) -> None:
    """The JSON API: for tests, and for the scripted buyer who reads his mail."""

    @app.get("/api/messages")
    async def list_messages(
        to: str | None = None,
        after: Annotated[int, Query(ge=0)] = 0,
        limit: Annotated[int, Query(ge=1, le=500)] = 100,
    ) -> dict[str, Any]:
        found = [read(caught) for caught in store.after(after, to, limit)]
        return {"items": [_summary(message) for message in found], "next": found[-1].id if found else after}

    @app.get("/api/messages/{message_id}")
    async def show_message(message_id: int) -> dict[str, Any]:
        message = find(store, message_id)
        return {**_summary(message), "headers": message.headers, "text": message.text, "html": message.html}

    @app.get("/api/messages/{message_id}/attachments/{n}")
    async def download(message_id: int, n: int, show: bool = False) -> Response:
        attachments = find(store, message_id).attachments
        if not 1 <= n <= len(attachments):
            raise HTTPException(404, f"This message has {len(attachments)} attachments; there is no number {n}.")
        return _file(attachments[n - 1], show=show)


def add_pages(app: FastAPI, store: Store) -> None:
    """What people look at."""
    templates = Jinja2Templates(directory=HERE / "templates")

    def page(request: Request, template: str, **values: Any) -> Response:
        response = templates.TemplateResponse(request, template, values)
        response.headers["Content-Security-Policy"] = PAGE_POLICY
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Cache-Control"] = "no-store"
        return response

    @app.get("/", response_class=HTMLResponse)
    async def inbox(request: Request, to: str = "", before: int | None = None) -> Response:
        found = [read(caught) for caught in store.newest(before, to.strip() or None, PAGE_SIZE)]
        older = found[-1].id if len(found) == PAGE_SIZE else None
        return page(request, "inbox.html", messages=found, to=to.strip(), older=older)

    @app.get("/messages/{message_id}", response_class=HTMLResponse)
    async def show(request: Request, message_id: int) -> Response:
        return page(request, "message.html", message=find(store, message_id), shown_in_place=SHOWN_IN_PLACE)

    @app.get("/messages/{message_id}/html", response_class=HTMLResponse)
    async def show_html(message_id: int) -> Response:
        headers = {"Content-Security-Policy": MAIL_POLICY, "X-Content-Type-Options": "nosniff"}
        return HTMLResponse(find(store, message_id).html or "", headers=headers)

    @app.exception_handler(HTTPException)
    async def problem(request: Request, error: HTTPException) -> Response:
        if request.url.path.startswith("/api/"):
            return JSONResponse({"detail": error.detail}, error.status_code)
        response = page(request, "unknown.html", sentence=error.detail)
        response.status_code = error.status_code
        return response


def find(store: Store, message_id: int) -> Message:
    """A message. Raises HTTPException 404."""
    caught = store.get(message_id)
    if caught is None:
        raise HTTPException(404, "There is no such message. It may have been dropped: only the newest are kept.")
    return read(caught)


def _summary(message: Message) -> dict[str, Any]:
    return {
        "id": message.id,
        "message_id": message.message_id,
        "from": message.sender,
        "to": message.recipients,
        "subject": message.subject,
        "received_at": message.received_at,
        "attachments": [
            {
                "n": attachment.n,
                "filename": attachment.filename,
                "content_type": attachment.content_type,
                "size_bytes": len(attachment.content),
            }
            for attachment in message.attachments
        ],
    }


def _file(attachment: Attachment, *, show: bool) -> Response:
    in_place = show and attachment.content_type in SHOWN_IN_PLACE
    disposition = f"{'inline' if in_place else 'attachment'}; filename*=UTF-8''{quote(attachment.filename, safe='')}"
    headers = {"Content-Disposition": disposition, "X-Content-Type-Options": "nosniff"}
    if attachment.content_type != "application/pdf":  # Chromium's PDF viewer does not work in a sandbox
        headers["Content-Security-Policy"] = MAIL_POLICY
    return Response(attachment.content, media_type=attachment.content_type, headers=headers)
