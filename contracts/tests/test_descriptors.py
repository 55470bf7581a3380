"""What a service's descriptor says of it is so: what it provides and consumes, by which documents, and whose it is."""

from pathlib import Path

import pytest

from contracts.completeness.descriptors import problems_of_descriptors, read_entities
from contracts.completeness.services import System, real
from contracts.pactfile import ContractBroken
from contracts.tests.made_up import change, changed, make_up, write


@pytest.mark.agreement
def test_descriptors_say_what_services_provide_and_consume() -> None:
    problems = problems_of_descriptors(real())
    assert not problems, "\n".join(problems)


@pytest.fixture
def made_up(tmp_path: Path) -> System:
    return make_up(tmp_path)


def test_of_descriptors_that_are_right_nothing_is_said(made_up: System) -> None:
    assert problems_of_descriptors(made_up) == []


@pytest.mark.parametrize(
    ("service", "old", "new", "said"),
    [
        ("reader", "library-http, book-lent", "book-lent", "consumesApis lacks library-http (reader asks library: "),
        (
            "reader",
            "book-lent, ",
            "",
            "consumesApis lacks book-lent (reader hears library: events.library.book_lent.v1)",
        ),
        ("reader", ", shelf-changed", "", "consumesApis lacks shelf-changed (reader watches library: bus.library."),
        ("reader", "book-lent", "book-lent, book-lost", "consumesApis has book-lost, but the code does not say so"),
        ("reader", "book-lent", "book-lent, book-lent", "consumesApis has book-lent more than once"),
        ("reader", "  owner: group:default/team-reader\n", "", "the Component reader lacks owner in its spec"),
        ("reader", "group:default/team-reader", "the readers", "'the readers', the owner of reader, is not like"),
        ("reader", "name: reader", "name: writer", "is to have one Component, and its name is reader"),
        ("reader", "v1alpha1", "v2", "reader is no entity of backstage.io/v1alpha1"),
        ("library", "[library-http, book-lent", "[library-http", "providesApis lacks book-lent (library offers it)"),
        ("library", "name: book-lent", "name: book lent", "'book lent' is no name of an entity"),
        ("library", "name: book-lent", "name: book-lend", "has no API entity book-lent, though the service offers it"),
        ("library", "name: book-lent", "name: book-lend", "describes the API book-lend, but library does not offer it"),
        ("library", "type: openapi", "type: asyncapi", "the API library-http is of type openapi, not asyncapi"),
        ("library", "openapi/library.json", "openapi/reader.json", "is described by "),
    ],
)
def test_what_a_descriptor_says_and_what_is_not_so_is_reported(
    made_up: System, service: str, old: str, new: str, said: str
) -> None:
    change(made_up.folder / service / "catalog-info.yaml", old, new)
    assert said in "\n".join(problems_of_descriptors(made_up))


def test_a_service_without_a_descriptor_is_reported(made_up: System) -> None:
    (made_up.folder / "reader/catalog-info.yaml").unlink()
    (sentence,) = problems_of_descriptors(made_up)
    assert "reader/catalog-info.yaml is missing" in sentence


def test_a_definition_that_is_not_there_is_reported(made_up: System) -> None:
    (made_up.documents / "events/bus.library.shelf_changed.schema.json").unlink()
    (sentence,) = problems_of_descriptors(made_up)
    assert "shelf_changed.schema.json, the definition of shelf-changed, is not there. Run `make documents`." in sentence


def test_an_api_that_is_described_twice_is_reported(made_up: System) -> None:
    descriptor = made_up.folder / "library/catalog-info.yaml"
    first, *apis = descriptor.read_text(encoding="utf-8").split("---\n")
    write(descriptor, "---\n".join([first, *apis, apis[0]]))
    (sentence,) = problems_of_descriptors(made_up)
    assert "library/catalog-info.yaml describes the API library-http 2 times." in sentence


def test_two_services_that_offer_an_api_of_the_same_name_are_reported(made_up: System) -> None:
    problems = problems_of_descriptors(changed(made_up, "reader", facts=("events.reader.book_lent.v1",)))
    assert "2 services offer an API book-lent; names are for all of them." in problems


@pytest.mark.parametrize(
    ("text", "said"),
    [("kind: API\n   name: a\n", "line 2, column"), ("- item\n", "each of its documents is to be a mapping")],
)
def test_what_is_no_descriptor_is_refused(tmp_path: Path, text: str, said: str) -> None:
    write(tmp_path / "catalog-info.yaml", text)
    with pytest.raises(ContractBroken, match=rf"catalog-info\.yaml cannot be read: (.|\n)*{said}"):
        read_entities(tmp_path / "catalog-info.yaml")
