"""The environment of every container, held against what reads it: the services' own settings classes."""

import os
import re
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import import_module
from inspect import getmembers, isclass
from pathlib import Path
from typing import Any
from unittest import mock

from pydantic import ValidationError
from pydantic_settings import BaseSettings

from chassis.settings import SHARED_PREFIX, ServiceSettings
from k8s.objects import Container, Pod, at
from k8s.places import Place, program_of, repository_of, services_of, variables

ROOT = Path(__file__).resolve().parent.parent
Found = Iterator[tuple[str, str]]

# Read beside the settings: which service it is, whether files are synced, and what spans call its version.
BESIDE_SETTINGS = {"ONSALE_SERVICE", "ONSALE_SERVICES", "ONSALE_RELOAD", "ONSALE_VERSION"}
# Read by the libraries that the services stand on.
LIBRARIES = re.compile(r"OTEL_[A-Z_]+|PYTHON[A-Z]+|MALLOC_[A-Z_]+")
GO = {"GOMEMLIMIT", "GOMAXPROCS"}
# What other people's images read beside their configuration files.
OTHERS: dict[str, set[str]] = {
    "postgres": {"POSTGRES_USER", "POSTGRES_PASSWORD", "POSTGRES_DB", "PGDATA", "POSTGRES_INITDB_ARGS"},
    "nats": GO,
    "opentelemetry-collector-contrib": GO,
    "jaeger": GO,
}
_BANK = {"BANK_HOST", "BANK_PORT"}  # read by its command line


def settings_agree(place: Place) -> Found:
    """Every service and simulator finds in its environment all that its settings need, and nothing that nobody reads."""
    for pod in place.all.pods():
        for container in pod.containers():
            for sentence in _of_container(place, pod, container):
                yield pod.owner.where, f"{container.role} {container.name}: {sentence}"


def _of_container(place: Place, pod: Pod, container: Container) -> Iterator[str]:
    found = variables(place, container)
    match program_of(container):
        case program if program.startswith(("chassis.", "services.")):
            yield from _of_service(place, program, container, found)
        case "simulators.bank":
            yield from _of_bank(found)
        case "":
            yield from _of_others(place, pod, container, found)
        case program:
            yield from _of_program(program, container, found)


def _of_service(place: Place, program: str, container: Container, found: Mapping[str, str]) -> Iterator[str]:
    services = services_of(container, found) or [found.get("ONSALE_SERVICE", "")]
    kinds = {service: kind for service in services if (kind := settings_class(service)) is not None}
    for service in services:
        if service not in kinds:
            variable = "ONSALE_SERVICES has" if program == "chassis.monolith" else "ONSALE_SERVICE is"
            yield f"{variable} {service or 'not set'}: no folder of services/ has that name. Set it to the service that runs here."
            return
    fields = {f"{service.upper()}_": set(kind.model_fields) for service, kind in kinds.items()}
    yield from _unknown(found, {**fields, SHARED_PREFIX: set().union(*fields.values())})
    for service, kind in kinds.items():
        prefix = f"{service.upper()}_"
        if program == "chassis.migrate":
            if not {f"{prefix}DATABASE_URL", f"{SHARED_PREFIX}DATABASE_URL"} & found.keys():
                yield f"{SHARED_PREFIX}DATABASE_URL is not set: a migration needs the database. Set it."
            continue
        settings, problems = built(kind, found, prefix)
        yield from problems
        if isinstance(settings, ServiceSettings) and settings.environment != place.plan.environment:
            yield (
                f"runs with environment={settings.environment}, but {place.name} is {place.plan.environment}. "
                f"Set {SHARED_PREFIX}ENVIRONMENT={place.plan.environment} for all services."
            )


def _of_bank(found: Mapping[str, str]) -> Iterator[str]:
    from simulators.bank.settings import BankSettings

    fields = {name.upper() for name in BankSettings.model_fields}
    yield from _unknown(found, {"BANK_": {*(name.lower() for name in fields), "host", "port"}})
    yield from built(BankSettings, found, "BANK_")[1]


