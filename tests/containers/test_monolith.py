"""The shop whose services are one container, from its manifests: a ticket is bought there, and its trace names each service."""

import json
from collections.abc import Iterator

import pytest

from k8s.objects import Build
from local.engine import Engine
from local.topology import SERVICES
from tests.containers.conftest import assert_the_job_buys, built, ready
from tests.containers.running import Containers

pytestmark = [pytest.mark.containers, pytest.mark.timeout(900)]

ALL = "Deployment/monolith"


@pytest.fixture(scope="module")
def place() -> Build:
    return built("monolith")


@pytest.fixture(scope="module")
def containers(engine: Engine, place: Build, images: str) -> Iterator[Containers]:
    with ready(engine, place, images) as running:
        yield running


def test_one_container_sells_within_its_memory_and_has_one_port(containers: Containers) -> None:
    jobs = {owner for owner, each in containers.workloads.items() if each.is_job}
    assert {f"Job/{service}-migration" for service in SERVICES} <= jobs
    assert_the_job_buys(containers)
    print(containers.memory()[ALL])
    assert not containers.inspect(ALL)["State"]["OOMKilled"]
    listening = (
        "import json; print(json.dumps([r.split()[1][-4:] for r in open('/proc/net/tcp') if r.split()[3] == '0A']))"
    )
    ports = json.loads(containers.execute(ALL, ["python", "-c", listening]).stdout)
    assert f"{8000:04X}" in ports
    # The engine's own resolver of names listens as well, on 127.0.0.11 and no known port.
    assert len(ports) <= 2
