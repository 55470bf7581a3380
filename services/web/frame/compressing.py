"""Answers are compressed for who can read that; caches on the way are told so of each, also of one that is too short for it.

A page that many see is compressed once, in pieces: what is a visitor's own stands between them as it is, so that how long the whole
is tells nothing of it either.
"""

import struct
import zlib
from collections.abc import Iterable
from typing import Any

from starlette.middleware.gzip import GZipMiddleware

_VARIES = b"accept-encoding"


_LEVEL = 6
# A member of gzip (RFC 1952) without a name and a time, by nobody's system.
_HEAD = b"\x1f\x8b\x08\0\0\0\0\0\0\xff"
_LAST_BLOCK = b"\x03\0"


def piece(content: bytes) -> bytes:
    """Blocks of deflate that refer to nothing before them, and end at a whole byte."""
    compressor = zlib.compressobj(_LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS)
    return compressor.compress(content) + compressor.flush(zlib.Z_FULL_FLUSH)


def as_it_is(words: bytes) -> bytes:
    """A block of deflate that is not compressed; of at most 65,535 bytes."""
    return struct.pack("<BHH", 0, len(words), len(words) ^ 0xFFFF) + words


def joined(blocks: Iterable[bytes], content: bytes) -> bytes:
    """What these blocks say, as gzip; `content` is the same as it is read."""
    return b"".join((_HEAD, *blocks, _LAST_BLOCK, struct.pack("<II", zlib.crc32(content), len(content) & 0xFFFFFFFF)))


class Compressing(GZipMiddleware):
    """Starlette's, with `Vary: Accept-Encoding` on every answer: a 304 has to have it where the whole answer had it."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        async def send_and_tell(message: Any) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = _varying(message.get("headers", []))
            await send(message)

        await super().__call__(scope, receive, send_and_tell if scope["type"] == "http" else send)


def _varying(headers: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """The headers with one `Vary`, in which each name stands once."""
    said = b",".join(value for name, value in headers if name == b"vary")
    names = {each.strip().lower(): each.strip() for each in said.split(b",") if each.strip()}
    names.setdefault(_VARIES, b"Accept-Encoding")
    return [*(each for each in headers if each[0] != b"vary"), (b"vary", b", ".join(names.values()))]
