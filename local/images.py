"""`make images`: builds the images of all services, simulators and the toolbox, and says how large they are.

Beside each image it writes its bill of materials (CycloneDX) to .onsale/images/. Where no registry can be reached, images
stand on a stand-in for the base image (local/base_image.py).
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

from chassis.version import project_version
from local.base_image import find_base
from local.engine import BuildFailed, Engine
from local.errors import StartError
from local.package_index import secrets_of_pip
from local.topology import MONOLITH, ROOT, SERVICES

AT_ONCE = 2
BILLS = ROOT / ".onsale" / "images"
OTHERS = {"bank": "simulators", "mailbox": "simulators", "toolbox": "local"}
# What is built from which folder.
CODE = {service: f"services/{service}" for service in SERVICES} | {MONOLITH: "services"} | OTHERS
SHARED_LAYER = "COPY /image/shared/"


@dataclass(frozen=True)
class Built:
    """One image. Sizes are in bytes and not compressed; `own_bytes` is what no other image has."""

    name: str
    tag: str
    size: int
    own_bytes: int
    packages: int
    seconds: float


class Builder:
    """Builds images with one engine, on one base."""

    def __init__(self, engine: Engine, base: str, secrets: dict[str, Path], version: str) -> None:
        self.engine = engine
        self.base = base
        self.version = version
        self._secrets = secrets
        self._labels = labels_of_checkout()

    def build_shared(self) -> float:
        """The packages that all images have in common, first and alone. Seconds."""
        started = time.monotonic()
        self._build([], target="shared", arguments={})
        return time.monotonic() - started

    def build(self, name: str) -> Built:
        """One image and its bill of materials. Raises BuildFailed with the build's last lines."""
        started = time.monotonic()
        tag = f"onsale/{name}:{self.version}"
        own = {"SERVICE": name, "CODE": CODE[name], "VERSION": self.version}
        # `dev` is what the manifests of a laptop's cluster say.
        self._build([tag, f"onsale/{name}:dev"], target="service", arguments=own | self._labels)
        packages = self._copy_bill(name, tag)
        size, own_bytes = self._sizes(tag)
        return Built(name, tag, size, own_bytes, packages, time.monotonic() - started)

    def shared_bytes(self, tag: str) -> int:
        """The size of the layer that all images have in common."""
        return sum(size for size, made_by in self._layers(tag) if made_by.startswith(SHARED_LAYER))

    def base_bytes(self, tag: str) -> int:
        """The size of the base, as a part of that image."""
        size, own = self._sizes(tag)
        return size - own - self.shared_bytes(tag)

    def _build(self, tags: list[str], target: str, arguments: dict[str, str]) -> None:
        self.engine.build(
            ROOT,
            tags=tags,
            target=target,
            arguments={"BASE_IMAGE": self.base, **arguments},
            secrets=self._secrets,
        )

    def _copy_bill(self, name: str, tag: str) -> int:
        """Out of the image, where it lies as well. How many Python packages it names."""
        BILLS.mkdir(parents=True, exist_ok=True)
        file = BILLS / f"{name}.cdx.json"
        container = self.engine.run("create", tag)
        try:
            self.engine.run("cp", f"{container}:/sbom/{name}.cdx.json", str(file))
        finally:
            self.engine.run("rm", container)
        bill = json.loads(file.read_text(encoding="utf-8"))
        return sum(1 for each in bill["components"] if each.get("purl", "").startswith("pkg:pypi/"))

    def _layers(self, tag: str) -> list[tuple[int, str]]:
        printed = self.engine.run("history", "--no-trunc", "--human=false", "--format", "{{.Size}} {{.CreatedBy}}", tag)
        parted = (line.partition(" ") for line in printed.splitlines())
        return [(int(size), made_by) for size, _, made_by in parted]

    def _sizes(self, tag: str) -> tuple[int, int]:
        """All of it; and what was laid on top of the shared layer."""
        layers = self._layers(tag)
        above = next(index for index, (_, made_by) in enumerate(layers) if made_by.startswith(SHARED_LAYER))
        return sum(size for size, _ in layers), sum(size for size, _ in layers[:above])


