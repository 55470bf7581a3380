"""The auditor: waits until a system is at rest, copies what it needs to know, and checks every promise."""

import time
from collections.abc import Iterable
from pathlib import Path

from local.topology import HEARS, SERVICES
from rehearsal.audit.copies import copies_of
from rehearsal.audit.ends import ENDS
from rehearsal.audit.facts import FACTS
from rehearsal.audit.model import Audit, Invariant
from rehearsal.audit.money import MONEY
from rehearsal.audit.places import PLACES
from rehearsal.audit.rest import wait_for_rest
from rehearsal.audit.scratch import Scratch
from rehearsal.audit.sources import Sources, databases_of

REST_SECONDS = 60.0
INVARIANTS = tuple(sorted((*PLACES, *MONEY, *FACTS, *ENDS), key=lambda each: each.number))
_COUNTS = {
    "orders": "SELECT count(*) FROM orders_order",
    "confirmed": "SELECT count(*) FROM orders_order WHERE state = 'confirmed'",
    "cancelled": "SELECT count(*) FROM orders_order WHERE state = 'cancelled'",
    "waiting for their buyers": "SELECT count(*) FROM orders_order WHERE state IN ('held', 'paying')",
    "places sold": "SELECT COALESCE(sum(quantity), 0) FROM inventory_place WHERE state = 'committed'",
    "facts": "SELECT count(*) FROM all_outbox",
    "acknowledgements": "SELECT count(*) FROM told",
}


async def audit(
    sources: Sources,
    *,
    log: Path | None = None,
    rest_seconds: float = REST_SECONDS,
    also_buyers: bool = False,
    invariants: Iterable[Invariant] = INVARIANTS,
) -> Audit:
    """Looks at everything once. `log`: what buyers were told; for `also_buyers` see `wait_for_rest`.

    Raises StartError, or the errors of Postgres, NATS and SQLite, if it cannot look.
    """
    sources.check()
    began = time.monotonic()
    restless = None
    if not sources.is_stopped:
        restless = await wait_for_rest(sources, rest_seconds, also_buyers=also_buyers)
    rested = time.monotonic()
    scratch = await Scratch.open(sources.url_of_database("postgres"))
    try:
        await _fill(scratch, sources, log)
        wanted = list(invariants)
        checked = [each for each in wanted if scratch.tables.issuperset(each.needs) and not _is_moot(each, sources)]
        found = {each: await scratch.check(each) for each in checked}
        counts = {name: int(await scratch.value(query)) for name, query in _COUNTS.items()}
    finally:
        await scratch.close()
    broken = [each for each in found.values() if each is not None]
    return Audit(
        broken=(*([restless] if restless else []), *broken),
        held=tuple(each for each, result in found.items() if result is None),
        left_out=tuple(each for each in wanted if each not in found),
        counts=counts,
        seconds=time.monotonic() - rested,
        seconds_until_rest=rested - began,
    )


def _is_moot(invariant: Invariant, sources: Sources) -> bool:
    """Whether a promise is about what must have happened by now, and nothing could happen."""
    return sources.is_stopped and "read_at" in invariant.query


async def _fill(scratch: Scratch, sources: Sources, log: Path | None) -> None:
    copies = copies_of(tuple(SERVICES))
    for service in SERVICES:
        own = [each for each in copies if each.service == service]
        for database in await databases_of(sources, service):
            await scratch.take(sources.url_of_database(database), own)
    for kind in ("outbox", "inbox", "dead", "key"):
        await scratch.unite(kind, SERVICES)
    await scratch.take_bank(sources.ledger)
    await scratch.take_acknowledgements(log)
    pairs = [(consumer, subject) for consumer, subjects in HEARS.items() for subject in subjects]
    await scratch.fill("hears", "consumer text, subject text", pairs)
    await scratch.finish()
