"""Pages that are the same for everybody who is not signed in, but for a few words of their own: drawn once, filled for each."""

import hashlib
import re
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass

from markupsafe import escape

from services.web.frame.compressing import as_it_is, joined, piece

# What a page says may depend on the clock, too: when a sale begins, when it ends.
MOST_SECONDS = 1.0
# Of 15 to 40 kB each.
MOST_PAGES = 200


@dataclass(frozen=True)
class Own:
    """What differs from visitor to visitor on a page that is the same for all."""

    trace_id: str
    form_token: str
    attempt: str


class Drawn:
    """A page that was drawn, cut where each visitor has words of their own."""

    def __init__(self, text: str, marks: Own, sources: tuple[object, ...], drawn_at: float) -> None:
        self.sources = sources
        self.drawn_at = drawn_at
        names = {mark: name for name, mark in vars(marks).items()}
        parts = re.split(f"({'|'.join(names)})", text)
        self._shared = [part.encode() for part in parts[::2]]
        self._compressed: list[bytes] = []
        self._gaps = [names[mark] for mark in parts[1::2]]
        # Marks are another process' own, and the words of a visitor are no part of what the page says.
        content = b"\0".join((*self._shared, *(name.encode() for name in self._gaps)))
        self.digest = hashlib.sha256(content).hexdigest()

    def filled(self, own: Own) -> bytes:
        """The page of one visitor."""
        return b"".join(self._between(self._shared, _words(own)))

    def compressed(self, own: Own) -> bytes:
        """The same as gzip."""
        if not self._compressed:
            self._compressed = [piece(each) for each in self._shared]
        words = _words(own)
        blocks = self._between(self._compressed, {name: as_it_is(word) for name, word in words.items()})
        return joined(blocks, b"".join(self._between(self._shared, words)))

    def _between(self, shared: list[bytes], words: Mapping[str, bytes]) -> list[bytes]:
        pieces = [shared[0]]
        for gap, each in zip(self._gaps, shared[1:], strict=True):
            pieces += (words[gap], each)
        return pieces


def _words(own: Own) -> dict[str, bytes]:
    return {name: str(escape(word)).encode() for name, word in vars(own).items()}


class SharedPages:
    """Keeps drawn pages. In the place of what is each visitor's own they have `marks`, which nobody else knows."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.marks = Own(*(secrets.token_hex(16) for _ in range(3)))
        self._clock = clock
        self._pages: OrderedDict[Hashable, Drawn] = OrderedDict()

    def drawn(self, key: Hashable, sources: tuple[object, ...], draw: Callable[[], str]) -> Drawn:
        """The page of this key.

        It is drawn anew when one of its `sources` is another object than before, or after a second.
        """
        kept = self._pages.get(key)
        if kept is None or not self._is_good(kept, sources):
            kept = Drawn(draw(), self.marks, sources, self._clock())
            self._pages[key] = kept
            if len(self._pages) > MOST_PAGES:
                self._pages.popitem(last=False)
        self._pages.move_to_end(key)
        return kept

    def _is_good(self, kept: Drawn, sources: tuple[object, ...]) -> bool:
        is_young = self._clock() - kept.drawn_at < MOST_SECONDS
        return is_young and all(now is then for now, then in zip(sources, kept.sources, strict=True))
