"""Faults of notifications to practise on. Loaded only when one is switched on (chassis/drills.py)."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from pydantic import Field

from chassis import inbox
from chassis.db import Transaction
from chassis.drills import Faults, Switch
from chassis.facts import CloudEvent
from chassis.ids import uuid7
from chassis.statements import text
from services.notifications import app
from services.notifications.domain import Delivery, Template, message_id_of
from services.notifications.sending import Emails
from services.notifications.service import Notifications
from tracing.spans import current_traceparent


def send_first(faults: Faults) -> None:
    """Mails go out while the fact is handled, which is quicker than a worker; that they did is written down afterwards."""
    made: list[Emails] = []

    def emails(*parts: Any) -> Emails:
        made.append(good(*parts))
        return made[-1]

    async def note(
        _self: Notifications,
        tx: Transaction,
        template: Template,
        *,
        order_id: UUID,
        order_number: str,
        person_id: UUID,
        content: dict[str, Any],
        received: inbox.Received,
        edition: int | None = None,
    ) -> bool:
        message_id = message_id_of(order_id, template, "onsale.example", edition)
        about = (order_id, order_number, person_id, template, content, message_id, 1, current_traceparent())
        mail = Delivery(uuid7(), 0, *about)
        await made[0]._send(mail)  # noqa: SLF001  # as somebody in a hurry would
        async with made[0]._database.writer() as own:  # noqa: SLF001  # so that it is kept whatever happens here
            kept = await own.execute(_SENT, _row(mail), name="deliveries.insert_sent")
        if kept.rowcount:
            await tx.execute(_TRIED, {"delivery_id": mail.delivery_id}, name="deliveries.insert_attempt")
        return await inbox.hear(tx, received)

    good = faults.replace(app, "Emails", emails)
    faults.replace(Notifications, "note", note)


def envelope_of_another_version(faults: Faults) -> None:
    """The model of the envelope was written by hand, from a draft in which the trace has another name."""

    class Envelope(CloudEvent):
        traceparent: str | None = Field(default=None, alias="trace_parent")

    faults.replace(inbox, "CloudEvent", Envelope)


def _row(mail: Delivery) -> dict[str, Any]:
    names = ("delivery_id", "order_id", "order_number", "person_id", "message_id", "traceparent")
    return {name: getattr(mail, name) for name in names} | {"template": mail.template.value}


_SENT = text("""
    INSERT INTO delivery (delivery_id, order_id, order_number, person_id, template, content, message_id, state, attempts,
        sent_at, traceparent)
    VALUES (:delivery_id, :order_id, :order_number, :person_id, :template, '{}', :message_id, 'sent', 1, now(), :traceparent)
    ON CONFLICT (order_id, template) DO NOTHING
""")
# The time at which it began has a default; the number of the try has none.
_TRIED = text("INSERT INTO work_attempt (queue, key, fence) VALUES ('notifications.send_email', :delivery_id, 1)")

SWITCHES: Mapping[str, Switch] = {
    "envelope-of-another-version": envelope_of_another_version,
    "send-first": send_first,
}
