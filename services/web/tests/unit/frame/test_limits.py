"""Who asks, and how much one of them may have."""

import pytest
from starlette.requests import Request

from services.web.frame.limits import Allowance, address_of


@pytest.mark.parametrize(
    ("peer", "address"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("no address", "no address"),
    ],
)
def test_an_address_is_that_of_one_customer_and_no_header_chooses_it(peer: str, address: str) -> None:
    headers = [(b"x-forwarded-for", b"203.0.113.9")]
    assert address_of(Request({"type": "http", "headers": headers, "client": (peer, 1)})) == address


def test_what_is_used_comes_back_with_time() -> None:
    now = 0.0
    allowance = Allowance(4, seconds=100, clock=lambda: now)
    for _ in range(4):
        assert allowance.seconds_until("one") == 0
        allowance.use("one")
    assert allowance.seconds_until("one") == 25
    assert allowance.seconds_until("other") == 0
    now = 25.0
    assert allowance.seconds_until("one") == 0
    allowance.use("one")
    allowance.give_back("one")
    assert allowance.seconds_until("one") == 0
