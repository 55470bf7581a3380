"""The committed OpenAPI documents and schemas of facts are what the code says; descriptors point to documents that exist."""

import re
from pathlib import Path

import pytest

from contracts.completeness.tables import PAGES, stale
from contracts.promises.documents import COMMAND, FOLDER, stale_documents
from contracts.promises.validating import validator_class

pytestmark = pytest.mark.agreement
# They say what people see or how bytes travel, and nothing about a text.
WITHOUT_A_RULE = {"binary", "password"}


def test_the_committed_documents_are_what_the_code_says() -> None:
    assert stale_documents() == [], f"An interface has changed. Run {COMMAND}, look at the difference, and commit it."


def test_every_format_that_a_document_has_is_checked() -> None:
    documents = [*FOLDER.glob("openapi/*.json"), *FOLDER.glob("events/*.json")]
    found = {name for each in documents for name in re.findall(r'"format": "([^"]+)"', each.read_text())}
    unknown = found - validator_class().FORMAT_CHECKER.checkers.keys() - WITHOUT_A_RULE
    assert not unknown, "A format that nobody checks lets every text pass: contracts/promises/validating.py."


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_tables_of_a_page_are_what_the_declarations_say(page: Path) -> None:
    assert stale(page) == [], (
        f"A table of {page.name} is not what services declare. Run {COMMAND}, look at it, and commit it."
    )


def test_descriptors_point_to_documents_that_exist() -> None:
    for descriptor in sorted(FOLDER.parent.glob("services/*/catalog-info.yaml")):
        for target in re.findall(r"\$text: (\S+)", descriptor.read_text()):
            assert (descriptor.parent / target).is_file(), f"{descriptor} points to {target}, which is not there."
