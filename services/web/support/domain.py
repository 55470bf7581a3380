"""What an order's number looks like, and what is refused to support."""

import re
import unicodedata
from uuid import UUID

from services.web.frame.domain import WebError

# With any dash or none: telephones write another one than was typed.
_NUMBER = re.compile(r"([A-Z0-9]{4})[\s\u2010-\u2015\u2212-]*([A-Z0-9]{4})")
# So many characters of what was typed are shown again.
MOST_SHOWN = 40


class SupportKeyWrong(WebError):
    """A program without the support key, or with another one."""

    code = "support_key_wrong"
    category = "unauthenticated"

    def __init__(self) -> None:
        super().__init__("Send the support key as Authorization: Bearer.")


class TooManyTries(WebError):
    """Wrong support keys, one after the other: for a while no key is looked at, also no right one."""

    code = "too_many_tries"
    category = "too_many"
    retry_after_seconds = 60

    def __init__(self) -> None:
        super().__init__("Too many wrong keys were tried. Wait a minute, then try again.")


class OrderNotFound(WebError):
    """No order has this number; only support reads so."""

    code = "order_not_found"
    category = "not_found"

    def __init__(self, number: str) -> None:
        called = "id" if order_id_of(number) else "number"
        super().__init__(
            f"No order has the {called} {number}. Numbers look like G3D3-BGVZ; they are on the order's page and in its "
            "mail."
        )


def order_id_of(text: str) -> UUID | None:
    """The id of an order, if that is what somebody typed: it stands in the address of its page, in logs and in spans."""
    try:
        found = UUID(text.strip())
    except ValueError:
        return None
    # Without dashes it could be the id of a trace as well.
    return found if str(found) == text.strip().lower() else None


def normal_number(text: str) -> str:
    """An order's number as it is written, from what people type: `g3d3bgvz` is G3D3-BGVZ. Raises OrderNotFound."""
    found = _NUMBER.fullmatch(unicodedata.normalize("NFKC", text).strip().upper())
    if found is None:
        raise OrderNotFound(text.strip()[:MOST_SHOWN])
    return f"{found[1]}-{found[2]}"
