"""Small files that are right, for tests to break."""

import json
from collections.abc import Callable
from typing import Any, TypeVar

from services.catalog.domain import ImportRefused

Read = TypeVar("Read")


def plan(**changes: Any) -> dict[str, Any]:
    """A plan of one zone with two rows of two seats."""
    return {
        "name": "Little Room",
        "size": {"width": 200, "height": 100},
        "categories": [{"name": "Stalls", "color": "#4c6ef5"}, {"name": "Circle"}],
        "zones": [
            {
                "name": "Main",
                "position": {"x": 10, "y": 20},
                "rows": [
                    {
                        "row_number": letter,
                        "position": {"x": 5, "y": 30 * index},
                        "seats": [
                            {
                                "seat_guid": f"{letter}{number}",
                                "seat_number": str(number),
                                "position": {"x": 25 * number, "y": 0.5},
                                "category": category,
                            }
                            for number in (1, 2)
                        ],
                    }
                    for index, (letter, category) in enumerate([("A", "Stalls"), ("B", "Circle")])
                ],
            }
        ],
    } | changes


def event(**changes: Any) -> dict[str, Any]:
    """An event with two general classes, with an offset and a time zone."""
    return {
        "@context": "https://schema.org",
        "@type": "MusicEvent",
        "identifier": "small-concert",
        "name": "A Small Concert",
        "description": "Songs.",
        "startDate": "2031-06-20T20:00:00+02:00",
        "onsale:timeZone": "Europe/Berlin",
        "location": {
            "@type": "Place",
            "name": "Kleiner Saal",
            "address": {
                "@type": "PostalAddress",
                "streetAddress": "Gasse 1",
                "addressLocality": "Köln",
                "addressCountry": "DE",
            },
        },
        "organizer": {"@type": "Organization", "name": "Klangverein"},
        "offers": [
            {
                "@type": "Offer",
                "name": "Standing",
                "price": "12.50",
                "priceCurrency": "EUR",
                "inventoryLevel": {"value": 40},
            },
            {"@type": "Offer", "name": "Balcony", "price": 20, "priceCurrency": "EUR", "inventoryLevel": 10},
        ],
    } | changes


def seated_event(**changes: Any) -> dict[str, Any]:
    """An event that sells the seats of `plan()`."""
    offers = [
        {"@type": "Offer", "name": "Stalls", "price": "30", "priceCurrency": "EUR"},
        {"@type": "Offer", "name": "Circle", "price": "20", "priceCurrency": "EUR"},
    ]
    return event(
        **({"identifier": "play", "name": "A Play", "onsale:seatingPlan": "Little Room", "offers": offers} | changes)
    )


def whole_event(**changes: Any) -> dict[str, Any]:
    """An event that tells all that a file can tell, no two things of one kind alike. It has moved, and its sale lies ahead."""
    offer = {"@type": "Offer", "priceCurrency": "EUR", "inventoryLevel": 40}
    stalls = {"name": "Stalls", "price": "42.50", "description": "Soft seats.", "onsale:colour": "#4c6ef5"}
    standing = {"name": "Standing", "price": "17.25", "description": "No seats.", "onsale:colour": "#e8590c"}
    return event(
        **{
            "description": "An opera in three acts.",
            "startDate": "2031-06-21T20:00:00+02:00",
            "doorTime": "2031-06-21T19:15:00+02:00",
            "endDate": "2031-06-21T22:45:00+02:00",
            "eventStatus": "https://schema.org/EventRescheduled",
            "previousStartDate": "2031-05-20T20:30:00+02:00",
            "onsale:image": "open-air",
            "onsale:maxPerOrder": 6,
            "onsale:maxPerBuyer": 12,
            "onsale:codeEdition": 3,
            "location": {
                "@type": "Place",
                "name": "Stadthalle",
                "address": {"streetAddress": "Spreeufer 2", "addressLocality": "Potsdam", "addressCountry": "DE"},
            },
            "offers": [
                offer | stalls | _sold("2031-02-11T12:30:00+01:00", "2031-06-19T18:00:00+02:00"),
                offer
                | standing
                | {"inventoryLevel": 25}
                | _sold("2031-01-10T10:00:00+01:00", "2031-06-20T21:00:00+02:00"),
            ],
        }
        | changes
    )


def _sold(begins_at: str, ends_at: str) -> dict[str, str]:
    return {"validFrom": begins_at, "validThrough": ends_at}


def as_file(document: object) -> bytes:
    """The bytes of a file with this document."""
    return json.dumps(document).encode()


def outcome(read: Callable[[], Read]) -> Read | ImportRefused:
    """What was read, or why it was refused."""
    try:
        return read()
    except ImportRefused as refused:
        return refused
