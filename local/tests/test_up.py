"""`make up` as a person meets it: what it says when something is wrong, and that it leaves nothing behind."""

import asyncio
import fcntl
import os
import signal
import socket
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from local.browser import Browser
from local.buyer import Buyer, Wish
from local.folder import others_in
from local.hosts.kernel import why_no_hosts
from local.housing import DELAY_BETWEEN_REGIONS_MS, NEAR, hosts_of, regions_of
from local.postgres import PostgresServer
from local.processes import SERVERS_PORTS, port_is_taken
from local.running import Running
from local.tests.helpers import ROOT, eventually, folder_for_anybody, lives, processes_that_mention
from local.topology import SERVICES, Ports
from tracing.assertions import assert_complete, wait_for_trace
from tracing.calls import calls_in
from tracing.model import Trace
from tracing.reader import TraceReader

START_SECONDS = 90.0
TWO_REGIONS = ("--regions", "2")
TRIES_OF_A_PAGE = 5

needs_networks = pytest.mark.skipif(why_no_hosts() is not None, reason=f"networks of their own: {why_no_hosts()}")


@dataclass
class Up:
    """A `make up` of this test's own."""

    folder: Path
    base: int
    process: "subprocess.Popen[bytes]" = field(init=False)
    options: tuple[str, ...] = ()

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def output(self) -> str:
        return (self.folder / "output").read_text(errors="replace")

    @property
    def ports(self) -> Ports:
        return Ports.from_base(self.base)

    @property
    def is_running(self) -> bool:
        return hasattr(self, "process") and self.process.poll() is None

    def start(self, *options: str) -> None:
        self.options = options
        command = [sys.executable, "-m", "local.up", "--data", str(self.data), "--ports", str(self.base), *options]
        with (self.folder / "output").open("wb") as output:
            self.process = subprocess.Popen(
                command, cwd=ROOT, stdout=output, stderr=subprocess.STDOUT, start_new_session=True
            )

    def wait_until(self, text: str) -> None:
        eventually(lambda: text in self.output or self.process.poll() is not None, START_SECONDS)
        assert text in self.output, self.output[-3000:]

    def wait_for_end(self) -> int:
        return self.process.wait(START_SECONDS)

    def left_behind(self) -> list[int]:
        return processes_that_mention(str(self.data))


@contextmanager
def an_up() -> Iterator[Up]:
    with folder_for_anybody() as folder:
        made = Up(folder, _free_base())
        try:
            yield made
        finally:
            if made.is_running:
                made.process.send_signal(signal.SIGINT)
                made.wait_for_end()
            PostgresServer(made.data / "postgres").remove()


@pytest.fixture
def up() -> Iterator[Up]:
    with an_up() as made:
        yield made


@pytest.fixture(scope="module")
def kept_up() -> Iterator[Up]:
    with an_up() as made:
        yield made


@pytest.fixture
def ready_up(kept_up: Up) -> Up:
    return ready(kept_up)


def ready(up: Up, *options: str) -> Up:
    """One that is ready, on the data of the test before; it is started only if that one has ended it, or had it otherwise."""
    if up.is_running and up.options != options:
        up.process.send_signal(signal.SIGINT)
        up.wait_for_end()
    if not up.is_running:
        up.start(*options)
        up.wait_until("Onsale is ready")
    return up


def _free_base() -> int:
    """Begins elsewhere in every process, so that parallel test runs seldom want the same."""
    for step in range(220):
        base = SERVERS_PORTS.start + (os.getpid() + step) % 220 * 100
        if not any(port_is_taken(port) for port in Ports.from_base(base).of.values()):
            return base
    raise AssertionError("no free ports")


@contextmanager
def listening(port: int) -> Iterator[None]:
    with socket.create_server(("127.0.0.1", port)):
        yield


def assert_says(up: Up, *words: str) -> None:
    assert up.wait_for_end() == 1
    assert "Traceback" not in up.output
    for word in words:
        assert word in up.output
    assert up.left_behind() == []


def test_a_taken_port_is_reported_with_its_name_and_how_to_move(up: Up) -> None:
    with listening(up.ports.of["orders"]):
        up.start()
        assert_says(up, f"{up.ports.of['orders']} (orders)", "make up PORTS=")


