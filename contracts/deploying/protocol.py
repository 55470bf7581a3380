"""What one version's chassis makes of what another version's writes: its readers, run on the other's examples of the protocol.

Where the readers and the examples are is part of what must stay between versions (docs/adr/0008).
"""

import shutil
import tempfile
from pathlib import Path
from xml.etree import ElementTree as ET

import orjson

from contracts.deploying.crosswise import Crosswise
from contracts.journal import Found
from contracts.pactfile import PACTS

READERS = Path("contracts/tests/test_protocol.py")
EXAMPLES = Path("contracts/protocol/examples.json")
SAID_CHARACTERS = 2000
NOT_RUN = "the readers"


def has_examples(root: Path) -> bool:
    """Whether a version's tree has them: not those from before there were any."""
    return (root / READERS).exists() and (root / EXAMPLES).exists()


def are_same(one: Path, other: Path) -> bool:
    """Whether two versions write the same."""
    return (one / EXAMPLES).read_bytes() == (other / EXAMPLES).read_bytes()


def read_across(reader: Path, writer: Path, crosswise: Crosswise) -> list[Found]:
    """What the readers in the tree `reader` make of the examples in the tree `writer`, by the names of the examples.

    `unknown`: the reader's version does not know of such an example, or the writer's does not write it. `failed`: they did not run.
    """
    with tempfile.TemporaryDirectory() as folder:
        examples = Path(folder) / EXAMPLES.parent.name / EXAMPLES.name
        examples.parent.mkdir()
        (Path(folder) / PACTS.name).mkdir()
        shutil.copy(writer / EXAMPLES, examples)
        results = Path(folder) / "results.xml"
        done = crosswise.tests(reader, [reader / READERS], Path(folder), f"--junitxml={results}")
        found = _found(results)
    if not found:
        said = done.said.strip()[-SAID_CHARACTERS:]
        return [Found(NOT_RUN, "failed", f"They did not run:\n{said}")]
    return found


def names_of(root: Path) -> set[str]:
    """The examples that a version writes."""
    return set(orjson.loads((root / EXAMPLES).read_bytes()))


def _found(results: Path) -> list[Found]:
    """From the results of pytest, as JUnit has them: an example's test has its name in brackets."""
    if not results.exists():
        return []
    cases = [case for case in ET.parse(results).getroot().iter("testcase") if "[" in case.get("name", "")]  # noqa: S314  # pytest wrote it a moment ago
    return [_of_case(case) for case in cases]


def _of_case(case: ET.Element) -> Found:
    name = case.get("name", "").partition("[")[2].removesuffix("]")
    for tag in ("failure", "error"):
        if (said := case.find(tag)) is not None:
            return Found(name, "broken", said.get("message", ""))
    skipped = case.find("skipped")
    return Found(name, "held") if skipped is None else Found(name, "unknown", skipped.get("message", ""))
