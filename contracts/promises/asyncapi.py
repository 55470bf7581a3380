"""Who sends and who receives what over NATS: an AsyncAPI 3.0 document, made from the classes of facts and from the contracts.

Senders are known from code; receivers are those that have a contract. Schemas stay in `events/`; this document refers to them.
"""

from typing import Any

from chassis.facts import SEQUENCE_DIGITS, BusMessage, CloudEvent, Fact
from chassis.stream import DUPLICATE_WINDOW_SECONDS, MAX_AGE_SECONDS, STREAM, SUBJECTS
from chassis.version import project_version
from contracts.pactfile import edges, read
from contracts.promises.reading import subject_of

VERSION = "3.0.0"
ADDRESS = "localhost:4222"
CLOUD_EVENT = "application/cloudevents+json"
JSON = "application/json"


def document(published: list[type[Fact | BusMessage]]) -> dict[str, Any]:
    """The document about some facts and bus messages, and those who hear and watch them."""
    return {
        "asyncapi": VERSION,
        "info": {
            "title": "Onsale",
            "version": project_version(),
            "description": "Facts on the firehose, kept and delivered at least once; and messages on the bus, which may be lost.",
        },
        "defaultContentType": JSON,
        "servers": {"firehose": _server(_FIREHOSE) | {"x-jetstream": _STREAM}, "bus": _server(_BUS)},
        "channels": {each.subject: _channel(each) for each in published},
        "operations": {**_sending(published), **_receiving({each.subject for each in published})},
        "components": {
            "messages": {each.subject: _message(each) for each in published},
            "schemas": {"CloudEvent": _envelope()},
        },
    }


_FIREHOSE = "NATS with JetStream. One stream keeps every fact; each service has a durable consumer of its own, and acknowledges."
_BUS = "Core NATS on the same server, at most once: for messages whose loss makes nobody wrong, only late."
_STREAM = {
    "stream": STREAM,
    "subjects": [SUBJECTS],
    "maxAgeSeconds": MAX_AGE_SECONDS,
    "duplicateWindowSeconds": DUPLICATE_WINDOW_SECONDS,
}


def _server(description: str) -> dict[str, Any]:
    variables = {"address": {"default": ADDRESS, "description": "Each installation's own."}}
    return {"host": "{address}", "protocol": "nats", "description": description, "variables": variables}


def _channel(message: type[Fact | BusMessage]) -> dict[str, Any]:
    """A fact's subject is its address; that of a bus message ends with the id of what it is about."""
    channel: dict[str, Any] = {
        "address": message.subject,
        "description": message.__doc__,
        "servers": [{"$ref": "#/servers/firehose"}],
        "messages": {_name(message.subject): {"$ref": f"#/components/messages/{message.subject}"}},
    }
    if issubclass(message, BusMessage):
        about = {"description": "What it is about, so that one can watch just that.", "location": _location(message)}
        channel |= {"address": f"{message.subject}.{{{message.aggregate}}}", "parameters": {message.aggregate: about}}
        channel["servers"] = [{"$ref": "#/servers/bus"}]
    return channel


def _location(message: type[BusMessage]) -> str:
    return f"$message.payload#/{message.aggregate}"


def _name(subject: str) -> str:
    """`order_confirmed` of `events.orders.order_confirmed.v1`."""
    return subject.split(".")[2]


def _sending(published: list[type[Fact | BusMessage]]) -> dict[str, Any]:
    return {
        f"{service}.sends.{each.subject}": _operation("send", service, each.subject, f"{service} tells it.")
        for each in published
        for service in [each.subject.split(".")[1]]
    }


def _receiving(subjects: set[str]) -> dict[str, Any]:
    """Those of each contract on something that is published; what else a contract wants, contracts/promises/needs.py tells."""
    found = {}
    for edge in edges():
        if edge.kind != "asks":
            for subject in sorted({subject_of(edge, each) for each in read(edge)} & subjects):
                words = f"{edge}: see contracts/pacts/{edge.file_name}."
                found[f"{edge.consumer}.{edge.kind}.{subject}"] = _operation("receive", edge.consumer, subject, words)
    return found


def _operation(action: str, service: str, subject: str, summary: str) -> dict[str, Any]:
    return {
        "action": action,
        "summary": summary,
        "tags": [{"name": service}],
        "channel": {"$ref": f"#/channels/{subject}"},
        "messages": [{"$ref": f"#/channels/{subject}/messages/{_name(subject)}"}],
    }


def _message(declared: type[Fact | BusMessage]) -> dict[str, Any]:
    schema = {"$ref": f"./events/{declared.subject}.schema.json"}
    message = {"name": declared.__name__, "title": declared.__name__, "summary": declared.__doc__}
    if issubclass(declared, BusMessage):
        return message | {"contentType": JSON, "headers": _BUS_HEADERS, "payload": schema}
    own = {
        "type": {"const": declared.subject},
        "source": {"const": f"/services/{declared.subject.split('.')[1]}"},
        "data": schema,
    }
    payload = {"allOf": [{"$ref": "#/components/schemas/CloudEvent"}, {"type": "object", "properties": own}]}
    return message | {"contentType": CLOUD_EVENT, "headers": _FACT_HEADERS, "payload": payload}


_TRACE = {"type": "string", "description": "W3C trace context; absent outside of any trace."}
_BUS_HEADERS = {"type": "object", "properties": {"traceparent": _TRACE}}
_FACT_HEADERS = {
    "type": "object",
    "properties": {
        "Nats-Msg-Id": {
            "type": "string",
            "format": "uuid",
            "description": "The event's id: JetStream drops a repetition.",
        },
        "Content-Type": {"const": CLOUD_EVENT},
    },
    "required": ["Nats-Msg-Id", "Content-Type"],
}


_VERSION = {
    "type": "string",
    "pattern": f"^[0-9]{{{SEQUENCE_DIGITS}}}$",
    "description": "The version of what the fact is about: of two facts about one thing, the one with the higher is the newer.",
}


def _envelope() -> dict[str, Any]:
    """CloudEvents 1.0, structured JSON, as chassis/facts.py writes it: what everybody reads, and the type of the data."""
    read_by_all = CloudEvent.model_json_schema()
    properties = read_by_all["properties"]
    return {
        "type": "object",
        "description": "A CloudEvents 1.0 envelope; `subject` is the id of what the fact is about.",
        "properties": {
            **{name: properties[name] for name in ("id", "source", "type", "subject", "time", "data")},
            "specversion": {"const": "1.0"},
            "datacontenttype": {"const": JSON},
            "traceparent": _TRACE,
            "sequence": _VERSION,
        },
        "required": [*read_by_all["required"], "datacontenttype"],
        "additionalProperties": False,
    }
