"""Whether this version understands an example that another one wrote: read by its real chassis, it must mean what was meant.

Each reader takes an example and raises ContractBroken, or whatever the chassis raises, unless it is understood.
"""

import json
import os
import tempfile
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, cast

import httpx
from nats.aio.msg import Msg

from chassis.broker import Broker
from chassis.bus import Bus
from chassis.calls import Answered, Sending, ServiceCalls
from chassis.db import Database, Transaction
from chassis.errors import NotAuthenticated
from chassis.firehose import aggregate_of
from chassis.http import (
    ProviderBusyForYou,
    ProviderProblem,
    ProviderUnavailable,
    provider_pins,
    refusal_of,
)
from chassis.inbox import Inbox, Received, publication_of
from chassis.people import PersonVerifier
from chassis.stream import STREAM, SUBJECTS
from chassis.tokens import CallerVerifier, ServiceTokens
from contracts.pactfile import ContractBroken
from contracts.protocol import fixed, sample
from contracts.protocol.standins import Message, Store, Wire
from contracts.protocol.writing import EXAMPLES, Example, sample_settings
from contracts.running import ACROSS
from tracing.spans import current_trace_id, trace_id_of

# How much less than given may be left of a deadline: margins of caller and callee, and rounding.
ROUNDING_SECONDS = 0.2
# More than clocks may differ.
LATE_SECONDS = 60


def examples_to_read() -> dict[str, Example]:
    """The examples of the version that `CONTRACTS_ACROSS` names, or of this checkout; none of a version from before there were any."""
    other = os.environ.get(ACROSS)
    path = Path(other) / EXAMPLES.parent.name / EXAMPLES.name if other else EXAMPLES
    found: dict[str, Example] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    return found


def must_mean(what: str, meant: Any, read: Any) -> None:
    """Raises ContractBroken unless what was read is what was meant."""
    if read != meant:
        raise ContractBroken(f"{what}: another version means {meant!r}, and this one reads {read!r}.")


async def read_service_token(example: Example) -> None:
    """The provider that a token is for accepts it while it is valid, and learns who calls; other providers refuse it."""
    token, means = example["wire"]["token"], example["means"]

    async def caller_at(audience: str, seconds: float) -> str:
        with _clock(example, seconds), tempfile.TemporaryDirectory() as folder:
            files = fixed.keep_keys(Path(folder), example["wire"]["keys"], {})
            return CallerVerifier(audience, files["service_keys_file"]).caller(token)

    for seconds in (0, means["seconds"] - 1):
        caller = await _accepted(f"a service's token after {seconds} s", caller_at(means["audience"], seconds))
        must_mean("the caller whom a service's token names", means["caller"], caller)
    await _refused("a service's token for another service", caller_at(means["not_for"], 0))
    await _refused("a service's token that is over", caller_at(means["audience"], means["seconds"] + LATE_SECONDS))


async def read_person_token(example: Example) -> None:
    """A token names its person while it is valid, and nobody afterwards. An order pass opens its order."""
    token, means = example["wire"]["token"], example["means"]

    async def person_at(seconds: float) -> dict[str, Any]:
        with _clock(example, seconds), tempfile.TemporaryDirectory() as folder:
            url = fixed.keep_keys(Path(folder), {}, example["wire"]["keys"])["person_keys_url"]
            tokens = ServiceTokens(fixed.CALLER, fixed.SERVICE_KEY)
            async with ServiceCalls("accounts", "http://nowhere", tokens) as http:  # the keys are in a file
                person = await PersonVerifier(url, http).person(token)
        order_id = None if person.order_id is None else str(person.order_id)
        return {"person_id": str(person.person_id), "guest": person.guest, "order_id": order_id}

    meant = {name: means[name] for name in ("person_id", "guest", "order_id")}
    for seconds in (0, means["seconds"] - 1):
        must_mean("a person's token", meant, await _accepted(f"a person's token after {seconds} s", person_at(seconds)))
    await _refused("a person's token that is over", person_at(means["seconds"] + LATE_SECONDS))


async def read_request(example: Example) -> None:
    """A service understands from its headers: who calls, for whom, until when, with which pin, key and trace."""
    wire, meant = example["wire"], dict(example["means"])
    with _clock(example, 0), tempfile.TemporaryDirectory() as folder:
        files = fixed.keep_keys(Path(folder), wire["keys"]["services"], wire["keys"]["people"])
        response = await _post(sample.create_app(sample_settings(files)), wire)
    if not response.is_success:
        raise ContractBroken(f"a request: this version refuses it: {response.text}")
    read, seconds = response.json(), meant.pop("seconds")
    if not seconds - ROUNDING_SECONDS <= (left := read.pop("seconds")) <= seconds:
        raise ContractBroken(f"a request's deadline: another version means {seconds} s, and this one reads {left} s.")
    del meant["at"]
    must_mean("a request", meant, read)


async def read_answers_pin(example: Example) -> None:
    """A caller remembers the pin of an answer, and sends it with its next request."""

    async def answer(_sending: Sending) -> Answered:
        response = _response(example["wire"])
        return Answered(response.status_code, response.headers, response.content)

    tokens = ServiceTokens(fixed.CALLER, fixed.SERVICE_KEY)
    provider_pins.set({})
    async with ServiceCalls(fixed.PROVIDER, "http://sample", tokens, carry=answer) as http:
        await http.request("GET", "/")
        read = (provider_pins.get() or {}).get(fixed.PROVIDER)
    must_mean("the pin of an answer", example["means"]["pin"], read)


