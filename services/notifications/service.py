"""What is asked of this service: to remember that a mail is due, in the transaction of the fact that calls for it."""

from collections.abc import Callable
from email.utils import parseaddr
from typing import Any
from uuid import UUID

from chassis.db import Transaction
from chassis.ids import uuid7
from chassis.inbox import Received
from services.notifications import queries
from services.notifications.domain import Template, message_id_of, name_of
from tracing.spans import current_traceparent, note


class Notifications:
    """Writes deliveries. `wake` tells the sender that there is one."""

    def __init__(self, mail_from: str, wake: Callable[[], None]) -> None:
        self._mail_domain = parseaddr(mail_from)[1].rpartition("@")[2]
        self._wake = wake

    async def note(
        self,
        tx: Transaction,
        template: Template,
        *,
        order_id: UUID,
        order_number: str,
        person_id: UUID,
        content: dict[str, Any],
        received: Received,
        edition: int | None = None,
    ) -> bool:
        """Lets a mail be sent after the commit, unless the order had this mail, in this edition, before. One statement, with the row
        of the inbox: whether the fact is heard for the first time."""
        note({"onsale.order_id": str(order_id), "onsale.order_number": order_number, "onsale.template": template.value})
        row = {
            "delivery_id": uuid7(),
            "order_id": order_id,
            "order_number": order_number,
            "person_id": person_id,
            "template": name_of(template, edition),
            "content": content,
            "message_id": message_id_of(order_id, template, self._mail_domain, edition),
            "traceparent": current_traceparent(),
        }
        is_first, is_new = await queries.insert_delivery(tx, row, received)
        if is_new:
            tx.after_commit(self._wake)
        else:
            note({"onsale.duplicate": True})
        return is_first
