"""What a cluster needs once, and a ticket bought in it: `python -m local.cluster secrets|databases|stream|verify`.

The counterpart of `local/provision.py` for Kubernetes, run as Jobs from the image `onsale/toolbox`. Each may run again at any
time: what is there stays. Their settings come from the environment:

    secrets     nothing; it runs with a service account that may read and write the Secrets of its namespace
    databases   POSTGRES_ADMIN_URL, and a file /run/onsale/databases/<service>/password for each database
    stream      NATS_ADMIN_URL, STREAM_REPLICAS (1)
    verify      SHOP_URL, BANK_URL, MAILBOX_URL, TRACES_URL: where things are; PUBLIC_SHOP_URL, PUBLIC_BANK_URL: what browsers call them
"""

import asyncio
import os
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

import asyncpg
import httpx

from local.cluster_secrets import Documents, generated
from local.errors import StartError
from local.kubernetes import Cluster
from local.provision import make_databases, make_stream
from local.topology import SERVICES

PASSWORDS = Path("/run/onsale/databases")


def make_cluster_secrets() -> str:
    """Generates the Secrets that the namespace lacks, and completes those that lack a part. What it did, in a sentence."""
    with Cluster.around_me() as cluster, tempfile.TemporaryDirectory() as folder:
        known: Documents = cluster.secrets()
        wanted = generated(Path(folder), known)
        made = [name for name in wanted if name not in known]
        completed = [name for name, document in wanted.items() if name in known and known[name] != document]
        for name in made:
            cluster.create_secret(name, wanted[name])
        for name in completed:
            cluster.complete_secret(name, wanted[name])
    return f"{len(made)} secrets were made, {len(completed)} completed; {len(wanted)} are there."


def make_cluster_databases() -> str:
    """A login and a database for each service whose password is there. Raises StartError, OSError."""
    passwords = {
        service: (PASSWORDS / service / "password").read_text().strip()
        for service in SERVICES
        if (PASSWORDS / service / "password").exists()
    }
    if missing := [service for service in SERVICES if service not in passwords]:
        raise StartError(
            f"There is no password in {PASSWORDS} for {', '.join(missing)}: mount each <service>-database secret there."
        )
    new = asyncio.run(make_databases(_given("POSTGRES_ADMIN_URL"), passwords))
    return f"{len(new)} databases were made; {len(passwords)} are there."


def make_cluster_stream() -> str:
    """The firehose's stream. Raises StartError."""
    replicas = int(os.environ.get("STREAM_REPLICAS", "1"))
    asyncio.run(make_stream(_given("NATS_ADMIN_URL"), replicas))
    return f"The firehose's stream is there, on {replicas} server{'s' * (replicas != 1)}."


def verify() -> str:
    """Buys a ticket and looks at its trace. Raises StartError with what is wrong."""
    from local.verifying import verified  # tests and traces: only where they are wanted

    return asyncio.run(verified({name: _given(f"{name.upper()}_URL") for name in ADDRESSES}))


ADDRESSES = ("shop", "bank", "mailbox", "traces", "public_shop", "public_bank")
COMMANDS: Mapping[str, Callable[[], str]] = {
    "secrets": make_cluster_secrets,
    "databases": make_cluster_databases,
    "stream": make_cluster_stream,
    "verify": verify,
}


def _given(name: str) -> str:
    if not (value := os.environ.get(name)):
        raise StartError(f"Set {name}: the manifests of the Job say it.")
    return value


def main(arguments: list[str]) -> int:
    """The command line. What fails is reported in a sentence; Kubernetes then tries again."""
    if len(arguments) != 1 or arguments[0] not in COMMANDS:
        sys.stderr.write(f"Say what to do: python -m local.cluster {'|'.join(COMMANDS)}\n")
        return 2
    try:
        print(COMMANDS[arguments[0]](), flush=True)
    except (StartError, OSError, httpx.HTTPError, asyncpg.PostgresError, AssertionError) as error:
        sys.stderr.write(f"{arguments[0]}: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
