"""Plain numbers as identifiers: every site has a seventeen, and they are not the same event."""

from typing import Any

import pytest

from services.catalog.tests.examples import event
from services.catalog.tests.unit.test_schema_org import read


def identifier_of(**changes: Any) -> str:
    (draft,) = read(event(**changes))
    return draft.identifier


def test_the_same_number_of_two_sites_is_two_events_and_of_one_site_one() -> None:
    first = identifier_of(identifier=17, url="https://hall.example/e/17")
    assert first == identifier_of(identifier=17, url="https://hall.example/en/e/17")
    assert first != identifier_of(identifier=17, url="https://club.example/17")


def test_without_a_page_the_organiser_tells_numbers_apart() -> None:
    assert identifier_of(identifier=17) == identifier_of(identifier=17)
    other = {"@type": "Organization", "name": "Somebody else"}
    assert identifier_of(identifier=17) != identifier_of(identifier=17, organizer=other)


@pytest.mark.parametrize("text", ["17", "hall-17", "urn:uuid:7"])
def test_an_identifier_that_is_a_text_is_taken_as_it_is(text: str) -> None:
    assert identifier_of(identifier=text) == text
