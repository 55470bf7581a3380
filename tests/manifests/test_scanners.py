"""Scanners: what they find is reported in our words, and one that does not scan is no success."""

import json
from pathlib import Path
from typing import Any

import pytest

from k8s import scanners
from k8s.findings import Finding
from tests.manifests.made_up import build, documents

FAILED = {
    "check_id": "CKV_K8S_22",
    "check_name": "Use read-only filesystem",
    "file_path": "/k8s-overlays-local.yaml",
    "resource": "Deployment.onsale.orders",
}
REPORT = {"check_type": "kubernetes", "results": {"failed_checks": [FAILED]}}
OF_DOCKERFILE = {"check_type": "dockerfile", "results": {"failed_checks": []}}


def with_checkov(folder: Path, says: Any, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout whose checkov says this, whatever it is shown."""
    program = folder / "checkov"
    program.write_text(f"#!/bin/sh\ncat <<'END'\n{says if isinstance(says, str) else json.dumps(says)}\nEND\n")
    program.chmod(0o755)
    (folder / "Dockerfile").write_text("FROM scratch\n")
    monkeypatch.setattr(scanners, "installed", lambda *_: program)
    return folder


def test_a_failed_check_is_reported_with_its_object_and_build() -> None:
    found = scanners.finding(FAILED, {"/k8s-overlays-local.yaml": "k8s/overlays/local"})
    assert found == Finding("CKV_K8S_22", "Deployment/orders", found.sentence)
    assert str(found).startswith("k8s/overlays/local: Deployment/orders fails CKV_K8S_22: Use read-only filesystem.")


def test_what_checkov_finds_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = with_checkov(tmp_path, [REPORT, OF_DOCKERFILE], monkeypatch)
    assert [each.rule for each in scanners.checkov([build(documents())], root)] == ["CKV_K8S_22"]


@pytest.mark.parametrize(
    ("says", "reported"), [("no JSON", "nothing that can be read"), ([REPORT], "did not look at dockerfile")]
)
def test_a_checkov_that_did_not_look_is_no_success(
    says: Any, reported: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = with_checkov(tmp_path, says, monkeypatch)
    with pytest.raises(scanners.ScanFailed, match=reported):
        list(scanners.checkov([build(documents())], root))


def test_without_its_list_checkov_is_not_installed(tmp_path: Path) -> None:
    with pytest.raises(scanners.ScanFailed, match="run `make lock`"):
        scanners.installed(tmp_path / "requirements/checkov.txt", tmp_path)


def test_an_installed_checkov_is_not_installed_again(tmp_path: Path) -> None:
    listed = tmp_path / "list.txt"
    listed.write_text("")  # nothing to install: only the environment is made
    program = scanners.installed(listed, tmp_path / "tools")
    before = (tmp_path / "tools/checkov.installed").stat().st_mtime_ns
    assert scanners.installed(listed, tmp_path / "tools") == program
    assert (tmp_path / "tools/checkov.installed").stat().st_mtime_ns == before


def test_what_hadolint_finds_is_found(tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text("FROM python\nRUN cd /tmp\n")
    found = list(scanners.hadolint(tmp_path))
    assert {"DL3006", "DL3003"} <= {each.rule for each in found}
    assert any("line 1: " in str(each) for each in found)


def test_without_a_dockerfile_there_is_nothing_to_find(tmp_path: Path) -> None:
    assert list(scanners.hadolint(tmp_path)) == []
