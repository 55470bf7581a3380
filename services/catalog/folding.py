# ruff: noqa: RUF001, RUF002  # letters that look like others are what this is about
"""Words as a search compares them: what people type, and what they look for, are folded by the same rules. Pure.

Letters lose their case and their marks, whatever their alphabet: `KADIKÖY`, `Kadıköy` and `kadikoy` are one word. Where marks make
other letters (the voicing of kana, the vowels of Indic scripts) they stay. A query's words may stand in any order; each begins a
word of the event, or stands anywhere in it where its script sets no blanks between words.
"""

import re
import unicodedata
from functools import cache

# Base letters that no decomposition and no name leads to.
_LETTERS = {
    "ı": "i",
    "ȷ": "j",
    "æ": "ae",
    "œ": "oe",
    "ĳ": "ij",
    "ð": "d",
    "þ": "th",
    "ŋ": "n",
    "ĸ": "k",
    "ſ": "s",
    "ə": "e",
    "ʼn": "n",
    # Arabic: as it is written without care, and the letters of Persian and Urdu beside those of Arabic.
    "ى": "ي",
    "ی": "ي",
    "ې": "ي",
    "ے": "ي",
    "ک": "ك",
    "ة": "ه",
    "ہ": "ه",
    "ھ": "ه",
    "ە": "ه",
    "ٱ": "ا",
    "ـ": "",
    # Cyrillic and Greek.
    "ґ": "г",
    "ς": "σ",
}
_EXPANDED = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "å": "aa", "ø": "oe", "æ": "ae", "œ": "oe"})
_NAME = re.compile(r"((?:LATIN|CYRILLIC|GREEK|ARABIC)(?: SMALL)? LETTER \w+(?: \w+)?) WITH ")
# Combining classes whose marks are letters or parts of them: nukta 7, voicing of kana 8, virama 9, and Thai, Lao, Tibetan 84 to 132.
_FIRST_ACCENT = 10
_LETTER_MARKS = range(84, 133)
_FIRST_KATAKANA, _LAST_KATAKANA = "ァ", "ヶ"
_TO_HIRAGANA = ord("ァ") - ord("ぁ")
# Hiragana and katakana, Han, Hangul, Thai and Lao, Khmer, Burmese, Tibetan: no blanks between words, or none to rely on.
_WITHOUT_BLANKS = re.compile(
    "[\u3041-\u30ff\u31f0-\u31ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff\uac00-\ud7a3\u0e00-\u0eff\u1780-\u17ff\u1000-\u109f\u0f00-\u0fff]"
)
# What stands within words, and is left out by half of those who write them: apostrophes, hyphens, full stops, the dot of kana.
_WITHIN_WORDS = frozenset("'’‘ʼ`´-‐‑‒.·・･/&+")
# Persian writes parts of one word apart with it, and many write a blank or nothing instead.
_NON_JOINER = "\u200c"
_DOTS_OF_KANA = str.maketrans({"・": None, "･": None})


def fold(text: str) -> str:
    """The letters, digits and signs of a text without case, marks and width; what is between words stays as it is."""
    text = unicodedata.normalize("NFKC", text).casefold()
    decomposed = unicodedata.normalize("NFKD", "".join(_base_of(letter) for letter in text))
    kept = "".join(_base_of(letter) for letter in decomposed if not _is_accent(letter))
    return unicodedata.normalize("NFC", kept)


@cache
def _base_of(letter: str) -> str:
    """The letter without a stroke, hook or dot that is part of it; katakana as hiragana; a digit of any script as 0 to 9."""
    if letter.isascii():
        return letter
    if letter in _LETTERS:
        return _LETTERS[letter]
    if _FIRST_KATAKANA <= letter <= _LAST_KATAKANA:
        return chr(ord(letter) - _TO_HIRAGANA)
    digit = unicodedata.decimal(letter, None)
    if digit is not None:
        return str(digit)
    named = _NAME.match(unicodedata.name(letter, ""))
    # Letters that decompose are folded by that; a stroke or a hook is known by the letter's name alone.
    if named and not unicodedata.decomposition(letter):
        try:
            return unicodedata.lookup(named[1])
        except KeyError:
            return letter
    return "" if unicodedata.category(letter) == "Cf" else letter


@cache
def _is_accent(letter: str) -> bool:
    kind = unicodedata.combining(letter)
    return kind >= _FIRST_ACCENT and kind not in _LETTER_MARKS


def _is_part_of_word(letter: str) -> bool:
    return unicodedata.category(letter)[0] in "LNM"


def search_words(text: str) -> list[str]:
    """The words of a text as they are compared: `Köln, Große Halle` gives koln, grosse, halle. Of mere signs, the signs."""
    folded = fold(text.translate(_DOTS_OF_KANA))
    words = "".join(letter if _is_part_of_word(letter) else " " for letter in folded).split()
    return words or folded.split()


def search_text(*texts: str) -> str:
    """What a search looks through: every word once, each after a blank, also as those write it who leave signs out.

    Umlauts are both `o` and `oe`; words with a sign in them are also there without it; what has no blanks is also there in one."""
    words: dict[str, None] = {}
    for text in texts:
        composed = unicodedata.normalize("NFC", text).casefold()
        for variant in (text, composed.translate(_EXPANDED), _without_signs(text), text.replace(_NON_JOINER, " ")):
            words.update(dict.fromkeys(search_words(variant)))
        words.update(dict.fromkeys(_signs(text)))
        joined = "".join(search_words(text))
        if _WITHOUT_BLANKS.search(joined):
            words[joined] = None
    return "".join(f" {word}" for word in words)


def search_needles(query: str) -> list[str]:
    """What must stand in `search_text`, each somewhere: a blank and the beginning of a word, or a piece of unbroken writing."""
    return [word if _WITHOUT_BLANKS.search(word) else f" {word}" for word in search_words(query)]


def _signs(text: str) -> list[str]:
    """What is neither letter nor blank: `100%` has the sign `%`, which can be looked for alone."""
    return "".join(" " if _is_part_of_word(letter) else letter for letter in fold(text)).split()


def _without_signs(text: str) -> str:
    """`Hip-Hop` as `HipHop`: signs go where they have letters on both sides."""
    kept = [
        letter
        for at, letter in enumerate(text)
        if not (
            letter in _WITHIN_WORDS and 0 < at < len(text) - 1 and text[at - 1].isalnum() and text[at + 1].isalnum()
        )
    ]
    return "".join(kept)
