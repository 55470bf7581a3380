"""One running place for all tests of containers. Skipped only where no engine can run; in CI that is a failure."""

import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from chassis.version import project_version
from k8s.objects import Build, parse
from k8s.rendering import ROOT, Rendering
from local.base_image import find_base
from local.cluster_secrets import generated
from local.engine import Engine
from local.errors import StartError
from local.images import CODE, Builder, build_all
from local.package_index import secrets_of_pip
from tests.containers import stand_ins
from tests.containers.own_engine import an_engine
from tests.containers.private_networks import networks_for, pairs_that_may_talk
from tests.containers.running import Containers
from tests.containers.translation import Cluster

READY_SECONDS = 240.0
VERIFY = "Job/buy-a-ticket"


def say(what: str, started: float) -> None:
    """How long a part took: shown with -s, and when something fails."""
    print(f"{what:<34}{time.monotonic() - started:>7.1f} s", flush=True)


@pytest.fixture(scope="session")
def engine() -> Iterator[Engine]:
    """An engine that can build."""
    try:
        with an_engine() as found:
            yield found
    except StartError as error:
        if os.environ.get("CI") == "true":
            pytest.fail(str(error))
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def place() -> Build:
    """What CI's cluster would be given: as strict as production, on one Postgres; and the job that buys a ticket."""
    with Rendering() as rendering:
        app, infra = rendering.builds(["k8s/overlays/ci", "k8s/infra/local/light"])
    assert (app.problem, infra.problem) == (None, None)
    verifying = Build("verify", parse((ROOT / "k8s/verify/job.yaml").read_text(encoding="utf-8")))
    return app.and_(infra, "ci").and_(verifying, "ci")


@pytest.fixture(scope="session")
def images(engine: Engine) -> str:
    """Builds all images as `make images` does, and the one that plays other people's programs. Their version."""
    with tempfile.TemporaryDirectory(prefix="onsale-secrets-") as folder:
        secrets = secrets_of_pip(Path(folder))
        started = time.monotonic()
        base = find_base(engine, ROOT / "Dockerfile", print)
        say("base image", started)
        builder = Builder(engine, base, secrets, project_version())
        started = time.monotonic()
        say(f"packages that all share ({builder.build_shared():.0f} s)", started)
        build_all(builder, list(CODE))
        with tempfile.TemporaryDirectory(prefix="onsale-stand-ins-") as context:
            stand_ins.build(engine, Path(context), base, f"onsale/bank:{builder.version}", secrets)
        say(f"{len(CODE) + 1} images", started)
    return builder.version


@pytest.fixture(scope="session")
def containers(engine: Engine, place: Build, images: str) -> Iterator[Containers]:
    """Everything, started in no order and ready. Leave it as you found it."""
    with tempfile.TemporaryDirectory() as folder:
        cluster = Cluster.of(place, generated(Path(folder), {}))
    groups = networks_for(pairs_that_may_talk(place, stand_ins.MERGED))
    with Containers(engine, place, cluster, groups, images) as running:
        started = time.monotonic()
        running.make_networks()
        say(f"{len(groups)} networks", started)
        owners = [owner for owner in running.workloads if owner != VERIFY]
        started = time.monotonic()
        running.start(owners)
        say(f"{len(owners)} containers started", started)
        running.wait(owners, READY_SECONDS)
        say("all of them ready", started)
        yield running
        started = time.monotonic()
    say("all of it removed", started)
