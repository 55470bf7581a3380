"""Each reader of the protocol refuses an example that means something else, and names it. And what a deployment makes of that."""

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from contracts.deploying import protocol
from contracts.deploying.across import Answer, Reading, Version, read_protocol
from contracts.deploying.crosswise import Crosswise
from contracts.journal import Found
from contracts.pactfile import ContractBroken
from contracts.protocol.reading import READERS, examples_to_read
from contracts.protocol.writing import Example, examples
from contracts.running import ACROSS

ROOT = Path(__file__).resolve().parents[2]
Change = Callable[[dict[str, Any]], None]


@pytest.fixture(scope="module")
def written() -> dict[str, Example]:
    return examples()


def header(name: str, value: str | None) -> Change:
    def change(wire: dict[str, Any]) -> None:
        assert name in wire["headers"]
        wire["headers"] = {key: each for key, each in wire["headers"].items() if key != name}
        wire["headers"] |= {} if value is None else {name: value}

    return change


def in_body(old: str, new: str) -> Change:
    def change(wire: dict[str, Any]) -> None:
        assert old in wire["body"]
        wire["body"] = wire["body"].replace(old, new)

    return change


def in_row(old: str, new: str) -> Change:
    def change(wire: dict[str, Any]) -> None:
        row = {
            name: value.replace(old, new) if isinstance(value, str) else value for name, value in wire["row"].items()
        }
        assert row != wire["row"]
        wire["row"] = row

    return change


OTHER_TRACE = "00-00000000000000000000000000000001-b7ad6b7169203331-01"
CHANGES: list[tuple[str, Change, str]] = [
    ("service token", lambda wire: wire.update(keys={"keys": []}), "a service's token after 0 s: this version refuses"),
    ("person token", lambda wire: wire.update(keys={"keys": []}), "a person's token after 0 s: this version refuses"),
    ("order pass", lambda wire: wire.update(token="x.y.z"), "a person's token after 0 s: this version refuses"),
    ("request", header("Onsale-Deadline-Ms", "3"), "this version refuses it: .*deadline_passed"),
    ("request", header("Onsale-Deadline-Ms", "2980000"), "another version means 3.0 s, and this one reads 59.98 s"),
    ("request", header("Onsale-Deadline-Ms", None), "a request's deadline: another version means 3.0 s"),
    ("request", header("Onsale-Pin", None), "'pin': None"),
    ("request", header("Idempotency-Key", None), "'key': None"),
    ("request", header("traceparent", OTHER_TRACE), "'trace_id': '00000000000000000000000000000001'"),
    ("request", header("Authorization", None), "this version refuses it: .*not_authenticated"),
    ("request", header("Onsale-Person", None), "this version refuses it: .*not_authenticated"),
    ("request", header("Onsale-Guest", None), "this version refuses it: .*request_invalid"),
    ("request", in_body("4250", "42"), "'price_minor': 42}"),
    ("pin of an answer", header("onsale-pin", None), "the pin of an answer: .* reads None"),
    ("refusal", in_body('"code"', '"kind"'), "'code': 'unknown'"),
    ("refusal", in_body('"left"', '"remaining"'), "{'left': None}"),
    (
        "refusal",
        lambda wire: wire.update(status=500),
        "means a ProviderProblem, and this one reads ProviderUnavailable",
    ),
    ("refusal for a while", header("retry-after", "7000"), "'retry_after_seconds': 7000"),
    ("idempotent answer", in_row("POST /kept", "/kept"), "'times': 1|the keys that are kept"),
    ("idempotent answer", in_row("eb35", "0000"), "idempotency_key_reused"),
    ("idempotent answer", in_row("4250", "42"), "4250.* reads .*42"),
    ("fact", in_body('"sequence"', '"revision"'), "'version': 0"),
    ("fact", in_body('"traceparent"', '"trace"'), "'trace_id': None"),
    ("fact", in_body('"id"', '"event"'), "this version does not hear it: It is not a CloudEvent."),
    ("fact", in_body("4250", '"42.50"'), "this version does not hear it: "),
    ("fact that is sent again", lambda wire: wire["headers"].pop("Nats-Msg-Id"), "'publication': 1"),
    ("bus message", header("traceparent", OTHER_TRACE), "'trace_id': '00000000000000000000000000000001'"),
    ("bus message", in_body("4250", "42"), "'price_minor': 42}"),
    ("firehose", lambda wire: wire.update(stream="FACTS"), "the stream of facts: another version means .*FACTS"),
]


@pytest.mark.parametrize(("name", "change", "says"), CHANGES, ids=[f"{each[0]}: {each[2]}" for each in CHANGES])
async def test_what_means_something_else_is_refused(
    written: dict[str, Example], name: str, change: Change, says: str
) -> None:
    example = copy.deepcopy(written[name])
    change(example["wire"])
    with pytest.raises(ContractBroken, match=says):
        await READERS[name](example)


