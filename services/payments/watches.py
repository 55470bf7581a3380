"""What waits in payments, as metrics: what a gateway has not said yet, and hints of the bank that were not followed."""

from chassis.statements import text
from chassis.watching import Watch
from tracing.instruments import Instrument

KIND = ("onsale.operation",)
UNKNOWN = Instrument(
    "onsale.gateway.unknown", "gauge", "{operation}", "Operations whose outcome the gateway has not reported.", KIND
)
UNKNOWN_AGE = Instrument(
    "onsale.gateway.unknown.age", "gauge", "s", "How long ago the oldest operation of unknown outcome began.", KIND
)
WEBHOOKS = Instrument("onsale.webhook.waiting", "gauge", "{webhook}", "Webhooks of the bank that were not followed.")
WEBHOOK_AGE = Instrument(
    "onsale.webhook.age", "gauge", "s", "How long ago the oldest webhook that was not followed arrived."
)

OPERATIONS = Watch(
    "metrics.unknown_operations",
    text("""
        SELECT kind, count(*) AS unknown, EXTRACT(EPOCH FROM now() - min(created_at)) AS age
        FROM (
            SELECT kind, created_at FROM gateway_operation
            WHERE state = 'unknown' ORDER BY ask_again_at LIMIT 10000
        ) AS first
        GROUP BY kind
    """),
    {"unknown": UNKNOWN, "age": UNKNOWN_AGE},
    {"kind": "onsale.operation"},
)
HINTS = Watch(
    "metrics.webhooks",
    text("""
        SELECT count(*) AS waiting, COALESCE(EXTRACT(EPOCH FROM now() - min(received_at)), 0) AS age
        FROM (SELECT received_at FROM webhook WHERE handled_at IS NULL ORDER BY ask_at LIMIT 10000) AS first
    """),
    {"waiting": WEBHOOKS, "age": WEBHOOK_AGE},
)
