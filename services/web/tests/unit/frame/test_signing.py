"""Form tokens, purchase cookies and sealed tokens."""

import pytest
from cryptography.exceptions import InvalidTag

from services.web.frame.signing import Signer, digest, new_secret, seal, unseal

SIGNER = Signer("s" * 40)
TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
ORDER = "01a20559-a79e-75d2-b02f-f7bf1b353e33"


def test_a_form_token_is_good_for_the_cookie_it_was_made_for() -> None:
    token = SIGNER.form_token("cookie")

    assert SIGNER.form_token_is_good(token, "cookie")
    assert not SIGNER.form_token_is_good(token, "another")
    assert not SIGNER.form_token_is_good(token, "")
    assert not Signer("t" * 40).form_token_is_good(token, "cookie")


@pytest.mark.parametrize("token", ["", ".", "abc", "abc.", ".abc", "ä.ö"])
def test_what_is_no_form_token_is_refused(token: str) -> None:
    assert not SIGNER.form_token_is_good(token, "cookie")


def test_form_tokens_differ_from_page_to_page() -> None:
    assert SIGNER.form_token("cookie") != SIGNER.form_token("cookie")


def test_a_form_token_does_not_open_another_purpose() -> None:
    nonce, _, mac = SIGNER.form_token("cookie").partition(".")

    assert SIGNER.traceparent_of("cookie", f"{nonce}.{mac}") is None


def test_a_purchase_cookie_gives_its_trace_back_for_its_order_alone() -> None:
    cookie = SIGNER.purchase(ORDER, TRACEPARENT)

    assert SIGNER.traceparent_of(ORDER, cookie) == TRACEPARENT
    assert SIGNER.traceparent_of("another-order", cookie) is None


def test_a_changed_purchase_cookie_is_worth_nothing() -> None:
    cookie = SIGNER.purchase(ORDER, TRACEPARENT)

    assert SIGNER.traceparent_of(ORDER, cookie.replace("0af7", "0af8")) is None
    assert SIGNER.traceparent_of(ORDER, TRACEPARENT) is None
    assert SIGNER.traceparent_of(ORDER, "") is None


def test_sealed_tokens_open_with_the_cookie_alone() -> None:
    cookie = new_secret()
    sealed = seal(cookie, "token")

    assert unseal(cookie, sealed) == "token"
    assert b"token" not in sealed
    with pytest.raises(InvalidTag):
        unseal(new_secret(), sealed)


def test_secrets_are_long_and_their_digest_is_not_the_secret() -> None:
    secret = new_secret()

    assert len(secret) == 43
    assert len(digest(secret)) == 32
    assert secret.encode() not in digest(secret)
