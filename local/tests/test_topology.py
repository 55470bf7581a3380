"""Where everything listens."""

import pytest

from local.processes import SERVERS_PORTS, free_port
from local.topology import DEFAULT_PORTS, Ports, hearers_of, watchers_of


@pytest.mark.parametrize(
    "ports", [Ports.default(), Ports.from_base(9000), Ports.free()], ids=["default", "moved", "free"]
)
def test_no_server_waits_for_a_port_that_an_outgoing_connection_may_have_taken(ports: Ports) -> None:
    assert [name for name, port in ports.of.items() if port >= SERVERS_PORTS.stop] == []
    assert len(set(ports.of.values())) == len(ports.of)


def test_a_free_port_is_never_one_of_those() -> None:
    assert {free_port() in SERVERS_PORTS for _ in range(50)} == {True}


def test_who_hears_and_watches_a_service_follows_from_what_is_heard() -> None:
    assert set(hearers_of("orders")) >= {"notifications", "tickets", "web"}
    assert watchers_of("orders") == ["web"]
    assert watchers_of("catalog") == []


def test_a_service_gets_the_port_of_its_place_and_web_has_the_first() -> None:
    assert [DEFAULT_PORTS[name] for name in ("web", "accounts", "catalog", "notifications")] == [8000, 8001, 8002, 8007]
