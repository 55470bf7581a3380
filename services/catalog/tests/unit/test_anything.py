"""Whatever stands in a file of events, it is read, or refused with a path: a file never ends the importer."""

from collections.abc import Iterator
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from services.catalog.domain import ImportRefused
from services.catalog.importers.document import Reading
from services.catalog.importers.reading import read_file
from services.catalog.importers.schema_org import read_events
from services.catalog.tests.examples import as_file, event, outcome

EVENT = event(
    doorTime="19:00",
    endDate="2031-06-21",
    duration="PT2H",
    eventStatus="EventScheduled",
    previousStartDate="2031-06-19T20:00",
    performer=[{"@type": "Person", "name": "A"}],
    superEvent={"@type": "EventSeries", "@id": "https://a.example/series", "name": "Series"},
    subEvent=[],
)
EVENT["offers"][0] |= {"availability": "InStock", "validFrom": "2031-01-01", "validThrough": "2031-02-01"}
WORDS = st.sampled_from(
    [
        "",
        " ",
        "Event",
        "EventSeries",
        "AggregateOffer",
        "VirtualLocation",
        "2031-06-20",
        "T24:00",
        "19:00",
        "0",
        "&amp;lt;",
        "<p",
        "#a",
    ]
)
ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=12)
    | WORDS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["@id", "@type", "@value", "@list", "@graph", "name", "offers", "subEvent", "superEvent", "item", "x"]
            )
            | st.text(max_size=6),
            inner,
            max_size=4,
        )
    ),
    max_leaves=8,
)


def paths(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The way to every value in a document."""
    yield path
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, each in pairs:
        yield from paths(each, (*path, key))


def put(document: Any, path: tuple[Any, ...], value: Any) -> Any:
    """The document with another value there."""
    if not path:
        return value
    key, *rest = path
    if isinstance(document, dict):
        return document | {key: put(document[key], tuple(rest), value)}
    return [put(each, tuple(rest), value) if at == key else each for at, each in enumerate(document)]


@settings(max_examples=600)
@given(st.sampled_from(list(paths(EVENT))), ANYTHING)
def test_whatever_stands_in_a_field_of_an_event_it_is_read_or_refused_with_a_path(
    path: tuple[Any, ...], value: Any
) -> None:
    reading = Reading()
    read = outcome(lambda: read_file(as_file(put(EVENT, path, value)), reading))
    if isinstance(read, ImportRefused):
        assert read.sentence
    assert all(isinstance(each, str) for each in reading.passed_over())


@settings(max_examples=300)
@given(ANYTHING)
def test_whatever_a_document_is_it_is_read_or_refused(document: Any) -> None:
    assert outcome(lambda: read_events(document)) is not None


@settings(max_examples=100)
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3), st.booleans()), max_size=8))
def test_events_that_are_parts_of_each_other_in_a_circle_are_read_or_refused(
    edges: list[tuple[int, int, bool]],
) -> None:
    nodes = [event(**{"identifier": None, "@id": f"https://a.example/{number}"}) for number in range(4)]
    for whole, part, is_named_by_part in edges:
        reference = {"@id": f"https://a.example/{whole if is_named_by_part else part}"}
        node = nodes[part if is_named_by_part else whole]
        node["superEvent" if is_named_by_part else "subEvent"] = reference
    assert outcome(lambda: read_events({"@graph": nodes})) is not None
