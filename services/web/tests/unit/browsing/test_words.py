"""What pages say of events that do not take place as planned, and of what is not sold at this moment."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from services.web.browsing.domain import Wish
from services.web.browsing.views import EventView, card_of, event_view
from services.web.clients.catalog import Event, EventListed
from services.web.tests.neighbours import sample_class, sample_event

NOW = datetime(2031, 1, 1, 12, 0, tzinfo=UTC)
STARTS = datetime(2031, 6, 20, 18, 0, tzinfo=UTC)


def event(*classes: dict[str, Any], **says: Any) -> Event:
    known = [sample_class("Entry", "general", 1500) | {"sale_ends_at": STARTS} | each for each in classes or ({},)]
    known = [each | {"class_id": str(uuid4()), "name": f"Class {at}"} for at, each in enumerate(known)]
    return Event.model_validate(sample_event("Play", known, starts_at=STARTS, over_at=STARTS) | says)


def page(*classes: dict[str, Any], now: datetime = NOW, **says: Any) -> EventView:
    return event_view(event(*classes, **says), None, None, Wish(), now)


def card(now: datetime = NOW, **says: Any) -> Any:
    listed = {
        "event_id": uuid4(),
        "title": "Play",
        "starts_at": STARTS,
        "time_zone": "Europe/Berlin",
        "venue_name": "House",
        "city": "Köln",
        "image": "hall",
        "from_price_minor": 1500,
        "currency": "EUR",
        "on_sale": False,
        "sale_ends_at": STARTS,
    }
    return card_of(EventListed.model_validate(listed | says), now)


@pytest.mark.parametrize(
    ("state", "words", "title"),
    [
        ("cancelled", "Cancelled", "This event is cancelled."),
        ("postponed", "Postponed", "This event is postponed: the new date is not known yet."),
        ("moved_online", "Online", "This event takes place online."),
    ],
)
def test_an_event_that_does_not_take_place_as_planned_says_so_everywhere(state: str, words: str, title: str) -> None:
    shown = page({"obstacle": state}, state=state, obstacle=state, on_sale=False)
    assert shown.standing is not None
    assert shown.unsold is not None
    assert (shown.standing.words, shown.unsold.title) == (words, title)
    listed = card(state=state, obstacle=state)
    assert (listed.standing.words, listed.unsold) == (words, words)


def test_a_moved_event_tells_its_old_date_and_is_sold() -> None:
    shown = page(state="rescheduled", previous_starts_at="2031-03-01T19:00:00Z")
    assert shown.standing is not None
    assert shown.standing.about_date == "New date (was Sat 1 Mar 2031, 20:00)"
    assert shown.on_sale


@pytest.mark.parametrize(
    ("obstacle", "title"),
    [
        ("sold_out", "Sold out."),
        ("box_office", "Tickets are sold at the box office only."),
        ("not_yet", "The sale has not begun yet."),
        ("not_on_sale", "Tickets are not on sale at the moment."),
        ("discontinued", "These tickets are not sold any more."),
    ],
)
def test_what_is_not_sold_at_all_says_why(obstacle: str, title: str) -> None:
    shown = page({"obstacle": obstacle}, obstacle=obstacle, on_sale=False)
    assert shown.unsold is not None
    assert shown.unsold.title == title


def test_a_sale_that_lies_ahead_says_when_it_begins_on_the_clock_of_the_place() -> None:
    begins = "2031-01-10T09:00:00Z"
    shown = page({"sale_begins_at": begins}, on_sale=False)
    assert shown.unsold is not None
    assert shown.unsold.title == "The sale begins on Fri 10 Jan 2031, 10:00 CET."
    assert card(sale_begins_at=begins).unsold == "From Fri 10 Jan 2031, 10:00 CET"


def test_a_sale_begins_by_itself_on_pages_that_were_kept_from_before() -> None:
    begins = "2031-01-10T09:00:00Z"
    later = datetime(2031, 1, 10, 9, 0, tzinfo=UTC)
    assert page({"sale_begins_at": begins}, now=later, on_sale=False).on_sale
    assert card(now=later, sale_begins_at=begins).on_sale


def test_a_sale_ends_by_itself_on_pages_that_were_kept_from_before() -> None:
    shown = page({"sale_ends_at": NOW - timedelta(seconds=1)})
    assert shown.unsold is not None
    assert shown.unsold.title == "The sale is over."


def test_an_event_that_is_over_says_so_and_not_that_its_sale_will_begin() -> None:
    shown = page(now=STARTS + timedelta(hours=1), on_sale=False)
    assert shown.unsold is not None
    assert shown.unsold.title == "This event is over."
    assert "Friday 20 June 2031" in shown.unsold.text


def test_of_several_classes_each_says_for_itself_why_it_is_not_sold() -> None:
    shown = page({"obstacle": "sold_out"}, {"sale_begins_at": "2031-01-10T09:00:00Z"}, {})
    assert shown.on_sale
    assert [(one.unsold, one.most) for one in shown.general] == [
        ("Sold out", 0),
        ("From Fri 10 Jan 2031, 10:00 CET", 0),
        ("", 8),
    ]
