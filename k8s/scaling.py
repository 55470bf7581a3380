"""What autoscalers go by is there: consumers that somebody is, figures that somebody shows, and CPU as it is asked for."""

import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from chassis.stream import STREAM
from contracts.pactfile import edges
from k8s.objects import Object, Pod, at
from k8s.places import Place
from k8s.workloads import quantity

ROOT = Path(__file__).resolve().parent.parent
Found = Iterator[tuple[str, str]]
SHOWN_AT = "/load"
_GAUGE = re.compile(r"service\.gauge\(\s*\"(\w+)\"")


def scalers_are_answered(place: Place) -> Found:
    """Each trigger asks for something that its target really has; else it would never scale, and say nothing."""
    for each in place.all.of_kind("ScaledObject"):
        target = at(each.spec, "scaleTargetRef", "name", default="")
        for trigger in each.spec.get("triggers") or []:
            metadata = trigger.get("metadata") or {}
            match trigger.get("type"):
                case "nats-jetstream":
                    yield from ((each.where, sentence) for sentence in _lag(metadata, target))
                case "metrics-api":
                    yield from ((each.where, sentence) for sentence in _load(metadata))


def _lag(metadata: Mapping[str, Any], target: str) -> Iterator[str]:
    if metadata.get("stream") != STREAM:
        yield f"asks for the stream {metadata.get('stream', '(none)')}: the code has {STREAM}. Correct it."
    hearing = {edge.consumer for edge in edges() if edge.kind == "hears"}
    if metadata.get("consumer") not in hearing:
        yield f"asks for the consumer {metadata.get('consumer', '(none)')}, which nobody is: only {', '.join(sorted(hearing))} hear facts."
    elif metadata["consumer"] != target:
        yield f"scales {target} by how far {metadata['consumer']} lags. Name its own consumer."


def _load(metadata: Mapping[str, Any]) -> Iterator[str]:
    address = urlsplit(str(metadata.get("url", "")))
    service = (address.hostname or "").partition(".")[0]
    if address.path != SHOWN_AT:
        yield f"asks {metadata.get('url')}: services show their figures at {SHOWN_AT}. Correct the path."
    if (name := metadata.get("valueLocation")) not in gauges_of(service):
        yield f"asks {service or 'nobody'} for {name}, which shows {', '.join(sorted(gauges_of(service))) or 'no figures'}. Correct it."


@cache
def gauges_of(service: str) -> frozenset[str]:
    """The figures that a service shows, by its app.py."""
    path = ROOT / "services" / service / "app.py"
    return frozenset(_GAUGE.findall(path.read_text(encoding="utf-8")) if service and path.is_file() else ())


def utilisation_is_of_enough(place: Place) -> Found:
    """An autoscaler by CPU reckons with what is asked for: of a tenth of a core, every moment of work is too much."""
    for each in place.all.of_kind("HorizontalPodAutoscaler", "ScaledObject"):
        if not _by_utilisation(each):
            continue
        reference = each.spec.get("scaleTargetRef") or {}
        target = place.all.named(reference.get("kind", "Deployment"), reference.get("name", ""))
        for sentence in _asked(target.pod) if target and target.pod else ():
            yield each.where, sentence


def _by_utilisation(scaler: Object) -> bool:
    listed = [
        *(at(each, "resource", default={}) for each in scaler.spec.get("metrics") or []),
        *({"name": each.get("type"), "target": {"type": each.get("metricType")}} for each in scaler.spec.get("triggers") or []),
    ]  # fmt: skip
    return any(each.get("name") == "cpu" and at(each, "target", "type") == "Utilization" for each in listed)


def _asked(pod: Pod) -> Iterator[str]:
    for container in pod.containers():
        requested = at(container.document, "resources", "requests", "cpu", default="0")
        limit = at(container.document, "resources", "limits", "cpu")
        if limit is not None and quantity(requested) < quantity(limit) / 2:
            yield (
                f"scales {pod.owner.where} by the share of {requested} of CPU, where its container {container.name} may use {limit}. "
                "Let it request half of that at least."
            )
