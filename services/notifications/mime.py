"""The body of a mail (RFC 2045, 2046), written down at once: `email` takes ten times as long for the same, header by header.

Headers in here are ours and plain ASCII; those that hold what people typed are written by `headers`. Standard library alone.
"""

import binascii
import re
import secrets
from collections.abc import Sequence

_BASE64_LINE = re.compile(rb".{1,76}")


def text(subtype: str, words: str) -> bytes:
    """A part that is read: UTF-8, as quoted-printable, so that it passes any server whatever the length of its lines."""
    data = b"".join(line + b"\r\n" for line in words.encode().splitlines())
    return (
        f'Content-Type: text/{subtype}; charset="utf-8"\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n'.encode()
        + binascii.b2a_qp(data)
    )


def attachment(content_type: str, name: str, data: bytes) -> bytes:
    """A file. Its name is plain ASCII without quotes."""
    return (
        f'Content-Type: {content_type}\r\nContent-Disposition: attachment; filename="{name}"\r\n'
        "Content-Transfer-Encoding: base64\r\n\r\n"
    ).encode() + b"\r\n".join(_BASE64_LINE.findall(binascii.b2a_base64(data, newline=False)))


def several(subtype: str, parts: Sequence[bytes]) -> bytes:
    """Parts in one: `alternative` ways to say the same, or `mixed` ones."""
    # `=_` stands in no encoded text, so that no part can end early.
    boundary = f"=_{secrets.token_hex(12)}"
    between = f"\r\n--{boundary}\r\n".encode()
    return b"".join(
        (
            f'Content-Type: multipart/{subtype}; boundary="{boundary}"\r\n\r\n--{boundary}\r\n'.encode(),
            between.join(parts),
            f"\r\n--{boundary}--\r\n".encode(),
        )
    )
