"""Images: their bills of materials, what a build knows of the package index, and what a person reads without an engine."""

import json
import os
import tomllib
from pathlib import Path
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from local import base_image, images
from local.engine import Engine
from local.errors import StartError
from local.materials import bill, debian_packages, licence_of, packages_of_base, python_itself, python_packages
from local.package_index import secrets_of_pip
from local.topology import ROOT, SERVICES

DIGEST = "ab" * 32
DPKG_STATUS = """\
Package: libc6
Status: install ok installed
Architecture: amd64
Version: 2.41-12

Package: gone
Status: deinstall ok config-files
Architecture: amd64
Version: 1:1.0
"""


@pytest.fixture
def report(tmp_path: Path) -> Path:
    package = {
        "metadata": {"name": "Typing_Extensions", "version": "4.16.0"},
        "download_info": {"archive_info": {"hashes": {"sha256": DIGEST}}},
    }
    file = tmp_path / "report.json"
    file.write_text(json.dumps({"install": [package]}))
    return file


@pytest.fixture
def bare_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A path on which there is nothing but what the test puts there."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    return folder


def client(folder: Path, script: str) -> None:
    """A `docker` that answers as the script says."""
    (folder / "docker").write_text(f"#!/bin/sh\n{script}\n")
    (folder / "docker").chmod(0o755)


def test_a_bill_of_materials_is_what_cyclonedx_says_it_is(report: Path, tmp_path: Path) -> None:
    status, release = tmp_path / "status", tmp_path / "os-release"
    status.write_text(DPKG_STATUS)
    release.write_text('ID=debian\nVERSION_ID="13"\n')
    parts = [*python_packages([report]), *debian_packages(status, release), python_itself()]
    made = bill("onsale/orders", "1.2.3", f"python:3.13-slim@sha256:{DIGEST}", parts)
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(json.dumps(made)) is None
    found = {each["name"]: each for each in made["components"]}
    assert found["typing-extensions"]["purl"] == "pkg:pypi/typing-extensions@4.16.0"
    assert found["typing-extensions"]["hashes"] == [{"alg": "SHA-256", "content": DIGEST}]
    assert found["libc6"]["purl"] == "pkg:deb/debian/libc6@2.41-12?arch=amd64&distro=debian-13"
    assert found["python"]["version"]
    assert "gone" not in found


@pytest.mark.parametrize(
    ("about", "licence"),
    [
        ({"license_expression": "MIT"}, {"expression": "MIT"}),
        ({"classifier": ["License :: OSI Approved :: BSD License"]}, {"license": {"name": "BSD License"}}),
        ({"license": "LGPL-3.0"}, {"license": {"name": "LGPL-3.0"}}),
        ({"license": "All of\nthe text"}, None),
        ({}, None),
    ],
)
def test_a_licence_is_what_the_package_itself_says(about: dict[str, Any], licence: dict[str, Any] | None) -> None:
    assert licence_of(about) == licence


def test_what_comes_with_the_base_is_named_too(tmp_path: Path) -> None:
    (tmp_path / "pip-26.1.dist-info").mkdir()
    (tmp_path / "pip-26.1.dist-info/METADATA").write_text("Metadata-Version: 2.1\nName: pip\nVersion: 26.1\n")
    assert [each["purl"] for each in packages_of_base([tmp_path])] == ["pkg:pypi/pip@26.1"]


def test_a_bill_names_the_base_with_its_version_and_digest() -> None:
    base, *_ = bill("onsale/orders", "1", f"example.test:5000/python:3.13-slim@sha256:{DIGEST}", [])["components"]
    assert (base["name"], base["version"]) == ("example.test:5000/python", "3.13-slim")
    assert base["hashes"] == [{"alg": "SHA-256", "content": DIGEST}]


