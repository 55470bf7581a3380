"""One look, without a server: in which places a service of local/topology.py is missing, all of them at once."""

from local.topology import ROOT, SERVICES
from tests.everywhere import missing


def test_every_service_is_in_every_place() -> None:
    found = missing(ROOT, SERVICES)
    assert not found, "\n".join(["", *found, "", "docs/guides/new-service.md has the steps in order."])
