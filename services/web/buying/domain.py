"""Who the tickets are for, and tickets that are not there."""

import re
import unicodedata
from dataclasses import dataclass

from services.web.frame.domain import WebError

_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
# Accounts takes a name and an address of at most so many letters.
_LONGEST_NAME = 200
_LONGEST_EMAIL = 254


class TicketsNotHere(WebError):
    """Tickets that are not there (yet), or somebody else's."""

    code = "tickets_unknown"
    category = "not_found"

    def __init__(self) -> None:
        super().__init__("There are no tickets for this order yet. Go back to the order to see how far it is.")


@dataclass(frozen=True)
class Contact:
    """Who the tickets are for, as far as it is known or written."""

    name: str = ""
    email: str = ""


def contact_errors(contact: Contact) -> dict[str, str]:
    """What is wrong with a name and an e-mail address, by field, in words."""
    errors: dict[str, str] = {}
    if not contact.name:
        errors["name"] = "Write your name, so that the tickets have one."
    elif len(contact.name) > _LONGEST_NAME:
        errors["name"] = f"Write your name with at most {_LONGEST_NAME} letters."
    # Accounts itself takes away what comes along when an address is pasted, and letters of another width.
    if not _EMAIL.fullmatch(unicodedata.normalize("NFKC", contact.email)) or len(contact.email) > _LONGEST_EMAIL:
        errors["email"] = "Write your whole e-mail address, like name@example.org."
    return errors
