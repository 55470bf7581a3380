"""The form of a request and of an answer as messages of NATS."""

import pytest

from chassis.envelope import read_answer, read_request, written_answer, written_request


def test_what_is_written_is_read_again() -> None:
    request = read_request(written_request("PUT", "/a?b=c", {"X": "é"}, 3) + b"abc")
    assert (request.method, request.target, request.length, request.piece) == ("PUT", b"/a?b=c", 3, b"abc")
    assert request.fields == [(b"x", "é".encode())]
    answer = read_answer(written_answer(201, [(b"x", "é".encode())], 3) + b"ab")
    assert (answer.status, answer.headers, answer.length, answer.piece) == (201, [("x", "é")], 3, b"ab")


@pytest.mark.parametrize(
    ("target", "headers"), [("/a\r\nX: 1", {}), ("/a b", {}), ("/a", {"X": "1\r\nY: 2"}), ("/a", {"X": "1\nY: 2"})]
)
def test_a_head_cannot_be_broken_out_of(target: str, headers: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="line break"):
        written_request("GET", target, headers, 0)
