"""What anybody may keep has a mark of its content (an ETag): who has it already is told so (304), and not sent it again."""

import hashlib
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

Headers = Iterable[tuple[bytes, bytes]]

OK, NOT_MODIFIED = 200, 304
# What describes a body, which an answer without one has not.
_OF_A_BODY = frozenset({b"content-length", b"content-type", b"content-encoding"})


def tag_of(content: bytes) -> str:
    """The mark of a content. It is a weak one, since the same content is also sent compressed."""
    return f'W/"{hashlib.blake2b(content, digest_size=12).hexdigest()}"'


def has_already(headers: Headers, tag: str) -> bool:
    """Whether who sent these headers has the content with this mark (If-None-Match, compared weakly as RFC 9110 says)."""
    for name, value in headers:
        if name == b"if-none-match":
            wanted = tag.removeprefix("W/")
            return any(each.strip().removeprefix("W/") in (wanted, "*") for each in value.decode("latin-1").split(","))
    return False


class SparesWhatIsKept:
    """Wraps an ASGI application: what it answers to GET as `public` gets a mark, unless it has one, and 304 for who has it already.

    Answers that come in pieces, and all that are not for everybody, are left as they are.
    """

    def __init__(self, app: Any) -> None:
        self._app = app

    async def __call__(
        self, scope: dict[str, Any], receive: Callable[[], Awaitable[Any]], send: Callable[[Any], Awaitable[None]]
    ) -> None:
        if scope["type"] != "http" or scope["method"] != "GET":
            await self._app(scope, receive, send)
            return
        held: Any = None

        async def send_what_is_new(message: Any) -> None:
            nonlocal held
            if message["type"] == "http.response.start" and message["status"] == OK and _is_public(message["headers"]):
                held = message
                return
            if held is not None:
                start, held = held, None
                if not message.get("more_body", False):
                    start, message = _marked(scope["headers"], start, message)
                await send(start)
            await send(message)

        await self._app(scope, receive, send_what_is_new)


def _is_public(headers: Headers) -> bool:
    return any(name == b"cache-control" and value.startswith(b"public") for name, value in headers)


def _marked(asked: Headers, start: Any, body: Any) -> tuple[Any, Any]:
    """The answer with its mark; without its body for who has it."""
    headers = list(start["headers"])
    tag = next((value for name, value in headers if name == b"etag"), b"") or tag_of(body.get("body", b"")).encode()
    headers = [each for each in headers if each[0] != b"etag"] + [(b"etag", tag)]
    if not has_already(asked, tag.decode()):
        return {**start, "headers": headers}, body
    left = [each for each in headers if each[0] not in _OF_A_BODY]
    return {**start, "status": NOT_MODIFIED, "headers": left}, {"type": "http.response.body", "body": b""}
