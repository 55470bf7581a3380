"""Images: in production each one by digest, and before a release no digest that merely stands in."""

import re
from collections.abc import Iterator

from k8s.objects import NAME, Build, at
from k8s.places import Place, repository_of
from k8s.workloads import image_parts
from local.topology import SERVICES

_EXAMPLE = re.compile(r"[\w.@-]*\bexample\.(?:org|com|net|test)\b|[\w.@-]+\.example\b")
Found = Iterator[tuple[str, str]]

# What a kustomization has until somebody has built, scanned and signed the image.
PLACEHOLDER = "sha256:" + "0" * 64


def images_of(build: Build) -> Iterator[tuple[str, str]]:
    """Every image of a build, with the object that names it; those too that operators run for it."""
    for pod in build.pods():
        yield from ((pod.owner.where, container.image) for container in pod.containers())
    for each in build.of_kind("Cluster"):
        yield each.where, str(each.spec.get("imageName", ""))
    for each in build.of_kind("Pooler"):
        yield each.where, str(at(each.spec, "pgbouncer", "image", default=""))
        for container in at(each.spec, "template", "spec", "containers", default=[]):
            if container.get("image"):
                yield each.where, container["image"]


def have_digests(place: Place) -> Found:
    """In production a tag is not enough: who can move it decides what runs."""
    if place.plan.environment != "production":
        return
    for where, image in images_of(place.all):
        if image and not image_parts(image)[2]:
            yield (
                where,
                f"has the image {image} without a digest. Give it one in the kustomization's images (digest: sha256:...).",
            )


def are_their_own(place: Place) -> Found:
    """What is labelled as a service runs the image of that name, wherever it is kept: `registry.example.org/onsale/orders`.

    Where all services are one process, that is the image of all.
    """
    ours = {*SERVICES, *map(place.home_of, SERVICES)}
    for pod in place.all.pods():
        service = pod.labels.get(NAME, "")
        if service not in ours or pod.kind not in {"service", "job"}:
            continue
        for container in pod.containers():
            if repository_of(container) != place.home_of(service):
                yield (
                    pod.owner.where,
                    f"is labelled {service} and runs the image {container.image}. Correct newName in the kustomization's images.",
                )


def example_addresses(place: Place) -> Found:
    """The same of addresses: those of a shop that is not one."""
    for each in place.all.objects:
        for address in sorted(set(_EXAMPLE.findall(each.text))):
            yield each.where, f"says {address}, which is nobody's. Set the real one."


def placeholders(place: Place) -> Found:
    """What a release may not have."""
    for where, image in images_of(place.all):
        if image_parts(image)[2] == PLACEHOLDER:
            yield (
                where,
                (
                    f"has a placeholder for the digest of {image.partition('@')[0]}. Set the digest of the image that was built and "
                    "scanned: `kustomize edit set image NAME@sha256:...`."
                ),
            )
