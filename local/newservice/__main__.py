"""The command: makes the skeleton, then what follows from it (format, pact, documents), and says what it touched and what comes next."""

import argparse
import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from local.newservice.names import refusal_of
from local.newservice.skeleton import make
from local.topology import ROOT

NEXT = """
Next:
  1. Put your own in the place of what it keeps, hears and answers: services/{name}/README.md says what that is now.
     docs/guides/new-service.md has the steps in order, docs/guides/anatomy.md the rooms.
  2. Whoever is to ask it declares so ({name} in the providers of local/topology.py, a client in its clients/), and takes its entry out of
     contracts/unused.toml. Then: PACTS=write make contracts SERVICE={name}
  3. Say who owns it: `owner` in services/{name}/catalog-info.yaml; and what it owns: README.md, docs/architecture.md.
  4. make lint; make contracts; make manifests; .venv/bin/pytest services/{name} tests -q -m "not system and not browser and not containers"
"""


def _run(*arguments: str, **environment: str) -> bool:
    """Runs a module of this project's tools; what it says is shown only if it fails."""
    command = [sys.executable, "-m", *arguments]
    done = subprocess.run(
        command,
        cwd=ROOT,
        env=os.environ | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode:
        print(
            f"{done.stdout}\nIt is made, but this failed: python -m {' '.join(arguments)}. Mend it, then run it again."
        )
    return done.returncode == 0


def _follow(name: str) -> bool:
    """What is written from the code: the format, the documents, the pact, and the documents that follow from both."""
    folder = f"services/{name}"
    return _run("ruff", "format", "--quiet", folder, "tests/security/matrix.py", "local/topology.py") and _run(
        "contracts.run", "--service", name, PACTS="write"
    )


def _changed() -> set[str]:
    """Files that git sees as changed or new."""
    status = ["git", "-C", str(ROOT), "status", "--short", "--untracked-files=all"]
    done = subprocess.run(status, capture_output=True, text=True, check=False)
    return {line[3:] for line in done.stdout.splitlines()}


def _summary(made: Iterable[Path], changed: set[str], name: str) -> str:
    """What is yours from now on, and what was written from it."""
    own = f"services/{name}/"
    yours = sorted(each for path in made if not (each := str(path.relative_to(ROOT))).startswith(own))
    written = sorted(each for each in changed if each not in yours and not each.startswith(own))
    lines = [f"Yours from now on: {own}, and {len(yours)} files elsewhere, with a few lines in each:"]
    lines += [f"  {each}" for each in yours]
    lines += [f"Written from it, and not by hand ({len(written)}):", *(f"  {each}" for each in written)]
    return "\n".join(lines)


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="make service", description=__doc__)
    parser.add_argument("--name", default="", help="what it is called: one word of small letters")
    name = parser.parse_args().name
    if refusal := refusal_of(name, ROOT):
        print(refusal, file=sys.stderr)
        return 2
    before = _changed()
    try:
        made = make(ROOT, name)
    except ValueError as error:
        print(f"Nothing was made. {error}", file=sys.stderr)
        return 1
    print(
        f"services/{name} is made, with its lines elsewhere. What follows from it is written now, in about half a minute.",
        flush=True,
    )
    if not _follow(name):
        return 1
    print(_summary(made, _changed() - before, name))
    print(NEXT.format(name=name))
    return 0


if __name__ == "__main__":
    sys.exit(main())
