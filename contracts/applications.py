"""The applications of services, built and not run: what they offer and ask can be read from them without a server."""

import tempfile
from collections.abc import Iterable
from importlib import import_module
from inspect import getmembers, isclass
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from pydantic_core import PydanticUndefined

from chassis.settings import ServiceSettings
from chassis.testing import Keys, make_keys
from local.topology import SERVICES

NOWHERE = "http://127.0.0.1:1"


def applications(services: Iterable[str] = SERVICES) -> dict[str, FastAPI]:
    """The application of every service, or of some, built and not run."""
    with tempfile.TemporaryDirectory() as folder:
        keys = make_keys(Path(folder))
        modules = {name: import_module(f"services.{name}.app") for name in services}
        return {name: module.create_app(_settings_of(name, keys)) for name, module in modules.items()}


def _settings_of(service: str, keys: Keys) -> ServiceSettings:
    """Settings with which an application can be built, though not run: nothing connects before it starts."""
    module = import_module(f"services.{service}.settings")
    kind: type[ServiceSettings] = next(
        each
        for _, each in getmembers(module, isclass)
        if issubclass(each, ServiceSettings) and each is not ServiceSettings
    )
    values: dict[str, Any] = {
        "environment": "test",
        "log_level": "ERROR",
        "database_url": "postgresql://nobody:nothing@127.0.0.1:1/nowhere",
        "nats_url": "nats://127.0.0.1:1",
        "key_file": keys.key_file(service),
        "service_keys_file": keys.service_keys_file,
        "person_keys_url": keys.person_keys_url,
    }
    for name, field in kind.model_fields.items():
        if name == "signing_key_file":
            values[name] = keys.key_file(service)
        elif name not in values and (field.default in {PydanticUndefined, ""} and name.endswith("_url")):
            values[name] = NOWHERE
        elif name not in values and field.default is PydanticUndefined and field.default_factory is None:
            values[name] = "x" * 40
    return kind(**values)
