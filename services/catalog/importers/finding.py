"""Finds the events in a JSON-LD document, wherever a page puts them, and what each belongs to."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from services.catalog.importers.document import Node, Reading, below

MAX_EVENTS = 1_000
MAX_PARENTS = 5
_MAX_PARTS = 1_000
_SERIES = "eventseries"
_KINDS_WITHOUT_EVENT_IN_THEIR_NAME = frozenset({_SERIES, "festival", "hackathon", "courseinstance"})
# Kinds of schema.org's Event that nobody can go to.
_NOT_TO_GO_TO = frozenset({"deliveryevent", "publicationevent", "broadcastevent", "ondemandevent"})
_PARTS = ("subEvent", "subEvents")
# An event that has none of these is mentioned, and described elsewhere.
_DESCRIBES = ("startDate", "offers", "location", "onsale:timeZone")


@dataclass(frozen=True, slots=True)
class Found:
    """An event, and the events that it is a part of, the closest first: a series, a festival."""

    node: Node
    parents: tuple[Node, ...] = ()


@dataclass(slots=True)
class _Places:
    """All events of a document by path, in its order, and which of them are parts of which."""

    events: dict[str, Node] = field(default_factory=dict)
    parents: dict[str, Node] = field(default_factory=dict)
    parts: dict[str, list[Node]] = field(default_factory=dict)

    def join(self, part: Node, whole: Node) -> None:
        self.parents.setdefault(part.path, whole)
        self.parts.setdefault(whole.path, []).append(part)


def find_events(document: object, reading: Reading) -> list[Found]:
    """The events that can be sold. What else the document has is noted in `reading` as passed over."""
    root = Node(document, "", reading)
    _learn_names(document, reading)
    places = _Places()
    for node in _walk(root):
        _place(node, places)
    found = [each for node in places.events.values() for each in _sold(node, places)]
    if not found:
        where = root.at("@type") if isinstance(document, dict) and kinds_of(document) else root
        where.refuse(
            "There is no event in this file. Here belongs an “Event” or one of its kinds, such as “MusicEvent”."
        )
    if len(found) > MAX_EVENTS:
        root.refuse(f"The file has {len(found):,} events; at most {MAX_EVENTS:,} are taken. Split it.")
    return found


def kinds_of(value: object) -> list[str]:
    """The types of an object by their last word, in small letters: `http://schema.org/MusicEvent` is `musicevent`."""
    return [name.casefold() for name in _names_of_kinds(value)]


def _names_of_kinds(value: object) -> list[str]:
    if not isinstance(value, dict):
        return []
    types = value.get("@type", value.get("type"))
    listed = types if isinstance(types, list) else [types]
    words = [each.rstrip("/").replace("#", "/").replace(":", "/") for each in listed if isinstance(each, str)]
    return [word.rpartition("/")[2] for word in words]


def is_virtual(node: Node) -> bool:
    """Whether a location is an address on the web."""
    return "virtuallocation" in kinds_of(node.value)


def _is_event(value: object) -> bool:
    kinds = kinds_of(value)
    return any(
        (kind.endswith("event") and kind not in _NOT_TO_GO_TO) or kind in _KINDS_WITHOUT_EVENT_IN_THEIR_NAME
        for kind in kinds
    )


def _walk(root: Node) -> Iterator[Node]:
    """The events of a document in its order, and the parts of events after them; notes what holds none."""
    stack: list[tuple[Node, bool]] = [(root, True)]
    # References may lead in a circle.
    seen: set[str] = set()
    while stack:
        node, is_listed = stack.pop()
        value = node.value
        if node.path in seen:
            continue
        seen.add(node.path)
        if isinstance(value, list):
            stack.extend(
                (Node(item, f"{node.path}[{index}]", node.reading), is_listed) for index, item in _reversed(value)
            )
        elif isinstance(value, dict):
            if _is_event(value):
                yield node
                stack.extend((each, False) for each in reversed(_parts_of(node)))
                continue
            inner = [(key, each) for key, each in value.items() if key != "@context" and isinstance(each, dict | list)]
            if is_listed and kinds_of(value) and not _has_event(value):
                _pass_over_unless_read(node)
                continue
            stack.extend(
                (Node(each, below(node.path, key), node.reading), is_listed or key == "@graph")
                for key, each in reversed(inner)
            )
        elif is_listed:
            node.mapping()


def _pass_over_unless_read(node: Node) -> None:
    if node.reading is not None:
        node.reading.pass_over_unless_read(node.path, ", ".join(_names_of_kinds(node.value)))


def _reversed(items: list[object]) -> Iterator[tuple[int, object]]:
    return zip(range(len(items) - 1, -1, -1), reversed(items), strict=True)


def _has_event(value: object) -> bool:
    stack = [value]
    while stack:
        each = stack.pop()
        if _is_event(each):
            return True
        stack.extend(each.values() if isinstance(each, dict) else each if isinstance(each, list) else ())
    return False


def _parts_of(node: Node) -> list[Node]:
    parts = [part for name in _PARTS for part in node.at(name).one_or_many(at_most=_MAX_PARTS)]
    return [part for part in parts if _is_event(part.value)]


def _place(node: Node, places: _Places) -> None:
    if node.reading is not None:
        value = node.value
        reference = value.get("@id", value.get("id")) if isinstance(value, dict) else None
        known = node.reading.known.get(reference) if isinstance(reference, str) else None
        # The same thing, described more fully elsewhere in the document.
        if known is not None and known.path != node.path and not _describes(node):
            return
    places.events.setdefault(node.path, node)
    for part in _parts_of(node):
        places.join(part, node)
    whole = node.at("superEvent").first()
    if _is_event(whole.value):
        places.join(node, whole)


def _describes(node: Node) -> bool:
    return any(not node.at(name).empty for name in _DESCRIBES)


def _sold(node: Node, places: _Places) -> Iterator[Found]:
    """The event itself, unless it only holds others, is only a part of what is sold, or only mentioned."""
    is_series = _SERIES in kinds_of(node.value)
    has_offers = not node.at("offers").empty
    parents = _parents_of(node, places)
    if not _describes(node):
        node.pass_over("only mentioned here")
    elif places.parts.get(node.path) and (is_series or not has_offers):
        return  # its parts are the performances
    elif is_series and (not has_offers or node.at("startDate").empty):
        node.pass_over("a series without its performances")
    elif parents and not has_offers and not _is_series(parents[0]) and not parents[0].at("offers").empty:
        node.pass_over("a part of the programme, without offers of its own")
    else:
        yield Found(node, parents)


def _is_series(node: Node) -> bool:
    return _SERIES in kinds_of(node.value)


def _parents_of(node: Node, places: _Places) -> tuple[Node, ...]:
    parents: list[Node] = []
    parent = places.parents.get(node.path)
    while parent is not None and len(parents) < MAX_PARENTS:
        parents.append(parent)
        parent = places.parents.get(parent.path)
    return tuple(parents)


def _learn_names(document: object, reading: Reading) -> None:
    """What the document calls schema.org, and which objects references mean: of several with one `@id`, the fullest."""
    stack: list[tuple[object, str]] = [(document, "")]
    while stack:
        value, path = stack.pop()
        if isinstance(value, list):
            stack.extend((item, f"{path}[{index}]") for index, item in _reversed(value))
        elif isinstance(value, dict):
            _learn_prefixes(value.get("@context"), reading)
            name = value.get("@id", value.get("id"))
            known = reading.known.get(name) if isinstance(name, str) else None
            if isinstance(name, str) and (known is None or len(value) > len(known.mapping())):
                reading.known[name] = Node(value, path, reading)
            stack.extend((each, below(path, key)) for key, each in reversed(value.items()) if key != "@context")


def _learn_prefixes(context: object, reading: Reading) -> None:
    for each in context if isinstance(context, list) else [context]:
        if isinstance(each, dict):
            named = tuple(
                f"{name}:" for name, iri in each.items() if iri in ("https://schema.org/", "http://schema.org/")
            )
            reading.prefixes = tuple(dict.fromkeys((*reading.prefixes, *named)))
