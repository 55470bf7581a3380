"""Several hosts on one machine: who lives where, and how they reach each other in networks of their own."""

import os
import select
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from functools import partial
from pathlib import Path

import pytest

from local.errors import StartError
from local.hosts import hosts as hosts_module
from local.hosts.hosts import Hosts
from local.hosts.kernel import inside, why_no_hosts
from local.hosts.switch import Link
from local.housing import Housing, addresses_of, hosts_of, places_of, regions_of
from local.processes import LOOPBACK
from local.provision import make_secrets
from local.tests.helpers import eventually, lives, ordinary_user, run_as
from local.topology import SERVICES, Layout, Ports, programs

needs_networks = pytest.mark.skipif(why_no_hosts() is not None, reason=f"networks of their own: {why_no_hosts()}")
PATIENCE_SECONDS = 10.0
MUCH = 100_000_000
ADDRESSES = {"edge": "10.83.0.11", "shop": "10.83.0.12", "money": "10.83.0.13"}


# Who lives where


@pytest.mark.parametrize("count", places_of(SERVICES))
def test_every_service_lives_on_exactly_one_host(count: int) -> None:
    living = [service for services in hosts_of(count, SERVICES).values() for service in services]
    assert len(hosts_of(count, SERVICES)) == count
    assert sorted(living) == sorted(SERVICES)


def test_a_service_of_which_no_plan_knows_lives_at_the_shop_or_alone() -> None:
    services = [*SERVICES, "onemore"]
    assert ["onemore" in hosts_of(count, services)["shop"] for count in (2, 3, 4)] == [True] * 3
    assert hosts_of(len(services), services)["onemore-host"] == ("onemore",)


def test_a_number_of_hosts_that_nobody_planned_is_answered_with_those_that_there_are() -> None:
    with pytest.raises(StartError, match=f"2, 3, 4 or {len(SERVICES)} hosts, not 5"):
        Hosts(5, "a test")


def test_what_pages_are_made_of_is_near_the_reader_and_all_that_a_sale_needs_is_far() -> None:
    regions = regions_of(2, [*SERVICES, "onemore"])
    assert set(regions["near"]) == {"web", "accounts", "catalog"}
    assert sorted([*regions["near"], *regions["far"]]) == sorted([*SERVICES, "onemore"])


@pytest.mark.parametrize(
    ("hosts", "regions", "said"),
    [(0, 3, "There can be 2 regions, not 3: make up REGIONS=2"), (3, 2, "HOSTS= and REGIONS= both say where services")],
)
def test_regions_that_there_cannot_be_are_refused(hosts: int, regions: int, said: str) -> None:
    with pytest.raises(StartError, match=said):
        Hosts(hosts, "a test", regions)


def programs_in(folder: Path, housing: Housing) -> dict[str, dict[str, str]]:
    made = programs(Layout(folder), Ports.default(), make_secrets(Layout(folder)), "json", housing)
    return {program.name: dict(program.environment) for program in made}


def test_services_reach_each_other_on_their_hosts_and_the_rest_on_their_own_loopback(tmp_path: Path) -> None:
    hosts = hosts_of(3, SERVICES)
    environments = programs_in(tmp_path, Housing(hosts, addresses_of(hosts)))
    assert environments["orders"]["ORDERS_HOST"] == "10.83.0.13"
    assert environments["orders"]["ORDERS_INVENTORY_URL"] == "http://10.83.0.12:8003"
    assert environments["orders"]["ORDERS_PERSON_KEYS_URL"].startswith("http://10.83.0.12:8001/")
    assert environments["payments"]["PAYMENTS_BANK_URL"] == "http://127.0.0.1:8020"
    assert environments["web"]["WEB_PUBLIC_URL"] == "http://127.0.0.1:8000"
    assert "@127.0.0.1:8032/" in environments["orders"]["ORDERS_DATABASE_URL"]
    assert "ORDERS_HOST_NAME" not in environments["orders"]  # its host has that name already


