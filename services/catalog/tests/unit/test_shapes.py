"""Events as sites publish them: shapes that were found on public pages and in feeds, with invented names and data.

Each file of `shapes/` says where such a document is found, and what must come of it: the events with what was understood of them and
what was passed over, or where and why the file is refused."""

import json
from pathlib import Path
from typing import Any

import pytest

from services.catalog.domain import EventDraft, ImportRefused
from services.catalog.importers.document import Reading
from services.catalog.importers.reading import read_file
from services.catalog.tests.examples import as_file

SHAPES = sorted((Path(__file__).parent / "shapes").glob("*.json"))


@pytest.mark.parametrize("file", SHAPES, ids=lambda file: file.stem)
def test_a_shape_of_the_real_web_is_understood_or_refused_with_its_path(file: Path) -> None:
    shape = json.loads(file.read_text("utf-8"))
    assert outcome_of(shape["document"]) == shape["expected"]


def test_there_are_shapes_of_twenty_kinds_and_more() -> None:
    assert len(SHAPES) >= 20


def outcome_of(document: object) -> dict[str, Any]:
    """What became of a document, as its file tells it."""
    reading = Reading()
    try:
        drafts = read_file(as_file(document), reading)
    except ImportRefused as refused:
        return {"refused": refused.path, "because": refused.sentence}
    assert isinstance(drafts, list)
    passed_over = [f"{path} ({why})" if why else path for path, why in reading.passed_over().items()]
    return {"events": [_described(draft) for draft in drafts], "passed over": passed_over}


def _described(draft: EventDraft) -> dict[str, Any]:
    venue = draft.venue
    moments = {"doors_at": draft.doors_at, "ends_at": draft.ends_at, "previous_starts_at": draft.previous_starts_at}
    return {
        "identifier": draft.identifier,
        "title": draft.title,
        "description": draft.description,
        "state": draft.state,
        "starts_at": f"{draft.starts_at.isoformat()} {draft.time_zone}",
        "venue": None if venue is None else [venue.name, venue.street, venue.city, venue.country],
        "organiser": draft.organiser_name,
        "performers": list(draft.performers),
        **{name: moment.isoformat() for name, moment in moments.items() if moment is not None},
        "classes": [
            {
                "name": cls.name,
                "price": f"{cls.price_minor} {draft.currency}",
                "capacity": cls.capacity,
                "availability": cls.availability,
                "sale": [moment and moment.isoformat() for moment in (cls.sale_begins_at, cls.sale_ends_at)],
            }
            for cls in draft.classes
        ],
    }
