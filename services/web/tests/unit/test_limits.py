"""Who asks, and how much one of them may have."""

import pytest
from starlette.requests import Request

from services.web.limits import Allowance, address_of


def a_request(peer: str, *forwarded: str) -> Request:
    headers = [(b"x-forwarded-for", value.encode()) for value in forwarded]
    return Request({"type": "http", "headers": headers, "client": (peer, 1)})


@pytest.mark.parametrize(
    ("peer", "forwarded", "proxies", "address"),
    [
        ("192.0.2.1", (), 0, "192.0.2.1"),
        ("192.0.2.1", ("203.0.113.9",), 0, "192.0.2.1"),
        ("10.0.0.1", ("203.0.113.9",), 1, "203.0.113.9"),
        ("10.0.0.1", ("1.1.1.1, 203.0.113.9",), 1, "203.0.113.9"),
        ("10.0.0.1", ("1.1.1.1", "203.0.113.9, 10.0.0.2"), 2, "203.0.113.9"),
        ("10.0.0.1", (), 1, "10.0.0.1"),
        ("10.0.0.1", ("nonsense",), 1, "10.0.0.1"),
        ("2001:db8:1:2:3:4:5:6", (), 0, "2001:db8:1:2::/64"),
        ("::ffff:192.0.2.1", (), 0, "192.0.2.1"),
    ],
)
def test_an_address_is_what_our_own_proxies_saw(
    peer: str, forwarded: tuple[str, ...], proxies: int, address: str
) -> None:
    assert address_of(a_request(peer, *forwarded), proxies) == address


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
