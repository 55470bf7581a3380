"""Where people are sent after signing in, what a form chooses, and when a choice is the same."""

from uuid import UUID

import pytest
from starlette.datastructures import FormData

from services.web.browsing.views import Choice, left_words, most_of
from services.web.buying.pages.order import Contact, contact_errors
from services.web.buying.pages.ordering import choice_of, idempotency_key
from services.web.frame.visitors import local_path

CLASS = UUID("01a20559-a79e-75d2-b02f-f7bf1b353e33")
EVENT = UUID("01a20559-a79e-75d2-b02f-f7bf1b353e34")


@pytest.mark.parametrize("path", ["/my/orders", "/orders/1?returned=1", "/"])
def test_paths_of_ours_are_followed(path: str) -> None:
    assert local_path(path) == path


@pytest.mark.parametrize(
    "path",
    ["", None, "https://evil.example", "//evil.example", "/\\evil.example", "evil", "/a\nb", "javascript:alert(1)"],
)
def test_nobody_is_sent_elsewhere(path: str | None) -> None:
    assert local_path(path) == "/my/tickets"


def test_a_form_chooses_places_and_seats() -> None:
    form = FormData(
        [(f"quantity-{CLASS}", "2"), ("seat", "A-1"), ("seat", "A-1"), ("seat", "A-2"), ("form_token", "x")]
    )

    assert choice_of(form) == Choice({CLASS: 2}, ("A-1", "A-2"))


@pytest.mark.parametrize("value", ["0", "-1", "two", "1.5", "99999", "", "\u0662"])
def test_what_is_no_number_of_places_is_not_chosen(value: str) -> None:
    assert choice_of(FormData([(f"quantity-{CLASS}", value), ("quantity-nonsense", "1")])).is_empty


def test_pressing_twice_is_one_order_and_another_choice_is_another() -> None:
    once = idempotency_key("attempt", EVENT, Choice({CLASS: 1}, ("b", "a")))

    assert once == idempotency_key("attempt", EVENT, Choice({CLASS: 1}, ("a", "b")))
    assert once != idempotency_key("attempt", EVENT, Choice({CLASS: 2}, ("a", "b")))
    assert once != idempotency_key("another", EVENT, Choice({CLASS: 1}, ("a", "b")))


def test_few_places_are_counted_and_many_are_not() -> None:
    assert [left_words(left) for left in (None, 0, 3, 5000)] == ["", "Sold out", "Only 3 left", "Available"]
    assert [most_of(left, 8) for left in (None, 0, 3, 5000)] == [8, 0, 3, 8]


def test_a_contact_needs_a_name_and_a_whole_address() -> None:
    assert contact_errors(Contact("Zoë Groß", "zoe@example.org")) == {}
    assert set(contact_errors(Contact("", "zoe@"))) == {"name", "email"}
    assert set(contact_errors(Contact("x" * 201, "a b@example.org"))) == {"name", "email"}
