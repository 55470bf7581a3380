"""Every edge has a pact, every pact has two sides: nothing is left out because nobody thought of it."""

import re
from pathlib import Path

import pytest

from contracts.consumer import is_writing
from contracts.pactfile import PACTS, Edge, edges

SERVICES = Path(__file__).parents[2] / "services"
# A subject of the firehose in a service's code; `>` hears all of a service.
SUBJECT = re.compile(r'"events\.([a-z]+)\.([a-z_]+\.v\d+|>)"')
PROVIDERS_SIDE = {"asks": "test_is_asked.py", "hears": "test_tells.py"}

pytestmark = pytest.mark.skipif(is_writing(), reason="Pacts are being written.")


def services() -> list[str]:
    return sorted(path.parent.name for path in SERVICES.glob("*/app.py"))


def edges_in_code() -> set[Edge]:
    """A client of another service is an edge, and so is a subject that a service hears."""
    found = set()
    for service in services():
        for client in (SERVICES / service / "clients").glob("*.py"):
            if client.stem in services():
                found.add(Edge(service, "asks", client.stem))
        for room in ("inbox.py", "app.py"):
            path = SERVICES / service / room
            for provider, _ in SUBJECT.findall(path.read_text(encoding="utf-8") if path.exists() else ""):
                found.add(Edge(service, "hears", provider))
    return found


def test_every_edge_in_the_code_has_a_pact_and_every_pact_an_edge() -> None:
    assert set(edges()) == edges_in_code(), "Write the pact of a new edge, and delete that of one that is gone."


@pytest.mark.parametrize("edge", edges(), ids=str)
def test_a_pact_is_written_by_its_consumer_and_verified_by_its_provider(edge: Edge) -> None:
    writes = SERVICES / edge.consumer / "tests/contract" / f"test_{edge.kind}_{edge.provider}.py"
    verifies = SERVICES / edge.provider / "tests/contract" / PROVIDERS_SIDE[edge.kind]
    assert writes.exists(), f"Nobody writes {edge.file_name} any more: delete it, or write {writes}."
    assert verifies.exists(), f"Nobody verifies {edge.file_name}: write {verifies}."
    declared = f'{edge.kind}("{edge.consumer}", "{edge.provider}"'
    assert declared in writes.read_text(encoding="utf-8"), f"{writes} does not declare its edge as {declared}...)."


def test_every_subject_that_an_inbox_hears_is_in_its_pact() -> None:
    for service in services():
        inbox = SERVICES / service / "inbox.py"
        for provider, fact in SUBJECT.findall(inbox.read_text(encoding="utf-8") if inbox.exists() else ""):
            pact = (PACTS / Edge(service, "hears", provider).file_name).read_text(encoding="utf-8")
            assert f'"events.{provider}.{fact}' in pact, (
                f"{service} hears {fact} of {provider}, but no interaction says so."
            )
