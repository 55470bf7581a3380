"""Builds the manifests with `kubectl kustomize`: every overlay, all of infra, and every combination of components on the base."""

import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import chain, combinations
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from k8s.objects import Build, Document, Object, parse

ROOT = Path(__file__).resolve().parent.parent
KUBECTL = Path(sys.executable).parent / "kubectl"
BUILD_SECONDS = 60.0
AT_ONCE = 2
SHUFFLES = 2
# What kustomizations may refer to, beside their own folder.
_COPIED = ("k8s", "tracing")
_FILE = "kustomization.yaml"
# Several run at once, each for a moment: collecting garbage would be half of their work.
_QUICKLY = {"GOMAXPROCS": "1", "GOGC": "off", "GOMEMLIMIT": "400MiB"}


class Rendering:
    """Builds of one checkout. A context manager: combinations are built in a scratch copy, since kustomize wants relative paths."""

    def __init__(self, root: Path = ROOT) -> None:
        self.root = root
        self._scratch = tempfile.TemporaryDirectory(prefix="onsale-manifests-")
        self._built: dict[str, Build] = {}

    def __enter__(self) -> Self:
        ignored = shutil.ignore_patterns("*.py", "__pycache__", "schemas", "store", "tests")
        for name in _COPIED:
            if (self.root / name).is_dir():
                shutil.copytree(self.root / name, Path(self._scratch.name) / name, ignore=ignored)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._scratch.cleanup()

    def folders(self) -> list[str]:
        """Every kustomization of overlays and infra that can be built on its own: not the components."""
        k8s = self.root / "k8s"
        tops = sorted(path for pattern in ("overlays/*", "infra/*", "infra/*/*") for path in k8s.glob(pattern))
        return [str(each.relative_to(self.root)) for each in tops if _is_built_alone(each / _FILE)]

    def components(self) -> list[str]:
        """The names of all components."""
        return sorted(each.parent.name for each in (self.root / "k8s/components").glob(f"*/{_FILE}"))

    def builds(self, folders: Iterable[str]) -> list[Build]:
        """Builds these folders, a few at a time; each once."""
        with ThreadPoolExecutor(AT_ONCE) as pool:
            return list(pool.map(self.build, folders))

    def build(self, folder: str) -> Build:
        """What one folder, or a file of its own, says; its path is relative to the checkout."""
        if folder not in self._built:
            path = self.root / folder
            self._built[folder] = _read(folder, path) if path.suffix == ".yaml" else _kustomize(folder, path)
        return self._built[folder]

    def combinations(self) -> list[Build]:
        """The base with every set of components, none and all included; each set in the order of its names."""
        names = self.components()
        sets = chain.from_iterable(combinations(names, size) for size in range(len(names) + 1))
        return self._combined(sets)

    def orders(self) -> list[Build]:
        """The base with all components in other orders: the reverse, in which every two of them meet the other way round, and some more."""
        names = self.components()
        orders = [tuple(reversed(names))]
        orders += [tuple(random.Random(seed).sample(names, len(names))) for seed in range(SHUFFLES)]  # noqa: S311
        return self._combined(dict.fromkeys(order for order in orders if list(order) != names))

    def _combined(self, orders: Iterable[Sequence[str]]) -> list[Build]:
        if not (self.root / "k8s/base" / _FILE).exists():
            return []
        with ThreadPoolExecutor(AT_ONCE) as pool:
            return list(pool.map(self._with_components, orders))

    def _with_components(self, names: Sequence[str]) -> Build:
        folder = Path(tempfile.mkdtemp(dir=self._scratch.name))
        lines = ["apiVersion: kustomize.config.k8s.io/v1beta1", "kind: Kustomization", "resources: [../k8s/base]"]
        lines += ["components:", *(f"  - ../k8s/components/{name}" for name in names)] if names else []
        (folder / _FILE).write_text("\n".join(lines) + "\n", encoding="utf-8")
        return _kustomize(f"base with {', '.join(names) or 'no component'}", folder)


def _is_built_alone(file: Path) -> bool:
    return file.exists() and "kind: Component" not in file.read_text(encoding="utf-8")


def _read(name: str, file: Path) -> Build:
    if not file.is_file():
        return Build(name, problem="it is missing.")
    return Build(name, parse(file.read_text(encoding="utf-8")))


def _kustomize(name: str, folder: Path) -> Build:
    started = time.monotonic()
    try:
        done = subprocess.run(
            [str(KUBECTL), "kustomize", str(folder)],
            capture_output=True,
            text=True,
            check=False,
            timeout=BUILD_SECONDS,
            env=os.environ | _QUICKLY,
        )
    except FileNotFoundError:
        return Build(name, problem=f"{KUBECTL.name} is missing: run `make manifests`, which installs it.")
    except subprocess.TimeoutExpired:
        return Build(name, problem=f"it took more than {BUILD_SECONDS:.0f} s to build.")
    if done.returncode != 0:
        return Build(name, problem=f"it does not build: {' '.join(done.stderr.split())}")
    return Build(name, parse(done.stdout), time.monotonic() - started)


def differences(one: Build, other: Build) -> Iterator[str]:
    """A sentence for each object that only one of two builds has, or that is another in it: the order of lists of named things aside."""
    mine, theirs = _comparable(one), _comparable(other)
    for key in sorted(mine.keys() | theirs.keys()):
        if mine.get(key) != theirs.get(key):
            what = "differs" if key in mine and key in theirs else "is in one of them only"
            yield f"{key} {what} between “{one.name}” and “{other.name}”: components must change different fields, by label."


def _comparable(build: Build) -> dict[str, Any]:
    return {f"{each.group}/{each.where}".lstrip("/"): _sorted(each.document) for each in build.objects}


def _sorted(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _sorted(each) for key, each in value.items()}
    if isinstance(value, list):
        return sorted((_sorted(each) for each in value), key=_identity)
    return value


def _identity(item: Any) -> str:
    return repr(sorted(item.items(), key=lambda pair: pair[0])) if isinstance(item, dict) else repr(item)


__all__ = ["ROOT", "Build", "Document", "Object", "Rendering", "differences"]
