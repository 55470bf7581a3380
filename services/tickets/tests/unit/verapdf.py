"""veraPDF, the reference validator of PDF/UA: a jar that a build tool's registry has, pinned by its digest."""

import hashlib
import shutil
import subprocess
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

VERSION = "1.28.2"
DIGEST = "687d4d8bcfec48c9f7e931cf78ed061f1eeccfba55d4cdc000ba9b4d8aa46ce6"
_JAR = Path.home() / f".m2/repository/org/verapdf/apps/greenfield-apps/{VERSION}/greenfield-apps-{VERSION}.jar"
_SECONDS = 240
# It runs for some seconds: what compiles and collects for servers that run for days costs as much again.
_BRIEFLY = ("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC")


def broken_rules(folder: Path) -> dict[str, list[str]]:
    """What each PDF of a folder breaks of PDF/UA-1, by file. Skips the test where there is no Java, or no way to the jar."""
    java = shutil.which("java")
    if java is None:
        pytest.skip("There is no Java here: veraPDF cannot run.")
    command = [java, *_BRIEFLY, "-cp", str(_jar()), "org.verapdf.apps.GreenfieldCliWrapper", "-f", "ua1", str(folder)]
    said = subprocess.run(command, capture_output=True, timeout=_SECONDS, check=False)
    report = ET.fromstring(said.stdout)  # noqa: S314  # our own validator's answer
    return {
        Path(str(job.findtext("item/name"))).name: [
            f"{rule.get('clause')}: {rule.findtext('description')}"
            for rule in job.iterfind(".//rule[@status='failed']")
        ]
        or ([] if job.find("validationReport[@isCompliant='true']") is not None else ["not validated"])
        for job in report.iterfind("jobs/job")
    }


def _jar() -> Path:
    if not _JAR.exists():
        maven = shutil.which("mvn")
        if maven is None:
            pytest.skip(f"veraPDF {VERSION} is not installed, and there is no mvn to fetch it.")
        artifact = f"org.verapdf.apps:greenfield-apps:{VERSION}"
        fetch = [maven, "-q", "-B", "dependency:get", f"-Dartifact={artifact}", "-Dtransitive=false"]
        if subprocess.run(fetch, capture_output=True, timeout=_SECONDS, check=False).returncode or not _JAR.exists():
            pytest.skip(f"veraPDF {VERSION} cannot be fetched.")
    assert hashlib.sha256(_JAR.read_bytes()).hexdigest() == DIGEST, "This is another veraPDF than the pinned one."
    return _JAR
