"""E-mail addresses."""

from email_validator import EmailNotValidError, validate_email

from services.accounts.domain import EmailInvalid


def checked_email(email: str, *, public: bool) -> str:
    """The address as a mail server takes it; EmailInvalid if none would. Nothing is looked up.

    `public` refuses addresses that exist in tests alone: `name@shop.test`."""
    try:
        checked = validate_email(
            email.strip(), check_deliverability=False, allow_smtputf8=False, test_environment=not public
        )
    except EmailNotValidError:
        # Not chained: its message quotes the address.
        raise EmailInvalid from None
    address = checked.ascii_email
    if address is None or "." not in checked.ascii_domain:
        raise EmailInvalid
    return address
