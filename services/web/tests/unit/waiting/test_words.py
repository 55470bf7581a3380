"""What somebody who waits is told: estimates as people say them, in the page and in its script alike."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest

from services.web.clients.waitingroom import JOIN_QUEUE, Sale, SaleState
from services.web.frame import formats
from services.web.waiting import words
from services.web.waiting.now_serving import places_of
from services.web.waiting.words import phase_of

NOW = datetime(2031, 6, 21, 18, tzinfo=UTC)
SCRIPT = Path(words.__file__).parents[1] / "static/queue.js"


def a_sale(state: SaleState = "selling", **changes: object) -> Sale:
    made = {
        "event_id": UUID(int=1),
        "state": state,
        "doors_open_at": NOW - timedelta(hours=1),
        "starts_at": NOW - timedelta(minutes=1),
        "rate": 60,
        "rate_now": 60.0,
        "most_active": 10,
        "seed_hash": "ab" * 32,
        "seed": None,
        "serving": 0,
        "last_number": 0,
        "places_left": None,
        "places_in_carts": None,
        "challenge": False,
    }
    return Sale.model_validate(made | changes)


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (None, "nobody can say at the moment"),
        (0, "at most a minute"),
        (60, "at most a minute"),
        (61, "about 2 minutes"),
        (90 * 60, "about 90 minutes"),
        (91 * 60, "about 2 hours"),
        (5 * 3600, "about 5 hours"),
    ],
)
def test_an_estimate_is_said_as_people_say_it(seconds: float | None, said: str) -> None:
    assert formats.wait(seconds) == said


def test_the_script_of_the_page_says_estimates_in_the_same_words() -> None:
    script = SCRIPT.read_text()
    for pattern in (
        "nobody can say at the moment",
        "at most a minute",
        r"about \$\{minutes\} minutes",
        r"about .* hours",
    ):
        assert re.search(pattern, script), pattern


def test_whether_there_is_something_to_wait_for_is_unknown_only_until_inventory_has_said() -> None:
    assert places_of(a_sale()) == "free"
    assert places_of(a_sale(places_left=1, places_in_carts=9)) == "free"
    assert places_of(a_sale(places_left=0, places_in_carts=9)) == "in_carts"
    assert places_of(a_sale(places_left=0, places_in_carts=0)) == "none"


def test_nobody_is_asked_to_join_what_is_sold_out_or_over_or_not_open() -> None:
    sold_out = a_sale(places_left=0, places_in_carts=0)
    for sale in (sold_out, a_sale("ended"), a_sale("announced")):
        assert phase_of(sale, None, "Europe/Berlin", NOW).action == ""
    assert phase_of(a_sale(), None, "Europe/Berlin", NOW).action == "join"


def test_that_joining_needs_javascript_is_said_before_the_doors_open() -> None:
    for asks in (True, False):
        phase = phase_of(a_sale("announced", challenge=asks), None, "Europe/Berlin", NOW)
        assert any("JavaScript" in sentence for sentence in phase.sentences) is asks


def test_each_refusal_of_a_proof_has_a_sentence_with_a_way_on() -> None:
    declared = {code for code in JOIN_QUEUE.refusals if code.startswith("challenge_")}
    assert set(words.PROOF_REFUSED) == declared
    assert all("ress the button again" in notice.text for notice in words.PROOF_REFUSED.values())


def test_moments_are_on_the_clock_of_the_event() -> None:
    doors = a_sale("announced", doors_open_at=NOW, starts_at=NOW + timedelta(minutes=30))
    phase = phase_of(doors, None, "Europe/Berlin", NOW)
    assert phase.title == "The doors open on Sat 21 Jun 2031, 20:00 CEST."
    assert "Sat 21 Jun 2031, 20:30 CEST" in phase.sentences[1]
