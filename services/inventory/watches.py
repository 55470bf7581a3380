"""What waits in inventory, as metrics: live holds, and requests that wait to be granted."""

from chassis.statements import text
from chassis.watching import Watch
from tracing.instruments import Instrument

POOL = ("db.client.connection.pool.name",)
LIVE = Instrument(
    "onsale.hold.live", "gauge", "{hold}", "Holds that are neither committed nor released nor expired.", POOL
)
OVERDUE = Instrument(
    "onsale.hold.overdue",
    "gauge",
    "s",
    "For how long the oldest live hold is beyond its end; its places are free again, but nobody was notified.",
    POOL,
)
WAITING = Instrument(
    "onsale.hold.waiting",
    "gauge",
    "{request}",
    "The most requests for places that waited to be granted at the same moment, in the last seconds.",
)

HOLDS = Watch(
    "metrics.live_holds",
    text("""
        SELECT count(*) AS live, COALESCE(greatest(0, EXTRACT(EPOCH FROM now() - min(expires_at))), 0) AS overdue
        FROM (SELECT expires_at FROM hold WHERE state = 'held' ORDER BY expires_at LIMIT 10000) AS first
    """),
    {"live": LIVE, "overdue": OVERDUE},
)
