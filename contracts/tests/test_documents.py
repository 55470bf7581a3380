"""The committed OpenAPI documents and schemas of facts are what the code says; descriptors point to documents that exist."""

import re

import pytest

from contracts.promises.documents import COMMAND, FOLDER, stale_documents
from contracts.promises.tables import PAGE, stale

pytestmark = pytest.mark.agreement


def test_the_committed_documents_are_what_the_code_says() -> None:
    assert stale_documents() == [], f"An interface has changed. Run {COMMAND}, look at the difference, and commit it."


def test_the_tables_of_the_page_are_what_the_declarations_say() -> None:
    assert stale() == [], (
        f"A table of {PAGE.name} is not what services declare. Run {COMMAND}, look at it, and commit it."
    )


def test_descriptors_point_to_documents_that_exist() -> None:
    for descriptor in sorted(FOLDER.parent.glob("services/*/catalog-info.yaml")):
        for target in re.findall(r"\$text: (\S+)", descriptor.read_text()):
            assert (descriptor.parent / target).is_file(), f"{descriptor} points to {target}, which is not there."
