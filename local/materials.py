"""An image's bill of materials, as CycloneDX: run while the image is built, by the image's own Python.

It names what pip really installed, with the digest of each file that it came in, what Debian packages the base has, Python
and the base itself. The same image always gives the same bill: it holds no time, and its serial number comes from its content.
"""

import argparse
import json
import platform
import re
import sys
import uuid
from collections.abc import Iterable, Iterator
from importlib import metadata
from pathlib import Path
from typing import Any
from urllib.parse import quote

DPKG_STATUS = Path("/var/lib/dpkg/status")
OS_RELEASE = Path("/etc/os-release")
BASE_PACKAGES = tuple(Path("/usr/local/lib").glob("python3*/site-packages"))
NAMESPACE = uuid.uuid5(uuid.NAMESPACE_DNS, "materials.onsale")

Component = dict[str, Any]


def bill(image: str, version: str, base: str, components: Iterable[Component]) -> dict[str, Any]:
    """The document, for that image made on that base."""
    subject = {"type": "container", "bom-ref": f"{image}:{version}", "name": image, "version": version}
    parts = sorted(components, key=lambda each: str(each["bom-ref"]))
    content = {
        "metadata": {"component": subject},
        "components": [base_image(base), *parts],
        "dependencies": [{"ref": subject["bom-ref"], "dependsOn": [f"base:{base}", *(p["bom-ref"] for p in parts)]}],
    }
    serial = uuid.uuid5(NAMESPACE, json.dumps(content, sort_keys=True))
    head = {"bomFormat": "CycloneDX", "specVersion": "1.6", "serialNumber": f"urn:uuid:{serial}", "version": 1}
    return head | content


def base_image(base: str) -> Component:
    """What the image stands on: its name, tag, and the digest if the name has one."""
    name, _, digest = base.partition("@")
    repository, _, tag = name.rpartition(":")
    component: Component = {"type": "container", "bom-ref": f"base:{base}", "name": repository or name}
    component["version"] = tag if repository else "latest"
    if digest.startswith("sha256:"):
        component["hashes"] = [{"alg": "SHA-256", "content": digest.removeprefix("sha256:")}]
    return component


def python_packages(reports: Iterable[Path]) -> Iterator[Component]:
    """What pip installed, from its reports: name, version, licence, and the digest of the very file."""
    for report in reports:
        for each in json.loads(report.read_text(encoding="utf-8"))["install"]:
            about = each["metadata"]
            name = re.sub(r"[-_.]+", "-", about["name"]).lower()
            purl = f"pkg:pypi/{name}@{quote(about['version'])}"
            component: Component = {"type": "library", "bom-ref": purl, "name": name, "version": about["version"]}
            component["hashes"] = [
                {"alg": "SHA-256", "content": each["download_info"]["archive_info"]["hashes"]["sha256"]}
            ]
            if licence := licence_of(about):
                component["licenses"] = [licence]
            yield component | {"purl": purl}


def licence_of(about: dict[str, Any]) -> dict[str, Any] | None:
    """What a package says of its licence: an expression, else the name of the first classifier, else its own words if they are few."""
    if expression := about.get("license_expression"):
        return {"expression": expression}
    classifiers = [each for each in about.get("classifier") or [] if each.startswith("License :: ")]
    words = classifiers[0].rpartition(" :: ")[2] if classifiers else str(about.get("license") or "").strip()
    return {"license": {"name": words}} if words and "\n" not in words else None


def packages_of_base(folders: Iterable[Path] = BASE_PACKAGES) -> Iterator[Component]:
    """Python packages that come with the base (the official one has pip), which neither pip nor Debian would name."""
    for folder in folders:
        for found in metadata.distributions(path=[str(folder)]):
            name = re.sub(r"[-_.]+", "-", found.metadata["Name"]).lower()
            purl = f"pkg:pypi/{name}@{quote(found.version)}"
            yield {"type": "library", "bom-ref": f"base:{purl}", "name": name, "version": found.version, "purl": purl}


def debian_packages(status: Path = DPKG_STATUS, os_release: Path = OS_RELEASE) -> Iterator[Component]:
    """What the base brings, from Debian's own list; nothing where the base is no Debian."""
    if not status.exists():
        return
    release = dict(re.findall(r'^(\w+)="?([^"\n]*)"?$', os_release.read_text(encoding="utf-8"), re.MULTILINE))
    distribution = f"{release.get('ID', 'debian')}-{release.get('VERSION_ID', '')}".rstrip("-")
    for paragraph in status.read_text(encoding="utf-8", errors="replace").split("\n\n"):
        fields = dict(re.findall(r"^([\w-]+): (.*)$", paragraph, re.MULTILINE))
        if fields.get("Status") != "install ok installed":
            continue
        qualifiers = f"arch={fields['Architecture']}&distro={distribution}"
        version = quote(fields["Version"], safe="")
        purl = f"pkg:deb/{release.get('ID', 'debian')}/{quote(fields['Package'], safe='')}@{version}?{qualifiers}"
        yield {
            "type": "library",
            "bom-ref": purl,
            "name": fields["Package"],
            "version": fields["Version"],
            "purl": purl,
        }


def python_itself() -> Component:
    """The interpreter."""
    version = platform.python_version()
    purl = f"pkg:generic/python@{version}"
    return {"type": "platform", "bom-ref": purl, "name": "python", "version": version, "purl": purl}


def main() -> int:
    """The command line: the bill goes to the standard output."""
    parser = argparse.ArgumentParser(prog="python materials.py", description=__doc__)
    parser.add_argument("--image", required=True, help="the image's name, e.g. onsale/orders")
    parser.add_argument("--version", required=True)
    parser.add_argument("--base", required=True, help="the base image, as it was named")
    parser.add_argument("reports", nargs="*", type=Path, help="pip's installation reports")
    chosen = parser.parse_args()
    components = [*python_packages(chosen.reports), *packages_of_base(), *debian_packages(), python_itself()]
    json.dump(bill(chosen.image, chosen.version, chosen.base, components), sys.stdout, indent=1)
    sys.stdout.write("\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
