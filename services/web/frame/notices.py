"""Sentences above a page."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Notice:
    """A sentence above the page. `kind`: info, warning, error. `href` and `words`: a way on."""

    kind: str
    title: str
    text: str = ""
    focus: bool = False
    href: str = ""
    words: str = ""


def page_too_old(what_became_of_it: str) -> Notice:
    """A form of ours was not taken. Nobody can tell for which of the two causes, so the sentence names both."""
    return Notice(
        "warning",
        "This page does not fit your browser any more.",
        f"It was open for long, or another tab was opened at the same moment. {what_became_of_it}",
        focus=True,
    )
