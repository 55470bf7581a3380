"""People and sessions: what is taken, what is refused, and why. Pure."""

import unicodedata
from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

MIN_PASSWORD = 10
MAX_PASSWORD = 200
MAX_NAME = 200
_MIN_DIFFERENT = 5
# Between letters they are spelling: in Persian, in Indian languages, in emoji.
_JOINERS = "\u200c\u200d"
# They come along when text is copied, and nobody sees them: marks of direction, soft hyphens, blanks without width. What turns
# letters round by force (U+202D, U+202E) is no spelling of anything, and stays refused.
_INVISIBLE = frozenset("\u00ad\u061c\u180e\u200b\u200e\u200f\u202a\u202b\u202c\u2060\u2066\u2067\u2068\u2069\ufeff")
_UNPRINTABLE = frozenset({"Cc", "Cf", "Cs", "Co"})
# Passwords that are guessed first, as far as they are long enough to be allowed otherwise.
_COMMON = frozenset(
    {
        "0123456789",
        "1234567890",
        "12345678910",
        "1q2w3e4r5t",
        "abcdefghij",
        "administrator",
        "motdepasse",
        "password12",
        "password123",
        "qwerty1234",
        "qwertyuiop",
        "qwertzuiop",
    }
)


class AccountsError(Exception):
    """Base of what accounts refuses; `code` and `category` become the problem+json. No error quotes a name or an address."""

    code: ClassVar[str]
    category: ClassVar[str]


class EmailInvalid(AccountsError):
    """Not an address to which mail can go."""

    code = "email_invalid"
    category = "invalid"

    def __init__(self) -> None:
        super().__init__("This is not an e-mail address. Check it for typing errors; it looks like name@example.com.")


class EmailTaken(AccountsError):
    """Somebody has signed up with this address."""

    code = "email_taken"
    category = "conflict"

    def __init__(self) -> None:
        super().__init__("There is an account with this e-mail address already. Sign in, or use another address.")


class NameInvalid(AccountsError):
    """A name that cannot be printed on a ticket."""

    code = "name_invalid"
    category = "invalid"

    def __init__(self) -> None:
        super().__init__(f"Fill in a name of 1 to {MAX_NAME} characters, in one line.")


class PasswordTooWeak(AccountsError):
    """A password that would be guessed."""

    code = "password_too_weak"
    category = "invalid"


class SignInFailed(AccountsError):
    """Unknown address or wrong password: one error for both, so that nobody learns who has an account."""

    code = "sign_in_failed"
    category = "unauthenticated"

    def __init__(self) -> None:
        super().__init__("E-mail address and password do not match. Check both and try again.")


class TooManyAttempts(AccountsError):
    """Wrong passwords too often for one address."""

    code = "too_many_attempts"
    category = "too_many"
    retry_after_seconds: int

    def __init__(self, retry_after_seconds: int) -> None:
        self.retry_after_seconds = retry_after_seconds
        minutes = -(-retry_after_seconds // 60)
        super().__init__(
            f"There were too many attempts for this e-mail address. Try again in {minutes} minute{'s' * (minutes != 1)}."
        )


class SessionEnded(AccountsError):
    """The refresh token is unknown, too old, or its session was ended."""

    code = "session_ended"
    category = "unauthenticated"

    def __init__(self) -> None:
        super().__init__("The session has ended. Sign in again.")


class PersonUnknown(AccountsError):
    """Nobody has this id."""

    code = "person_unknown"
    category = "not_found"

    def __init__(self, person_id: UUID) -> None:
        self.person_id = person_id
        super().__init__("There is no such person. Sign in again.")


class TooBusy(AccountsError):
    """More passwords wait to be checked than can be checked in time."""

    code = "accounts_busy"
    category = "unavailable"

    def __init__(self) -> None:
        self.retry_after_seconds = 2
        super().__init__("Many people sign in at this moment. Try again in a few seconds.")


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who buys. A guest has no password; name and e-mail are unknown until they give them. The repr shows neither.

    `language`: in whose way amounts are written in what is sent to them, as `chassis.languages` names it.
    """

    person_id: UUID
    guest: bool
    name: str | None
    email: str | None
    language: str

    def __repr__(self) -> str:
        return f"Person({self.person_id}, guest={self.guest})"


def checked_name(name: str) -> str:
    """The name with single spaces; NameInvalid if it cannot be printed in one line."""
    visible = "".join(character for character in unicodedata.normalize("NFC", name) if character not in _INVISIBLE)
    tidy = " ".join(visible.split())
    if not tidy.strip(_JOINERS) or len(tidy) > MAX_NAME or any(map(_is_no_letter, tidy)):
        raise NameInvalid
    return tidy


def _is_no_letter(character: str) -> bool:
    """Control characters and what nobody else can print. Letters that are newer than this Python are letters all the same."""
    return unicodedata.category(character) in _UNPRINTABLE and character not in _JOINERS


def email_key(email: str) -> str:
    """What makes two addresses the same one: upper and lower case do not."""
    return unicodedata.normalize("NFC", email.strip()).casefold()


def normal_password(password: str) -> str:
    """The same characters however a keyboard composes them."""
    return unicodedata.normalize("NFKC", password)


def check_password(password: str, *, email: str, name: str) -> None:
    """PasswordTooWeak, with what to do, for one that is short, common, monotonous, or made of what everybody knows."""
    lowered = normal_password(password).casefold()
    if len(lowered) < MIN_PASSWORD:
        raise PasswordTooWeak(
            f"The password is too short. Take at least {MIN_PASSWORD} characters; three words are good."
        )
    if len(lowered) > MAX_PASSWORD:
        raise PasswordTooWeak(f"The password is too long. Take at most {MAX_PASSWORD} characters.")
    if lowered in _COMMON or len(set(lowered)) < _MIN_DIFFERENT:
        raise PasswordTooWeak("This password is among the first that are guessed. Take another; three words are good.")
    mailbox = email_key(email).partition("@")[0]
    known = {mailbox, email_key(email), name.casefold(), name.casefold().replace(" ", "")}
    if lowered in known or lowered.strip("0123456789!.-_ ") in known:
        raise PasswordTooWeak("This password is your name or your e-mail address. Take another; three words are good.")
