"""What the gateway lets in from the world is what a service answers, and of services other than web nothing more than is named."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from k8s.edges import OPENAPI
from k8s.objects import NAME, at
from k8s.places import Place
from services.web.app import PASSED_ON

ROOT = Path(__file__).resolve().parent.parent
Found = Iterator[tuple[str, str]]
# Pages are for people, and in no OpenAPI document.
SHOP = "web"
_PAGE = re.compile(r"@router\.(get|post|websocket)\(\s*\"([^\"]+)\"")


def routes_are_answered(place: Place) -> Found:
    """Each match of each route is a path and method of the service behind it."""
    for each in place.all.of_kind("HTTPRoute"):
        for rule in each.spec.get("rules") or []:
            for backend in rule.get("backendRefs") or []:
                target = place.all.named("Service", backend["name"])
                service = target.labels.get(NAME, "") if target else ""
                for match in (rule.get("matches") or [{}]) if service else ():
                    if wrong := _wrong(service, match, PASSED_ON if place.plan.on_bus else ()):
                        yield each.where, wrong


def _wrong(service: str, match: Mapping[str, Any], passed_on: Iterable[tuple[str, str, str]]) -> str | None:
    kind, path = at(match, "path", "type", default="PathPrefix"), at(match, "path", "value", default="/")
    method = match.get("method")
    if service != SHOP and (kind != "Exact" or not method):
        return f"lets in more of {service} than is for the world: {method or 'any method'} {path}. Name the method and an Exact path."
    begins = path.rstrip("/") + "/"
    answered = [(verb, each) for verb, each in paths_of(service) if method in {None, verb}]
    if service == SHOP:
        answered += [(verb, each) for verb, each, _ in passed_on if method in {verb, "HEAD" if verb == "GET" else verb}]
    if any(each == path or (kind == "PathPrefix" and each.startswith(begins)) for _, each in answered):
        return None
    return f"sends {method or 'any method'} {path} to {service}, which does not answer that. Correct the match."


@cache
def paths_of(service: str) -> frozenset[tuple[str, str]]:
    """Every method and path that a service answers, as its OpenAPI document says, and the shop's code of its pages."""
    path = OPENAPI / f"{service}.json"
    document = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {"paths": {}}
    found = {(method.upper(), each) for each, methods in document["paths"].items() for method in methods}
    if service == SHOP:
        for code in (ROOT / "services" / SHOP).rglob("*.py"):
            found |= {(method.upper(), each) for method, each in _PAGE.findall(code.read_text(encoding="utf-8"))}
    # Whatever answers GET answers HEAD (chassis/manners.py).
    return frozenset(found | {("HEAD", each) for method, each in found if method == "GET"})
