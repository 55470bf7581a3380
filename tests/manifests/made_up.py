"""A small made-up place with which no rule finds fault, and ways to plant a fault in it."""

import json
from collections.abc import Callable, Iterable
from functools import cache
from typing import Any

import yaml

from k8s import policies, rules
from k8s.objects import Build, Document, Object
from k8s.places import Place, Plan
from local.cluster_secrets import names
from local.topology import SERVICES

Change = Callable[[list[Document]], None]
PLAN = Plan("made-up", "overlay", "infra")

_POD = """
automountServiceAccountToken: false
securityContext: {runAsNonRoot: true, runAsUser: 10001, seccompProfile: {type: RuntimeDefault}}
containers:
  - name: main
    image: somebody/something:1.2.3
    resources: {requests: {cpu: 100m, memory: 64Mi}, limits: {cpu: "1", memory: 64Mi}}
    securityContext: {allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}
"""
_ENVIRONMENT = """
- {name: DATABASE_USER, valueFrom: {secretKeyRef: {name: X-database, key: username}}}
- {name: DATABASE_PASSWORD, valueFrom: {secretKeyRef: {name: X-database, key: password}}}
- {name: NATS_USER, valueFrom: {secretKeyRef: {name: X-nats, key: username}}}
- {name: NATS_PASSWORD, valueFrom: {secretKeyRef: {name: X-nats, key: password}}}
- {name: ONSALE_DATABASE_URL, value: "postgresql://$(DATABASE_USER):$(DATABASE_PASSWORD)@X-database:5432/$(DATABASE_USER)"}
- {name: ONSALE_NATS_URL, value: "nats://$(NATS_USER):$(NATS_PASSWORD)@nats:4222"}
"""
_SHARED = {
    "ONSALE_ENVIRONMENT": "local",
    "ONSALE_HOST": "0.0.0.0",  # noqa: S104
    "ONSALE_PORT": "8000",
    "ONSALE_KEY_FILE": "/run/onsale/key/key.pem",
    "ONSALE_SERVICE_KEYS_FILE": "/run/onsale/public/services.jwks.json",
    "ONSALE_PERSON_KEYS_URL": "http://accounts:8000/.well-known/jwks.json",
    "ONSALE_OTLP_ENDPOINT": "http://otel-collector:4318",
}
_OWN = {
    "payments": {"PAYMENTS_BANK_URL": "http://bank:8020", "PAYMENTS_BANK_API_KEY": "k" * 9, "PAYMENTS_BANK_WEBHOOK_SECRET": "s" * 9},
    "notifications": {"NOTIFICATIONS_SMTP_HOST": "mailbox", "NOTIFICATIONS_SMTP_PORT": "8025"},
    "web": {"WEB_PUBLIC_URL": "http://localhost:8000", "WEB_COOKIE_SECRET": "c" * 40},
}  # fmt: skip
_BANK = {
    "BANK_HOST": "0.0.0.0",  # noqa: S104
    "BANK_PORT": "8020",
    "BANK_DATA": "/data/bank",
    "BANK_API_KEY": "k" * 9,
    "BANK_WEBHOOK_SECRET": "s" * 9,
    "BANK_WEBHOOK_URL": "http://payments:8000/webhooks/bank",
    "BANK_PUBLIC_URL": "http://localhost:8020",
}


def documents() -> list[Document]:
    """All objects of the place, anew."""
    made: list[Document] = json.loads(_written())
    return made


@cache
def _written() -> str:
    found = [
        _object("v1", "Namespace", "onsale", metadata={"labels": {"pod-security.kubernetes.io/enforce": "restricted"}})
    ]
    found.append(_object("v1", "ConfigMap", "onsale", {"app.kubernetes.io/name": "onsale"}, data=_SHARED))
    for name in SERVICES:
        found += [
            *_service(name),
            *_server(f"{name}-database", "database", {"postgres": 5432}, {"onsale.dev/database-of": name}),
        ]
    found += _server("nats", "broker", {"nats": 4222, "monitor": 8222})
    found += _server("otel-collector", "telemetry", {"otlp": 4317, "otlp-http": 4318})
    found += _server("jaeger", "telemetry", {"otlp": 4317, "query": 16686})
    found += _server("mailbox", "simulator", {"smtp": 8025, "http": 8026})
    found += _bank()
    found += [_job("secrets"), _job("stream")]
    found += [*policies.policies("everywhere"), *policies.policies("local")]
    for each in found:
        each["metadata"]["namespace"] = "onsale"
    return json.dumps(found)


def _object(api: str, kind: str, name: str, labels: dict[str, str] | None = None, **rest: Any) -> Document:
    metadata = {"name": name, **rest.pop("metadata", {})}
    metadata["labels"] = {"app.kubernetes.io/part-of": "onsale", **metadata.get("labels", {}), **(labels or {})}
    return {"apiVersion": api, "kind": kind, "metadata": metadata, **rest}


def _template(labels: dict[str, str], ports: dict[str, int], **container: Any) -> Document:
    spec = yaml.safe_load(_POD)
    spec["containers"][0] |= container
    if ports:
        spec["containers"][0]["ports"] = [{"name": name, "containerPort": port} for name, port in ports.items()]
    return {"metadata": {"labels": {"app.kubernetes.io/part-of": "onsale", **labels}}, "spec": spec}


def _probe(path: str) -> Document:
    return {"httpGet": {"path": path, "port": "http"}}


