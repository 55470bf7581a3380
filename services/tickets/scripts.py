"""What a text's letters tell of it: the direction, the language, where it may be broken, what is shown of it. Pure."""

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

# Where a language is not said, the script tells it, with the country's help where several languages share one.
_SCRIPTS: tuple[tuple[int, int, str], ...] = (
    (0x0370, 0x03FF, "el"),
    (0x0400, 0x052F, "ru"),
    (0x0530, 0x058F, "hy"),
    (0x0590, 0x05FF, "he"),
    (0x0600, 0x06FF, "ar"),
    (0x0700, 0x074F, "syr"),
    (0x0750, 0x077F, "ar"),
    (0x0780, 0x07BF, "dv"),
    (0x07C0, 0x07FF, "nqo"),
    (0x0900, 0x097F, "hi"),
    (0x0980, 0x09FF, "bn"),
    (0x0A00, 0x0A7F, "pa"),
    (0x0A80, 0x0AFF, "gu"),
    (0x0B00, 0x0B7F, "or"),
    (0x0B80, 0x0BFF, "ta"),
    (0x0C00, 0x0C7F, "te"),
    (0x0C80, 0x0CFF, "kn"),
    (0x0D00, 0x0D7F, "ml"),
    (0x0D80, 0x0DFF, "si"),
    (0x0E00, 0x0E7F, "th"),
    (0x0E80, 0x0EFF, "lo"),
    (0x0F00, 0x0FFF, "bo"),
    (0x1000, 0x109F, "my"),
    (0x10A0, 0x10FF, "ka"),
    (0x1100, 0x11FF, "ko"),
    (0x1200, 0x139F, "am"),
    (0x1780, 0x17FF, "km"),
    (0x1C90, 0x1CBF, "ka"),
    (0x1F00, 0x1FFF, "el"),
    (0x3040, 0x30FF, "ja"),
    (0x3130, 0x318F, "ko"),
    (0x31F0, 0x31FF, "ja"),
    (0xAC00, 0xD7AF, "ko"),
    (0xFB50, 0xFDFF, "ar"),
    (0xFE70, 0xFEFF, "ar"),
)
_HAN = ((0x2E80, 0x2FDF), (0x3005, 0x3007), (0x3400, 0x9FFF), (0xF900, 0xFAFF), (0x20000, 0x3FFFF))
_OF_COUNTRY: dict[tuple[str, str], str] = {
    **dict.fromkeys((("ar", "IR"), ("ar", "AF")), "fa"),
    ("ar", "PK"): "ur",
    ("ru", "UA"): "uk",
    ("ru", "BG"): "bg",
    ("ru", "RS"): "sr",
    ("hi", "NP"): "ne",
}
# Chinese characters look different in Tokyo, Seoul, Taipei, Hong Kong and Beijing.
_HAN_OF_COUNTRY = {"JP": ("ja", None), "KR": ("ko", None), "TW": ("zh", "TW"), "HK": ("zh", "HK"), "MO": ("zh", "HK")}
# Letters that are drawn in another order or shape than they are written: for copying, the file must say what they are.
_REORDERED = (
    (0x0900, 0x0DFF),
    (0x0E31, 0x0E4F),
    (0x0EB1, 0x0ECF),
    (0x0F00, 0x0FFF),
    (0x1000, 0x109F),
    (0x1780, 0x17FF),
)
# Kept of the characters that have no shape: they join and part letters, or hold a direction together.
_SHAPELESS = frozenset("\u200c\u200d\u200e\u200f\u061c\u2066\u2067\u2068\u2069")
_ALWAYS_BREAKS = ("W", "F")
_LONGEST_WORD = 24
_PIECE_OF_WORD = 12


@dataclass(frozen=True, slots=True)
class Speech:
    """In which language, as spoken where, and in which direction a text is read."""

    language: str = "en"
    region: str | None = None
    right_to_left: bool = False


ENGLISH = Speech()


def speech_of(text: str, country: str | None = None) -> Speech:
    """What the letters tell; `country` (ISO 3166-1 alpha-2, where the text belongs) decides between languages of one script."""
    right_to_left = _is_right_to_left(text)
    languages = [found for each in text if (found := _language_of_letter(each)) is not None]
    if not languages:
        return Speech(right_to_left=right_to_left)
    if "ja" in languages or "ko" in languages:
        return Speech("ja" if "ja" in languages else "ko", None, right_to_left)
    if "han" in languages:
        language, region = _HAN_OF_COUNTRY.get(country or "", ("zh", "CN"))
        return Speech(language, region, right_to_left)
    first = languages[0]
    return Speech(_OF_COUNTRY.get((first, country or ""), first), None, right_to_left)


def _is_right_to_left(text: str) -> bool:
    for each in text:
        match unicodedata.bidirectional(each):
            case "L":
                return False
            case "R" | "AL":
                return True
    return False


def _language_of_letter(letter: str) -> str | None:
    point = ord(letter)
    if point < 0x0370 or unicodedata.category(letter)[0] not in "LM":
        return None
    if any(first <= point <= last for first, last in _HAN):
        return "han"
    return next((language for first, last, language in _SCRIPTS if first <= point <= last), None)


def has_right_to_left(text: str) -> bool:
    """Whether any letter of it is read from right to left."""
    return any(unicodedata.bidirectional(each) in {"R", "AL"} for each in text)


def is_reordered(text: str) -> bool:
    """Whether letters of it are drawn in another order or shape than they are written."""
    return any(first <= ord(each) <= last for each in text for first, last in _REORDERED)


def printable(text: str) -> str:
    """One line of what can be shown: no control characters, and none that would turn the letters after it around."""
    if text.isascii() and text.isprintable():
        return " ".join(text.split())
    kept = "".join(_kept(each) for each in unicodedata.normalize("NFC", text))
    return " ".join(kept.split())


def _kept(letter: str) -> str:
    category = unicodedata.category(letter)
    if category in {"Cc", "Zl", "Zp", "Zs"}:
        return " "
    return "" if category in {"Cf", "Cs"} and letter not in _SHAPELESS else letter


def clusters_of(text: str) -> Iterator[str]:
    """The text in letters with their marks: what one font must be able to draw together."""
    cluster = ""
    for each in text:
        if cluster and not (unicodedata.category(each)[0] == "M" or each in _SHAPELESS or _is_emoji_modifier(each)):
            yield cluster
            cluster = ""
        cluster += each
    if cluster:
        yield cluster


def _is_emoji_modifier(letter: str) -> bool:
    return 0x1F3FB <= ord(letter) <= 0x1F3FF


def breakable(text: str) -> str:
    """The same with places to break in words that are longer than a line may be. The places have no width and no shape."""
    return " ".join(_broken(word) if len(word) > _LONGEST_WORD else word for word in text.split(" "))


def _broken(word: str) -> str:
    if any(unicodedata.east_asian_width(each) in _ALWAYS_BREAKS for each in word):
        return word
    pieces: list[str] = []
    count = 0
    for cluster in clusters_of(word):
        if count >= _PIECE_OF_WORD and not pieces[-1].endswith("\u200d"):
            pieces.append("\u200b")
            count = 0
        pieces.append(cluster)
        count += 1
    return "".join(pieces)
