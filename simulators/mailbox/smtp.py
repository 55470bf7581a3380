"""The SMTP side: a real conversation, every well-formed message is kept."""

import asyncio
import logging
import socket
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiosmtpd.smtp import SMTP, Envelope, Session

from simulators.mailbox.store import Store

MAX_MESSAGE_BYTES = 25_000_000
MAX_RECIPIENTS = 100

log = logging.getLogger("mailbox")


class Catcher:
    """aiosmtpd's handler: keeps what comes."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def handle_RCPT(  # noqa: N802  # the name that aiosmtpd calls
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        """Takes any recipient, up to a number of them."""
        if len(envelope.rcpt_tos) >= MAX_RECIPIENTS:
            return "452 4.5.3 Too many recipients"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 Recipient ok"

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Keeps the message before it says that it has it."""
        content = envelope.content if isinstance(envelope.content, bytes) else b""
        try:
            message_id = self._store.add(envelope.mail_from or "", envelope.rcpt_tos, content)
        except sqlite3.Error as problem:
            log.warning("A message could not be kept: %s", problem)
            return "451 4.3.0 The mailbox cannot store it now, try again later"
        return f"250 2.0.0 Kept as message {message_id}"


@asynccontextmanager
async def smtp_server(store: Store, sock: socket.socket) -> AsyncIterator[None]:
    """Serves SMTP on a bound socket."""
    loop = asyncio.get_running_loop()
    catcher = Catcher(store)

    def conversation() -> SMTP:
        # A hostname, or aiosmtpd asks the resolver for one at every connection.
        return SMTP(
            catcher,
            hostname="localhost",
            ident="Onsale mailbox",
            data_size_limit=MAX_MESSAGE_BYTES,
            enable_SMTPUTF8=True,
            timeout=60,
            loop=loop,
        )

    server = await loop.create_server(conversation, sock=sock)
    try:
        yield
    finally:
        server.close()
        await server.wait_closed()
