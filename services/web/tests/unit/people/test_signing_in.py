"""Where people are sent after signing in."""

import pytest

from services.web.people.pages import local_path


@pytest.mark.parametrize("path", ["/my/orders", "/orders/1?returned=1", "/"])
def test_paths_of_ours_are_followed(path: str) -> None:
    assert local_path(path) == path


@pytest.mark.parametrize(
    "path",
    ["", None, "https://evil.example", "//evil.example", "/\\evil.example", "evil", "/a\nb", "javascript:alert(1)"],
)
def test_nobody_is_sent_elsewhere(path: str | None) -> None:
    assert local_path(path) == "/my/tickets"
