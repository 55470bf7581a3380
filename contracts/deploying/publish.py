"""`make contracts-publish`: tells a Pact Broker all pacts and all results of this commit, with Pact's official clients.

`PACT_BROKER_BASE_URL` says where it is; `PACT_BROKER_TOKEN`, or `PACT_BROKER_USERNAME` and `PACT_BROKER_PASSWORD`, who we are. Pacts go
out with the `pact` program, results with the verifier of pact-python. Credentials are passed on in the environment alone.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from contracts.broker import ADDRESS, PUBLISHING, Version, known_as, render_for_broker
from contracts.pactfile import PACTS, all_edges, read
from contracts.releases import git

ROOT = Path(__file__).resolve().parents[2]
CLIENT = "pact"
# The environment's settings of the client; few retries, since somebody waits.
DEFAULTS = {"PACT_BROKER_HTTP_RETRIES": "2", "PACT_DO_NOT_TRACK": "true"}
SECRETS = ("PACT_BROKER_TOKEN", "PACT_BROKER_PASSWORD")
CONSUMERS_SIDE = re.compile(r"test_(asks|hears|watches)_\w+\.py")
CLIENT_SECONDS = 300
NOT_DONE = 2


class CannotPublish(Exception):
    """Something is missing before anything was sent; the message says what to do."""


def main() -> int:
    """Publishes. 1 if the broker refuses or a contract does not hold, 2 if nothing could be sent."""
    try:
        check_environment(os.environ)
        client = find_client()
        version = version_of(ROOT)
    except CannotPublish as reason:
        print(reason, file=sys.stderr)
        return NOT_DONE
    where = f"{version.number[:12]} on {version.branch}{''.join(f', {tag}' for tag in version.tags)}"
    print(f"Publishing the pacts of {where} to {os.environ[ADDRESS]}", flush=True)
    if not publish_pacts(client, version):
        print("The broker did not take the pacts, so no results are published.", file=sys.stderr)
        return 1
    print(f"Publishing the results of {where}", flush=True)
    return publish_results(version)


def check_environment(environment: Mapping[str, str]) -> None:
    """Raises CannotPublish unless the environment names a broker, and at most one way to say who we are."""
    address = environment.get(ADDRESS)
    if not address:
        raise CannotPublish(
            f"No broker is set, and none is needed: everything works from the folder. To publish, set {ADDRESS} to its address."
        )
    parts = urlsplit(address)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise CannotPublish(f"{ADDRESS} is no address: it begins with http:// or https://.")
    if parts.username or parts.password:
        raise CannotPublish(
            f"{ADDRESS} holds a name or a password, which would be shown. "
            "Put them into PACT_BROKER_USERNAME and PACT_BROKER_PASSWORD."
        )
    if environment.get("PACT_BROKER_TOKEN") and environment.get("PACT_BROKER_USERNAME"):
        raise CannotPublish("Both PACT_BROKER_TOKEN and PACT_BROKER_USERNAME are set. Keep one of them.")


def find_client() -> str:
    """The `pact` program, beside this Python or on the path. Raises CannotPublish if it is not installed."""
    found = shutil.which(CLIENT, path=str(Path(sys.executable).parent)) or shutil.which(CLIENT)
    if found is None:
        raise CannotPublish(
            "The program `pact` is not here. Run `make contracts-publish`, which installs what requirements/dev.txt names."
        )
    return found


def version_of(root: Path) -> Version:
    """The commit that is checked out. Raises CannotPublish if there is none, it is not what lies here, or has no branch."""
    try:
        number = git(root, "rev-parse", "HEAD")
        changed = git(root, "status", "--porcelain")
        tags = git(root, "tag", "--points-at", "HEAD").split()
    except (OSError, subprocess.CalledProcessError) as error:
        raise CannotPublish("This is not a checkout of git, so there is no version to publish.") from error
    if changed:
        raise CannotPublish(
            f"What is published is a commit, and these files are not as in it. Commit them first:\n{changed}"
        )
    branch = os.environ.get("BRANCH") or git(root, "branch", "--show-current")
    if not branch:
        raise CannotPublish("This commit is checked out without a branch. Name it: BRANCH=main make contracts-publish")
    return Version(number, branch, tuple(tags))


def publish_pacts(client: str, version: Version, pacts: Path = PACTS) -> bool:
    """Hands all pacts to the client, partners' too. Whether the broker took them; what it said is printed."""
    with tempfile.TemporaryDirectory() as folder:
        for edge in all_edges(pacts):
            name = f"{edge.consumer}-{known_as(edge.provider, edge.kind)}.json"
            (Path(folder) / name).write_text(render_for_broker(edge, read(edge, pacts)), encoding="utf-8")
        command = [
            client,
            "broker",
            "publish",
            folder,
            "--consumer-app-version",
            version.number,
            "--branch",
            version.branch,
        ]
        command += [part for tag in version.tags for part in ("--tag", tag)]
        try:
            done = subprocess.run(
                command,
                env=DEFAULTS | os.environ,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                check=False,
                timeout=CLIENT_SECONDS,
            )
        except subprocess.TimeoutExpired:
            print(f"The client had no answer from the broker for {CLIENT_SECONDS} s.", file=sys.stderr)
            return False
    print(without_secrets(done.stdout.strip()), flush=True)
    return done.returncode == 0


def without_secrets(text: str) -> str:
    """A text without the credentials that the environment holds."""
    for name in SECRETS:
        if secret := os.environ.get(name):
            text = text.replace(secret, "***")
    return text


def publish_results(version: Version) -> int:
    """Verifies every provider against the pacts that the broker has, and publishes the results to it; pytest's exit code."""
    tests = [
        str(path)
        for path in sorted(ROOT.glob("services/*/tests/contract/test_*.py"))
        if not CONSUMERS_SIDE.fullmatch(path.name)
    ]
    command = [sys.executable, "-m", "pytest", "-q", *tests]
    environment = DEFAULTS | os.environ | {PUBLISHING: version.as_text()}
    return subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
