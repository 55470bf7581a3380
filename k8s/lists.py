"""`python -m k8s.lists`: writes what files of kustomize, skaffold and Prometheus say of every service, from local/topology.py.

Neither of them can ask a program, so the lists stand in their files, between `# list: NAME` and `# end of list`. `make documents`
writes them; what stands around them is written by hand.
"""

import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from local.topology import SERVICES

ROOT = Path(__file__).resolve().parent.parent
COMMAND = "`make documents`"
# Each of these has a folder for each service with a kustomization that only names the service.
FOLDERS = ("k8s/infra/local/databases", "k8s/infra/production/services")
FOLDER_FILE = "kustomization.yaml"
TEMPLATE = "template"
MONOLITH = "k8s/monolith"
ON_BUS = "k8s/components/transport/bus/kustomization.yaml"
_LIST = re.compile(
    r"(?P<head>^(?P<indent> *)# list: (?P<name>\w+)\b.*\n)(?:.*\n)*?(?P<end>^ *# end of list$)", re.MULTILINE
)

_FOLDER = """\
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization

configMapGenerator:
  - name: {name}

components: [../template]
"""
_ARTIFACT = """\
- image: onsale/{name}
  docker:
    dockerfile: Dockerfile
    target: dev
    buildArgs: {{SERVICE: {name}}}
  sync:
    manual:
      - {{src: "services/{name}/**/*.py", dest: /app}}
      - {{src: "chassis/**/*.py", dest: /app}}
      - {{src: "tracing/*.py", dest: /app}}"""
_SHIPPED = (
    "- {{image: onsale/{name}, docker: {{dockerfile: Dockerfile, target: service, buildArgs: {{SERVICE: {name}}}}}}}"
)
_CHECKED = """\
- image: onsale/{name}
  custom: [{{command: make contracts SERVICE={name}, timeoutSeconds: 600, dependencies: {{paths: [services/{name}/**/*.py, contracts/pacts/*.json]}}}}]"""  # noqa: E501
_LOGIN = "- secret: {{name: {name}-database, items: [{{key: username, path: {name}/username}}, {{key: password, path: {name}/password}}]}}"
_OF_ALL = "- configMapRef: {{name: {name}}}"
_LOGINS = """\
- {{name: {upper}_KEY_FILE, value: /run/onsale/keys/{name}.pem}}
- name: DATABASE_USER_{upper}
  valueFrom: {{secretKeyRef: {{name: {name}-database, key: username}}}}
- name: DATABASE_PASSWORD_{upper}
  valueFrom: {{secretKeyRef: {{name: {name}-database, key: password}}}}
- name: NATS_USER_{upper}
  valueFrom: {{secretKeyRef: {{name: {name}-nats, key: username}}}}
- name: NATS_PASSWORD_{upper}
  valueFrom: {{secretKeyRef: {{name: {name}-nats, key: password}}}}
- name: {upper}_DATABASE_URL
  value: postgresql://$(DATABASE_USER_{upper}):$(DATABASE_PASSWORD_{upper})@{name}-database:5432/$(DATABASE_USER_{upper})
- name: {upper}_NATS_URL
  value: nats://$(NATS_USER_{upper}):$(NATS_PASSWORD_{upper})@nats:4222"""
_KEY = "- secret: {{name: {name}-key, items: [{{key: key.pem, path: {name}.pem}}]}}"
_IN_ONE = "- {{name: onsale/{name}, newName: onsale/monolith, newTag: dev}}"
_GONE = """\
expr: |
  count by (job) (count_over_time(target_info{{job=~"{names}"}}[1h]))
    unless on (job) count by (job) (target_info)"""


@dataclass(frozen=True)
class Listing:
    """A list within a file: what it says, for these services."""

    file: str
    name: str
    lines: Callable[[], str]


