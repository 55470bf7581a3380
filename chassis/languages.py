"""Which of the languages that can be written well a reader wants, from what a browser says of its owner.

The words of pages are English; how amounts are written follows the reader's language. The list is fixed, because each language
that is used stays in memory: nobody can fill it by asking for a thousand.
"""

from functools import lru_cache
from typing import Annotated

from babel import Locale, UnknownLocaleError
from pydantic import Field

DEFAULT = "en"
# A language as one service tells it to another.
PATTERN = r"^[a-z]{2,3}(_[A-Z][a-z]{3})?(_[A-Z]{2})?$"
Language = Annotated[str, Field(pattern=PATTERN)]
_NAMES = (
    "af am ar az be bg bn bs ca cs cy da de de_AT de_CH de_LI el en en_AU en_CA en_GB en_IE en_IN en_NZ en_SG en_ZA es es_AR "
    "es_CL es_CO es_MX es_PE es_US et eu fa fi fil fr fr_BE fr_CA fr_CH ga gl gu he hi hr hu hy id is it it_CH ja ka kk km kn "
    "ko ky lo lt lv mk ml mn mr ms my nb ne nl nl_BE nn pa pl ps pt pt_PT ro ru si sk sl sq sr sr_Latn sv sw ta te th tk tr uk "
    "ur uz vi zh zh_Hant zh_Hant_HK zu"
)
LANGUAGES = frozenset(_NAMES.split())
_LONGEST_HEADER = 500
_MOST_TAGS = 20


@lru_cache(maxsize=1024)
def language_of(accept_language: str) -> str:
    """The best of our languages for an `Accept-Language` header, as Babel names it (`de`, `pt_PT`, `zh_Hant`); else `en`."""
    for tag in _by_preference(accept_language[:_LONGEST_HEADER]):
        if found := _nearest(tag):
            return found
    return DEFAULT


def known(language: str) -> str:
    """The same language if we write it; else English. The service that tells it may be of a version that knows more."""
    return language if language in LANGUAGES else DEFAULT


def _by_preference(header: str) -> list[str]:
    weighted: list[tuple[float, str]] = []
    for part in header.split(",")[:_MOST_TAGS]:
        tag, _, parameters = part.partition(";")
        try:
            weight = float(parameters.strip().removeprefix("q=") or 1)
        except ValueError:
            continue
        if tag.strip() and 0 < weight <= 1:
            weighted.append((weight, tag.strip()))
    return [tag for _, tag in sorted(weighted, key=lambda each: -each[0])]


def _nearest(tag: str) -> str | None:
    try:
        locale = Locale.parse(tag, sep="-")
    except (ValueError, UnknownLocaleError):
        return None
    language, script, territory = locale.language, locale.script, locale.territory
    names = [
        "_".join(part for part in (language, script, territory) if part),
        f"{language}_{territory}",
        f"{language}_{script}",
        # Norwegian without more is written as Bokmål.
        "nb" if language == "no" else language,
    ]
    return next((name for name in names if name in LANGUAGES), None)
