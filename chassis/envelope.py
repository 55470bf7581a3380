"""HTTP as messages of NATS: a head as HTTP writes it, an empty line, and the body, or the first piece of one that does not fit.

The first line is `POST /orders?x=1 2000` or `201 2000`: at its end stands how many bytes the whole body has.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from chassis.limits import MOST_HEADER_BYTES

# "Send the rest": an answer before the answer, as in HTTP.
CONTINUE = 100

_LINE, _END = b"\r\n", b"\r\n\r\n"
Fields = list[tuple[bytes, bytes]]


@dataclass(slots=True)
class Request:
    """A request as it came; `piece` is its body, or the beginning of it, and `length` how long all of it is."""

    method: str
    target: bytes
    fields: Fields
    length: int
    piece: bytes


@dataclass(slots=True)
class Answer:
    """An answer as it came, or the beginning of it."""

    status: int
    headers: list[tuple[str, str]]
    length: int
    piece: bytes


def written_request(method: str, target: str, headers: Mapping[str, str], length: int) -> bytes:
    """The head of a request. Raises ValueError for what would be another head when it is read."""
    lines = [f"{method} {target} {length}", *(f"{name.lower()}: {value}" for name, value in headers.items())]
    return _head("\r\n".join(lines).encode(), len(lines), blanks=2)


def written_answer(status: int, fields: Iterable[tuple[bytes, bytes]], length: int) -> bytes:
    """The head of an answer. Raises ValueError for what would be another head when it is read."""
    lines = [b"%d %d" % (status, length), *(b"%b: %b" % field for field in fields)]
    return _head(_LINE.join(lines), len(lines), blanks=1)


def _head(head: bytes, lines: int, blanks: int) -> bytes:
    first, *_ = head.split(_LINE, 1)
    if head.count(b"\n") != lines - 1 or head.count(b"\r") != lines - 1 or first.count(b" ") != blanks:
        raise ValueError("A header or an address holds a line break, or an address a blank. Take it out.")
    return head + _END


def read_request(message: bytes) -> Request:
    """What was written as a request. Raises ValueError if it is none."""
    first, fields, piece = _read(message)
    method, target, length = first.split(b" ")
    return Request(method.decode("ascii"), target, fields, int(length), piece)


def read_answer(message: bytes) -> Answer:
    """What was written as an answer. Raises ValueError if it is none."""
    first, fields, piece = _read(message)
    status, length = first.split(b" ")
    headers = [(name.decode("latin-1"), value.decode("utf-8", "surrogateescape")) for name, value in fields]
    return Answer(int(status), headers, int(length), piece)


def _read(message: bytes) -> tuple[bytes, Fields, bytes]:
    end = message.find(_END, 0, MOST_HEADER_BYTES + len(_END))
    if end < 0:
        raise ValueError("It has no end of its headers, or they are too large.")
    first, *lines = message[:end].split(_LINE)
    fields: Fields = []
    for line in lines:
        name, colon, value = line.partition(b": ")
        if not colon:
            raise ValueError("A header has no value.")
        fields.append((name, value))
    return first, fields, message[end + len(_END) :]


def pieces(body: bytes, most: int) -> Iterator[bytes]:
    """A body in messages that fit."""
    for begin in range(0, len(body), most):
        yield body[begin : begin + most]
