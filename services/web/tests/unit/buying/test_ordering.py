"""What a form wishes, when a wish is the same, and who the tickets are for."""

from uuid import UUID

import pytest
from starlette.datastructures import FormData

from services.web.browsing.domain import Wish
from services.web.buying.domain import Contact, contact_errors
from services.web.buying.pages.ordering import idempotency_key, wish_of

CLASS = UUID("01a20559-a79e-75d2-b02f-f7bf1b353e33")
EVENT = UUID("01a20559-a79e-75d2-b02f-f7bf1b353e34")


def test_a_form_chooses_places_and_seats() -> None:
    form = FormData(
        [(f"quantity-{CLASS}", "2"), ("seat", "A-1"), ("seat", "A-1"), ("seat", "A-2"), ("form_token", "x")]
    )

    assert wish_of(form) == Wish({CLASS: 2}, ("A-1", "A-2"))


@pytest.mark.parametrize("value", ["0", "-1", "two", "1.5", "99999", "", "\u0662"])
def test_what_is_no_number_of_places_is_not_chosen(value: str) -> None:
    assert wish_of(FormData([(f"quantity-{CLASS}", value), ("quantity-nonsense", "1")])).is_empty


def test_pressing_twice_is_one_order_and_another_choice_is_another() -> None:
    once = idempotency_key("attempt", EVENT, Wish({CLASS: 1}, ("b", "a")))

    assert once == idempotency_key("attempt", EVENT, Wish({CLASS: 1}, ("a", "b")))
    assert once != idempotency_key("attempt", EVENT, Wish({CLASS: 2}, ("a", "b")))
    assert once != idempotency_key("another", EVENT, Wish({CLASS: 1}, ("a", "b")))


def test_a_contact_needs_a_name_and_a_whole_address() -> None:
    assert contact_errors(Contact("Zoë Groß", "zoe@example.org")) == {}
    assert set(contact_errors(Contact("", "zoe@"))) == {"name", "email"}
    assert set(contact_errors(Contact("x" * 201, "a b@example.org"))) == {"name", "email"}
