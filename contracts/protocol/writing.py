"""The examples that this version writes: bytes as its chassis sends them, and beside them what they mean.

`make documents` writes them into `examples.json`. An example has `wire`, what goes to the other version, and `means`, in the
words of no version (seconds, ids); tokens are also shown decoded, for whoever looks at a difference.
"""

import asyncio
import json
import tempfile
from collections.abc import Iterable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

import httpx
import jwt

from chassis.broker import Broker
from chassis.bus import Bus
from chassis.calls import Answered, Sending, ServiceCalls
from chassis.db import Database
from chassis.deadline import set_deadline
from chassis.facts import BusMessage
from chassis.firehose import Firehose
from chassis.http import provider_pins
from chassis.outbox import row_of
from chassis.relay import Relay
from chassis.stream import STREAM, SUBJECTS
from chassis.tokens import SERVICE_TOKEN_SECONDS, ServiceTokens
from contracts.protocol import fixed, sample
from contracts.protocol.standins import Message, Store, Wire
from services.accounts.keys import Keyring
from tracing.spans import continued

Example = dict[str, Any]

EXAMPLES = Path(__file__).parent / "examples.json"
DEADLINE_SECONDS = 3.0
PERSON_SECONDS, PASS_SECONDS = 900, 30 * 86_400
A_THING = {"name": "lamp", "price_minor": 4250}
# Headers of httpx, not of our protocol.
_OF_THE_LIBRARY = {"host", "accept", "accept-encoding", "connection", "user-agent", "content-length"}


def examples() -> dict[str, Example]:
    """Every example by its name. The same bytes each time, as long as the code says the same."""
    with fixed.clock_at(fixed.NOW):
        people = Keyring(fixed.PEOPLE_KEY, lives_seconds=PERSON_SECONDS)
        return _tokens(people) | asyncio.run(_sent(people))


