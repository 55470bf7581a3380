"""One running place for all tests of containers. Skipped only where no engine can run; in CI that is a failure."""

import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from chassis.version import project_version
from k8s.objects import Build
from k8s.places import PLANS
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
BUY_SECONDS = 120.0
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


def built(name: str) -> Build:
    """What a place of k8s/places.py would be given, and the job that buys a ticket."""
    (plan,) = (each for each in PLANS if each.name == name)
    with Rendering() as rendering:
        app, infra, verifying = rendering.builds([plan.overlay, plan.infra, *plan.also])
    assert (app.problem, infra.problem, verifying.problem) == (None, None, None)
    return app.and_(infra, name).and_(verifying, name)


@pytest.fixture(scope="module")
def place() -> Build:
    """CI's cluster: as strict as production, on one Postgres."""
    return built("ci")


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


@pytest.fixture(scope="module")
def containers(engine: Engine, place: Build, images: str) -> Iterator[Containers]:
    """Everything, started in no order and ready. Leave it as you found it."""
    with ready(engine, place, images) as running:
        yield running


@contextmanager
def ready(engine: Engine, place: Build, images: str) -> Iterator[Containers]:
    """All containers of a place but the job that buys, started in no order."""
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


def assert_the_job_buys(containers: Containers) -> None:
    """The one that `skaffold verify` runs: it buys, and holds the trace of it."""
    containers.start([VERIFY])
    containers.engine.run("wait", containers.name(VERIFY), seconds=BUY_SECONDS)
    said = containers.log(VERIFY)
    print(said)
    assert containers.inspect(VERIFY)["State"]["ExitCode"] == 0, said
    assert "2 tickets" in said
