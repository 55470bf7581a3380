"""What whoever starts several services in one process reads when something is wrong. That it serves: tests/system/test_monolith.py."""

import pytest

from chassis import monolith


def said(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *names: str, listed: str = "") -> str:
    monkeypatch.setattr("sys.argv", ["monolith", *names])
    monkeypatch.setenv(monolith.SERVICES_VARIABLE, listed)
    assert monolith.main() != 0
    return capsys.readouterr().err


def test_without_a_name_it_says_how_to_name_some(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert said(monkeypatch, capsys).startswith("Say which services: ")


@pytest.mark.parametrize("by_variable", [False, True])
def test_a_service_that_is_none_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], by_variable: bool
) -> None:
    names, listed = ((), "accounts, post, web") if by_variable else (("accounts", "post", "web"), "")
    assert said(monkeypatch, capsys, *names, listed=listed) == "There is no service post.\n"


def test_a_setting_that_is_missing_is_named_with_its_service(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("ACCOUNTS_KEY_FILE", "ONSALE_KEY_FILE"):
        monkeypatch.delenv(name, raising=False)
    assert "Setting key_file of AccountsSettings: Field required.\n" in said(monkeypatch, capsys, "accounts", "web")
