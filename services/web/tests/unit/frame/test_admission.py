"""What web signs for waiting rooms: the cookie of a pass, and what stands for an address."""

from services.web.frame.signing import Signer

SIGNER = Signer("s" * 40)
EVENT, OTHER = "01a20559-a79e-75d2-b02f-f7bf1b353e34", "01a20559-a79e-75d2-b02f-f7bf1b353e35"


def test_a_pass_is_read_from_the_cookie_of_its_event_alone() -> None:
    cookie = SIGNER.admission(EVENT, 2_000_000_000, "a.b.c")
    assert SIGNER.admission_of(EVENT, cookie) == (2_000_000_000, "a.b.c")
    assert SIGNER.admission_of(OTHER, cookie) is None
    assert Signer("t" * 40).admission_of(EVENT, cookie) is None


def test_a_cookie_that_somebody_changed_has_no_pass() -> None:
    cookie = SIGNER.admission(EVENT, 2_000_000_000, "a.b.c")
    for changed in (cookie.replace("2000000000", "3000000000"), cookie.replace("a.b.c", "a.b.d"), "", "~~", "x~y~z"):
        assert SIGNER.admission_of(EVENT, changed) is None


def test_an_address_is_hidden_the_same_way_each_time_and_otherwise_for_each_event_and_shop() -> None:
    hidden = SIGNER.hidden_address(EVENT, "192.0.2.7")
    assert hidden == SIGNER.hidden_address(EVENT, "192.0.2.7")
    others = {
        SIGNER.hidden_address(EVENT, "192.0.2.8"),
        SIGNER.hidden_address(OTHER, "192.0.2.7"),
        Signer("t" * 40).hidden_address(EVENT, "192.0.2.7"),
    }
    assert len(others | {hidden}) == 4
