"""Text as it is meant: feeds carry the markup of the pages that they come from."""

import re
from html import unescape
from html.entities import html5

from services.catalog.importers.document import Node

# Only whole entities with their semicolon: `AT&T` and `?a=1&copy=2` are text.
_ENTITY = re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
_BLOCKS = (
    "address|article|aside|blockquote|center|dd|details|div|dl|dt|fieldset|figcaption|figure|footer|form|h[1-6]|header|hr|main|"
    "nav|ol|p|pre|section|summary|table|tbody|td|tfoot|th|thead|tr|ul"
)
_INLINE = (
    "a|abbr|acronym|audio|b|bdi|bdo|big|button|cite|code|data|del|dfn|em|font|i|img|input|ins|kbd|label|mark|picture|q|s|samp|"
    "small|source|span|strike|strong|sub|sup|time|tt|u|var|video|wbr"
)
# What stands in these is not for readers.
_UNREAD = "script|style|template|noscript|iframe|object|svg|head|title|select|textarea"
_UNREAD_CONTENT = re.compile(rf"<({_UNREAD})\b[^<>]*>.*?(?:</\1\s*>|\Z)", re.IGNORECASE | re.DOTALL)
_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)|<!\[CDATA\[|\]\]>|<!doctype[^<>]*>", re.IGNORECASE | re.DOTALL)
# The tags that HTML has; what else stands between angle brackets is text.
_TAG = re.compile(rf"<(/?)(?:(br)|(li)|({_BLOCKS})|{_INLINE})\b[^<>]*>", re.IGNORECASE)
_HAS_BLOCK = re.compile(rf"<(?:br|li|{_BLOCKS})\b", re.IGNORECASE)
_PARAGRAPH = "\n\n"
_SOURCE_LINE = re.compile(r"\s*\n\s*|(?:\\r)?\\n")
_SPACE_IN_LINES = re.compile(r"[ \t\r\f\v]+")
# Entities of entities: once by who wrote the text, once by who wrote the feed, and once more is seen.
_MOST_LAYERS = 3


def read_text(node: Node, *, at_most: int, lines: bool = False) -> str:
    """Text of a field without markup; refused as `Node.text` does."""
    return plain(node, lines=lines).text(at_most=at_most, lines=lines)


def read_text_or(node: Node, default: str, *, at_most: int, lines: bool = False) -> str:
    """The same; the default if it is missing or says nothing."""
    return plain(node, lines=lines).text_or(default, at_most=at_most, lines=lines)


def plain(node: Node, *, lines: bool = False) -> Node:
    """The field with its text as it is meant; of texts in several languages the first."""
    node = node.first()
    if not isinstance(node.value, str):
        return node
    return Node(plain_text(node.value, lines=lines), node.path, node.reading)


def plain_text(text: str, *, lines: bool = False) -> str:
    """The text without entities and tags. With `lines`, paragraphs and line breaks stay."""
    has_blocks = False
    for _ in range(_MOST_LAYERS):
        stripped, blocks = _without_tags(text, lines=lines)
        has_blocks = has_blocks or blocks
        decoded = _ENTITY.sub(_decoded, stripped)
        if decoded == text:
            break
        text = decoded
    return _tidied(text, has_blocks=has_blocks) if lines else text


def _decoded(entity: re.Match[str]) -> str:
    whole = entity[0]
    return unescape(whole) if whole[1] == "#" or whole[1:] in html5 else whole


def _without_tags(text: str, *, lines: bool) -> tuple[str, bool]:
    """Without tags, and whether there were any that break lines."""
    if "<" not in text:
        return text, False
    text = _COMMENT.sub("", _UNREAD_CONTENT.sub(" ", text))
    has_blocks = _HAS_BLOCK.search(text) is not None
    if has_blocks and lines:
        # Line breaks of the source of a page are no more than spaces, also those that came written as two letters.
        text = _SOURCE_LINE.sub(" ", text)
    return _TAG.sub(_break if lines else _space, text), has_blocks


def _break(tag: re.Match[str]) -> str:
    """What a tag is in text with lines."""
    closes, is_break, is_item, is_block = tag.groups()
    if is_break:
        return "\n"
    if is_item:
        return "" if closes else "\n• "
    return _PARAGRAPH if is_block else ""


def _space(tag: re.Match[str]) -> str:
    return " " if any(tag.groups()[1:]) else ""


def _tidied(text: str, *, has_blocks: bool) -> str:
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if not has_blocks:
        return text
    lines = [_SPACE_IN_LINES.sub(" ", line).strip(" ") for line in text.split("\n")]
    return re.sub(r"\n{3,}", _PARAGRAPH, "\n".join(lines)).strip()