def _service(name: str) -> list[Document]:
    labels = {"app.kubernetes.io/name": name, "onsale.dev/kind": "service"}
    more = {"app.kubernetes.io/component": "browse"} if name == "web" else {}
    environment = yaml.safe_load(_ENVIRONMENT.replace("X", name))
    sources = [{"configMapRef": {"name": name}}, {"configMapRef": {"name": "onsale"}}]
    template = _template(
        labels | more,
        {"http": 8000},
        image=f"onsale/{name}:1",
        args=["chassis.serve"],
        env=environment,
        envFrom=sources,
        startupProbe=_probe("/livez"),
        readinessProbe=_probe("/readyz"),
        livenessProbe=_probe("/livez"),
        lifecycle={"preStop": {"sleep": {"seconds": 5}}},
        volumeMounts=[
            {"name": each, "mountPath": f"/run/onsale/{each}", "readOnly": True} for each in ("key", "public")
        ],
    )
    volumes = [
        {"name": "key", "secret": {"secretName": f"{name}-key"}},
        {"name": "public", "secret": {"secretName": "service-keys"}},
    ]
    template["spec"] |= {"volumes": volumes}
    template["spec"] |= {"serviceAccountName": name, "terminationGracePeriodSeconds": 30}
    selector = {"matchLabels": dict(labels)}
    rolling = {"rollingUpdate": {"maxUnavailable": 0}}
    addresses = {f"{name.upper()}_{each.upper()}_URL": f"http://{each}:8000" for each in SERVICES[name]}
    migration = [environment[0], environment[1], environment[4], {"name": "ONSALE_SERVICE", "value": name}]
    return [
        _object("v1", "ConfigMap", name, {"app.kubernetes.io/name": name}, data={"ONSALE_SERVICE": name} | addresses | _OWN.get(name, {})),
        _object("apps/v1", "Deployment", name, labels, spec={"selector": selector, "strategy": rolling, "template": template}),
        _object("v1", "Service", name, labels, spec={"selector": dict(labels), "ports": [{"port": 8000, "targetPort": "http"}]}),
        _object("v1", "ServiceAccount", name, labels, automountServiceAccountToken=False),
        _object("policy/v1", "PodDisruptionBudget", name, labels, spec={"maxUnavailable": 1, "selector": dict(selector)}),
        _job(f"{name}-migration", name, "migration", image=f"onsale/{name}:1", args=["chassis.migrate"], env=migration),
    ]  # fmt: skip


def _job(name: str, of: str = "", component: str = "", **container: Any) -> Document:
    labels = {"app.kubernetes.io/name": of or name, "onsale.dev/kind": "job"}
    labels |= {"app.kubernetes.io/component": component} if component else {}
    template = _template(labels, {}, **container)
    template["spec"]["restartPolicy"] = "OnFailure"
    return _object("batch/v1", "Job", name, labels, spec={"template": template})


def _server(
    name: str, kind: str, ports: dict[str, int], more: dict[str, str] | None = None, **container: Any
) -> list[Document]:
    labels = {"app.kubernetes.io/name": name, "onsale.dev/kind": kind, **(more or {})}
    probe = {"tcpSocket": {"port": next(iter(ports))}}
    template = _template(labels, ports, readinessProbe=probe, livenessProbe=probe, **container)
    listed = [{"name": key, "port": port, "targetPort": key} for key, port in ports.items()]
    return [
        _object("apps/v1", "Deployment", name, labels, spec={"selector": {"matchLabels": dict(labels)}, "template": template}),
        _object("v1", "Service", name, labels, spec={"selector": dict(labels), "ports": listed}),
    ]  # fmt: skip


def _bank() -> list[Document]:
    environment = [{"name": key, "value": value} for key, value in _BANK.items()]
    return _server(
        "bank", "simulator", {"http": 8020}, image="onsale/bank:1", args=["simulators.bank"], env=environment
    )


def build(found: Iterable[Document], name: str = "made-up") -> Build:
    """A build of these objects."""
    return Build(name, tuple(Object.of(each) for each in found))


def place(found: Iterable[Document], plan: Plan = PLAN) -> Place:
    """The same as a place."""
    return Place(plan, build(found), Build("nothing"), names())


def findings(found: Iterable[Document], plan: Plan = PLAN) -> list[str]:
    """What all rules say, as `rule: where sentence`."""
    whole = place(found, plan)
    said = [*rules.of_objects([whole.all]), *rules.of_builds([whole.all]), *rules.of_places([whole])]
    return [f"{each.rule}: {each.where} {each.sentence}" for each in said]


def get(found: list[Document], where: str) -> Document:
    """The object `Kind/name`."""
    kind, _, name = where.partition("/")
    return next(each for each in found if each["kind"] == kind and each["metadata"]["name"] == name)


def put(document: Any, path: str, value: Any) -> None:
    """Sets what is at a path like `spec.template.spec.containers.0.image`; None removes it. Dots in a key are written `~`."""
    *way, last = [each.replace("~", ".") for each in path.split(".")]
    for key in way:
        document = document[int(key)] if isinstance(document, list) else document.setdefault(key, {})
    if isinstance(document, list):
        document[int(last) : int(last) + 1] = [] if value is None else [value]
    elif value is None:
        del document[last]
    else:
        document[last] = value


def with_change(where: str, path: str, value: Any) -> list[Document]:
    """The place with one thing changed."""
    found = documents()
    put(get(found, where), path, value)
    return found


def without(where: str) -> list[Document]:
    """The place without an object."""
    found = documents()
    found.remove(get(found, where))
    return found


def said_by(rule: str, found: list[Document], plan: Plan = PLAN) -> list[str]:
    """What one rule says, as `where sentence`."""
    whole = place(found, plan)
    if rule in rules.OBJECTS:
        return [f"{each.where} {said}" for each in whole.all.objects for said in rules.OBJECTS[rule](each)]
    if rule in rules.BUILDS:
        return [f"{where} {said}" for where, said in rules.BUILDS[rule](whole.all)]
    return [f"{where} {said}" for where, said in {**rules.PLACES, **rules.RELEASE}[rule](whole)]
