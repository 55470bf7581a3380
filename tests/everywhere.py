"""In which places a service is missing: those that `make service` writes, and those that `make documents` writes from them."""

import re
from collections.abc import Callable, Iterable
from pathlib import Path

from k8s import lists, nats, policies
from local.newservice.places import SCALED, SHARED

ROOMS = ("__init__.py", "app.py", "settings.py", "tables.py", "migrations/env.py", "README.md", "catalog-info.yaml")
DOCUMENTS = "`make documents`"


def missing(root: Path, services: Iterable[str]) -> list[str]:
    """A sentence for every place in which a service is missing, and for each written file that is not what topology and contracts say."""
    names = sorted(services)
    found = [each for name in names for each in _missing_of(root, name)]
    known = {path.parent.name for path in (root / "services").glob("*/app.py")}
    found += [f"services/{name} is not in local/topology.py (SERVICES)." for name in sorted(known - set(names))]
    found += lists.stale_files(root)
    found += _stale(lambda: policies.stale_files(root / policies.FOLDER.relative_to(lists.ROOT)))
    if (root / nats.USERS_FILE.relative_to(lists.ROOT)).read_text(encoding="utf-8") != nats.users_conf():
        found.append(f"{nats.USERS_FILE.relative_to(lists.ROOT)} is not what local/topology.py says. Run {DOCUMENTS}.")
    return found


def _missing_of(root: Path, name: str) -> Iterable[str]:
    folder = root / "services" / name
    for room in ROOMS:
        if not (folder / room).is_file():
            yield f"services/{name}/{room} is missing. docs/guides/anatomy.md says what is in it."
    if not (root / "k8s/base" / name / "kustomization.yaml").is_file():
        yield f"k8s/base/{name}/kustomization.yaml is missing. Write one like that of catalog."
    if not (root / "contracts/openapi" / f"{name}.json").is_file():
        yield f"contracts/openapi/{name}.json is missing. Run {DOCUMENTS}."
    scaled = "".join(path.read_text(encoding="utf-8") for path in (root / SCALED.file).parent.glob("by-*.yaml"))
    if not re.search(rf"scaleTargetRef: {{(.*, )?name: {name}}}", scaled):
        yield f"{name} has no autoscaler. Write one in {SCALED.file}, like that of catalog."
    for line in SHARED:
        is_wanted = (folder / "operations.py").is_file() or not line.of_operations
        if is_wanted and not _stands(
            line.sign.replace("newname", name), (root / line.file).read_text(encoding="utf-8")
        ):
            yield f"{name} is missing in {line.file}, which has of every service: {line.sign.strip().replace('newname', name)}"


def _stands(sign: str, text: str) -> bool:
    """Whether it is there. A sign that ends a line stands for a whole word: kustomize writes what follows on a line of its own."""
    return sign in text or (sign.endswith("\n") and f"{sign.rstrip()}," in text)


def _stale(files: Callable[[], list[str]]) -> list[str]:
    try:
        return files()
    except FileNotFoundError:
        return []  # a document is missing, and that was reported
