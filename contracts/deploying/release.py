"""`make release [VERSION=1.2.3]`: raises the one version of all services and tags it, unless what runs now would break."""

import re
import subprocess
import sys
import tomllib
from argparse import ArgumentParser
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from contracts import run as contracts_run
from contracts.deploying.across import Answer, can_deploy
from contracts.pactfile import exit_code_of
from contracts.releases import git, last_release

ROOT = Path(__file__).resolve().parents[2]
VERSION = re.compile(r"^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)$")

Number = tuple[int, int, int]


class Refused(Exception):
    """There is no release; the text is a sentence that says why and what to do."""


@dataclass(frozen=True)
class Checks:
    """What a release stands on."""

    contracts_hold: Callable[[], bool]
    can_deploy: Callable[[], Answer]
    write_documents: Callable[[], None]


def release(root: Path, wanted: str | None, checks: Checks) -> str:
    """Makes a release; its tag.

    Raises Refused, and then nothing was changed; only if git refuses the tag is the version committed, which is said.
    """
    if changed := git(root, "status", "--short"):
        raise Refused(f"What is released is what is committed. Commit this, or put it away:\n{changed}")
    current = _number(_version_of(root))
    version = _next(root, wanted, current)
    tag = f"v{_text(version)}"
    if git(root, "tag", "--list", tag):
        raise Refused(f"{tag} is there already. Choose a higher version: make release VERSION=...")
    if not checks.contracts_hold():
        raise Refused("The contracts of this checkout do not hold among themselves. Mend what is printed above first.")
    answer = checks.can_deploy()
    print(answer.report("Every service"), flush=True)
    if not answer.yes:
        raise Refused(f"{tag} is not released: services of {answer.release} that run now would break.")
    try:
        _raise_version(root, _text(current), _text(version), checks)
    except subprocess.CalledProcessError as error:
        raise Refused(f"{tag} is not released, and nothing is changed: {_said(error)}") from error
    _tag(root, tag, _text(version))
    return tag


def _next(root: Path, wanted: str | None, current: Number) -> Number:
    """The version to release. The first release is of the version that the project has; later ones raise it."""
    last = last_release(root)
    if wanted is not None:
        chosen = _number(wanted)
        if last is not None and chosen <= _number(last.removeprefix("v")):
            raise Refused(f"VERSION={wanted} is not above {last}, the last release. Choose a higher one.")
        return chosen
    if last is None:
        return current
    major, minor, _ = _number(last.removeprefix("v"))
    return major, minor + 1, 0


def _raise_version(root: Path, current: str, version: str, checks: Checks) -> None:
    if current == version:
        return
    project = root / "pyproject.toml"
    text = project.read_text(encoding="utf-8")
    project.write_text(text.replace(f'version = "{current}"', f'version = "{version}"', 1), encoding="utf-8")
    try:
        checks.write_documents()
        git(root, "commit", "--all", "--message", f"Release {version}")
    except BaseException:
        git(root, "checkout", "--", ".")
        raise


def _tag(root: Path, tag: str, version: str) -> None:
    try:
        git(root, "tag", "--annotate", tag, "--message", f"Onsale {version}")
    except subprocess.CalledProcessError as error:
        again = f"Mend this; then `make release VERSION={version}` tags it."
        raise Refused(f"Version {version} is committed, but not tagged: {_said(error)}\n{again}") from error


def _said(error: subprocess.CalledProcessError) -> str:
    """What a command said when it failed. What it printed by itself is above already."""
    return str(error.stderr or "").strip() or f"{error} What it said is above."


def _version_of(root: Path) -> str:
    version: str = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    return version


def _number(version: str) -> Number:
    parts = VERSION.fullmatch(version)
    if not parts:
        raise Refused(f"{version} is no version: write three numbers, like 1.2.3.")
    major, minor, patch = (int(part) for part in parts.groups())
    return major, minor, patch


def _text(version: Number) -> str:
    return ".".join(str(number) for number in version)


def _contracts_hold() -> bool:
    outcome = contracts_run.run()
    print(f"\n{outcome.totals()}\n", flush=True)
    return outcome.ok


def _write_documents() -> None:
    # A process of its own: this one knows the old version.
    subprocess.run([sys.executable, "-m", "contracts.documents"], cwd=ROOT, check=True)


def main() -> int:
    """The command."""
    parser = ArgumentParser(prog="make release", description="Raises the one version of all services and tags it.")
    parser.add_argument("--version", default=None)
    wanted = parser.parse_args().version
    try:
        tag = release(ROOT, wanted, Checks(_contracts_hold, lambda: can_deploy(None), _write_documents))
    except Refused as refused:
        print(f"\n{refused}", file=sys.stderr)
        return 1
    except subprocess.CalledProcessError as error:
        print(f"\nThere is no release, and nothing is changed: {_said(error)}", file=sys.stderr)
        return 1
    print(f"\n{tag} is released here. To let others have it: git push --follow-tags")
    return 0


if __name__ == "__main__":
    sys.exit(exit_code_of(main))