def test_without_networks_the_hosts_have_names_and_one_loopback(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hosts_module, "why_no_hosts", lambda: "they need root")
    hosts = Hosts(3, "a test")
    hosts.open(Ports.default().of, output=2)
    environments = programs_in(tmp_path, hosts.housing)
    assert environments["orders"]["ORDERS_HOST_NAME"] == "money"
    assert environments["orders"]["ORDERS_INVENTORY_URL"] == "http://127.0.0.1:8003"
    assert "HOST_NAME" not in " ".join(environments["bank"])
    assert "no network between them that could be slow or cut: they need root." in hosts.description
    with pytest.raises(StartError, match="no network between them"):
        hosts.link("edge", "money", Link(partition=True))
    hosts.close()


def test_an_ordinary_user_is_reported_what_networks_need() -> None:
    """Or may make them, where the kernel is that generous."""
    done = run_as(ordinary_user(), "from local.hosts.kernel import why_no_hosts\nprint(why_no_hosts())")
    if done is None:
        pytest.skip("An ordinary user can run no fitting Python here.")
    assert done.stdout.startswith("they need root"), done.stderr


def test_on_one_host_there_is_nothing_to_join() -> None:
    hosts = Hosts(0, "a test")
    hosts.open(Ports.default().of, output=2)
    with pytest.raises(StartError, match="make up HOSTS=3"):
        hosts.links()


# In the kernel's own networks


class Machine:
    """Three hosts, with sockets in them."""

    def __init__(self) -> None:
        self.ports = Ports.free()
        self.hosts = Hosts(3, "a test of hosts")
        self.hosts.open(self.ports.of, output=2)

    @contextmanager
    def on(self, host: str) -> Iterator[None]:
        network = os.open(self.hosts.housing.namespaces[host][0], os.O_RDONLY)
        try:
            with inside(network):
                yield
        finally:
            os.close(network)

    def listen(self, host: str, service: str) -> socket.socket:
        with self.on(host):
            listener = socket.create_server((ADDRESSES[host], self.ports.of[service]))
        listener.settimeout(PATIENCE_SECONDS)
        return listener

    def connect(self, host: str | None, address: tuple[str, int], seconds: float = PATIENCE_SECONDS) -> socket.socket:
        """From that host, or from this machine."""
        if host is None:
            return socket.create_connection(address, seconds)
        with self.on(host):
            connection = socket.socket()
        connection.settimeout(seconds)
        try:
            connection.connect(address)
        except OSError:
            connection.close()
            raise
        return connection

    def at(self, service: str) -> tuple[str, int]:
        return (self.hosts.housing.address_of(service), self.ports.of[service])


@pytest.fixture(scope="module")
def machine() -> Iterator[Machine]:
    made = Machine()
    yield made
    made.hosts.close()


@pytest.fixture
def orders(machine: Machine) -> Iterator[socket.socket]:
    """Something that listens as orders would, on the host `money`; its links are well afterwards."""
    with closing(machine.listen("money", "orders")) as listener:
        yield listener
        for host in ("edge", "shop"):
            machine.hosts.link(host, "money", Link())


@needs_networks
def test_hosts_reach_each_other_and_this_machine_has_no_way_there(machine: Machine, orders: socket.socket) -> None:
    with closing(machine.connect("edge", machine.at("orders"))) as near:
        far, address = orders.accept()
        with closing(far):
            assert address[0] == ADDRESSES["edge"]
            near.sendall(b"well?")
            assert far.recv(10) == b"well?"
    assert "lan0" not in [name for _, name in socket.if_nameindex()]
    with machine.on("edge"):
        assert sorted(name for _, name in socket.if_nameindex()) == ["lan0", "lo"]


@needs_networks
def test_two_regions_are_far_from_each_other_until_they_are_joined_otherwise() -> None:
    hosts = Hosts(0, "a test of regions", regions=2)
    hosts.open(Ports.free().of, output=2)
    try:
        assert [each["is"] for each in hosts.links()] == ["50 ms each way"]
        assert hosts.title == "Regions"
        assert "100 ms there and back; make link A=near B=far DELAY=" in hosts.description
        hosts.link("near", "far", Link())
        assert [each["is"] for each in hosts.links()] == ["well"]
    finally:
        hosts.close()


