"""Words as a search compares them."""

import unicodedata

_EXPANDED = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "å": "aa", "ø": "oe", "æ": "ae", "œ": "oe"})
_STRIPPED = str.maketrans({"ø": "o", "æ": "ae", "œ": "oe", "ł": "l", "đ": "d"})


def search_words(text: str) -> list[str]:
    """The words of a text without case and accents: `Köln, Große Halle` gives koln, grosse, halle."""
    decomposed = unicodedata.normalize("NFKD", text.casefold().translate(_STRIPPED))
    letters = "".join(c if c.isalnum() else " " for c in decomposed if not unicodedata.combining(c))
    return letters.split()


def search_text(*texts: str) -> str:
    """What a search looks through: every word once, each after a space, umlauts both as `o` and as `oe`."""
    words: dict[str, None] = {}
    for text in texts:
        words.update(dict.fromkeys(search_words(text)))
        composed = unicodedata.normalize("NFC", text).casefold()
        words.update(dict.fromkeys(search_words(composed.translate(_EXPANDED))))
    return "".join(f" {word}" for word in words)
