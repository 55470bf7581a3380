"""All rules by name, and what they are asked about: objects one by one, builds, or whole places."""

from collections.abc import Callable, Iterable, Iterator

from k8s import (
    environment,
    files,
    images,
    ports,
    presence,
    production,
    reach,
    references,
    routes,
    scaling,
    security,
    validation,
    workloads,
)
from k8s.findings import Finding
from k8s.objects import Build, Object
from k8s.places import Place

OfObject = Callable[[Object], Iterator[str]]
OfBuild = Callable[[Build], Iterator[tuple[str, str]]]
OfPlace = Callable[[Place], Iterator[tuple[str, str]]]

# Asked about every object of every build, whatever is combined.
OBJECTS: dict[str, OfObject] = {
    "schema": validation.valid,
    "restricted": security.restricted,
    "resources": workloads.resources,
    "probes": workloads.probes,
    "token": workloads.tokens,
    "env-order": workloads.env_order,
    "rolls": workloads.rolls,
    "labels": presence.labels,
}
# Asked about every build as a whole.
BUILDS: dict[str, OfBuild] = {
    "selectors": presence.selectors_are_exact,
    "disruption": presence.disruption_budgets_let_go,
}
# Asked about every place: an overlay together with its infrastructure.
PLACES: dict[str, OfPlace] = {
    "namespace": presence.namespaces_agree,
    "present": presence.services_are_there,
    "drain": presence.pods_have_time_to_drain,
    "settings": environment.settings_agree,
    "references": references.references_exist,
    "targets": references.targets_exist,
    "named-maps": references.maps_are_named_by_readers,
    "unused-maps": references.maps_are_used,
    "services": ports.services_fit,
    "listening": ports.listening_agrees,
    "addresses": ports.addresses_exist,
    "policies": reach.policies_fit,
    "reachable": reach.settings_can_be_followed,
    "digests": images.have_digests,
    "own-images": images.are_their_own,
    "survives": production.outlives_one,
    "databases": production.databases_keep_their_word,
    "routes": routes.routes_are_answered,
    "scalers": scaling.scalers_are_answered,
    "utilisation": scaling.utilisation_is_of_enough,
    "files": files.files_are_mounted,
    "passwords": files.passwords_are_there,
}
RELEASE: dict[str, OfPlace] = {
    "release": images.placeholders,
    "addresses-to-fill-in": images.example_addresses,
}


def of_objects(builds: Iterable[Build]) -> Iterator[Finding]:
    """What is wrong with single objects. One that several builds share is asked about once."""
    seen: set[Object] = set()
    for build in builds:
        for found in build.objects:
            if found in seen:
                continue
            seen.add(found)
            for name, rule in OBJECTS.items():
                yield from (Finding(name, found.where, sentence, build.name) for sentence in rule(found))


def of_builds(builds: Iterable[Build]) -> Iterator[Finding]:
    """What does not fit together in one build."""
    for build in builds:
        for name, rule in BUILDS.items():
            yield from (Finding(name, where, sentence, build.name) for where, sentence in rule(build))


def of_places(places: Iterable[Place], rules: dict[str, OfPlace] | None = None) -> Iterator[Finding]:
    """What does not fit together where it runs."""
    for place in places:
        for name, rule in (PLACES if rules is None else rules).items():
            yield from (Finding(name, where, sentence, place.name) for where, sentence in rule(place))
