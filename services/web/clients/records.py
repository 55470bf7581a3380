"""Records of an order, as web reads them of every service that keeps some: for support."""

from datetime import datetime

from chassis.asking import Read, Use


class Facts(Read):
    """What is known about an entry; see chassis/records.py."""

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


class Entry(Read):
    """Something that happened: `what` is a word of its service, its sentence is in support/words.py."""

    at: datetime
    what: str
    facts: Facts
    trace_id: str | None
    span_id: str | None


class Records(Read):
    """What one service has recorded of an order; `is_cut`: some of very many entries are left out."""

    is_cut: bool
    entries: list[Entry]


GET_RECORDS = Use("GET", "/records/orders/{order_id}", reads=Records)
