"""Every route of every service, who may call it, and what a valid request of it looks like; taken from the applications."""

import importlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
from fastapi import FastAPI
from fastapi.routing import APIRoute, iter_route_contexts

from chassis.identity import access_of, person
from chassis.tokens import ServiceTokens, load_signing_key
from local.provision import make_secrets
from local.system import System
from local.topology import SERVICES, programs

OPEN = ("*",)
HEALTH = {"/livez", "/readyz", "/load", "/metrics", "/work"}


@dataclass(frozen=True)
class Route:
    """One operation of one service. `callers` are the services that may call it, or OPEN."""

    service: str
    method: str
    path: str
    callers: tuple[str, ...]
    needs_person: bool
    parameters: tuple[str, ...]  # of the query
    body: dict[str, Any] | None  # JSON schema
    components: dict[str, Any]

    @property
    def name(self) -> str:
        """For messages of failed tests."""
        return f"{self.service} {self.method} {self.path}"


def all_routes(system: System) -> list[Route]:
    """The routes of all services but their health, as the running programs would build them."""
    secrets = make_secrets(system.layout)
    environments = {p.name: p.environment for p in programs(system.layout, system.ports, secrets, "json")}
    routes: list[Route] = []
    for service in SERVICES:
        with _environment(dict(environments[service])):
            app = importlib.import_module(f"services.{service}.app").create_app()
        routes += _routes_of(service, app)
    return routes


def _routes_of(service: str, app: FastAPI) -> Iterator[Route]:
    document = app.openapi()
    for route in _api_routes(app):
        if route.path in HEALTH:
            continue
        calls = [each.call for each in route.dependant.dependencies]
        callers = next(access for call in calls if (access := access_of(call)))
        for method in route.methods or ():
            operation = document["paths"].get(route.path, {}).get(method.lower(), {})
            content = operation.get("requestBody", {}).get("content", {})
            schema = content.get("application/json", {}).get("schema")
            components = document.get("components", {}).get("schemas", {})
            parameters = tuple(each.alias for each in route.dependant.query_params)
            yield Route(service, method, route.path, callers, person in calls, parameters, schema, components)


def _api_routes(app: FastAPI) -> list[APIRoute]:
    routes = [each.original_route for each in iter_route_contexts(app.routes)]
    return [each for each in routes if isinstance(each, APIRoute)]


@contextmanager
def _environment(values: dict[str, str]) -> Iterator[None]:
    before = dict(os.environ)
    os.environ.update(values)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


class Tokens:
    """Real tokens of the running system's services, as one whose key was stolen could make them."""

    def __init__(self, keys: Path) -> None:
        self.keys = keys
        self._of = {name: ServiceTokens(name, load_signing_key(keys / f"{name}.pem")) for name in SERVICES}

    def of(self, caller: str, to: str) -> str:
        """A token of `caller` for `to`."""
        return self._of[caller].to(to)

    def headers(self, caller: str, to: str, person_token: str | None = None) -> dict[str, str]:
        """The headers of a call, with a key for what wants one."""
        headers = {"Authorization": f"Bearer {self.of(caller, to)}", "Idempotency-Key": uuid4().hex}
        return headers | ({"Onsale-Person": person_token} if person_token else {})


async def new_guest(http: httpx.AsyncClient, system: System, tokens: Tokens) -> str:
    """A person's token, as accounts gives it to anybody who begins to buy."""
    answer = await http.post(
        f"{system.addresses['accounts']}/guests", json={}, headers=tokens.headers("web", "accounts")
    )
    token: str = answer.raise_for_status().json()["token"]
    return token


# What a field of this name has to be like for the request to get past its first checks.
async def known_values(http: httpx.AsyncClient, system: System, tokens: Tokens) -> dict[str, Any]:
    """Ids of an event that is really there, and values for what a field's type does not say."""
    catalog = system.addresses["catalog"]
    headers = tokens.headers("web", "catalog")
    items = (await http.get(f"{catalog}/events", headers=headers)).raise_for_status().json()["items"]
    for item in items:
        event = (await http.get(f"{catalog}/events/{item['event_id']}", headers=headers)).json()
        general = [one for one in event["classes"] if one["kind"] == "general" and one["price_minor"] > 0]
        if general:
            break
    return {
        "event_id": event["event_id"],
        "class_id": general[0]["class_id"],
        "email": f"{uuid4().hex}@example.test",
        "password": uuid4().hex,
        "name": "Robin Buyer",
        "currency": "EUR",
        "return_url": "http://127.0.0.1:1/back",
        "pay_by": (datetime.now(UTC) + timedelta(minutes=5)).isoformat(),
        "seats": [],
        "code": "AAAA",
    }


def path_of(route: Route, known: dict[str, Any]) -> str:
    """The path with ids that exist, or could."""
    parts = [
        str(known.get(part[1:-1], uuid4())) if part.startswith("{") and part.endswith("}") else part
        for part in route.path.split("/")
    ]
    return "/".join(part.replace("{name}.svg", "x.svg").replace("{path}", "x") for part in parts)


def example(schema: dict[str, Any], components: dict[str, Any], known: dict[str, Any], name: str = "") -> Any:
    """A valid value of a JSON schema."""
    if name in known:
        return known[name]
    if "$ref" in schema:
        return example(components[schema["$ref"].rpartition("/")[2]], components, known)
    if "anyOf" in schema:
        return example(schema["anyOf"][0], components, known)
    match schema.get("type"):
        case "object":
            fields = schema.get("properties", {}).items()
            return {field: example(each, components, known, field) for field, each in fields}
        case "array":
            return [example(schema["items"], components, known)]
        case "integer":
            return max(1, schema.get("minimum", 1))
        case "boolean":
            return False
        case _:
            return str(uuid4()) if schema.get("format") == "uuid" else "some words"


def as_json(value: Any) -> bytes:
    """JSON as it would be sent."""
    return json.dumps(value).encode()