def labels_of_checkout() -> dict[str, str]:
    """The build arguments for the labels that say where an image comes from; those that are not known are left out."""
    revision = _git("rev-parse", "HEAD")
    if revision and _git("status", "--porcelain"):
        revision += "-dirty"
    epoch = os.environ.get("SOURCE_DATE_EPOCH") or _git("log", "-1", "--format=%ct")
    created = datetime.fromtimestamp(int(epoch), UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if epoch.isdigit() else ""
    arguments = {
        "REVISION": revision,
        "SOURCE": _without_login(_git("remote", "get-url", "origin")),
        "CREATED": created,
    }
    return {name: value for name, value in arguments.items() if value}


def _git(*words: str) -> str:
    try:
        done = subprocess.run(["git", "-C", str(ROOT), *words], capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def _without_login(address: str) -> str:
    """An address that may be shown: of the web, without a password in it."""
    parts = urlsplit(address)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        return ""
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()


def build_all(builder: Builder, names: Sequence[str]) -> list[Built]:
    """These images, two at a time; a line for each as it is ready."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        futures = {name: pool.submit(builder.build, name) for name in names}
        built = []
        for name, future in futures.items():
            try:
                built.append(future.result())
            except BuildFailed as error:
                pool.shutdown(cancel_futures=True)
                raise StartError(f"onsale/{name} could not be built. The last lines:\n{error}") from error
    return built


def table(builder: Builder, built: Sequence[Built], shared_seconds: float, seconds: float) -> str:
    """What a person wants to know of them. MB are millions of bytes, before compression."""
    lines = [f"{'image':<32}{'size':>9}{'own':>9}{'packages':>10}{'seconds':>9}"]
    for each in built:
        sizes = f"{_mb(each.size):>6} MB{_mb(each.own_bytes):>6} MB"
        lines.append(f"{each.tag:<32}{sizes}{each.packages:>10}{each.seconds:>9.1f}")
    base, shared = builder.base_bytes(built[0].tag), builder.shared_bytes(built[0].tag)
    together = base + shared + sum(each.own_bytes for each in built)
    lines += [
        "",
        f"Every size has in it the base, {builder.base} ({_mb(base)} MB), and the packages that all share ({_mb(shared)} MB,",
        f"built in {shared_seconds:.1f} s). Both are stored once: together the images take {_mb(together)} MB. In all {seconds:.0f} s.",
        f"Bills of materials (CycloneDX): {BILLS.relative_to(ROOT)}/*.cdx.json, and in each image in /sbom.",
    ]
    return "\n".join(lines)


def _mb(size: int) -> str:
    return f"{size / 1e6:.1f}" if size < 10_000_000 else f"{size / 1e6:.0f}"


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="make images", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"which ones: {', '.join(CODE)} (default: all)")
    parser.add_argument("--version", default=project_version(), help="their tag (default: the project's version)")
    chosen = parser.parse_args()
    if unknown := [name for name in chosen.names if name not in CODE]:
        print(f"There is no image {', '.join(unknown)}: choose from {', '.join(CODE)}.", file=sys.stderr)
        return 2
    started = time.monotonic()
    try:
        engine = Engine.find()
        base = find_base(engine, ROOT / "Dockerfile", print)
        with tempfile.TemporaryDirectory(prefix="onsale-secrets-") as folder:
            builder = Builder(engine, base, secrets_of_pip(Path(folder)), chosen.version)
            shared_seconds = builder.build_shared()
            built = build_all(builder, chosen.names or list(CODE))
    except BuildFailed as error:
        print(f"The packages that all images share could not be installed. The last lines:\n{error}", file=sys.stderr)
        return 1
    except StartError as error:
        print(error, file=sys.stderr)
        return 1
    print(table(builder, built, shared_seconds, time.monotonic() - started))
    return 0


if __name__ == "__main__":
    sys.exit(main())
