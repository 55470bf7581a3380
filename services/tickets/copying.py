"""Tells a PDF which letters its shapes stand for, so that what is copied out of it is what was written.

In some scripts letters are drawn in another order than they are written, several as one shape, or one as several; and where no
font has a letter, a box is drawn. A viewer that puts text together from shapes gets such words wrong. `ActualText` around all
shapes of a text (ISO 32000-1, 14.9.4) says the text itself.
"""

import re
from collections.abc import Sequence
from io import BytesIO
from itertools import groupby
from typing import Any

import pikepdf

_STARTS = re.compile(rb"/Span<</MCID (\d+)([^>]*)>>BDC\n")
# What the typesetter itself tells of single shapes, and in which order it lists them: said for the whole text instead.
_INNER = re.compile(rb"/ReversedChars BMC ?|/Span<<.*?>>BDC ?\n?|EMC\n?")
_END = b"Q\nEMC"


def tell_letters(pdf: bytes, texts_of_pages: Sequence[Sequence[str | None]]) -> bytes:
    """The PDF with what each text of each page says, in the order of the pages' texts; None leaves a text as it is.

    A page whose texts are not those that were given stays as it is: still a ticket, only harder to copy from.
    """
    with pikepdf.open(BytesIO(pdf)) as document:
        numbers = document.Root.StructTreeRoot.ParentTree.Nums
        owners = {int(numbers[at]): numbers[at + 1] for at in range(0, len(numbers), 2)}
        for page, texts in zip(document.pages, texts_of_pages, strict=True):
            groups = _texts_of(owners[int(page.obj.StructParents)])
            if len(groups) == len(texts):
                _tell(document, page, groups, texts)
        written = BytesIO()
        document.save(written, deterministic_id=True, object_stream_mode=pikepdf.ObjectStreamMode.preserve)
        return written.getvalue()


def _texts_of(owners: Any) -> list[tuple[Any, list[int]]]:
    """Each text's element in the tree of tags, and the numbers of its pieces on the page."""
    pieces = [(owner, number) for number, owner in enumerate(owners) if owner.S != "/Figure"]
    return [
        (group[0][0], [number for _, number in group])
        for _, members in groupby(pieces, key=lambda piece: piece[0].objgen)
        if (group := list(members))
    ]


def _tell(document: Any, page: Any, groups: list[tuple[Any, list[int]]], texts: Sequence[str | None]) -> None:
    content = page.Contents.read_bytes()
    starts = {int(found[1]): found for found in _STARTS.finditer(content)}
    written, position = [], 0
    for (element, numbers), text in zip(groups, texts, strict=True):
        if text is None:
            continue
        first, last = starts[numbers[0]], starts[numbers[-1]]
        end = content.index(_END, last.end()) + len(_END)
        said = text.encode("utf-16-be").hex().upper().encode()
        written += [
            content[position : first.start()],
            b"/Span<</MCID %d%s/ActualText<FEFF%s>>>BDC\n" % (numbers[0], first[2], said),
            _INNER.sub(b" ", content[first.end() : end]),
            b"EMC\n",
        ]
        element.K = numbers[0]
        position = end
    written.append(content[position:])
    page.Contents = document.make_stream(b"".join(written))
