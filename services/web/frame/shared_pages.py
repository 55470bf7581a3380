"""Pages that are the same for everybody who is not signed in, but for a few words of their own: drawn once, filled for each."""

import secrets
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass

from markupsafe import escape

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


@dataclass(frozen=True)
class _Drawn:
    text: str
    sources: tuple[object, ...]
    drawn_at: float


class SharedPages:
    """Keeps drawn pages. In the place of what is each visitor's own they have `marks`, which nobody else knows."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.marks = Own(*(secrets.token_hex(16) for _ in range(3)))
        self._clock = clock
        self._pages: OrderedDict[Hashable, _Drawn] = OrderedDict()

    def filled(self, key: Hashable, sources: tuple[object, ...], own: Own, draw: Callable[[], str]) -> str:
        """The page of this key for one visitor.

        It is drawn anew when one of its `sources` is another object than before, or after a second.
        """
        kept = self._pages.get(key)
        if kept is None or not self._is_good(kept, sources):
            kept = _Drawn(draw(), sources, self._clock())
            self._pages[key] = kept
            if len(self._pages) > MOST_PAGES:
                self._pages.popitem(last=False)
        self._pages.move_to_end(key)
        return _fill(kept.text, {mark: getattr(own, name) for name, mark in vars(self.marks).items()})

    def _is_good(self, kept: _Drawn, sources: tuple[object, ...]) -> bool:
        is_young = self._clock() - kept.drawn_at < MOST_SECONDS
        return is_young and all(now is then for now, then in zip(sources, kept.sources, strict=True))


def _fill(text: str, words: Mapping[str, str]) -> str:
    for mark, word in words.items():
        text = text.replace(mark, str(escape(word)))
    return text
