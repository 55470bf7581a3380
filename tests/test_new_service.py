"""`make service` writes a new service in every place that cannot be derived, or nothing at all."""

import re
import shutil
from pathlib import Path

import pytest

from k8s import lists, nats, policies
from local.newservice.names import refusal_of
from local.newservice.places import NEW, Line
from local.newservice.skeleton import files, make
from local.topology import ROOT
from tests.everywhere import missing

NAME = "onemore"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout of what a new service touches."""
    shared = {ROOT / line.file for line in NEW}
    for path in (
        *shared,
        *lists.files(),
        *policies.files(),
        nats.USERS_FILE,
        *(ROOT / "k8s/components/autoscaling").iterdir(),
    ):
        to = tmp_path / path.relative_to(ROOT)
        to.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, to)
    return tmp_path


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("", "Say what the service is called"),
        ("Waiting-Room", "Take one word of 2 to 20 small letters"),
        ("9lives", "begins with a letter"),
        ("a" * 21, "of 2 to 20"),
        ("import", "is a word of Python"),
        ("orders", "There is a service orders already"),
        ("bank", "Something else is called bank already"),
        ("nats", "Something else is called nats already"),
        ("toolbox", "Something else is called toolbox already"),
    ],
)
def test_a_name_that_cannot_be_is_refused_with_a_sentence(name: str, said: str) -> None:
    assert said in (refusal_of(name, ROOT) or "")


def test_a_good_name_is_taken() -> None:
    assert refusal_of("insights", ROOT) is None


def test_every_place_in_which_a_service_is_missing_is_reported_at_once(checkout: Path) -> None:
    found = "\n".join(missing(checkout, [NAME]))
    places = {line.file for line in NEW if line.sign and not line.of_operations}
    for place in (
        *places,
        "services/onemore/app.py",
        "k8s/base/onemore",
        "contracts/openapi/onemore.json",
        "by-cpu.yaml",
    ):
        assert place in found


def test_what_is_made_is_in_every_place_but_in_the_document_that_is_written_from_it(checkout: Path) -> None:
    make(checkout, NAME)
    assert missing(checkout, [NAME]) == ["contracts/openapi/onemore.json is missing. Run `make documents`."]


@pytest.mark.parametrize("line", [line for line in NEW if line.sign], ids=lambda line: line.file)
def test_a_place_that_was_forgotten_is_reported(checkout: Path, line: Line) -> None:
    before = (checkout / line.file).read_text()
    make(checkout, NAME)
    (checkout / line.file).write_text(before)
    assert any(f"onemore is missing in {line.file}" in each for each in missing(checkout, [NAME]))


def test_a_service_that_the_topology_does_not_know_is_reported(checkout: Path) -> None:
    make(checkout, NAME)
    assert "services/onemore is not in local/topology.py (SERVICES)." in missing(checkout, [])


def test_no_file_is_left_with_the_name_of_the_template(checkout: Path) -> None:
    made = files(checkout, NAME)
    assert not [path for path, text in made.items() if re.search("newname", f"{path} {text}", re.IGNORECASE)]
    assert made.keys() >= {
        checkout / "services/onemore" / each for each in ("app.py", "migrations/versions/0001_onemore.py")
    }


def test_if_one_file_has_no_place_for_its_line_nothing_is_made(checkout: Path) -> None:
    (checkout / "docs/architecture.md").write_text("Another page.\n")
    with pytest.raises(ValueError, match=r"architecture\.md has no .* any more"):
        make(checkout, NAME)
    assert not any(path.exists() for path in files(checkout, NAME))
    assert NAME not in (checkout / "local/topology.py").read_text()
