"""Breaks that are generated: each way to be wrong is what it says, each belongs to one part, and one that nobody minds is reported."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from pact import Pact, match

from chassis.testing import Harness
from contracts.completeness.services import System
from contracts.mutation.generated import dropped, parts, requests, run
from contracts.mutation.generated.declarations import Declarations
from contracts.mutation.generated.kinds import KINDS
from contracts.mutation.generated.recording import RECORDED
from contracts.mutation.generated.requests import Asked, probe
from contracts.pactfile import Edge
from contracts.provider import Published, minded_of_published, verify_answers
from contracts.tests.library import A_SHELF, EDGE, Library, write_pact
from contracts.tests.made_up import make_up

ID, OTHER = "1a8f71f7-825a-4a40-a883-fdc14431c1d9", "9a0534b3-8772-4b33-9864-551920b28d51"
SOUND: dict[str, Any] = {
    "order_id": ID,
    "event_id": OTHER,
    "total_minor": 4250,
    "held": True,
    "at": "2031-06-21T18:00:00Z",
    "state": "held",
    "lines": [{"quantity": 1}, {"quantity": 2}],
}


@pytest.mark.parametrize(
    ("kind", "path", "wrong"),
    [
        ("removed", "$.state", {name: value for name, value in SOUND.items() if name != "state"}),
        ("renamed", "$.held", {**{name: value for name, value in SOUND.items() if name != "held"}, "held_": True}),
        ("null", "$.lines[].quantity", SOUND | {"lines": [{"quantity": None}, {"quantity": None}]}),
        ("another type", "$.total_minor", SOUND | {"total_minor": "4250"}),
        ("another type", "$.held", SOUND | {"held": "true"}),
        ("another type", "$.lines", SOUND | {"lines": {"0": {"quantity": 1}, "1": {"quantity": 2}}}),
        ("another format", "$.order_id", SOUND | {"order_id": ID.upper()}),
        ("another format", "$.at", SOUND | {"at": "2031-06-21T18:00:00+00:00"}),
        ("empty", "$.lines", SOUND | {"lines": []}),
        ("another case", "$.state", SOUND | {"state": "HELD"}),
        ("another unit", "$.total_minor", SOUND | {"total_minor": 42}),
        ("another zone", "$.at", SOUND | {"at": "2031-06-21T20:00:00Z"}),
        ("another order", "$.lines", SOUND | {"lines": [{"quantity": 2}, {"quantity": 1}]}),
        ("exchanged with its neighbour", "$.order_id", SOUND | {"order_id": OTHER, "event_id": ID}),
    ],
)
def test_each_kind_is_wrong_in_the_way_that_it_says(kind: str, path: str, wrong: dict[str, Any]) -> None:
    found = next(each for each in KINDS if each.name == kind)
    assert found.at(path)(SOUND) == wrong


@pytest.mark.parametrize(
    ("kind", "path"),
    [
        ("another order", "$.state"),
        ("another unit", "$.held"),
        ("another case", "$.order_id"),
        ("exchanged with its neighbour", "$.at"),
        ("removed", "$.nowhere"),
        ("null", "$.lines[].nowhere"),
    ],
)
def test_what_cannot_be_wrong_in_a_way_is_not_planted(kind: str, path: str) -> None:
    found = next(each for each in KINDS if each.name == kind)
    assert found.at(path)(SOUND) is None
    assert SOUND["state"] == "held"


def test_every_break_is_planted_in_one_part_of_ten(monkeypatch: pytest.MonkeyPatch) -> None:
    planted: Counter[str] = Counter()
    for number in range(10, 20):
        monkeypatch.setenv(parts.PART, f"{number}/10")
        planted.update(name for name in map(str, range(200)) if parts.is_chosen(name))
    assert set(planted.values()) == {1}
    assert len(planted) == 200


def test_a_survivor_is_reported_and_red(capsys: pytest.CaptureFixture[str]) -> None:
    sound, bad = run.Score(Counter(null=2), ()), run.Score(Counter(null=1), ("reader asks library: $.title null",))
    assert run.report([sound], 1.0) == 0
    assert "2 of 2 generated breaks are caught" in capsys.readouterr().out
    assert run.report([sound, bad], 1.0) == 1
    said = capsys.readouterr().out
    assert "SURVIVED  reader asks library: $.title null" in said
    assert "2 of 3 generated breaks are caught" in said
    assert run.report([], 1.0) == 1


async def test_a_request_that_its_contract_lets_pass_is_noted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(RECORDED, str(tmp_path))
    pact = Pact("reader", "library")
    lent = {"title": "Emma", "name": match.regex("Ada", regex=".*")}
    interaction = pact.upon_receiving("a loan").with_request("POST", "/loans").with_body(lent, "application/json")
    interaction.with_header("Onsale-Deadline-Ms", match.regex("5000", regex=r"^\d{4,5}$")).will_respond_with(204)
    body = json.dumps({"title": "Emma", "name": "Ada"}).encode()
    asked = Asked("POST", "/loans", (), (("onsale-deadline-ms", "5000"),), body)
    await probe(pact, EDGE, "POST /loans", [asked])
    lines = [json.loads(line) for line in (tmp_path / requests.FILE).read_text().splitlines()]
    minded = {(what, kind): is_minded for _, _, what, kind, is_minded in lines}
    assert minded["the method", "another"]
    assert minded["onsale-deadline-ms:", "another unit"]
    assert minded["$.title", "empty"]
    assert not minded["$.name", "empty"]


@pytest.fixture
def made_up(tmp_path: Path) -> System:
    return make_up(tmp_path)


def test_declarations_that_nobody_compares_survive(made_up: System, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("contracts.mutation.generated.declarations.real", lambda: made_up)
    planting = Declarations()
    found = {str(each): each for each in planting.breaks()}
    renamed = found["reader asks library, GET /shelves/{shelf_id}: the refusal shelf_unknown renamed"]
    assert planting.survivors([renamed]) == []
    monkeypatch.setattr("contracts.mutation.generated.declarations.problems_of_refusals", lambda _: [])
    monkeypatch.setattr("contracts.mutation.generated.declarations.Demanded.refuse_undemanded", lambda _: None)
    monkeypatch.setattr("contracts.mutation.generated.declarations.Demanded.add", lambda *_: None)
    assert planting.survivors([renamed]) == [renamed]


def test_what_its_teller_knows_is_compared_beside_pact() -> None:
    body = {"order_id": ID, "event_id": OTHER}
    interaction = {
        "type": "Asynchronous/Messages",
        "description": "bus.library.book_lent",
        "contents": {"content": body, "contentType": "application/json", "encoded": False},
        "matchingRules": {"body": {f"$.{name}": {"combine": "AND", "matchers": [{"match": "type"}]} for name in body}},
    }
    edge = Edge("reader", "watches", "library")
    exchanged = json.dumps({"order_id": OTHER, "event_id": ID}).encode()
    name = "bus.library.book_lent"
    assert minded_of_published(edge, [interaction], {name: Published(exchanged)}) == set()
    assert minded_of_published(edge, [interaction], {name: Published(exchanged, {"order_id": ID})}) == {name}


async def test_a_state_whose_handler_does_nothing_is_minded_or_noted(
    harness: Harness, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pacts = tmp_path / "pacts"
    pacts.mkdir()
    await write_pact(pacts)
    monkeypatch.setenv(dropped.DROPPED, str(tmp_path / "dropped.jsonl"))
    monkeypatch.setattr(dropped, "_is_partner", lambda _: False)
    library = Library()
    async with harness.serving(library.app) as url:
        states = {A_SHELF: library.a_shelf_with_a_book}
        await verify_answers("library", url, callers=[EDGE.consumer], states=states, pacts=pacts)
    (line,) = (tmp_path / "dropped.jsonl").read_text().splitlines()
    assert json.loads(line) == ["reader asks library", A_SHELF, "a shelf", True]


def test_every_excuse_of_a_state_says_why_and_names_a_test_that_is_there() -> None:
    for each in run.unseen_interactions():
        assert each["reason"].endswith(".")
        assert (run.ROOT / each["seen_by"]).is_file(), each["seen_by"]
