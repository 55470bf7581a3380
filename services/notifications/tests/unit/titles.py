"""Many titles and names as people write them, the same in every Python; and whether a line says them to the letter.

`python titles.py` checks all of them in the Python that runs it, and prints those that were changed on the way: standard
library alone, so that any Python can.
"""

import base64
import quopri
import random
import re
import sys
from collections.abc import Iterator
from email import message_from_bytes
from email.header import decode_header, make_header
from email.policy import default
from pathlib import Path

KNOWN = [
    "Théâtre en plein air au profit des sinistrés de Genève",
    "Fête de l’été en plein air de Genève",
    "Soirée de Genève au profit des sinistrés",
    "Большой летний концерт под открытым небом: Ёлки и иголки",
    "ليلة الموسيقى العربية: السبت ٢١",
    "日本の音楽祭 2031 第一夜",
    "Two  blanks   and a tab-less end",
    "Lo\u0301dz\u0301 with marks of their own",
    "👨\u200d👩\u200d👧\u200d👦 family 🎉 ❤\ufe0f",
    "=?utf-8?q?not_encoded?= by anybody",
    "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft" * 2,
    "a" * 300,
    "é" * 300,
    'Quotes "and" \\ commas, semicolons; <angles> (comments) @ all: of them.',
]
_WORDS = [
    "the",
    "of",
    "Nacht",
    "été",
    "Genève",
    "Łódź",
    "“quoted”",
    "l’été",
    "—",
    "концерт",
    "Ёлки",
    "日本の",
    "音楽祭",
    "ليلة",
    "العربية",
    "ערב",
    "विशेष",
    "ไทย",
    "한국",
    "🎉",
    "👩\u200d🚀",
    "é",
    "ṩ",
    "2031",
    "№7",
    "Straße",
    "ẞ",
    "İstanbul",
    "a=b",
    "_under_",
    "?mark",
    "=?utf-8?=",
]
_COUNT = 3000
_ENCODED = re.compile(r"=\?utf-8\?([bBqQ])\?([^?]*)\?=", re.IGNORECASE)
_LINE_CHARACTERS_MAX = 78


def titles(count: int = _COUNT) -> Iterator[str]:
    """The known ones, then random ones: the same each time."""
    yield from KNOWN
    chance = random.Random(20311231)  # noqa: S311  # the same titles each time
    for _ in range(count):
        words = [_word(chance) for _ in range(chance.randint(1, 18))]
        yield ("  " if chance.random() < 0.1 else " ").join(words).strip()


def _word(chance: random.Random) -> str:
    if chance.random() < 0.1:
        return "".join(chance.choice("abcdefgéß") for _ in range(chance.randint(20, 90)))
    return "".join(chance.choice(_WORDS) for _ in range(chance.randint(1, 2)))


def changed(text_line: object, address_line: object) -> Iterator[str]:
    """Those that a reader finds different from what was written, or in a line that is too long."""
    assert callable(text_line)
    assert callable(address_line)
    for title in titles():
        subject: bytes = text_line("Subject", title)
        if {as_a_program_reads(subject), _as_the_rule_says(subject)} != {title} or not _lines_are_short(subject):
            yield f"Subject: {title!r}"
        name = title[:200].strip()
        to: bytes = address_line("To", name, "zoe@example.org")
        value, _, mailbox = to.decode().removeprefix("To:").strip().rpartition(" ")
        # Python's own reader of names puts a blank between two encoded words that belong together; others do not.
        shown = _as_the_rule_says(f"To: {value.rstrip()}\r\n".encode())
        if _unquoted(shown) != name or mailbox != "<zoe@example.org>" or not _lines_are_short(to):
            yield f"To: {name!r}"


def as_a_program_reads(line: bytes) -> str:
    """The value, by the reader of this Python; and by its older one, if that finds something else."""
    new = str(message_from_bytes(line + b"\r\n", policy=default)["Subject"])
    folded = line.decode().partition(":")[2].strip(" \r\n")
    old = str(make_header(decode_header(folded.replace("\r\n ", " ")))) if "=?" in folded else folded
    return new if new == old else f"{new} or {old}"


def _as_the_rule_says(line: bytes) -> str:
    """The value, by a reader of our own: RFC 2047 in six lines."""
    value = re.sub(r"\r\n(?=[ \t])", "", line.decode().rstrip("\r\n")).partition(":")[2].strip(" ")
    joined = re.sub(r"(\?=)[ \t]+(?==\?)", r"\1", value)
    return _ENCODED.sub(_decoded, joined)


def _decoded(word: "re.Match[str]") -> str:
    plain = base64.b64decode(word[2]) if word[1] in "bB" else quopri.decodestring(word[2].replace("_", " "))
    return plain.decode()


def _unquoted(name: str) -> str:
    if name.startswith('"') and name.endswith('"'):
        return re.sub(r"\\(.)", r"\1", name[1:-1])
    return name


def _lines_are_short(line: bytes) -> bool:
    return all(len(each) <= _LINE_CHARACTERS_MAX for each in line.decode().split("\r\n"))


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[2]))
    import headers  # type: ignore[import-not-found]  # beside this service's other rooms

    for each in changed(headers.text_line, headers.address_line):
        print(each)  # it is a command
