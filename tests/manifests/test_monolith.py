"""The place whose services are one process: what is missing or wrong in its one pod is found, as if each had its own."""

import copy
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from k8s import rules
from k8s.objects import Build, Document, Object
from k8s.places import PLANS, Place
from k8s.rendering import ROOT, Rendering
from local.cluster_secrets import names
from local.topology import SERVICES

(PLAN,) = (each for each in PLANS if each.together)
MAIN = ("spec", "template", "spec", "containers", 0)

Change = Callable[[list[Document]], None]


@pytest.fixture(scope="module")
def sound() -> Iterator[Place]:
    """As this repository has it."""
    with Rendering() as rendering:
        app, infra = rendering.builds([PLAN.overlay, PLAN.infra])
        yield Place(PLAN, app, infra, names())


def findings(place: Place, change: Change) -> set[str]:
    documents = [copy.deepcopy(each.document) for each in place.app.objects]
    change(documents)
    app = Build(place.app.name, tuple(map(Object.of, documents)))
    return {f"{each.rule}: {each.sentence}" for each in rules.of_places([replace(place, app=app)])}


def get(documents: list[Document], kind: str, name: str) -> Document:
    return next(each for each in documents if each["kind"] == kind and each["metadata"]["name"].startswith(name))


def container(documents: list[Document]) -> Any:
    found: Any = get(documents, "Deployment", "monolith")
    for key in MAIN:
        found = found[key]
    return found


def without(documents: list[Document], variable: str) -> None:
    container(documents)["env"] = [each for each in container(documents)["env"] if each["name"] != variable]


def set_one(documents: list[Document], variable: str, value: str) -> None:
    without(documents, variable)
    container(documents)["env"].append({"name": variable, "value": value})


def listed(documents: list[Document], services: str) -> None:
    get(documents, "ConfigMap", "monolith")["data"]["ONSALE_SERVICES"] = services


def test_as_it_is_there_is_nothing_to_be_said(sound: Place) -> None:
    assert findings(sound, lambda _documents: None) == set()


WRONG: dict[str, tuple[Change, str]] = {
    "a service that is left out": (
        lambda all_: listed(all_, " ".join(name for name in SERVICES if name != "tickets")),
        "present: does not run tickets. Add it to ONSALE_SERVICES.",
    ),
    "a service that is none": (
        lambda all_: listed(all_, " ".join([*SERVICES, "shop"])),
        "ONSALE_SERVICES has shop: no folder of services/ has that name.",
    ),
    "the program of one service": (
        lambda all_: container(all_).update(args=["chassis.serve"]),
        "present: does not run chassis.monolith.",
    ),
    "the image of one service": (
        lambda all_: container(all_).update(image="onsale/web:dev"),
        "own-images: is labelled monolith and runs the image onsale/web:dev.",
    ),
    "the database of one service": (
        lambda all_: without(all_, "ORDERS_DATABASE_URL"),
        "ORDERS_DATABASE_URL is not set, and orders cannot start without it.",
    ),
    "a setting of nobody": (
        lambda all_: set_one(all_, "ORDERS_SMTP_HOST", "mailbox"),
        "ORDERS_SMTP_HOST is no setting: nobody reads it.",
    ),
    "a key that is not mounted": (
        lambda all_: set_one(all_, "ORDERS_KEY_FILE", "/run/onsale/keys/order.pem"),
        "ORDERS_KEY_FILE is /run/onsale/keys/order.pem, and the volume keys there has",
    ),
    "web on a port that is not declared": (
        lambda all_: set_one(all_, "WEB_PORT", "8001"),
        "listening: container service listens on 8001, but declares 8000.",
    ),
    "services with ports that collide": (
        lambda all_: get(all_, "ConfigMap", "onsale")["data"].update(ONSALE_TRANSPORT="http"),
        "is on the bus, and ONSALE_TRANSPORT is http.",
    ),
    "no time for the slowest to drain": (
        lambda all_: set_one(all_, "TICKETS_DRAIN_SECONDS", "60"),
        "drain: is killed after 30 s, but it pauses 5 s and drains 60 s.",
    ),
    "no way in": (
        lambda all_: all_.remove(get(all_, "Service", "web")),
        "present: is missing in monolith: every Deployment of a service has one.",
    ),
    "a migration that is missing": (
        lambda all_: all_.remove(get(all_, "Job", "orders-migration")),
        "present: is missing in monolith: nobody would migrate its database.",
    ),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_what_is_wrong_in_it_is_found(sound: Place, wrong: str) -> None:
    change, said = WRONG[wrong]
    found = findings(sound, change)
    assert any(said in each for each in found), found


def test_its_image_has_the_packages_of_all_services() -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    own = sorted(extras.keys() & SERVICES)
    assert extras["monolith"] == [f"onsale[{','.join(own)}]"]
