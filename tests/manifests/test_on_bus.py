"""Places whose services are on the bus: none but web has a port, and what says otherwise is found."""

from dataclasses import replace
from typing import Any

import pytest

from k8s.objects import Document
from tests.manifests.made_up import PLAN, documents, get, put, said_by

ON_BUS = replace(PLAN, name="bus", on_bus=True)
ORDERS = "Deployment/orders"
MAIN = "spec.template.spec.containers.0"
PROBE = {"exec": {"command": ["python", "-m", "chassis.ask_bus", "/livez"]}}


def on_bus(*changes: tuple[str, str, Any]) -> list[Document]:
    """The made-up place with orders on the bus, and further changes."""
    found = documents()
    found.remove(get(found, "Service/orders"))
    put(get(found, ORDERS), f"{MAIN}.ports", [])
    put(get(found, "ConfigMap/onsale"), "data.ONSALE_TRANSPORT", "bus")
    for where, path, value in changes:
        put(get(found, where), path, value)
    return found


def of_orders(rule: str, found: list[Document]) -> list[str]:
    return [each for each in said_by(rule, found, ON_BUS) if "orders" in each.split()[0]]


def test_a_service_on_the_bus_needs_neither_a_port_nor_a_service() -> None:
    assert of_orders("listening", on_bus()) == []
    assert of_orders("present", on_bus()) == []
    assert any("Service/orders is missing" in each for each in said_by("present", on_bus()))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ((ORDERS, f"{MAIN}.ports", [{"name": "http", "containerPort": 8000}]), "opens no port. Remove 8000"),
        (("ConfigMap/onsale", "data.ONSALE_TRANSPORT", "http"), "is on the bus, and ONSALE_TRANSPORT is http"),
    ],
)
def test_a_port_or_another_transport_there_is_found(change: tuple[str, str, Any], said: str) -> None:
    assert any(said in each for each in of_orders("listening", on_bus(change)))


def test_a_probe_asks_its_process_over_the_bus_what_it_would_ask_over_http() -> None:
    sound = on_bus((ORDERS, f"{MAIN}.livenessProbe", PROBE), (ORDERS, f"{MAIN}.startupProbe", PROBE))
    assert not any("livenessProbe asks" in each for each in of_orders("probes", sound))
    other = {"exec": {"command": ["python", "-m", "chassis.ask_bus", "/readyz"]}}
    wrong = on_bus((ORDERS, f"{MAIN}.livenessProbe", other))
    assert any("its livenessProbe asks /readyz" in each for each in of_orders("probes", wrong))
    foreign = on_bus((ORDERS, f"{MAIN}.livenessProbe", {"exec": {"command": ["true"]}}))
    assert any("its livenessProbe asks no path" in each for each in of_orders("probes", foreign))


def test_what_banks_and_gates_ask_may_be_sent_to_web_where_web_hands_it_on() -> None:
    match = {"method": "POST", "path": {"type": "Exact", "value": "/webhooks/bank"}}
    route: Document = {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "HTTPRoute",
        "metadata": {"name": "api"},
        "spec": {"rules": [{"matches": [match], "backendRefs": [{"name": "web", "port": 8000}]}]},
    }
    assert said_by("routes", [*on_bus(), route], ON_BUS) == []
    assert any("sends POST /webhooks/bank to web" in each for each in said_by("routes", [*documents(), route]))
    put(route, "spec.rules.0.matches.0.method", "DELETE")
    assert any("sends DELETE /webhooks/bank to web" in each for each in said_by("routes", [*on_bus(), route], ON_BUS))