def test_a_second_one_on_the_same_data_is_reported_where_the_first_runs(up: Up) -> None:
    up.data.mkdir()
    with (up.data / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        lock.write("4711")
        lock.flush()
        up.start()
        assert_says(up, "already runs", "process 4711", "DATA=")


def test_a_damaged_data_folder_is_reported_with_its_log_and_the_way_out(up: Up) -> None:
    with PostgresServer(up.data / "postgres", durable=False):
        pass
    (up.data / "postgres" / "data" / "global" / "pg_control").write_bytes(b"rubbish")
    up.start()
    assert_says(up, "may be damaged", "make clean", str(up.data / "postgres" / "log"))


def test_a_number_of_hosts_that_there_cannot_be_is_reported(up: Up) -> None:
    up.start("--hosts", "5")
    assert_says(up, f"2, 3, 4 or {len(SERVICES)} hosts, not 5", "make up HOSTS=3")


def test_damaged_secrets_are_reported(up: Up) -> None:
    up.data.mkdir()
    (up.data / "secrets.json").write_text("{")
    up.start()
    assert_says(up, "secrets.json cannot be read", "make clean")


@pytest.mark.system
@pytest.mark.parametrize("moment", ["Making the databases", "Dev trace store", '"event": "started"'])
def test_ctrl_c_while_it_starts_leaves_nothing_behind(up: Up, moment: str) -> None:
    up.start()
    up.wait_until(moment)
    up.process.send_signal(signal.SIGINT)
    assert up.wait_for_end() == 0, up.output[-3000:]
    assert "Traceback" not in up.output
    assert up.left_behind() == []


@pytest.mark.system
def test_it_finds_its_data_again_and_leaves_nothing_behind_even_when_killed(kept_up: Up) -> None:
    up = ready(kept_up, "--hosts", "3")
    assert_a_purchase_crosses_hosts(up, 3)
    addresses = Running.find(up.data).addresses
    assert addresses["web"] == f"http://127.0.0.1:{up.base}"
    before = events_of(up)
    assert before

    up.process.send_signal(signal.SIGKILL)
    up.process.wait()
    eventually(lambda: up.left_behind() == [])

    ready(up, *TWO_REGIONS)
    assert events_of(up) == before


@pytest.mark.system
@needs_networks
def test_in_two_regions_a_purchase_waits_for_the_other_side_and_a_page_that_is_kept_does_not(kept_up: Up) -> None:
    up = ready(kept_up, *TWO_REGIONS)
    addresses = Running.find(up.data).addresses
    trace = asyncio.run(trace_of_a_purchase(addresses))
    assert_complete(trace)
    assert_lives_where_said(up, trace, regions_of(2, SERVICES))
    assert_only_the_other_region_is_far(trace)
    assert asyncio.run(hosts_of_a_kept_page(addresses, events_of(up)[0])) == {NEAR}


@pytest.mark.system
def test_ctrl_c_ends_it_and_leaves_nothing_behind(kept_up: Up) -> None:
    up = ready(kept_up, *TWO_REGIONS)
    up.process.send_signal(signal.SIGINT)
    assert up.wait_for_end() == 0
    assert up.left_behind() == []
    assert not (up.data / "run.json").exists()
    # `make clean` removes what it knows to be Onsale's.
    assert others_in(up.data) == []


@pytest.mark.system
def test_what_dies_is_started_again_and_that_is_said(ready_up: Up) -> None:
    up = ready_up
    (pid,) = processes_listening_on(up.base)
    os.kill(pid, signal.SIGKILL)
    up.wait_until("web was killed by SIGKILL; it is started again in 0.5 s.")
    eventually(lambda: processes_listening_on(up.base) - {pid})


@pytest.mark.system
def test_a_second_ctrl_c_hurries(ready_up: Up) -> None:
    up = ready_up
    (frozen,) = processes_listening_on(up.ports.of["orders"])
    os.kill(frozen, signal.SIGSTOP)  # it would not end by itself
    up.process.send_signal(signal.SIGINT)
    up.wait_until("Ctrl-C again to hurry")
    up.process.send_signal(signal.SIGINT)
    up.wait_for_end()
    assert "orders is killed, as you asked." in up.output
    assert "did not end within" not in up.output
    assert not lives(frozen)
    assert up.left_behind() == []


def assert_a_purchase_crosses_hosts(up: Up, count: int) -> None:
    """In one trace, whose spans tell on which host their service lives: the one of which `make up` said so."""
    trace = asyncio.run(trace_of_a_purchase(Running.find(up.data).addresses))
    assert_complete(trace)
    assert_lives_where_said(up, trace, hosts_of(count, SERVICES))


def assert_lives_where_said(up: Up, trace: Trace, hosts: Mapping[str, tuple[str, ...]]) -> None:
    lived = {(span.service, str(span.resource.get("host.name"))) for span in trace.spans}
    assert lived == {(service, host) for host, services in hosts.items() for service in services}
    for host, services in hosts.items():
        assert f"{host}: {', '.join(services)}" in up.output


def assert_only_the_other_region_is_far(trace: Trace) -> None:
    """A question is half of the time on its way there, and its answer half of it back; within a region it is not."""
    # The network's loop and the clocks of two processes are some fractions of a millisecond apart.
    one_way_ns = 0.9 * DELAY_BETWEEN_REGIONS_MS * 1_000_000
    far: dict[tuple[str, str], list[int]] = defaultdict(list)
    beside: dict[tuple[str, str], list[int]] = defaultdict(list)
    for call in calls_in(trace):
        if call.server is not None:
            on_its_way_ns = call.server.start_ns - call.client.start_ns
            (far if call.is_between_hosts else beside)[call.client.service, call.server.service].append(on_its_way_ns)
            assert not call.is_between_hosts or call.client.duration_ns >= 2 * one_way_ns
    assert far.keys() >= {("web", "orders"), ("web", "tickets"), ("orders", "catalog"), ("notifications", "accounts")}
    assert beside.keys() >= {("web", "accounts"), ("orders", "inventory"), ("orders", "payments")}
    assert not far.keys() & beside.keys()
    assert min(ns for of_edge in far.values() for ns in of_edge) >= one_way_ns
    assert min(ns for of_edge in beside.values() for ns in of_edge) < one_way_ns


async def hosts_of_a_kept_page(addresses: dict[str, str], url: str) -> set[str]:
    """Those that took part in a page which somebody else has just seen. On a busy machine that may be too long ago, once or twice."""
    found: set[str] = set()
    with TraceReader(addresses["traces"]) as reader:
        for _ in range(TRIES_OF_A_PAGE):
            for _visitor in range(2):
                async with Browser() as browser:
                    page = await browser.open(url)
            trace = await wait_for_trace(reader, page.meta["trace-id"], has=[("web", "GET /events/*")])
            found = {str(span.resource.get("host.name")) for span in trace.spans}
            if len(found) == 1:
                break
    return found


async def trace_of_a_purchase(addresses: dict[str, str]) -> Trace:
    """Of somebody who got a ticket by mail."""
    wish = Wish(places=1, prefer_general=True)
    purchase = await Buyer(addresses, wish).buy(await Buyer(addresses, wish).find_events())
    assert purchase.failure is None
    last = ("notifications", "smtp send*")
    return await wait_for_trace(
        TraceReader(addresses["traces"]), purchase.trace_id, has=[last], quiet_seconds=1.0, timeout_seconds=30
    )


def events_of(up: Up) -> list[str]:
    """The events of the shop's first page, by their addresses."""

    async def look() -> list[str]:
        async with Browser() as browser:
            page = await browser.open(Running.find(up.data).addresses["web"])
            return [url for url, _ in page.links if "/events/" in url]

    return asyncio.run(look())


def processes_listening_on(port: int) -> set[int]:
    """Process ids, by the kernel's own table."""
    wanted = f"0100007F:{port:04X}"
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    inodes = {f"socket:[{row[9]}]" for row in rows if row[1] == wanted and row[3] == "0A"}
    found = set()
    for link in Path("/proc").glob("[0-9]*/fd/*"):
        try:
            if os.readlink(link) in inodes:
                found.add(int(link.parts[2]))
        except OSError:
            continue
    return found


def test_every_service_has_a_folder() -> None:
    """The topology names what is there, and nothing else."""
    folders = {path.name for path in (ROOT / "services").iterdir() if (path / "app.py").exists()}
    assert folders == set(SERVICES)
