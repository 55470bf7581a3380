"""Who may send a webhook."""

import hashlib
import hmac

import pytest

from services.payments.domain import WebhookForged
from services.payments.service.take_webhook import check_signature

NOW = 1_800_000_000
BODY = b'{"webhook_id": "w"}'


def signed(body: bytes = BODY, at: int = NOW, by: str = "secret") -> str:
    digest = hmac.new(by.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={at},v1={digest}"


@pytest.mark.parametrize("age", [0, 300, -300])
def test_a_signature_within_the_tolerance_is_believed(age: int) -> None:
    check_signature("secret", BODY, signed(at=NOW - age), NOW)


@pytest.mark.parametrize(
    "signature",
    [
        "",
        "t=1",
        signed(by="other"),
        signed(body=BODY + b" "),
        signed(at=NOW - 301),
        signed(at=NOW + 301),
        signed().replace("v1=", "v0="),
        signed().upper(),
        signed() + ",v1=" + "0" * 64,
        signed().replace(f"t={NOW}", f"t={NOW + 1}"),
    ],
)
def test_any_other_signature_is_refused(signature: str) -> None:
    with pytest.raises(WebhookForged):
        check_signature("secret", BODY, signature, NOW)
