"""What each service declares: operations that it offers and asks, what it tells, hears and watches. Values, as its code has them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from inspect import getmembers, isclass
from pathlib import Path
from typing import Any

from chassis.asking import Client
from chassis.errors import STATUS_OF_CATEGORY
from chassis.facts import BusMessage
from chassis.operations import Operation
from contracts.applications import applications
from contracts.facts import published_by
from contracts.pactfile import PACTS, ContractBroken
from contracts.promises.declared import reaches
from local.topology import SERVICES

ROOT = Path(__file__).parents[2]
# `bus.<service>.<what>`, then the id of what it is about; a fact has its version there.
SUBJECT_WORDS = 3


@dataclass(frozen=True)
class Service:
    """One service. `hears` and `watches` are subjects as NATS knows them, with wildcards; `strangers` whom it asks without tokens."""

    name: str
    operations: tuple[Operation, ...] = ()
    clients: tuple[type[Client], ...] = ()
    facts: tuple[str, ...] = ()
    messages: tuple[str, ...] = ()
    hears: tuple[str, ...] = ()
    watches: tuple[str, ...] = ()
    strangers: tuple[str, ...] = ()

    def called(self, method: str, path: str) -> Operation | None:
        """The operation with this method and path, whatever what varies in it is called."""
        return next((each for each in self.operations if each.method == method and _alike(each.path, path)), None)

    def asked(self, method: str, path: str) -> Operation | None:
        """The operation that answers a real path. If several do, the one with the fewest parameters wins."""
        candidates = [each for each in self.operations if each.method == method and reaches(each.path, path)]
        return min(candidates, key=lambda each: each.path.count("{"), default=None)


@dataclass(frozen=True)
class System:
    """All services by their names, and where their contracts and documents are."""

    services: Mapping[str, Service]
    folder: Path = ROOT / "services"
    pacts: Path = PACTS
    documents: Path = ROOT / "contracts"

    def names(self) -> list[str]:
        """The services."""
        return sorted(self.services)

    def service(self, name: str) -> Service:
        """A service; one that is not there declares nothing."""
        return self.services.get(name, Service(name))


@cache
def real() -> System:
    """The services of this repository, their applications built and not run. Raises ContractBroken for a client that none makes."""
    return System({name: _service_of(name, app.state.service) for name, app in applications(SERVICES).items()})


def refusals_of(operation: Operation) -> set[tuple[str, int]]:
    """The codes with which an operation may refuse, those of the chassis left out, each with its status or statuses."""
    # Errors of domains have no base class in common: it is enough that they have a code and a category.
    errors: tuple[Any, ...] = operation.refuses
    unavailable = {(f"{provider}_unavailable", STATUS_OF_CATEGORY["unavailable"]) for provider in operation.without}
    return {(each.code, STATUS_OF_CATEGORY[each.category]) for each in errors} | unavailable


def message_of(subject: str) -> str:
    """The subject of a bus message without the id that ends it."""
    return ".".join(subject.split(".")[:SUBJECT_WORDS])


def _service_of(name: str, service: Any) -> Service:
    published = published_by(name)
    listens = {subject for inbox in service.inboxes for subject in inbox.subscriptions} | set(service.subjects)
    _refuse_unmade(name, service.clients)
    return Service(
        name,
        operations=_operations_of(name),
        clients=tuple(service.clients),
        facts=tuple(each.subject for each in published if not issubclass(each, BusMessage)),
        messages=tuple(each.subject for each in published if issubclass(each, BusMessage)),
        hears=tuple(sorted(subject for subject in listens if subject.startswith("events."))),
        watches=tuple(sorted(subject for subject in listens if subject.startswith("bus."))),
        strangers=tuple(service.strangers),
    )


def _operations_of(name: str) -> tuple[Operation, ...]:
    if not (ROOT / "services" / name / "operations.py").is_file():
        return ()
    declared: tuple[Operation, ...] = import_module(f"services.{name}.operations").OPERATIONS
    return declared


def _refuse_unmade(name: str, made: list[type[Client]]) -> None:
    for path in sorted((ROOT / "services" / name / "clients").glob("*.py")):
        module = import_module(f"services.{name}.clients.{path.stem}")
        for _, kind in getmembers(module, isclass):
            if issubclass(kind, Client) and kind.__module__ == module.__name__ and kind not in made:
                raise ContractBroken(
                    f"{path} declares {kind.__name__}, but nothing in {name} makes one. Make it by `service.client_of(...)`, or "
                    "delete it with its pact."
                )


def _alike(one: str, other: str) -> bool:
    return re.sub(r"\{[^}]*\}", "{}", one) == re.sub(r"\{[^}]*\}", "{}", other)
