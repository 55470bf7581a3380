"""What people typed as their name, so that no program makes a link of it."""

import re

# A dot between letters or digits is what programs look for, in every script that hosts may have; so are schemes and @.
_SCHEME = re.compile(r"\b[a-z][a-z0-9+.-]*:/*(?=\S)", re.IGNORECASE)
_DOT = re.compile(r"(?<=\w)[.\u3002\uff0e\uff61](?=\w)")
_AT_OR_SLASH = re.compile(r"\s*[@/\\\uff20\u2215\u2044\uff0f]+\s*")


def unlinked(text: str) -> str:
    """The text broken up where a mail or PDF program would see an address: `Ada at evil. example` of `Ada@evil.example`.

    Names stay as they are, but for a blank behind the dots of `J.R.R. Tolkien`.
    """
    without_scheme = _SCHEME.sub(lambda found: f"{found[0].rstrip('/:')}: ", text)
    without_signs = _AT_OR_SLASH.sub(
        lambda found: " at " if "@" in found[0] or "\uff20" in found[0] else " ", without_scheme
    )
    return " ".join(_DOT.sub(lambda found: f"{found[0]} ", without_signs).split())
