"""A server connection that a route can cut: the fault that leaves a merchant without an answer."""

import asyncio
import logging

from fastapi import Request
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

_TRANSPORT = "simulators.bank.transport"

log = logging.getLogger("bank")


class DroppableProtocol(HttpToolsProtocol):
    """uvicorn's HTTP protocol, with its transport within reach of the request."""

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope[_TRANSPORT] = self.transport  # type: ignore[literal-required]  # scopes may carry more keys


def drop_connection(request: Request) -> None:
    """Closes the TCP connection of a request without a response (what is returned afterwards goes nowhere)."""
    transport: asyncio.Transport = request.scope[_TRANSPORT]
    log.warning("%s %s: the connection is dropped on purpose.", request.method, request.url.path)
    transport.abort()
