"""What support reads: a service's own account of one order, in a shape that is alike in all of them.

It comes from the service's tables, so that it is there weeks later, when the spans are gone. It holds no personal data: no
names, no addresses, no cards. An entry says `what` happened by a word; the sentence about it is made by whoever shows it.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, TypeVar
from uuid import UUID

from chassis.consistency import primary_only
from chassis.db import Reads
from chassis.models import Response
from chassis.operations import Operation
from chassis.statements import text

# An order that is asked for again and again for weeks is shown by its first entries and its last ones.
MOST = 400
MOST_OF_EACH = 150

# What the chassis itself has to tell, of every service.
ChassisWhat = Literal["fact_told", "fact_heard", "fact_buried"]


class Facts(Response):
    """What is known about an entry; null, or an empty text, where it does not apply.

    `kind`: of what there are several (the subject of a fact, an operation, a template). `reference`: the id of a fact, a hold or
    a payment. `attempt` counts from 1. `until`: how long a hold lasts, or when it is tried again. `ended_at`: when what began
    with this entry was over (a fact: when the firehose had it). `reason`: a code, or words without personal data.
    """

    state: str
    kind: str
    reason: str
    reference: str
    attempt: int | None
    places: int | None
    amount_minor: int | None
    currency: str | None
    until: datetime | None
    ended_at: datetime | None


class Entry(Response):
    """Something that happened, when, and in which span. A service's own entries add `what`."""

    at: datetime
    facts: Facts
    trace_id: str | None
    span_id: str | None


class Records(Response):
    """An order as one service has recorded it. A service's own class adds `entries`, by time."""

    order_id: UUID
    # Some entries in the middle are left out.
    is_cut: bool


RECORDS = primary_only("Support answers somebody who asks why.")


def records_operation(answers: type[Records]) -> Operation:
    """How support asks a service for its own account of one order."""
    return Operation("GET", "/records/orders/{order_id}", callers=("web",), answers=answers, reads=RECORDS)


@dataclass(frozen=True)
class Noted:
    """An entry before it is answered; `facts` are fields of `Facts`."""

    at: datetime
    what: str
    traceparent: str | None = None
    facts: dict[str, Any] = field(default_factory=dict)


_NO_FACTS = {name: "" if field.annotation is str else None for name, field in Facts.model_fields.items()}
Own = TypeVar("Own", bound=Records)


def records_of(kind: type[Own], order_id: UUID, noted: Iterable[Noted]) -> Own:
    """The answer: entries by time, the middle of very many left out."""
    ordered = sorted(noted, key=lambda each: (each.at, _RANKS.get(each.what, 1)))
    is_cut = len(ordered) > MOST
    shown = [*ordered[: MOST // 2], *ordered[-MOST // 2 :]] if is_cut else ordered
    entries = [
        {"at": each.at, "what": each.what, "facts": _NO_FACTS | _known(each.facts), **_span_of(each.traceparent)}
        for each in shown
    ]
    return kind.model_validate({"order_id": order_id, "is_cut": is_cut, "entries": entries})


def _known(facts: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in facts.items() if value is not None}


# The order of entries of one transaction: the fact that was heard is the cause, the fact that is published the consequence.
_RANKS = {"fact_heard": 0, "fact_told": 2}


def traceparent_of(trace_id: str | None, span_id: str | None) -> str | None:
    """A `traceparent` of what older rows keep apart; the span may not be known."""
    return f"00-{trace_id}-{span_id or NO_SPAN}-01" if trace_id else None


NO_SPAN = "0" * 16


def _span_of(traceparent: str | None) -> dict[str, str | None]:
    _, trace_id, span_id, _ = traceparent.split("-") if traceparent and traceparent.count("-") == 3 else [None] * 4
    return {"trace_id": trace_id, "span_id": span_id if span_id != NO_SPAN else None}


async def facts_about(reads: Reads, ids: Iterable[UUID | str]) -> list[Noted]:
    """Facts that this service published or heard about these ids, and those that it could not make anything of."""
    about = [str(each) for each in ids]
    rows = await reads.execute(_FACTS, {"ids": about, "most": MOST_OF_EACH}, name="records.facts_about")
    return [
        Noted(
            row["at"],
            row["what"],
            row["traceparent"],
            {
                "kind": row["subject"],
                "reference": row["reference"],
                "attempt": row["attempt"],
                "ended_at": row["ended_at"],
                "reason": row["reason"],
            },
        )
        for row in rows.mappings()
    ]


# The reason of a dead letter may quote the fact's text: it stays in the table, and support learns that there is one.
_FACTS = text("""
    (SELECT 'fact_told' AS what, created_at AS at, subject, event_id::text AS reference, publications AS attempt,
            published_at AS ended_at, traceparent, CAST(NULL AS text) AS reason
     FROM outbox WHERE aggregate_id = ANY(:ids) ORDER BY seq LIMIT :most)
    UNION ALL
    (SELECT 'fact_heard', received_at, subject, event_id::text, delivery, NULL, traceparent, NULL
     FROM inbox WHERE aggregate_id = ANY(:ids) ORDER BY received_at LIMIT :most)
    UNION ALL
    (SELECT 'fact_buried', died_at, subject, message_id, deliveries, NULL, traceparent, consumer
     FROM dead_letter WHERE aggregate_id = ANY(:ids) ORDER BY died_at LIMIT :most)
""")
