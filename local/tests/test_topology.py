"""Where everything listens."""

import pytest

from local.processes import SERVERS_PORTS, free_port
from local.topology import Ports


@pytest.mark.parametrize(
    "ports", [Ports.default(), Ports.from_base(9000), Ports.free()], ids=["default", "moved", "free"]
)
def test_no_server_waits_for_a_port_that_an_outgoing_connection_may_have_taken(ports: Ports) -> None:
    assert [name for name, port in ports.of.items() if port >= SERVERS_PORTS.stop] == []
    assert len(set(ports.of.values())) == len(ports.of)


def test_a_free_port_is_never_one_of_those() -> None:
    assert {free_port() in SERVERS_PORTS for _ in range(50)} == {True}
