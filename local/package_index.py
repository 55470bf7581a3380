"""The settings of pip that say where packages come from, for builds: handed over as secrets, never written into the project."""

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

# Where an index is, and how it is reached. Folders of this machine would not be there in a build.
HANDED_OVER = ("index-url", "extra-index-url", "trusted-host", "proxy", "timeout", "default-timeout", "retries")
CERTIFICATES = ("PIP_CERT", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")


def secrets_of_pip(folder: Path) -> dict[str, Path]:
    """Writes them into `folder` (mode 0600) as far as there are any: `certificates`, a CA bundle, and `pip`, a pip.conf."""
    settings = _settings()
    secrets: dict[str, Path] = {}
    if bundle := _bundle(settings):
        secrets["certificates"] = _write(folder / "certificates.pem", bundle.read_bytes())
    if handed := {name: value for name, value in settings.items() if name in HANDED_OVER}:
        lines = [f"{name} = {_indented(value)}" for name, value in handed.items()]
        secrets["pip"] = _write(folder / "pip.conf", "\n".join(["[global]", *lines, ""]).encode())
    return secrets


def _settings() -> dict[str, str]:
    """pip's own answer: its files, then its environment, which counts more."""
    done = subprocess.run([sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True, check=False)
    found: dict[str, str] = {}
    for line in sorted(done.stdout.splitlines(), key=lambda line: line.startswith(":env:")):
        if match := re.fullmatch(r"(?:global|install|:env:)\.([a-z-]+)=(['\"].*['\"])", line):
            found[match[1]] = str(ast.literal_eval(match[2]))
    return found


def _bundle(settings: dict[str, str]) -> Path | None:
    named = (*(os.environ.get(name) for name in CERTIFICATES), settings.get("cert"))
    return next((Path(each) for each in named if each and Path(each).is_file()), None)


def _indented(value: str) -> str:
    return value.strip().replace("\n", "\n  ")


def _write(file: Path, content: bytes) -> Path:
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as opened:
        opened.write(content)
    return file
