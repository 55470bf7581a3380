"""Readers find in a mail's parts what was put into them, to the letter, and no line is too long for a server."""

import os
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default

import pytest

from services.notifications import mime

LINE_BYTES_MAX = 998


def read(body: bytes) -> EmailMessage:
    message = message_from_bytes(b"MIME-Version: 1.0\r\n" + body, policy=default)
    assert isinstance(message, EmailMessage)
    assert all(not part.defects for part in message.walk())
    assert all(len(line) <= LINE_BYTES_MAX for line in body.split(b"\r\n"))
    assert b"\n" not in body.replace(b"\r\n", b"")
    assert body.isascii()
    return message


@pytest.mark.parametrize(
    "words",
    [
        "plain\n",
        "two\nlines\n\nand an empty one\n",
        "-- \nblanks and\ttabs at the end \t\n",
        ".\n..\n.a dot begins a line\nFrom somebody\n",
        "=3D =_ == =\n--=_0123\n",
        "Żółta łódź 三文オペラ אבג \U0001f39f\n",
        f"{'long ' * 500}\n{'🎟' * 500}\n",
        "a\u2028b\u0085c\x0bd\n",
    ],
)
def test_a_text_is_read_as_it_was_written(words: str) -> None:
    message = read(mime.text("plain", words))
    assert message.get_content() == words.replace("\n", "\r\n"), "Lines end as they do on the wire."
    assert (message.get_content_type(), message.get_content_charset()) == ("text/plain", "utf-8")


@pytest.mark.parametrize("size", [0, 1, 56, 57, 58, 40_000])
def test_a_file_is_what_it_was(size: int) -> None:
    data = os.urandom(size)
    message = read(mime.attachment("application/pdf", "onsale-K7Q2-9MXA.pdf", data))
    assert message.get_content() == data
    assert (message.get_filename(), message.get_content_disposition()) == ("onsale-K7Q2-9MXA.pdf", "attachment")


def test_parts_stand_in_parts() -> None:
    both = mime.several("alternative", [mime.text("plain", "words\n"), mime.text("html", "<p>words</p>\n")])
    message = read(mime.several("mixed", [both, mime.attachment("application/pdf", "a.pdf", b"%PDF-")]))
    plain, page = (message.get_body((kind,)) for kind in ("plain", "html"))
    assert plain is not None
    assert page is not None
    assert (plain.get_content(), page.get_content()) == ("words\r\n", "<p>words</p>\r\n")
    [file] = message.iter_attachments()
    assert file.get_content() == b"%PDF-"
