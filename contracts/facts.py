"""The facts and messages of all services, by their subjects."""

from functools import cache
from importlib import import_module
from inspect import getmembers, isclass
from pathlib import Path

from chassis.facts import BusMessage, Fact

SERVICES = Path(__file__).parents[1] / "services"
Publishable = Fact | BusMessage


@cache
def published_by(service: str) -> tuple[type[Publishable], ...]:
    """The facts that a service publishes, and what it says on the bus."""
    if not (SERVICES / service / "events.py").is_file():
        return ()
    module = import_module(f"services.{service}.events")
    found = [
        each for _, each in getmembers(module, isclass) if issubclass(each, Publishable) and "subject" in vars(each)
    ]
    return tuple(sorted(found, key=lambda each: each.subject))


def aggregate_of(subject: str) -> str | None:
    """The field that a fact is about; None of one that no service here tells."""
    return next((each.aggregate for each in published_by(subject.split(".")[1]) if each.subject == subject), None)
