"""From the bytes of a file to what it describes."""

from services.catalog.domain import EventDraft, SeatingPlan
from services.catalog.importers.document import Reading, parse_json
from services.catalog.importers.schema_org import looks_like_events, read_events
from services.catalog.importers.seating_plan import read_seating_plan


def read_file(content: bytes, reading: Reading | None = None) -> SeatingPlan | list[EventDraft]:
    """A seating plan or events, by what the file looks like; ImportRefused with the path of the first bad field.

    `reading` knows afterwards what of the events was passed over."""
    document = parse_json(content)
    if looks_like_events(document):
        return read_events(document, reading)
    return read_seating_plan(document)