def _unknown(found: Mapping[str, str], prefixes: Mapping[str, set[str]]) -> Iterator[str]:
    """The variables that nobody reads: of those with one of these prefixes, what is none of its settings."""
    for name in sorted(found):
        prefix = next((each for each in prefixes if name.startswith(each)), None)
        if name in BESIDE_SETTINGS or LIBRARIES.fullmatch(name):
            continue
        if prefix is not None and name.removeprefix(prefix).lower() not in prefixes[prefix]:
            yield f"{name} is no setting: nobody reads it. Correct its name, or remove it."
        if prefix is None and not _used_in_values(name, found):
            yield f"{name} is read by nobody: its prefix is not {' or '.join(prefixes)}, and no other variable refers to it. Remove it."


def _used_in_values(name: str, found: Mapping[str, str]) -> bool:
    """Whether a part of another variable came from this one."""
    word = found[name]
    return bool(word) and any(word in other for key, other in found.items() if key != name)


def built(kind: type[BaseSettings], found: Mapping[str, str], prefix: str) -> tuple[BaseSettings | None, list[str]]:
    """The settings that a process makes of its environment; or a sentence for each that it refuses."""
    with mock.patch.dict(os.environ, found, clear=True):
        try:
            return kind(), []
        except ValidationError as error:
            return None, [_sentence(each, prefix) for each in error.errors(include_url=False, include_input=False)]


def _sentence(error: Mapping[str, Any], prefix: str) -> str:
    where = "_".join(str(each).upper() for each in error["loc"])
    if error["type"] == "missing":
        return f"{prefix}{where} is not set, and {kind_of(prefix)} cannot start without it. Set it."
    return f"{prefix}{where or 'settings'} is refused: {error['msg'].rstrip('.')}."


def kind_of(prefix: str) -> str:
    """The service whose settings have that prefix: `ORDERS_` are those of orders."""
    return prefix.removesuffix("_").lower()


@cache
def settings_class(service: str) -> type[ServiceSettings] | None:
    """The settings class of a service; None if there is no such service."""
    if not service or not (ROOT / "services" / service / "settings.py").is_file():
        return None
    module = import_module(f"services.{service}.settings")
    kinds = (each for _, each in getmembers(module, isclass) if issubclass(each, ServiceSettings))
    return next((each for each in kinds if each is not ServiceSettings), None)


def _of_program(program: str, container: Container, found: Mapping[str, str]) -> Iterator[str]:
    """Jobs of the toolbox: what they are given is a word in the module that runs, or in one beside it."""
    words = _words_of(program.rpartition(".")[0] or program)
    for name in sorted(found):
        if name not in words and not _used_in_values(name, found) and f"$({name})" not in str(container.document):
            yield f"{name} is read by nobody in {program.partition('.')[0]}/. Remove it."


@cache
def _words_of(package: str) -> frozenset[str]:
    """Every word in capitals in a package's code and in the chassis."""
    paths = [path for folder in (package.replace(".", "/"), "chassis") for path in (ROOT / folder).rglob("*.py")]
    texts = (path.read_text(encoding="utf-8") for path in paths if "tests" not in path.parts)
    return frozenset(word for text in texts for word in re.findall(r"\b[A-Z][A-Z0-9_]+\b", text))


def _of_others(place: Place, pod: Pod, container: Container, found: Mapping[str, str]) -> Iterator[str]:
    """Programs that are not ours: what they are given is named in a file or an argument of theirs, or known to be read."""
    known = OTHERS.get(repository_of(container), set())
    said = [str(container.document.get(key, "")) for key in ("args", "command", "lifecycle")]
    for volume in pod.spec.get("volumes") or []:
        for name in mounted_maps(volume):
            said += place.config.get(name, {}).values()
    for name in sorted(found.keys() - known):
        pattern = re.compile(rf"\$[({{]?(env:)?{re.escape(name)}\b")
        if not any(pattern.search(each) for each in said) and not _used_in_values(name, found):
            program = repository_of(container)
            yield f"{name} is in no configuration file or argument of {program}. Remove it, or name it in k8s/environment.py."


def mounted_maps(volume: Mapping[str, Any]) -> Iterator[str]:
    """The names of the ConfigMaps that a volume shows."""
    if name := at(volume, "configMap", "name"):
        yield name
    for source in at(volume, "projected", "sources", default=[]):
        if name := at(source, "configMap", "name"):
            yield name