def listings() -> Iterator[Listing]:
    """Every list that there has to be."""
    yield Listing("k8s/base/kustomization.yaml", "services", lambda: _each("- {name}"))
    for folder in FOLDERS:
        yield Listing(f"{folder}/{FOLDER_FILE}", "services", lambda: _each("- {name}"))
    yield Listing("k8s/infra/local/light/databases.yaml", "logins", lambda: _each(_LOGIN))
    yield Listing(
        "k8s/infra/production/secrets/nats-users.yaml", "passwords", lambda: "\n".join(map(_password, _names()))
    )
    yield Listing("skaffold.yaml", "artifacts", lambda: _each(_ARTIFACT))
    yield Listing("skaffold.yaml", "checked", lambda: _each(_CHECKED))
    yield Listing("skaffold.yaml", "shipped", lambda: _each(_SHIPPED))
    yield Listing("tracing/prometheus/rules.yaml", "gone", lambda: _GONE.format(names="|".join(_names())))
    yield Listing(ON_BUS, "addresses", lambda: "\n".join(map(_without_addresses, _asking())))
    yield Listing(f"{MONOLITH}/{FOLDER_FILE}", "together", lambda: f"- ONSALE_SERVICES={' '.join(SERVICES)}")
    for name, line in (("settings", _OF_ALL), ("logins", _LOGINS), ("keys", _KEY)):
        yield Listing(f"{MONOLITH}/deployment.yaml", name, partial(_each, line))
    yield Listing("k8s/overlays/monolith/kustomization.yaml", "images", lambda: _each(_IN_ONE))
    for name, providers in SERVICES.items():
        if providers:
            yield Listing(_settings_of(name), "addresses", lambda name=name: "\n".join(_addresses(name)))  # type: ignore[misc]


def _names() -> list[str]:
    return sorted(SERVICES)


def _each(line: str) -> str:
    return "\n".join(line.format(name=name, upper=name.upper()) for name in _names())


def _password(name: str) -> str:
    return f"- {{secretKey: {name.upper()}, remoteRef: {{key: onsale/{name}/nats, property: password}}}}"


def _settings_of(name: str) -> str:
    """The folder of a service's ConfigMap. Both Deployments of web share one, in the folder of one of them."""
    return f"k8s/base/{'web/browse' if name == 'web' else name}/kustomization.yaml"


def _addresses(name: str) -> list[str]:
    return [f"- {name.upper()}_{each.upper()}_URL=http://{each}:8000" for each in sorted(SERVICES[name])]


def _asking() -> list[str]:
    return [name for name in _names() if SERVICES[name]]


def _without_addresses(name: str) -> str:
    """What takes the addresses of others out of a service's ConfigMap."""
    variables = [each.removeprefix("- ").partition("=")[0] for each in _addresses(name)]
    gone = "\n".join(f"    - {{op: remove, path: /data/{each}}}" for each in variables)
    return f"- target: {{kind: ConfigMap, name: {name}}}\n  patch: |-\n{gone}"


def files(root: Path = ROOT) -> dict[Path, str]:
    """Every file by its path, as the topology says it now. Raises ValueError for a list that has no place in its file."""
    made = {root / folder / name / FOLDER_FILE: _FOLDER.format(name=name) for folder in FOLDERS for name in _names()}
    for each in listings():
        path = root / each.file
        made[path] = _with(made.get(path) or _text(path), each)
    return made


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.exists() else ""


def _with(text: str, listing: Listing) -> str:
    places = [found for found in _LIST.finditer(text) if found["name"] == listing.name]
    if len(places) != 1:
        raise ValueError(
            f"{listing.file} has {len(places) or 'no'} lines `# list: {listing.name}` with `# end of list` beneath, where there has to be "
            f"one. Put them there; {COMMAND} writes what stands between them."
        )
    (found,) = places
    said = "".join(f"{found['indent']}{line}\n" for line in listing.lines().splitlines())
    return text[: found.start()] + found["head"] + said + found["end"] + text[found.end() :]


def left_over(root: Path = ROOT) -> list[Path]:
    """Folders of services that are gone."""
    known = {*SERVICES, TEMPLATE}
    return sorted(
        each.parent
        for folder in FOLDERS
        for each in (root / folder).glob(f"*/{FOLDER_FILE}")
        if each.parent.name not in known
    )


def stale_files(root: Path = ROOT) -> list[str]:
    """A sentence for each file that is not what the topology says."""
    try:
        made = files(root)
    except ValueError as error:
        return [str(error)]
    return [
        *(
            f"{path.relative_to(root)} is not what local/topology.py says. Run {COMMAND}."
            for path, text in made.items()
            if _text(path) != text
        ),
        *(f"{path.relative_to(root)} is of no service. Run {COMMAND}, which removes it." for path in left_over(root)),
    ]


def main() -> None:
    """Writes the files, and removes those of services that are gone."""
    try:
        made = files()
    except ValueError as error:
        sys.exit(str(error))
    for path in left_over():
        (path / FOLDER_FILE).unlink()
        path.rmdir()
    for path, text in made.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
