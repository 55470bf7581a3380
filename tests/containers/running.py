"""A place of the manifests as containers of an engine: started in no order, tried again as Kubernetes would, removed by label."""

import itertools
import json
import random
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from uuid import uuid4

from k8s.objects import Build, Container, Pod
from k8s.workloads import image_parts
from local.engine import Engine
from local.errors import StartError
from tests.containers.private_networks import Pair
from tests.containers.stand_ins import IMAGE as STAND_INS
from tests.containers.stand_ins import MERGED, PLAYED
from tests.containers.translation import Cluster, confinement, environment, http_probe, mounts, readiness

LABEL = "onsale.test"
AT_ONCE = 3
LOOK_SECONDS = 0.5
MOST_RANGES = 200  # of addresses that are tried for one network
LONGEST_PAUSE_SECONDS = 4.0
# Those that no container can play: it asks Kubernetes for Secrets, which the test makes with the same code.
LEFT_OUT = frozenset({"Job/secrets"})


class Retry:
    """When a job that failed is tried again: sooner than Kubernetes would, and at growing distances like there."""

    def __init__(self) -> None:
        self._pause_seconds = 0.5
        self._due = 0.0

    def is_due(self) -> bool:
        """Whether it is time; if so, the next time is later."""
        if time.monotonic() < self._due:
            return False
        self._due = time.monotonic() + self._pause_seconds
        self._pause_seconds = min(self._pause_seconds * 2, LONGEST_PAUSE_SECONDS)
        return True


@dataclass(frozen=True)
class Workload:
    """One pod, with its only container."""

    owner: str  # Deployment/orders
    pod: Pod = field(repr=False)
    container: Container = field(repr=False)
    pod_name: str

    @property
    def is_job(self) -> bool:
        """Whether it ends by itself."""
        return self.owner.startswith(("Job/", "CronJob/"))

    @property
    def repository(self) -> str:
        """The last part of its image's name."""
        return image_parts(self.container.image)[0].rpartition("/")[2]

    @property
    def is_ours(self) -> bool:
        """Whether its image is one that `make images` builds."""
        return image_parts(self.container.image)[0].startswith("onsale/")


def workloads_of(build: Build) -> dict[str, Workload]:
    """Everything that runs in a place, by owner; one pod of each."""
    found = {}
    for pod in build.pods():
        owner = pod.owner.where
        if owner in MERGED or owner in LEFT_OUT:
            continue
        (container,) = pod.containers()
        suffix = "0" if pod.owner.kind == "StatefulSet" else uuid4().hex[:5]
        found[owner] = Workload(owner, pod, container, f"{pod.owner.name}-{suffix}")
    return found