def test_the_same_image_has_the_same_bill(report: Path) -> None:
    one = bill("onsale/orders", "1", "python:3", python_packages([report]))
    assert one == bill("onsale/orders", "1", "python:3", python_packages([report]))
    assert one["serialNumber"] != bill("onsale/orders", "1", "python:3", [])["serialNumber"]


def test_every_service_has_an_image_and_who_needs_more_than_all_share_has_a_list() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    extras = project["project"]["optional-dependencies"].keys() - {"local", "test"}
    lists = {path.stem for path in (ROOT / "requirements").glob("*.txt")} - {"base", "run", "dev"}
    # Programs with environments of their own.
    lists -= {path.stem for path in (ROOT / "requirements").glob("*.in")}
    assert SERVICES.keys() <= images.CODE.keys()
    assert extras <= images.CODE.keys()
    assert lists == extras
    for name, folder in images.CODE.items():
        assert (ROOT / folder / "__init__.py").is_file(), name


def test_no_locked_list_names_an_index() -> None:
    for file in (ROOT / "requirements").iterdir():
        assert "://" not in file.read_text(), file.name


def test_a_build_gets_the_index_and_no_folder_of_this_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    authority = tmp_path / "ca.pem"
    authority.write_text("certificate")
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_INDEX_URL", "https://me:secret@index.test/simple")
    monkeypatch.setenv("PIP_FIND_LINKS", "/opt/wheels")
    monkeypatch.setenv("PIP_CERT", str(authority))
    secrets = secrets_of_pip(tmp_path)
    assert "index-url = https://me:secret@index.test/simple" in secrets["pip"].read_text()
    assert "wheels" not in secrets["pip"].read_text()
    assert secrets["certificates"].read_text() == "certificate"
    assert all(file.stat().st_mode & 0o077 == 0 for file in secrets.values())


def test_an_address_that_is_shown_has_no_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(images, "_git", lambda *words: "https://me:secret@git.test/onsale" if "remote" in words else "")
    assert images.labels_of_checkout()["SOURCE"] == "https://git.test/onsale"


def test_the_time_of_the_source_can_be_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "0")
    assert images.labels_of_checkout()["CREATED"] == "1970-01-01T00:00:00Z"


def test_without_an_engine_a_person_is_reported_what_to_install(bare_path: Path) -> None:
    with pytest.raises(StartError, match=r"apt-get install docker\.io"):
        Engine.find()


def test_an_engine_that_does_not_run_is_reported(bare_path: Path) -> None:
    client(bare_path, "echo 'Cannot connect to the Docker daemon.' >&2; exit 1")
    with pytest.raises(StartError, match="Cannot connect to the Docker daemon"):
        Engine.find()


def test_a_client_without_buildkit_is_reported(bare_path: Path) -> None:
    client(bare_path, 'case "$1" in version) echo 28.2.2 28.2.2;; *) exit 1;; esac')
    with pytest.raises(StartError, match="buildx"):
        Engine.find()


def test_a_client_that_can_build_is_found_behind_one_that_cannot(
    bare_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    older = tmp_path / "older"
    older.mkdir()
    client(bare_path, 'case "$1" in version) echo 28.2.2 20.10.24;; *) exit 1;; esac')
    client(older, 'case "$1" in version) echo 20.10.24 20.10.24;; *) exit 1;; esac')
    monkeypatch.setenv("PATH", f"{bare_path}{os.pathsep}{older}")
    engine = Engine.find()
    assert engine.client == str(older / "docker")
    assert engine.environment == {"DOCKER_BUILDKIT": "1"}


def test_the_base_is_the_one_that_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BASE_IMAGE", "mirror.test/python:3.13")
    assert base_image.find_base(Engine("docker", (), {}), ROOT / "Dockerfile", print) == "mirror.test/python:3.13"


def test_the_pinned_base_has_an_exact_version() -> None:
    name, _, tag = base_image.pinned_base(ROOT / "Dockerfile").partition(":")
    assert name == "python"
    assert [part.isdigit() for part in tag.partition("-")[0].split(".")] == [True] * 3