@pytest.mark.parametrize(
    ("name", "other", "says"),
    [
        ("service token", {"not_for": "tickets"}, "a service's token for another service: this version accepts it"),
        ("service token", {"seconds": 1}, "a service's token that is over: this version accepts it"),
        ("service token", {"seconds": 600}, "a service's token after 599 s: this version refuses"),
        ("service token", {"caller": "web"}, "means 'web', and this one reads 'orders'"),
        ("person token", {"guest": True}, "'guest': False"),
        ("person token", {"seconds": 9000}, "a person's token after 8999 s: this version refuses"),
        ("order pass", {"order_id": None}, "'order_id': '0190163d"),
    ],
)
async def test_a_token_that_means_something_else_is_refused(
    written: dict[str, Example], name: str, other: dict[str, Any], says: str
) -> None:
    example = copy.deepcopy(written[name])
    example["means"] |= other
    with pytest.raises(ContractBroken, match=says):
        await READERS[name](example)


def test_every_reader_is_seen_to_refuse() -> None:
    assert {name for name, _, _ in CHANGES} == READERS.keys()


def test_examples_are_those_of_the_version_that_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ACROSS, str(tmp_path))
    assert examples_to_read() == {}
    (tmp_path / "protocol").mkdir()
    (tmp_path / "protocol/examples.json").write_text('{"fact": {}}')
    assert examples_to_read() == {"fact": {}}


@pytest.fixture
def other(tmp_path: Path) -> Path:
    """Another version, of which there are the examples alone."""
    (tmp_path / protocol.EXAMPLES).parent.mkdir(parents=True)
    (tmp_path / protocol.READERS).parent.mkdir(parents=True)
    (tmp_path / protocol.READERS).touch()
    (tmp_path / protocol.EXAMPLES).write_bytes((ROOT / protocol.EXAMPLES).read_bytes())
    return tmp_path


def test_what_the_readers_say_is_found_by_the_names_of_examples(other: Path) -> None:
    changed = json.loads((other / protocol.EXAMPLES).read_text())
    changed["fact"]["means"]["version"] = 43
    changed["a ticket of paper"] = changed.pop("firehose")
    (other / protocol.EXAMPLES).write_text(json.dumps(changed))
    found = {each.description: each for each in protocol.read_across(ROOT, other, Crosswise())}
    assert found.keys() == {*READERS, "a ticket of paper"}
    assert {name for name, each in found.items() if each.outcome != "held"} == {"fact", "firehose", "a ticket of paper"}
    assert (found["fact"].outcome, "'version': 43" in found["fact"].why) == ("broken", True)
    assert found["firehose"].outcome == found["a ticket of paper"].outcome == "unknown"


@pytest.mark.parametrize(
    ("reader", "found", "outcome"),
    [
        ("of v0.1.0", Found("fact", "unknown", "no example"), "unknown"),
        ("of v0.1.0", Found("gone", "unknown", "no example"), "broken"),
        ("here", Found("gone", "unknown", "no example"), "unknown"),
        ("of v0.1.0", Found("the readers", "failed", "no import"), "unknown"),
        ("here", Found("the readers", "failed", "no import"), "broken"),
        ("here", Found("fact", "broken", "another version"), "broken"),
    ],
    ids=["new", "not written any more", "not written yet", "cannot run there", "cannot run here", "broken"],
)
def test_what_becomes_of_it(
    monkeypatch: pytest.MonkeyPatch, other: Path, reader: str, found: Found, outcome: str
) -> None:
    monkeypatch.setattr(protocol, "read_across", lambda *_trees: [found])
    (other / protocol.EXAMPLES).write_text('{"fact": {}}')
    here, then = Version("here", ROOT), Version("of v0.1.0", other)
    if reader != "here":
        here, then = Version("here", other), Version("of v0.1.0", ROOT)
    readings = read_protocol(here, then, Crosswise())
    assert readings is not None
    reading = next(each for each in readings if each.reader.name == reader)
    assert [each.outcome for each in reading.found] == [outcome]
    answer = Answer("v0.1.0", protocol=[reading])
    assert answer.yes == (outcome == "unknown")
    assert ("Let a release read the new form" in answer.report("orders")) == (outcome == "broken")


def test_what_is_the_same_is_not_read_by_the_release_again(monkeypatch: pytest.MonkeyPatch, other: Path) -> None:
    monkeypatch.setattr(protocol, "read_across", lambda *_trees: [Found("fact", "held")])
    here, then = Version("here", ROOT), Version("of v0.1.0", other)
    assert read_protocol(here, then, Crosswise()) == [Reading(here, then, [Found("fact", "held")])]


def test_a_release_from_before_there_were_examples_is_reported_and_is_no_break(other: Path) -> None:
    (other / protocol.EXAMPLES).unlink()
    assert read_protocol(Version("here", ROOT), Version("of v0.1.0", other), Crosswise()) is None
    answer = Answer("v0.1.0", protocol=None)
    assert answer.yes
    assert "v0.1.0 has no examples of what its chassis writes" in answer.report("orders")
