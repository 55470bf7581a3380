"""Where a service has to be written by hand, because nothing else knows it: what stands there, and where a new one's line goes.

What local/topology.py knows is in no list here: k8s/lists.py, k8s/policies.py, k8s/nats.py and contracts/promises write it.
"""

from dataclasses import dataclass

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
        "tests/grown/everything.py",
        '    "newname": ',
        '    "newname": "It is new: what it keeps are rows by their key.",\n',
        before="}\n\n# All the others.",
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
