"""Hands requests on as they came, byte for byte, and the answers back: for who stands between two that are carried differently."""

from typing import Any

import aiohttp

from chassis.calls import Carry, Sending
from chassis.deadline import remaining_seconds
from chassis.http import CONNECT_SECONDS, TIMEOUT_SECONDS, ProviderUnavailable
from tracing.spans import inject

# What is said of one connection, and not of the request; and what each end reckons for itself.
OF_THE_CONNECTION = frozenset(
    {
        "connection", "content-length", "expect", "host", "keep-alive", "proxy-authenticate", "proxy-authorization",
        "te", "trailer", "transfer-encoding", "upgrade",
    }
)  # fmt: skip


class PassingOn:
    """ASGI: a provider, at somebody else's address. It has no span of its own: the provider's names this request's, as a stranger's."""

    def __init__(self, provider: str, carry: Carry, origin: str = "", seconds: float = TIMEOUT_SECONDS) -> None:
        self._provider = provider
        self._carry = carry
        self._origin = origin
        self._seconds = seconds

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        body, more = b"", True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            body, more = body + message.get("body", b""), message.get("more_body", False)
        try:
            answer = await self._carry(self._sending(scope, body))
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise ProviderUnavailable(self._provider) from error
        fields = [
            (name.lower().encode("latin-1"), value.encode("utf-8", "surrogateescape"))
            for name, value in answer.headers.items()
            if name.lower() not in OF_THE_CONNECTION
        ]
        fields.append((b"content-length", str(len(answer.content)).encode()))
        await send({"type": "http.response.start", "status": answer.status_code, "headers": fields})
        await send({"type": "http.response.body", "body": answer.content})

    def _sending(self, scope: Any, body: bytes) -> Sending:
        named = ((name.decode("latin-1"), value) for name, value in scope["headers"])
        headers = {
            name: value.decode("utf-8", "surrogateescape") for name, value in named if name not in OF_THE_CONNECTION
        }
        if "traceparent" not in headers:
            inject(headers)
        path, query = scope["raw_path"].decode("latin-1"), scope["query_string"].decode("latin-1")
        seconds = remaining_seconds(self._seconds)
        return Sending(
            scope["method"], self._origin, path, query, headers, body, seconds, min(CONNECT_SECONDS, seconds)
        )
