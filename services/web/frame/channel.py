"""What many hear of one thing: numbered messages, each made once however many listen, and the last of them kept for who comes back."""

import secrets
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import orjson

from services.web.frame.streams import End, Listener

# Whoever was away for no more than these hears what was missed. Somebody else begins anew, which is about as short then.
MOST_KEPT, MOST_KEPT_BYTES = 64, 64 * 1024


def encoded(kind: str, version: str, data: Mapping[str, Any]) -> bytes:
    """A message of a socket."""
    return orjson.dumps({"kind": kind, "version": version, **data}, option=orjson.OPT_NON_STR_KEYS)


class Channel:
    """Sends changes to its listeners. `snapshot` gives all that the changes so far have come to.

    A version is `name.number`. The name is this channel's alone: one of another process, or of before a restart, is none of ours.
    """

    def __init__(self, snapshot: Callable[[], Mapping[str, Any]]) -> None:
        self._snapshot = snapshot
        self._name = secrets.token_hex(6)
        self._number = 0
        self._kept: deque[bytes] = deque()
        self._kept_bytes = 0
        self._whole: bytes | None = None
        self._listeners: set[Listener] = set()

    def __len__(self) -> int:
        return len(self._listeners)

    @property
    def version(self) -> str:
        """What whoever has heard everything has."""
        return f"{self._name}.{self._number}"

    def publish(self, change: Mapping[str, Any]) -> None:
        """Sends a change to everybody, and keeps it for a while."""
        self._number += 1
        self._whole = None
        sent = encoded("change", self.version, change)
        self._kept.append(sent)
        self._kept_bytes += len(sent)
        while len(self._kept) > MOST_KEPT or self._kept_bytes > MOST_KEPT_BYTES:
            self._kept_bytes -= len(self._kept.popleft())
        self._send(sent)

    def begin_anew(self) -> None:
        """Sends the whole to everybody: it is no change of what was."""
        self._kept.clear()
        self._kept_bytes = 0
        self._number += 1
        self._whole = None
        self._send(self.whole())

    def whole(self) -> bytes:
        """The whole, as a message: made once for all who come before the next change."""
        if self._whole is None:
            self._whole = encoded("snapshot", self.version, self._snapshot())
        return self._whole

    @contextmanager
    def joined(self, listener: Listener, have: str = "") -> Iterator[None]:
        """Lets a listener hear everything as long as the block lasts.

        It begins with what was missed since the version `have`; with the whole if that is not known any more.
        """
        missed = self._missed(have)
        for sent in [self.whole()] if missed is None else missed or [encoded("same", self.version, {})]:
            listener.put(sent)
        self._listeners.add(listener)
        try:
            yield
        finally:
            self._listeners.discard(listener)

    def end(self, why: End) -> None:
        """Ends everybody's stream."""
        for listener in list(self._listeners):
            listener.drop(why)

    def _send(self, sent: bytes) -> None:
        for listener in self._listeners:
            listener.put(sent)

    def _missed(self, have: str) -> list[bytes] | None:
        """The messages after a version; None if it is not ours, or too old."""
        name, _, number = have.partition(".")
        if name != self._name or not (number.isascii() and number.isdecimal()) or len(number) > len(str(self._number)):
            return None
        behind = self._number - int(number)
        if not 0 <= behind <= len(self._kept):
            return None
        return list(self._kept)[len(self._kept) - behind :]
