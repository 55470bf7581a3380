"""The application of the dev trace store."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool

from tracing.store.api import EXCEPTIONS, Api
from tracing.store.database import prepare
from tracing.store.pages import Pages
from tracing.store.writer import Writer


def create_app(folder: Path, max_spans: int) -> Starlette:
    """Keeps its data in `folder`, at most `max_spans` spans of it. Raises StoreDataError."""
    path = prepare(folder)
    writer = Writer(path, max_spans)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        writer.start()
        try:
            yield
        finally:
            await run_in_threadpool(writer.close)

    return Starlette(
        routes=[*Api(path, writer).routes, *Pages(path).routes], lifespan=lifespan, exception_handlers=EXCEPTIONS
    )