def text_of(made: dict[str, Example]) -> str:
    """The text of the file."""
    return json.dumps(made, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def _tokens(people: Keyring) -> dict[str, Example]:
    service = ServiceTokens(fixed.CALLER, fixed.SERVICE_KEY).to(fixed.PROVIDER)
    person = people.token_of(fixed.PERSON, guest=False).token
    order = people.pass_of(fixed.GUEST, fixed.ORDER, fixed.NOW + timedelta(seconds=PASS_SECONDS)).token
    named = {"person_id": str(fixed.PERSON), "guest": False, "order_id": None, "seconds": PERSON_SECONDS}
    guest = {"person_id": str(fixed.GUEST), "guest": True, "order_id": str(fixed.ORDER), "seconds": PASS_SECONDS}
    return {
        "service token": _token(
            service,
            fixed.service_jwks(),
            {
                "caller": fixed.CALLER,
                "audience": fixed.PROVIDER,
                "not_for": fixed.STRANGER,
                "seconds": SERVICE_TOKEN_SECONDS,
            },
        ),
        "person token": _token(person, people.jwks, named),
        "order pass": _token(order, people.jwks, guest),
    }


def _token(token: str, keys: dict[str, Any], means: dict[str, Any]) -> Example:
    shown = {
        "header": jwt.get_unverified_header(token),
        "claims": jwt.decode(token, options={"verify_signature": False}),
    }
    return {"wire": {"token": token, "keys": keys}, "shown": shown, "means": {"at": fixed.NOW.isoformat(), **means}}


async def _sent(people: Keyring) -> dict[str, Example]:
    request = await _request(people)
    with tempfile.TemporaryDirectory() as folder:
        files = fixed.keep_keys(Path(folder), fixed.service_jwks(), people.jwks)
        settings = sample_settings(files)
        store = Store()
        transport = httpx.ASGITransport(sample.create_app(settings, store))
        async with httpx.AsyncClient(transport=transport, base_url="http://sample") as http:
            pinned = await http.post(
                f"/things/{fixed.THING}", headers=request["wire"]["headers"], content=request["wire"]["body"]
            )
            busy, few = await http.get("/busy"), await http.get("/few")
            keyed = await http.post("/kept", headers={"Idempotency-Key": fixed.KEY}, json=A_THING)
    refused = {"status": 409, "code": "too_few_left", "detail": "Only 3 are left. Take fewer.", "facts": {"left": 3}}
    return {
        "request": request,
        "pin of an answer": {"wire": _answer(pinned) | {"body": ""}, "means": {"pin": fixed.PIN}},
        "refusal": {"wire": _answer(few), "means": refused},
        "refusal for a while": {"wire": _answer(busy), "means": {"code": "too_busy", "retry_after_seconds": 7}},
        "idempotent answer": _kept(keyed, store),
        **await _published(),
    }


def sample_settings(files: dict[str, Any]) -> sample.SampleSettings:
    """Settings of the sample with these files of keys."""
    nowhere = {"database_url": "postgresql://127.0.0.1:1/nowhere", "nats_url": "nats://127.0.0.1:1"}
    return sample.SampleSettings(**{"environment": "test", "log_level": "ERROR", **nowhere, **files})


async def _request(people: Keyring) -> Example:
    taken: list[Sending] = []

    async def take(sending: Sending) -> Answered:
        taken.append(sending)
        return Answered(200, {}, b"")

    tokens = ServiceTokens(fixed.CALLER, fixed.SERVICE_KEY)
    http = ServiceCalls(fixed.PROVIDER, "http://sample", tokens, carry=take)
    set_deadline(DEADLINE_SECONDS)
    provider_pins.set({fixed.PROVIDER: fixed.PIN})
    with continued("an example", fixed.TRACEPARENT):
        await sample.SampleClient(http).ask(
            sample.ASKED,
            body=sample.ThingSent.model_validate(A_THING),
            person=people.token_of(fixed.PERSON, guest=False).token,
            guest=people.token_of(fixed.GUEST, guest=True).token,
            key=fixed.KEY,
            thing_id=fixed.THING,
        )
    (request,) = taken
    wire = {"path": request.path, "headers": _headers(request.headers.items()), "body": request.body.decode()}
    means = {
        "at": fixed.NOW.isoformat(),
        "caller": fixed.CALLER,
        "person_id": str(fixed.PERSON),
        "guest_id": str(fixed.GUEST),
        "seconds": DEADLINE_SECONDS,
        "pin": fixed.PIN,
        "key": fixed.KEY,
        "trace_id": fixed.TRACE_ID,
        "body": A_THING,
    }
    keys = {"services": fixed.service_jwks(), "people": people.jwks}
    return {"wire": {**wire, "keys": keys}, "means": means}


def _headers(headers: Iterable[tuple[str, str]]) -> dict[str, str]:
    return {name: value for name, value in headers if name.lower() not in _OF_THE_LIBRARY}


def _as_written(headers: httpx.Headers) -> Iterator[tuple[str, str]]:
    return ((name.decode(), value.decode()) for name, value in headers.raw)


def _answer(response: httpx.Response) -> dict[str, Any]:
    # The trace is drawn anew for each request of strangers.
    headers = {
        name: value for name, value in _headers(_as_written(response.headers)).items() if name.lower() != "x-trace-id"
    }
    return {"status": response.status_code, "headers": headers, "body": response.text}


def _kept(answer: httpx.Response, store: Store) -> Example:
    """What is kept under a key is read by whichever version the repetition comes to."""
    (row,) = store.keys
    row = row | {"request_hash": row["request_hash"].hex()}
    wire = {"path": "/kept", "headers": {"Idempotency-Key": fixed.KEY}, "body": json.dumps(A_THING), "row": row}
    return {"wire": wire, "means": _answer(answer)}


async def _published() -> dict[str, Example]:
    wire = Wire()
    broker = cast("Broker", wire)
    fact = sample.ThingPriced(thing_id=fixed.THING, price_minor=4250)
    row = row_of(fact, fixed.TRACEPARENT) | {"event_id": fixed.EVENT, "created_at": fixed.NOW, "seq": 42}
    for publications in (1, 2):
        rows = Store(outbox_claim=[row | {"publications": publications}])
        await Relay(cast("Database", rows)).send_batch(Firehose(broker))
    with continued("an example", fixed.TRACEPARENT):
        await Bus(broker).publish(f"{Priced.subject}.{fixed.THING}", {"price_minor": 4250})
    first, again, said = wire.sent
    means = {
        "event_id": str(fixed.EVENT),
        "subject": fact.subject,
        "aggregate_id": str(fixed.THING),
        "time": fixed.NOW.isoformat(),
        "version": 42,
        "trace_id": fixed.TRACE_ID,
        "price_minor": 4250,
    }
    of_bus = {
        "subject": f"{Priced.subject}.{fixed.THING}",
        "trace_id": fixed.TRACE_ID,
        "payload": {"price_minor": 4250},
    }
    return {
        "fact": {"wire": _message(first), "means": means | {"publication": 1}},
        "fact that is sent again": {"wire": _message(again), "means": means | {"publication": 2}},
        "bus message": {"wire": _message(said), "means": of_bus},
        "firehose": {"wire": {"stream": STREAM, "subjects": SUBJECTS}, "means": {"carries": fact.subject}},
    }


class Priced(BusMessage):
    """What is said on the bus."""

    subject = f"bus.{fixed.PROVIDER}.thing_priced"
    aggregate = "thing_id"


def _message(sent: Message) -> dict[str, Any]:
    return {"subject": sent.subject, "headers": sent.headers or {}, "body": sent.data.decode()}
