"""What every span of a message tells alike, whether it is created, sent or processed, over the firehose or the bus."""

from typing import Literal

SYSTEM = "nats"

Operation = Literal["create", "send", "process"]


def message_attributes(
    operation: Operation,
    destination: str,
    *,
    template: str | None = None,
    message_id: str | None = None,
    group: str | None = None,
) -> dict[str, str]:
    """Attributes of a span that does `operation` with a message.

    `destination` is the subject, `template` the part of it without an id, `group` the consumer whose processes share the messages.
    """
    attributes = {
        "messaging.system": SYSTEM,
        "messaging.operation.name": operation,
        "messaging.operation.type": operation,
        "messaging.destination.name": destination,
    }
    if template is not None:
        attributes["messaging.destination.template"] = template
    if message_id is not None:
        attributes["messaging.message.id"] = message_id
    if group is not None:
        attributes["messaging.consumer.group.name"] = group
    return attributes
