"""The whole shop in containers, from the manifests of a cluster: sold, crashed, traced, and nobody reaches whom no policy allows."""

import json
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from k8s.objects import NAME, Build
from local.topology import SERVICES
from tests.containers.conftest import BUY_SECONDS, VERIFY, assert_the_job_buys
from tests.containers.private_networks import pairs_that_may_talk
from tests.containers.running import Containers, Workload, reachable
from tests.containers.stand_ins import MERGED

pytestmark = [pytest.mark.containers, pytest.mark.timeout(900)]

HERE = Path(__file__).parent


def staying(containers: Containers) -> list[str]:
    """Those that are no jobs."""
    return sorted(owner for owner, each in containers.workloads.items() if not each.is_job)


@pytest.fixture
def buyer(containers: Containers) -> Iterator["subprocess.Popen[str]"]:
    """Somebody who buys where the manifests let the buying job be, and waits at each step for the word to go on."""
    job = containers.workloads[VERIFY]
    one = Workload(VERIFY, job.pod, job.container, f"{job.pod_name}-interrupted")
    script = ["--volume", f"{HERE / 'purchase.py'}:/purchase.py:ro", "--interactive"]
    identity = containers.create(one, command=["python", "/purchase.py"], more=script)
    process = subprocess.Popen(
        [containers.engine.client, "start", "--attach", "--interactive", identity],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    yield process
    process.kill()
    process.communicate()
    containers.engine.run("rm", "--force", identity)


def heard(buyer: "subprocess.Popen[str]") -> str:
    """The next line that the buyer says."""
    assert buyer.stdout is not None
    return buyer.stdout.readline().strip()


def wait_for(buyer: "subprocess.Popen[str]", step: str) -> None:
    """Until the buyer has come to this step."""
    said = heard(buyer)
    assert said == step, buyer.communicate()[0]


def go_on(buyer: "subprocess.Popen[str]") -> None:
    """Lets the buyer take the next step."""
    assert buyer.stdin is not None
    buyer.stdin.write("\n")
    buyer.stdin.flush()


def test_a_ticket_is_bought_by_the_job_that_skaffold_runs(containers: Containers) -> None:
    assert_the_job_buys(containers)


def test_a_purchase_is_finished_although_orders_is_killed_in_the_middle_of_it(
    containers: Containers, buyer: "subprocess.Popen[str]"
) -> None:
    wait_for(buyer, "paying")
    containers.kill("Deployment/orders")
    go_on(buyer)
    wait_for(buyer, "paid")
    assert not containers.inspect("Deployment/orders")["State"]["Running"]
    containers.restart("Deployment/orders")
    containers.wait(["Deployment/orders"], BUY_SECONDS)
    go_on(buyer)
    outcome = json.loads(heard(buyer))
    assert (outcome["failure"], outcome["order_state"], outcome["tickets"]) == ("", "confirmed", 2)
    hosts = {service: {host for name, host, _ in outcome["spans"] if name == service} for service in SERVICES}
    pods = {service: pods_of(containers, service) for service in SERVICES}
    assert {service for service in SERVICES if not hosts[service] or not hosts[service] <= pods[service]} == set()


def pods_of(containers: Containers, service: str) -> set[str]:
    """The names of its pods: web has two."""
    listed = containers.workloads.values()
    return {each.pod_name for each in listed if not each.is_job and each.pod.labels.get(NAME) == service}


def test_nobody_reaches_whom_no_policy_allows(containers: Containers, place: Build) -> None:
    script = (HERE / "reaching.py").read_text(encoding="utf-8")
    ports = {owner: [*containers.workloads[owner].pod.ports().values()] for owner in staying(containers)}
    ports["Deployment/otel-collector"] = [4318, 16686]
    addresses = {
        owner: [f"{address}:{port}" for address in containers.addresses_of(owner) for port in ports[owner]]
        for owner in ports
    }

    def pairs_of(source: str) -> set[frozenset[str]]:
        others = {owner: listed for owner, listed in addresses.items() if owner != source}
        return {frozenset({source, target}) for target in reachable(containers, source, script, others)}

    with ThreadPoolExecutor(3) as pool:
        reached = set().union(*pool.map(pairs_of, ports))
    allowed = pairs_that_may_talk(place, MERGED)
    assert reached == {pair for pair in allowed if pair <= ports.keys()}
    assert frozenset({"Deployment/notifications", "Deployment/inventory"}) not in reached
    assert frozenset({"Deployment/orders", "Deployment/inventory"}) in reached


def test_nobody_reaches_the_world(containers: Containers) -> None:
    networks = {
        name for owner in staying(containers) for name in containers.inspect(owner)["NetworkSettings"]["Networks"]
    }
    inspected = json.loads(containers.engine.run("network", "inspect", *networks))
    assert [each["Name"] for each in inspected if not each["Internal"]] == []


def test_no_container_can_be_written_to_or_is_more_than_an_ordinary_user(containers: Containers) -> None:
    for owner in staying(containers):
        tried = containers.execute(owner, ["python", "-c", "open('/app/written', 'w')"])
        assert "Read-only file system" in tried.stderr, owner
        rights = containers.execute(owner, ["python", "-c", "print(open('/proc/self/status').read())"]).stdout
        facts = dict(line.split(":\t", 1) for line in rights.splitlines() if ":\t" in line)
        assert int(facts["Uid"].split()[0]) > 0, owner
        assert int(facts["CapEff"], 16) == int(facts["CapBnd"], 16) == 0, owner
        assert (facts["NoNewPrivs"], facts["Seccomp"]) == ("1", "2"), owner


def test_all_stay_within_their_memory(containers: Containers) -> None:
    print("\n".join(f"{owner:<32}{usage}" for owner, usage in sorted(containers.memory().items())))
    killed = [owner for owner in containers.workloads if owner != VERIFY and was_killed_for_memory(containers, owner)]
    assert killed == []


def was_killed_for_memory(containers: Containers, owner: str) -> bool:
    """Whether the kernel ended it since it took more than its limit."""
    return bool(containers.inspect(owner)["State"]["OOMKilled"])