class Containers:
    """The containers of one run. A context manager: at its end everything with its label is removed.

    `version` is the tag of our own images; `extra` are more variables by owner, on top of what the manifests say.
    """

    def __init__(self, engine: Engine, build: Build, cluster: Cluster, groups: Sequence[Pair], version: str) -> None:
        self.engine = engine
        self.run_id = uuid4().hex[:8]
        self.workloads = workloads_of(build)
        self._cluster = cluster
        self._aliases = self._aliases_of(build)
        self._version = version
        self._networks = {f"onsale-test-{self.run_id}-{n}": group for n, group in enumerate(groups)}
        self._folder = tempfile.TemporaryDirectory(prefix="onsale-containers-", ignore_cleanup_errors=True)
        Path(self._folder.name).chmod(0o711)  # containers run as other users

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.remove()

    def _aliases_of(self, build: Build) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for pod in build.pods():
            owner = MERGED.get(pod.owner.where, pod.owner.where)
            found[owner] = [*found.get(owner, []), *self._cluster.names_of(pod.labels)]
        return found

    # Start

    def make_networks(self) -> None:
        """Each with a small range of its own, and no way out. Raises StartError."""
        # 198.18.0.0/15 is for tests of networks, and nowhere in use; a range that an earlier run left there is passed over.
        ranges = (f"198.{18 + number // 4096}.{number // 16 % 256}.{number % 16 * 16}/28" for number in range(8192))
        for name in self._networks:
            self._make_network(name, ranges)

    def _make_network(self, name: str, ranges: Iterator[str]) -> None:
        create = ("network", "create", "--internal", "--label", self._label, "--subnet")
        said = "no range of addresses is free"
        for subnet in itertools.islice(ranges, MOST_RANGES):
            done = self.engine.attempt(*create, subnet, name)
            if done.returncode == 0:
                return
            said = done.stderr.strip()
            if "overlaps" not in said:
                break
        raise StartError(f"The network {name} cannot be made: {said}")

    def start(self, owners: Iterable[str]) -> None:
        """Makes and starts these, a few at a time, in no order that would help them."""
        shuffled = list(owners)
        random.shuffle(shuffled)
        with ThreadPoolExecutor(AT_ONCE) as pool:
            list(pool.map(self._start, shuffled))

    def _start(self, owner: str) -> None:
        self.create(self.workloads[owner])
        self.engine.run("start", self.name(owner))

    def name(self, owner: str) -> str:
        """The container's name."""
        return self._name_of(self.workloads[owner])

    def _name_of(self, workload: Workload) -> str:
        return f"onsale-test-{self.run_id}-{workload.pod_name}"

    def create(self, workload: Workload, *, command: Sequence[str] | None = None, more: Sequence[str] = ()) -> str:
        """Makes a container, in all its networks, and does not start it. `command` takes the place of its program."""
        container, owner = workload.container, workload.owner
        folder = Path(self._folder.name) / workload.pod_name
        folder.mkdir(mode=0o755)
        variables = environment(self._cluster, workload.pod, container, workload.pod_name)
        environment_file = folder / "environment"
        environment_file.touch(mode=0o600)
        environment_file.write_text("".join(f"{name}={value}\n" for name, value in variables.items()))
        words = ["--name", self._name_of(workload), "--label", self._label, "--hostname", workload.pod_name]
        words += ["--env-file", str(environment_file), *confinement(workload.pod, container), *more]
        words += [word for each in mounts(self._cluster, workload.pod, container, folder) for word in each.words]
        if not workload.is_job:
            words += ["--restart", "on-failure"]
        first, *others = self._networks_of(owner) or ["none"]
        words += ["--network", first, *self._alias_words(owner, first)]
        image, entrypoint, arguments = self._program(workload, command)
        words += ["--entrypoint", entrypoint[0]] if entrypoint else []
        if not workload.is_ours:
            words += [word for each in PLAYED[workload.repository].writes for word in ("--tmpfs", each)]
        identity = self.engine.run("create", *words, image, *entrypoint[1:], *arguments)
        for network in others:
            self.engine.run("network", "connect", *self._connect_words(owner), network, identity)
        environment_file.unlink()
        return identity

    def _program(self, workload: Workload, command: Sequence[str] | None) -> tuple[str, list[str], list[str]]:
        """Image, entry point (empty: the image's own) and arguments."""
        document = workload.container.document
        arguments = [str(word) for word in document.get("args") or []]
        if workload.is_ours:
            image = f"onsale/{workload.repository}:{self._version}"
            return image, list(command or document.get("command") or []), [] if command else arguments
        played = PLAYED[workload.repository]
        return STAND_INS, list(played.entrypoint), arguments if played.takes_arguments else []

    def _networks_of(self, owner: str) -> list[str]:
        return [name for name, group in self._networks.items() if owner in group]

    def _alias_words(self, owner: str, network: str) -> list[str]:
        return (
            [] if network == "none" else [word for each in self._aliases[owner] for word in ("--network-alias", each)]
        )

    def _connect_words(self, owner: str) -> list[str]:
        return [word for each in self._aliases[owner] for word in ("--alias", each)]

    @property
    def _label(self) -> str:
        return f"{LABEL}={self.run_id}"

    # Look

    def inspect(self, owner: str) -> dict[str, Any]:
        """What the engine knows of a container."""
        inspected: list[dict[str, Any]] = json.loads(self.engine.run("inspect", self.name(owner)))
        return inspected[0]

    def addresses_of(self, owner: str) -> list[str]:
        """Its addresses, one in each of its networks."""
        networks = self.inspect(owner)["NetworkSettings"]["Networks"]
        return [each["IPAddress"] for each in networks.values() if each["IPAddress"]]

    def wait(self, owners: Iterable[str], seconds: float) -> None:
        """Until jobs have ended well and the others are ready. Jobs that fail are tried again, at growing distances.

        Raises StartError with the last words of some that are not.
        """
        deadline = time.monotonic() + seconds
        listed = sorted(owners)
        jobs = [owner for owner in listed if self.workloads[owner].is_job]
        retries = {owner: Retry() for owner in jobs}
        # Nothing is ready before its job is done, and asking costs more: so jobs are looked at first.
        self._wait(jobs, lambda owner: self._has_ended(owner, retries[owner]), deadline)
        self._wait([owner for owner in listed if owner not in retries], self._is_ready, deadline)

    def _wait(self, waiting: list[str], is_done: Callable[[str], bool], deadline: float) -> None:
        while waiting := [owner for owner in waiting if not is_done(owner)]:
            if time.monotonic() > deadline:
                # Servers, which others wait for, come last in the alphabet.
                said = "\n\n".join(f"{owner}:\n{self.log(owner)[-1500:]}" for owner in waiting[-4:])
                raise StartError(f"Not ready in time: {', '.join(waiting)}.\n{said}")
            time.sleep(LOOK_SECONDS)

    def _has_ended(self, owner: str, retry: "Retry") -> bool:
        state = self.inspect(owner)["State"]
        if state["Status"] != "exited" or state["ExitCode"] == 0:
            return bool(state["Status"] == "exited")
        if retry.is_due():
            self.restart(owner)
        return False

    def _is_ready(self, owner: str) -> bool:
        workload = self.workloads[owner]
        probe = readiness(workload.container)
        if not workload.is_ours and (other := PLAYED[workload.repository].ready):
            probe = http_probe(*other)
        return probe is None or self.execute(owner, probe).returncode == 0

    def execute(self, owner: str, command: Sequence[str]) -> subprocess.CompletedProcess[str]:
        """Runs a command in a container, whatever comes of it."""
        return self.engine.attempt("exec", self.name(owner), *command)

    def log(self, owner: str) -> str:
        """What a container has said."""
        done = self.engine.attempt("logs", "--tail", "80", self.name(owner))
        return done.stdout + done.stderr

    def memory(self) -> dict[str, str]:
        """What each running container takes of its limit, by owner."""
        names = {self.name(owner): owner for owner in self.workloads}
        printed = self.engine.run("stats", "--no-stream", "--format", "{{.Name}} {{.MemUsage}}")
        parted = (line.partition(" ") for line in printed.splitlines())
        return {names[name]: usage for name, _, usage in parted if name in names}

    # Break and remove

    def kill(self, owner: str) -> None:
        """SIGKILL, as when the kernel takes a container's memory away; it stays down until `restart`."""
        self.engine.run("kill", "--signal", "KILL", self.name(owner))

    def restart(self, owner: str) -> None:
        """Starts a container that ended, in the same pod."""
        self.engine.run("start", self.name(owner))

    def remove(self) -> None:
        """All containers and networks of this run, and their files."""
        chosen = ["--filter", f"label={self._label}", "--quiet"]
        if found := self.engine.run("ps", "--all", *chosen).split():
            self.engine.run("rm", "--force", "--volumes", *found)
        if found := self.engine.run("network", "ls", *chosen).split():
            self.engine.run("network", "rm", *found)
        self._folder.cleanup()


def reachable(containers: Containers, source: str, script: str, targets: Mapping[str, Sequence[str]]) -> set[str]:
    """Which of these owners a container can connect to, by any of their addresses (`10.1.2.3:8000`)."""
    wanted = [(owner, *each.rsplit(":", 1)) for owner, addresses in targets.items() for each in addresses]
    done = containers.execute(source, ["python", "-c", script, json.dumps(wanted)])
    if done.returncode != 0:
        raise StartError(f"{source} could not try its connections: {done.stderr}")
    return set(json.loads(done.stdout))
