import unicodedata
from collections.abc import Callable
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.accounts.contacts import checked_email
from services.accounts.domain import (
    MAX_NAME,
    AccountsError,
    EmailInvalid,
    NameInvalid,
    PasswordTooWeak,
    Person,
    TooManyAttempts,
    check_password,
    checked_name,
    email_key,
    normal_password,
)


@pytest.mark.parametrize(
    ("password", "words"),
    [
        ("short", "too short"),
        ("x" * 201, "too long"),
        ("aaaaaaaaaaaa", "first that are guessed"),
        ("QwertyUiop", "first that are guessed"),
        ("ada.lovelace", "your name or your e-mail"),
        ("Ada Lovelace", "your name or your e-mail"),
        ("adalovelace1815!", "your name or your e-mail"),
    ],
)
def test_a_password_that_would_be_guessed_is_refused_with_what_to_do(password: str, words: str) -> None:
    with pytest.raises(PasswordTooWeak, match=words):
        check_password(password, email="ada.lovelace@example.com", name="Ada Lovelace")


@pytest.mark.parametrize("password", ["correct horse battery", "Ümlautefürälle", "tr0ub4dor&3x"])
def test_a_password_of_ten_characters_or_words_is_taken(password: str) -> None:
    check_password(password, email="ada@example.com", name="Ada")


def test_a_password_is_the_same_however_the_keyboard_composes_its_characters() -> None:
    assert normal_password("u\u0308ber") == normal_password("\u00fcber")


@pytest.mark.parametrize("name", ["", "  ", "x" * (MAX_NAME + 1), "Ada\x00", "Ada\u202eecalevoL", "\ud800"])
def test_a_name_that_cannot_be_printed_in_one_line_is_refused(name: str) -> None:
    with pytest.raises(NameInvalid):
        checked_name(name)


@pytest.mark.parametrize(
    "name",
    [
        "\u0639\u0644\u06cc\u200c\u0631\u0636\u0627",  # Persian, with a joiner that is spelling
        "\u0915\u094d\u200d\u0937",  # Devanagari, likewise
        "Zoë 👩\u200d🎤",
        "Adé\u0300",
        "\U00011f5a",  # a letter of Unicode 16, which an older Python does not know
        "N" * 150,
        "O\u2019Neill-Þór, Jr.",
    ],
)
def test_a_name_is_spelled_as_its_owner_spells_it(name: str) -> None:
    assert checked_name(name) == unicodedata.normalize("NFC", name)


def test_what_nobody_sees_of_a_copied_name_is_left_away() -> None:
    assert checked_name("\u202aZo\u00adë\u200b Groß\u202c\ufeff\u200f") == "Zoë Groß"
    with pytest.raises(NameInvalid):
        checked_name("\u200d\u200b")


def test_a_name_loses_line_breaks_and_double_spaces() -> None:
    assert checked_name(" Ada\r\nBcc:  Lovelace ") == "Ada Bcc: Lovelace"


@pytest.mark.parametrize(
    "email", ["", "ada", "ada@", "@example.com", "a b@example.com", "ada@example.com\r\nBcc: x@y.z"]
)
def test_what_is_no_address_is_refused_without_quoting_it(email: str) -> None:
    with pytest.raises(EmailInvalid) as refused:
        checked_email(email, public=False)
    assert refused.value.__cause__ is None
    assert "ada" not in str(refused.value)


def test_an_address_for_tests_is_refused_in_public() -> None:
    assert checked_email("ada@shop.test", public=False) == "ada@shop.test"
    with pytest.raises(EmailInvalid):
        checked_email("ada@shop.test", public=True)


def test_an_address_is_kept_as_mail_servers_take_it() -> None:
    assert checked_email(" Ada@Exämple.com ", public=True) == "Ada@xn--exmple-cua.com"


def outcome(check: Callable[[], str]) -> str | AccountsError:
    try:
        return check()
    except AccountsError as refused:
        return refused


@given(st.text(max_size=40))
def test_whatever_is_typed_as_name_or_address_is_taken_in_one_line_or_refused_by_a_known_error(text: str) -> None:
    for taken in (outcome(lambda: checked_name(text)), outcome(lambda: checked_email(text, public=True))):
        if isinstance(taken, str):
            assert taken.strip()
            assert taken.splitlines() == [taken]
        else:
            assert str(taken).endswith(".")


def test_upper_and_lower_case_make_no_other_address() -> None:
    assert email_key("Ada@Example.COM ") == email_key("ada@example.com")


def test_a_person_shows_neither_name_nor_address_in_logs() -> None:
    person = Person(UUID(int=1), guest=False, name="Ada", email="ada@example.com", language="en")
    assert "ada" not in repr(person).casefold()


@pytest.mark.parametrize(("seconds", "words"), [(1, "1 minute."), (60, "1 minute."), (61, "2 minutes.")])
def test_the_wait_is_given_in_minutes(seconds: int, words: str) -> None:
    assert str(TooManyAttempts(seconds)).endswith(words)


@pytest.mark.parametrize(
    "pasted",
    [
        " Zoe@example.org ",
        "zoe\uff20example\uff0eorg",
        "<zoe@example.org>",
        "zoe@example.org;",
        "mailto:zoe@example.org.",
        "\u202azoe@example.org\u202c",
    ],
)
def test_what_comes_along_with_a_pasted_address_is_left_away(pasted: str) -> None:
    assert checked_email(pasted, public=True).casefold() == "zoe@example.org"
