"""Where a service has to be written by hand, because nothing else knows it: what stands there, and where a new one's line goes.

What local/topology.py knows is in no list here: k8s/lists.py, k8s/policies.py, k8s/nats.py and contracts/promises write it.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from k8s import lists, nats, policies

ROOMS = ("__init__.py", "app.py", "settings.py", "tables.py", "migrations/env.py", "README.md", "catalog-info.yaml")
DOCUMENTS = "`make documents`"
HEARD = "events.orders.order_confirmed.v1"


@dataclass(frozen=True)
class Line:
    """A place in a file that everybody shares: what is to be found there of a service, and what goes in before which text (at the end)."""

    file: str
    sign: str
    added: str
    before: str = ""
    # Services that offer no operations (web has pages) are not in tables of operations.
    of_operations: bool = False

    def put(self, text: str, name: str) -> str:
        """The file with the line of a new service. Raises ValueError if the text beside which it goes is not there."""
        at = text.find(self.before) if self.before else len(text)
        if at < 0:
            raise ValueError(
                f"{self.file} has no {self.before.strip()!r} any more. Correct local/newservice/places.py."
            )
        return text[:at] + self.added.replace("newname", name) + text[at:]


SERVICES = Line("local/topology.py", "", '    "newname": (),\n', before='    "web": ("accounts"')
HEARS = Line("local/topology.py", "", f'    "newname": ("{HEARD}",),\n', before="}\n# What is heard as it goes by")
# A new service is scaled by CPU; another file of that folder may scale it by something better later.
SCALED = Line(
    "k8s/components/autoscaling/by-cpu.yaml",
    "",
    """\
---
# Hears of orders, and answers little.
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata:
  name: newname
  labels: {app.kubernetes.io/name: newname, app.kubernetes.io/instance: newname, app.kubernetes.io/part-of: onsale}
spec:
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: newname}
  minReplicas: 2
  maxReplicas: 12
  metrics:
    - type: Resource
      resource: {name: cpu, target: {type: Utilization, averageUtilization: 120}}
  behavior:
    scaleUp: {stabilizationWindowSeconds: 0, policies: [{type: Percent, value: 100, periodSeconds: 15}, {type: Pods, value: 4, periodSeconds: 15}], selectPolicy: Max}
    scaleDown: {stabilizationWindowSeconds: 300, policies: [{type: Percent, value: 25, periodSeconds: 60}]}
""",  # noqa: E501
)
UNUSED = Line(
    "contracts/unused.toml",
    "",
    """[[route]]
provider = "newname"
route = "GET /orders/{order_id}"
reason = "It is new, and nobody asks it yet. Whoever does takes this entry out."

""",
    before='[[route]]\nprovider = "payments"\nroute = "POST /webhooks/bank"',
)
# The topology itself is where they come from; a service may hear nothing, and should have nothing that is unused.
SHARED = (
    Line(
        "tests/security/matrix.py",
        '    "newname ',
        '    "newname GET /orders/{order_id}": Row(WEB),\n',
        before="}\n# These are open to the world",
        of_operations=True,
    ),
    Line(
        "k8s/overlays/production/kustomization.yaml",
        "name: onsale/newname\n",
        "  - {name: onsale/newname, newName: registry.example.org/onsale/newname, digest: sha256:" + "0" * 64 + "}\n",
        before="  - {name: onsale/web,",
    ),
    Line(
        "docs/architecture.md",
        "<!-- table: operations of newname -->",
        "### newname\n<!-- table: operations of newname -->\n<!-- end of table -->\n\n",
        before="### Records, of orders",
        of_operations=True,
    ),
    Line(
        "docs/guides/production.md",
        "\n| newname | ",
        "| newname | not measured yet | 12 | |\n",
        before="| each database | the Cluster's",
    ),
)
NEW = (SERVICES, HEARS, SCALED, UNUSED, *SHARED)


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
    """Whether a line is there. A sign that ends a line stands for a whole word: kustomize writes what follows on a line of its own."""
    return sign in text or (sign.endswith("\n") and f"{sign.rstrip()}," in text)


def _stale(files: Callable[[], list[str]]) -> list[str]:
    try:
        return files()
    except FileNotFoundError:
        return []  # a document is missing, and that was reported