def test_without_networks_regions_have_names_and_no_way_between_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hosts_module, "why_no_hosts", lambda: "they need root")
    hosts = Hosts(0, "a test", regions=2)
    hosts.open(Ports.default().of, output=2)
    assert hosts.housing.host_of("inventory") == "far"
    assert "no network between them that could be slow or cut: they need root." in hosts.description
    hosts.close()


@needs_networks
def test_an_answer_over_a_slow_link_takes_its_delay_twice(machine: Machine, orders: socket.socket) -> None:
    machine.hosts.link("edge", "money", Link(delay_ms=150))
    started = time.monotonic()
    machine.connect("edge", machine.at("orders")).close()
    assert time.monotonic() - started >= 0.3
    carried = {(each["a"], each["b"]): each for each in machine.hosts.links()}
    assert carried["edge", "money"]["is"] == "150 ms each way"
    assert carried["shop", "money"]["is"] == "well"


@needs_networks
def test_a_lossy_link_loses_what_was_said(machine: Machine) -> None:
    sent = 1000
    with machine.on("shop"):
        heard = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        heard.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        heard.bind((ADDRESSES["shop"], 5000))
    with machine.on("edge"):
        speaker = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    machine.hosts.link("edge", "shop", Link(loss_percent=30))
    before = counts(machine, "edge", "shop")
    with heard, speaker:
        for number in range(sent):
            speaker.sendto(b"x", (ADDRESSES["shop"], 5000))
            if number % 100 == 99:  # the card's queue is shorter than that
                eventually(partial(has_seen, machine, sum(before) + number + 1))
        machine.hosts.link("edge", "shop", Link())
        heard.setblocking(False)
        arrived = 0
        while True:
            try:
                heard.recv(10)
            except BlockingIOError:
                break
            arrived += 1
    assert 600 <= arrived <= 800
    carried, dropped = counts(machine, "edge", "shop")
    assert (carried - before[0], dropped - before[1]) == (arrived, sent - arrived)


def has_seen(machine: Machine, packets: int) -> bool:
    return sum(counts(machine, "edge", "shop")) >= packets


def counts(machine: Machine, a: str, b: str) -> tuple[int, int]:
    (link,) = (each for each in machine.hosts.links() if (each["a"], each["b"]) == (a, b))
    return link["carried"], link["dropped"]


@needs_networks
def test_nobody_hears_of_a_cut_and_afterwards_all_is_as_before(machine: Machine, orders: socket.socket) -> None:
    machine.hosts.link("edge", "money", Link(partition=True))
    with pytest.raises(TimeoutError):
        machine.connect("edge", machine.at("orders"), seconds=0.2)
    machine.connect("shop", machine.at("orders")).close()
    machine.hosts.link("money", "edge", Link())
    machine.connect("edge", machine.at("orders")).close()


@needs_networks
def test_a_link_that_does_not_exist_is_refused_with_those_that_do(machine: Machine) -> None:
    with pytest.raises(StartError, match=r"no link between edge and moon\. The hosts are edge, shop, money"):
        machine.hosts.link("edge", "moon", Link())


def echo(listener: socket.socket) -> None:
    """Says to one caller what it hears, and ends when they do."""
    connection, _ = listener.accept()
    with connection:
        while heard := connection.recv(65_536):
            connection.sendall(heard)


def say(connection: socket.socket, text: bytes) -> None:
    connection.sendall(text)
    connection.shutdown(socket.SHUT_WR)


