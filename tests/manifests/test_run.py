"""The command says what is wrong as a sentence."""

import sys

import pytest

from k8s import run
from k8s.edges import takes_people


def test_a_service_without_an_openapi_document_is_a_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def everything(_: run.Run, *, release: bool) -> run.Outcome:
        takes_people("shop" if not release else "")
        return run.Outcome()

    monkeypatch.setattr(run.Run, "everything", everything)
    monkeypatch.setattr(sys, "argv", ["run"])
    assert run.main() == 2
    assert "shop has no OpenAPI document" in capsys.readouterr().err
