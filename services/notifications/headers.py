"""Header lines of mails, to the letter. Standard library alone.

The policies of `email` fold encoded words wrongly: of 3.11 to 3.13 each loses blanks of some titles. Its older `Header` does not,
and is what writes the lines here; whatever is not plain and short is written as encoded words as a whole (RFC 2047), blanks and all.
"""

from email.header import Header

_LINE_CHARACTERS_MAX = 74
_SPECIAL = frozenset('()<>[]:;@\\,."')


def text_line(name: str, text: str) -> bytes:
    """A header whose value is text for people, folded and ended."""
    if _is_plain(text) and len(name) + 2 + len(text) <= _LINE_CHARACTERS_MAX:
        return f"{name}: {text}\r\n".encode("ascii")
    return f"{name}: {_encoded(text, len(name) + 2)}\r\n".encode("ascii")


def address_line(name: str, display_name: str, address: str) -> bytes:
    """A header whose value is one mailbox. An address that is not ASCII needs a server that takes such (RFC 6531)."""
    if not display_name:
        return f"{name}: {address}\r\n".encode()
    if _is_plain(display_name) and len(name) + len(display_name) + 4 <= _LINE_CHARACTERS_MAX:
        shown = _quoted(display_name)
    else:
        shown = _encoded(display_name, len(name) + 2)
    # The mailbox may stand in a line of its own: then no line is too long, whatever the name.
    fold = "\r\n" if len(shown) + len(address) + len(name) > _LINE_CHARACTERS_MAX else ""
    return f"{name}: {shown}{fold} <{address}>\r\n".encode()


def _is_plain(text: str) -> bool:
    """Whether a reader who undoes folding and encoded words finds it as it is."""
    return (
        text.isascii() and text.isprintable() and "=?" not in text and text == " ".join(text.split(" ")).strip() != ""
    )


def _quoted(name: str) -> str:
    if not _SPECIAL.intersection(name) and "  " not in name:
        return name
    escaped = name.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _encoded(text: str, first_characters: int) -> str:
    header = Header(text, "utf-8", maxlinelen=_LINE_CHARACTERS_MAX, header_name="x" * max(0, first_characters - 2))
    return header.encode(linesep="\r\n")