@needs_networks
@pytest.mark.parametrize("way", ["to a database", "to a service"])
def test_the_loopback_leads_hosts_to_databases_and_people_to_services(machine: Machine, way: str) -> None:
    """Much in both directions at once, in order, to the end that one side says while it still listens."""
    much = os.urandom(3_000_000)
    name, host = ("postgres", "edge") if way == "to a database" else ("orders", None)
    address = (LOOPBACK, machine.ports.of[name])
    listener = machine.listen("money", "orders") if host is None else socket.create_server(address)
    listener.settimeout(PATIENCE_SECONDS)
    with listener, closing(machine.connect(host, address)) as connection:
        threading.Thread(target=echo, args=(listener,), daemon=True).start()
        connection.sendall(b"well?")
        assert connection.recv(5) == b"well?"
        threading.Thread(target=say, args=(connection, much), daemon=True).start()
        assert all_of(connection) == much


@needs_networks
def test_what_is_said_before_the_other_side_has_answered_is_not_lost(machine: Machine) -> None:
    address = (LOOPBACK, machine.ports.of["nats"])
    for _ in range(20):
        with socket.create_server(address) as listener, closing(machine.connect("edge", address)) as connection:
            listener.settimeout(PATIENCE_SECONDS)
            say(connection, b"well?")
            echo(listener)
            assert all_of(connection) == b"well?"


@needs_networks
def test_who_does_not_listen_is_not_sent_more_and_more_and_hears_all_of_it_later(machine: Machine) -> None:
    address = (LOOPBACK, machine.ports.of["nats"])
    with socket.create_server(address) as listener, closing(machine.connect("edge", address)) as connection:
        listening, _ = listener.accept()
        with listening:
            listening.settimeout(PATIENCE_SECONDS)
            sent = send_until_it_stalls(connection)
            assert sent < MUCH
            connection.shutdown(socket.SHUT_WR)
            assert len(all_of(listening)) == sent


def send_until_it_stalls(connection: socket.socket) -> int:
    """How many bytes it took before it would take no more for a while, or all."""
    connection.setblocking(False)
    sent = 0
    while sent < MUCH and select.select([], [connection], [], 1.0)[1]:
        with suppress(BlockingIOError):
            sent += connection.send(bytes(100_000))
    return sent


def all_of(connection: socket.socket) -> bytes:
    """What is said until the other one ends."""
    heard = bytearray()
    while chunk := connection.recv(65_536):
        heard += chunk
    return bytes(heard)


def talk(machine: Machine, host: str | None, address: tuple[str, int]) -> bytes:
    """Says something, and what is answered. Empty: the other one ended as if all were well."""
    with closing(machine.connect(host, address)) as connection:
        connection.sendall(b"Is anybody there?")
        return connection.recv(10)


@needs_networks
@pytest.mark.parametrize(("host", "name"), [("edge", "nats"), (None, "orders")])
def test_where_nobody_listens_a_connection_breaks_at_once(machine: Machine, host: str | None, name: str) -> None:
    with pytest.raises(ConnectionError):
        talk(machine, host, (LOOPBACK, machine.ports.of[name]))


@needs_networks
def test_an_address_on_another_machine_is_reported_to_be_out_of_reach() -> None:
    hosts = Hosts(2, "a test of hosts")
    with pytest.raises(StartError, match=r"not http://collector\.example:4318\."):
        hosts.open(Ports.free().of, output=2, elsewhere=["http://localhost:4318", "http://collector.example:4318"])
    hosts.close()


@needs_networks
def test_the_end_of_the_network_is_reported() -> None:
    said: list[str] = []
    hosts = Hosts(2, "a test of hosts")
    hosts.open(Ports.free().of, 2, said.append)
    process = hosts._process
    assert process is not None
    process.kill()
    eventually(lambda: said)
    assert "has ended" in said[0]
    with pytest.raises(StartError, match="does not answer"):
        hosts.links()
    hosts.close()
    assert not lives(process.pid)


@needs_networks
def test_a_port_that_is_taken_is_reported() -> None:
    ports = Ports.free()
    hosts = Hosts(2, "a test of hosts")
    with socket.create_server((LOOPBACK, ports.of["web"])), pytest.raises(StartError, match=r"[Aa]ddress"):
        hosts.open(ports.of, output=2)
    hosts.close()
