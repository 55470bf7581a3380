"""Other people's eyes: checkov on what is rendered, hadolint on the Dockerfile. Both work without a network.

checkov needs other versions of what we need: it has an environment of its own, made on first use from requirements/checkov.txt.
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from k8s.findings import Finding
from k8s.objects import Build

BIN = Path(sys.executable).parent
TOOLS = BIN.parent / "tools"
LIST = "requirements/checkov.txt"
DOCKERFILE = "Dockerfile"
INSTALL_SECONDS = 600.0
SCAN_SECONDS = 300.0
_ON = ("kubernetes", "dockerfile")


class ScanFailed(Exception):
    """A scanner could not be installed, or did not scan. The message says what to do."""


def checkov(builds: Iterable[Build], root: Path, tools: Path = TOOLS) -> Iterator[Finding]:
    """What checkov finds in these builds and in the Dockerfile. Raises ScanFailed."""
    program = installed(root / LIST, tools)
    with tempfile.TemporaryDirectory(prefix="onsale-checkov-") as folder:
        names = {}
        for build in builds:
            name = build.name.replace("/", "-").removesuffix(".yaml") + ".yaml"
            names[f"/{name}"] = build.name
            (Path(folder) / name).write_text("\n---\n".join(each.text for each in build.objects), encoding="utf-8")
        if (root / DOCKERFILE).exists():
            shutil.copy(root / DOCKERFILE, folder)
        for report in _scanned(program, Path(folder)):
            for failed in report["results"]["failed_checks"]:
                yield finding(failed, names)


def finding(failed: dict[str, Any], names: dict[str, str]) -> Finding:
    """A failed check, as we say it: checkov's `Deployment.onsale.orders` is our `Deployment/orders`."""
    kind, *_, name = str(failed["resource"]).split(".")
    where = DOCKERFILE if failed["file_path"].endswith(DOCKERFILE) else f"{kind}/{name}"
    said = f"fails {failed['check_id']}: {failed['check_name']}. Correct it, or give the reason in k8s/exceptions.yaml."
    return Finding(failed["check_id"], where, said, names.get(failed["file_path"], ""))


def installed(listed: Path, tools: Path = TOOLS) -> Path:
    """The program, installed now unless it is there already. Raises ScanFailed."""
    if not listed.is_file():
        raise ScanFailed(f"{LIST} is missing: run `make lock`.")
    digest = hashlib.sha256(listed.read_bytes()).hexdigest()
    folder, stamp = tools / "checkov", tools / "checkov.installed"
    if not stamp.is_file() or stamp.read_text(encoding="utf-8") != digest:
        shutil.rmtree(folder, ignore_errors=True)
        tools.mkdir(parents=True, exist_ok=True)
        uv = str(BIN / "uv")
        python = str(folder / "bin" / "python")
        _run([uv, "venv", "--quiet", "--python", sys.executable, str(folder)], INSTALL_SECONDS)
        _run(
            [uv, "pip", "install", "--quiet", "--require-hashes", "--python", python, "-r", str(listed)],
            INSTALL_SECONDS,
        )
        stamp.write_text(digest, encoding="utf-8")
    return folder / "bin" / "checkov"


def _run(command: list[str], seconds: float) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=seconds)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ScanFailed(f"{Path(command[0]).name} could not be run: {error}. Try again.") from error
    if done.returncode != 0:
        last = (done.stderr or done.stdout).strip().splitlines()[-1:]
        raise ScanFailed(f"checkov could not be installed: {''.join(last)} Is the package index reachable?")
    return done.stdout


def _scanned(program: Path, folder: Path) -> list[dict[str, Any]]:
    command = [
        str(program),
        "-d",
        ".",
        "--framework",
        *_ON,
        "--output",
        "json",
        "--quiet",
        "--compact",
        "--skip-download",
    ]
    done = subprocess.run(
        command,
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=SCAN_SECONDS,
        env=os.environ | {"LOG_LEVEL": "ERROR"},
    )
    try:
        found = json.loads(done.stdout)
    except ValueError as error:
        raise ScanFailed(
            f"checkov said nothing that can be read: {(done.stderr or done.stdout)[-300:].strip()}"
        ) from error
    reports = found if isinstance(found, list) else [found]
    scanned = {report.get("check_type") for report in reports}
    wanted = {kind for kind, files in zip(_ON, ("*.yaml", DOCKERFILE), strict=True) if any(folder.glob(files))}
    if missing := wanted - scanned:
        raise ScanFailed(f"checkov did not look at {' and '.join(sorted(missing))}.")
    return reports


def hadolint(root: Path) -> Iterator[Finding]:
    """What hadolint finds in the Dockerfile. Raises ScanFailed."""
    if not (root / DOCKERFILE).exists():
        return
    command = [str(BIN / "hadolint"), "--no-fail", "--format", "json", str(root / DOCKERFILE)]
    for each in json.loads(_run(command, SCAN_SECONDS)):
        said = f"line {each['line']}: {each['message']} Correct it, or give the reason in k8s/exceptions.yaml."
        yield Finding(each["code"], DOCKERFILE, said)
