import pytest

from services.catalog.domain import (
    EventDraft,
    ImportRefused,
    Sellable,
    check_change,
    sellable,
)
from services.catalog.importers.schema_org import read_events
from services.catalog.tests.examples import seated_event

SEATS = {"A1": "Stalls", "A2": "Stalls", "B1": "Circle", "X1": "Not for sale"}


def play() -> EventDraft:
    return read_events(seated_event())[0]


def test_a_seated_class_has_as_many_places_as_its_category_has_seats() -> None:
    found = sellable(play(), SEATS)
    assert found.classes == {"Stalls": ("seated", 2), "Circle": ("seated", 1)}
    assert found.seats == {"A1": "Stalls", "A2": "Stalls", "B1": "Circle"}


def test_a_seated_class_without_seats_is_refused() -> None:
    with pytest.raises(ImportRefused) as refused:
        sellable(play(), {"A1": "Stalls"})
    assert refused.value.path == "offers[1].name"


@pytest.mark.parametrize(
    "after",
    [
        Sellable({"Circle": ("seated", 1)}, {}),
        Sellable({"Stalls": ("general", 1), "Circle": ("seated", 1)}, {}),
        Sellable({"Stalls": ("seated", 1), "Circle": ("seated", 1)}, {"A1": "Stalls"}),
        Sellable({"Stalls": ("seated", 1), "Circle": ("seated", 1)}, {"A1": "Stalls", "A2": "Circle", "B1": "Circle"}),
    ],
    ids=["class missing", "kind changed", "seat missing", "seat moved to another class"],
)
def test_what_may_have_been_sold_cannot_be_taken_away(after: Sellable) -> None:
    with pytest.raises(ImportRefused, match="been sold"):
        check_change(play(), sellable(play(), SEATS), after)


def test_seats_and_classes_may_be_added() -> None:
    after = sellable(play(), SEATS | {"A3": "Stalls"})
    check_change(play(), sellable(play(), SEATS), after)
    assert after.classes["Stalls"] == ("seated", 3)
