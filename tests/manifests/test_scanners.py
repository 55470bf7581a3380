"""Scanners: what they find is reported in our words, and one that does not scan is no success."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from k8s import scanners
from k8s.findings import Finding
from k8s.rendering import ROOT
from tests.manifests.made_up import build, documents, get, put

FAILED = {
    "check_id": "CKV_K8S_22",
    "check_name": "Use read-only filesystem",
    "file_path": "/k8s-overlays-local.yaml",
    "resource": "Deployment.onsale.orders",
}
REPORT = {"check_type": "kubernetes", "results": {"failed_checks": [FAILED]}}
ORDERS, MIGRATION = "Deployment/orders", "Job/orders-migration"
POD = "spec.template.spec"
MAIN = f"{POD}.containers.0"
SECURITY = f"{MAIN}.securityContext"
# Which rules of ours are checkov's: a change that breaks each.
CHECKS_OF_CHECKOV: dict[str, tuple[str, str, Any]] = {
    "CKV_K8S_17": (ORDERS, f"{POD}.hostPID", True),
    "CKV_K8S_18": (ORDERS, f"{POD}.hostIPC", True),
    "CKV_K8S_19": (ORDERS, f"{POD}.hostNetwork", True),
    "CKV_K8S_31": (ORDERS, f"{POD}.securityContext.seccompProfile", None),
    "CKV_K8S_38": (ORDERS, f"{POD}.automountServiceAccountToken", None),
    "CKV_K8S_16": (ORDERS, f"{SECURITY}.privileged", True),
    "CKV_K8S_20": (ORDERS, f"{SECURITY}.allowPrivilegeEscalation", None),
    "CKV_K8S_37": (ORDERS, f"{SECURITY}.capabilities", {"drop": ["NET_RAW"], "add": ["SYS_ADMIN"]}),
    "CKV_K8S_39": (ORDERS, f"{SECURITY}.capabilities.add", ["SYS_ADMIN"]),
    "CKV_K8S_26": (ORDERS, f"{MAIN}.ports.0.hostPort", 8000),
    "CKV_K8S_10": (ORDERS, f"{MAIN}.resources.requests.cpu", None),
    "CKV_K8S_11": (ORDERS, f"{MAIN}.resources.limits.cpu", None),
    "CKV_K8S_12": (ORDERS, f"{MAIN}.resources.requests.memory", None),
    "CKV_K8S_13": (MIGRATION, f"{MAIN}.resources.limits.memory", None),
    "CKV_K8S_14": (ORDERS, f"{MAIN}.image", "registry:5000/onsale/orders"),
}
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


def test_checkov_knows_what_is_left_to_it(tmp_path: Path) -> None:
    (tmp_path / "requirements").mkdir()
    shutil.copy(ROOT / scanners.LIST, tmp_path / scanners.LIST)
    sound, spoilt = documents(), documents()
    for where, path, value in CHECKS_OF_CHECKOV.values():
        put(get(spoilt, where), path, value)
    found = list(scanners.checkov([build(sound, "sound"), build(spoilt, "spoilt")], tmp_path))
    told = {name: {each.rule for each in found if each.build == name} for name in ("sound", "spoilt")}
    assert CHECKS_OF_CHECKOV.keys() <= told["spoilt"] - told["sound"]


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
