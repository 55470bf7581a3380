"""A service's OpenAPI document tells whom a route lets in and how it refuses."""

from typing import Any, ClassVar

import pytest
from pydantic import TypeAdapter

from chassis.documented import refuses
from chassis.testing import Harness
from chassis.tests.sample.app import SampleSettings, create_app
from chassis.tests.test_service import MIGRATIONS


class ShelfFull(Exception):
    """There is no room."""

    code: ClassVar[str] = "shelf_full"
    category: ClassVar[str] = "conflict"
    room_centimetres: int
    _measured: bool

    def __init__(self) -> None:
        self.room_centimetres = 0
        super().__init__("There is no room. Take another shelf.")


class ShelfLocked(Exception):
    """It is locked."""

    code: ClassVar[str] = "shelf_locked"
    category: ClassVar[str] = "conflict"


@pytest.fixture
def document(harness: Harness) -> dict[str, Any]:
    made: dict[str, Any] = create_app(harness.settings(SampleSettings, migrations=MIGRATIONS)).openapi()
    return made


def test_a_route_tells_which_services_it_lets_in_and_whether_it_needs_a_person(document: dict[str, Any]) -> None:
    placing = document["paths"]["/things"]["post"]
    assert placing["x-callers"] == ["web"]
    assert placing["security"] == [{"service": [], "person": []}]


def test_an_errors_annotated_attributes_are_promised_beside_what_every_refusal_has() -> None:
    (conflict,) = refuses(ShelfFull).values()
    schema = conflict["model"].model_json_schema()
    assert schema["properties"]["code"]["const"] == "shelf_full"
    assert set(schema["required"]) == {
        "type",
        "title",
        "status",
        "detail",
        "code",
        "trace_id",
        "room_centimetres",
    }


def test_errors_of_one_category_share_a_status_and_the_chassis_own_stand_beside_them() -> None:
    answers = refuses(ShelfFull, ShelfLocked, without=("catalog",))
    assert list(answers) == [409, 503]
    codes = [
        {each["properties"]["code"]["const"] for each in TypeAdapter(answer["model"]).json_schema()["$defs"].values()}
        for answer in answers.values()
    ]
    assert codes == [{"shelf_full", "shelf_locked"}, {"catalog_unavailable", "deadline_passed", "store_unavailable"}]


def test_a_refusal_is_documented_as_a_problem(document: dict[str, Any]) -> None:
    responses = document["paths"]["/things"]["post"]["responses"]
    refusal = responses["default"]["content"]
    assert list(refusal) == ["application/problem+json"]
    assert "422" not in responses  # FastAPI's own, which is not what we answer
