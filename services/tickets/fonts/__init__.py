"""The fonts that tickets are printed with, in the order in which they are asked for a letter.

Noto Sans draws nearly all; Arabic comes first from fonts that draw each letter as one shape, because a letter that is put
together from a stroke and its dots is copied out of a PDF twice. DejaVu Sans, beside this file, has letters, scripts and signs
that no packaged font has. Which letters a font has is read from the fonts themselves.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property, lru_cache
from importlib.util import find_spec
from pathlib import Path

from fontTools.ttLib import TTFont

from services.tickets.scripts import Speech, clusters_of

# A box that a font has: what stands where a letter stands that no font has.
BOX = "\N{WHITE SQUARE}"
LATIN = "Noto Sans"
# The first that has all Arabic letters of a text: Noto Sans Arabic, which has them all, puts most of them together.
_ARABIC = ("Almarai", "DejaVu Sans", "Noto Sans Arabic")
_NOTO = (
    "Arabic Hebrew Devanagari Bengali Gurmukhi Gujarati Oriya Tamil Telugu Kannada Malayalam Sinhala Thai Lao Khmer Myanmar "
    "Ethiopic Georgian Armenian"
)
_CJK = "NotoSansCJK-VF.otf.ttc"
_CJK_FAMILIES = {
    ("ja", None): "Noto Sans CJK JP",
    ("ko", None): "Noto Sans CJK KR",
    ("zh", "TW"): "Noto Sans CJK TC",
    ("zh", "HK"): "Noto Sans CJK HK",
}
_CJK_ELSE = "Noto Sans CJK SC"
# They have no shape: every font draws them, as nothing.
_IGNORED = frozenset("\u200b\u200c\u200d\u200e\u200f\u061c\u2066\u2067\u2068\u2069\ufe0e\ufe0f")
_SHAPELESS_RANGE = range(0xE0000, 0xE1000)


@dataclass(frozen=True, slots=True)
class _Font:
    family: str
    file: Path


@lru_cache(maxsize=1)
def folders() -> tuple[Path, ...]:
    """Where the fonts' files are. Raises FileNotFoundError, with what to install, if a package is missing."""
    packages = ("manimgx_fonts", "manimgx_fonts_cjk", "fontpkg_almarai")
    return (*(_folder_of(package) for package in packages), Path(__file__).parent)


def _folder_of(package: str) -> Path:
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        raise FileNotFoundError(f"The fonts of `{package}` are not installed. Install requirements/tickets.txt.")
    folder = Path(spec.origin).parent
    return folder / "files" if (folder / "files").is_dir() else folder


@cache
def advances(*, bold: bool) -> dict[str, float]:
    """How wide the letters of ASCII are in the Latin font, as parts of the size."""
    with TTFont(CHAIN.file_of(LATIN), lazy=True) as font:
        names: dict[int, str] = font["cmap"].getBestCmap()  # type: ignore[no-untyped-call]  # the library has no types
        em: int = font["head"].unitsPerEm  # type: ignore[attr-defined]  # read from the file
        glyphs = font.getGlyphSet(location={"wght": 700 if bold else 400})
        return {chr(code): glyphs[names[code]].width / em for code in range(0x20, 0x7F)}


class Chain:
    """The fonts one after the other, and what they can draw."""

    @cached_property
    def _fonts(self) -> list[_Font]:
        noto, cjk, arabic, ours = folders()
        scripts = [_Font(f"Noto Sans {script}", noto / f"NotoSans{script}[wght].ttf") for script in _NOTO.split()]
        return [
            _Font(LATIN, noto / "NotoSans[wght].ttf"),
            _Font("Almarai", arabic / "Almarai-Regular.ttf"),
            *scripts,
            _Font(_CJK_ELSE, cjk / _CJK),
            _Font("Noto Sans Symbols", noto / "NotoSansSymbols[wght].ttf"),
            _Font("Noto Emoji", noto / "NotoEmoji[wght].ttf"),
            _Font("DejaVu Sans", ours / "DejaVuSans.ttf"),
        ]

    @cache  # noqa: B019  # there is one chain, and it lives as long as the process
    def _letters(self, family: str) -> frozenset[int]:
        """What a font draws. It is read when a text asks for it first: all of them together are 25 MiB, and most texts are Latin."""
        return frozenset(_letters_of(self.file_of(family)))

    def file_of(self, family: str) -> Path:
        """Where a font is. Raises StopIteration if it is none of these."""
        return next(font.file for font in self._fonts if font.family == family)

    def families(self, text: str, speech: Speech) -> list[str]:
        """The order in which fonts are asked for the letters of a text."""
        if text.isascii() or self._letters(LATIN).issuperset(map(ord, text)):
            return [LATIN]
        names = [font.family for font in self._fonts if font.family not in _ARABIC]
        # One font for all that is Arabic in a text: letters of two fonts do not join.
        arabic = [name for name in _ARABIC if all(map(self._letters(name).issuperset, _arabic_in(text)))]
        names[1:1] = arabic[:1]
        names += [name for name in _ARABIC if name not in names]
        cjk = _CJK_FAMILIES.get((speech.language, speech.region), _CJK_ELSE)
        return [cjk if name == _CJK_ELSE else name for name in names]

    def drawable(self, text: str) -> tuple[str, int]:
        """The text with a box for every letter that no font has, and how many boxes there are."""
        if text.isascii():
            return text, 0
        pieces, boxes = [], 0
        for cluster in clusters_of(text):
            drawn = cluster if self._has(cluster) else self._with_boxes(cluster)
            boxes += drawn != cluster
            pieces.append(drawn)
        return "".join(pieces), boxes

    def _has(self, cluster: str) -> bool:
        points = {ord(each) for each in cluster if each not in _IGNORED and ord(each) not in _SHAPELESS_RANGE}
        return any(self._letters(font.family).issuperset(points) for font in self._fonts)

    def _with_boxes(self, cluster: str) -> str:
        first = cluster[0]
        return first + BOX if len(cluster) > 1 and self._has(first) else BOX


def _letters_of(file: Path) -> Iterator[int]:
    number = 0 if file.suffix == ".ttc" else -1
    with TTFont(file, lazy=True, fontNumber=number) as font:
        yield from font["cmap"].getBestCmap()  # type: ignore[no-untyped-call]  # the library has no types


def _arabic_in(text: str) -> Iterator[set[int]]:
    for cluster in clusters_of(text):
        if 0x0600 <= ord(cluster[0]) <= 0x08FF:
            yield {ord(each) for each in cluster if each not in _IGNORED}


CHAIN = Chain()