async def read_refusal(example: Example) -> None:
    """A refusal says its code, its sentence and its facts."""
    error, means = _refusal(example, ProviderProblem), example["means"]
    facts = {name: error.facts.get(name) for name in means["facts"]}
    read = {"status": error.status, "code": error.problem_code, "detail": error.detail, "facts": facts}
    must_mean("a refusal", means, read)


async def read_refusal_for_a_while(example: Example) -> None:
    """A refusal says when to ask again, in its body and in its header."""
    bare = {"wire": example["wire"] | {"body": ""}}
    for each, code in ((example, example["means"]["code"]), (bare, "unknown")):
        error = _refusal(each, ProviderBusyForYou)
        meant = {"code": code, "retry_after_seconds": example["means"]["retry_after_seconds"]}
        read = {"code": error.problem_code, "retry_after_seconds": error.retry_after_seconds}
        must_mean("a refusal for a while", meant, read)


async def read_idempotent_answer(example: Example) -> None:
    """The repetition of a request finds what another version has kept under its key: its answer, and no work."""
    wire, store = example["wire"], Store()
    row = wire["row"]
    store.keys.append(
        row | {"request_hash": bytes.fromhex(row["request_hash"]), "response": json.loads(row["response"])}
    )
    with tempfile.TemporaryDirectory() as folder:
        files = fixed.keep_keys(Path(folder), fixed.service_jwks(), {})
        answer = await _post(sample.create_app(sample_settings(files), store), wire)
    headers = {name: answer.headers.get(name) for name in example["means"]["headers"]}
    read = {"status": answer.status_code, "headers": headers, "body": answer.text}
    must_mean("the answer to a request that is repeated", example["means"], read)
    must_mean("the keys that are kept after a repetition", 1, len(store.keys))


async def read_fact(example: Example) -> None:
    """An inbox hears it: what it is about, its version, its trace, and how often it was sent."""
    wire, heard, inbox = example["wire"], list[dict[str, Any]](), Inbox(fixed.STRANGER)
    message = cast("Msg", Message(wire["subject"], wire["body"].encode(), wire["headers"]))

    @inbox.hears(example["means"]["subject"], sample.PriceHeard)
    async def hear(_tx: Transaction, fact: sample.PriceHeard, received: Received) -> None:
        heard.append(
            {
                "event_id": str(received.event_id),
                "subject": received.subject,
                "aggregate_id": received.aggregate_id,
                "time": received.time.isoformat(),
                "version": received.version,
                "trace_id": trace_id_of(received.traceparent),
                "price_minor": fact.price_minor,
                "publication": publication_of(message),
            }
        )

    store = Store(inbox_insert=[{}])
    await inbox.receiver(cast("Database", store))(message)
    if not heard:
        raise ContractBroken(
            f"a fact: this version does not hear it: {(store.asked.get('inbox.bury') or {}).get('reason')}"
        )
    must_mean("a fact", example["means"], heard[0])
    must_mean("what a fact is about", example["means"]["aggregate_id"], aggregate_of(message))


async def read_bus_message(example: Example) -> None:
    """A subscriber hears it, in its trace."""
    wire, heard, broker = example["wire"], list[dict[str, Any]](), Wire()

    async def hear(subject: str, payload: dict[str, Any]) -> None:
        heard.append({"subject": subject, "payload": payload, "trace_id": current_trace_id()})

    Bus(cast("Broker", broker)).subscribe("bus.>", hear)
    await broker.heard_by["bus.>"](cast("Msg", Message(wire["subject"], wire["body"].encode(), wire["headers"])))
    must_mean("a bus message", [example["means"]], heard)


async def read_firehose(example: Example) -> None:
    """Facts of both versions go through one stream."""
    must_mean("the stream of facts", example["wire"], {"stream": STREAM, "subjects": SUBJECTS})


Reader = Callable[[Example], Awaitable[None]]
READERS: dict[str, Reader] = {
    "service token": read_service_token,
    "person token": read_person_token,
    "order pass": read_person_token,
    "request": read_request,
    "pin of an answer": read_answers_pin,
    "refusal": read_refusal,
    "refusal for a while": read_refusal_for_a_while,
    "idempotent answer": read_idempotent_answer,
    "fact": read_fact,
    "fact that is sent again": read_fact,
    "bus message": read_bus_message,
    "firehose": read_firehose,
}


def _clock(example: Example, seconds: float) -> Any:
    return fixed.clock_at(datetime.fromisoformat(example["means"]["at"]) + timedelta(seconds=seconds))


async def _accepted(what: str, verifying: Awaitable[Any]) -> Any:
    try:
        return await verifying
    except (NotAuthenticated, ProviderUnavailable) as error:
        raise ContractBroken(f"{what}: this version refuses what another one signs: {error}") from error


async def _refused(what: str, verifying: Awaitable[Any]) -> None:
    try:
        await verifying
    except NotAuthenticated:
        return
    raise ContractBroken(f"{what}: this version accepts it.")


async def _post(app: Any, wire: dict[str, Any]) -> httpx.Response:
    headers = {"Content-Type": "application/json", **wire["headers"]}
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://sample") as http:
        return await http.post(wire["path"], headers=headers, content=wire["body"])


def _response(wire: dict[str, Any]) -> httpx.Response:
    return httpx.Response(wire["status"], headers=wire["headers"], content=wire["body"].encode())


def _refusal(example: Example, kind: type[Any]) -> Any:
    error = refusal_of(_response(example["wire"]), fixed.PROVIDER)
    if not isinstance(error, kind):
        raise ContractBroken(f"a refusal: another version means a {kind.__name__}, and this one reads {error!r}.")
    return error
