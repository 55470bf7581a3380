"""E-mail addresses."""

import unicodedata

from email_validator import EmailNotValidError, validate_email

from services.accounts.domain import EmailInvalid

_AROUND = " \t\r\n<>;,.\u200b\u200e\u200f\u202a\u202c\ufeff"


def _tidy(email: str) -> str:
    return unicodedata.normalize("NFKC", email).strip(_AROUND).removeprefix("mailto:")


def checked_email(email: str, *, public: bool) -> str:
    """The address as a mail server takes it; EmailInvalid if none would. Nothing is looked up.

    What comes along when an address is pasted is left away (`<name@example.org>;`), and letters of another width are the same
    letters. `public` refuses addresses that exist in tests alone: `name@shop.test`."""
    try:
        checked = validate_email(
            _tidy(email), check_deliverability=False, allow_smtputf8=False, test_environment=not public
        )
    except EmailNotValidError:
        # Not chained: its message quotes the address.
        raise EmailInvalid from None
    address = checked.ascii_email
    if address is None or "." not in checked.ascii_domain:
        raise EmailInvalid
    return address
