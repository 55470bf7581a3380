"""What waits in notifications, as metrics: mails that are not sent."""

from chassis.statements import text
from chassis.watching import Watch
from tracing.instruments import Instrument

TEMPLATE = ("onsale.template",)
WAITING = Instrument("onsale.mail.waiting", "gauge", "{mail}", "Mails that the mail server has not taken.", TEMPLATE)
AGE = Instrument("onsale.mail.age", "gauge", "s", "How long the oldest of them has waited.", TEMPLATE)
ATTEMPTS = Instrument("onsale.mail.attempts", "gauge", "{try}", "How often one of them was tried at most.", TEMPLATE)

MAILS = Watch(
    "metrics.waiting_mails",
    text("""
        SELECT split_part(template, '/', 1) AS template, count(*) AS waiting,
            EXTRACT(EPOCH FROM now() - min(created_at)) AS age, max(attempts) AS attempts
        FROM (
            SELECT template, created_at, attempts FROM delivery
            WHERE state IN ('waiting', 'waiting_news') ORDER BY next_attempt_at LIMIT 10000
        ) AS first
        GROUP BY 1
    """),
    {"waiting": WAITING, "age": AGE, "attempts": ATTEMPTS},
    {"template": "onsale.template"},
)
