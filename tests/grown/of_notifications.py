"""Notifications after years: 200,000 mails."""

from services.notifications.app import create_app
from services.notifications.operations import OPERATIONS
from services.notifications.settings import NotificationsSettings
from tests.grown.filling import SMALL_OF_THE_CHASSIS, Filled, Grown, of_the_chassis, uid, uid_of
from tests.grown.looking import Ask, Grew

ORDER, PERSON, MAIL = 1, 2, 61
MAILS = 200_000
THEN = f"now() - ({MAILS} - n) * interval '5 minutes'"

SENT = Filled(
    "delivery",
    MAILS,
    {
        "delivery_id": uid(MAIL, "n"),
        "order_id": uid(ORDER, "n"),
        "order_number": "'N' || n",
        "person_id": uid(PERSON, "n / 3"),
        "template": "'tickets'",
        "content": "'{}'",
        "message_id": "'<' || n || '@onsale.example>'",
        "state": "'sent'",
        "attempts": "1",
        "created_at": THEN,
        "sent_at": THEN,
    },
)
USES = Filled(
    "address_use",
    20_000,
    {"delivery_id": uid(MAIL, "n"), "digest": "sha256(CAST(CAST(n AS text) AS bytea))", "used_at": "now()"},
)

GREW = Grew(
    create_app,
    NotificationsSettings,
    Grown(
        (SENT, USES, *of_the_chassis(uid(ORDER, "n"))),
        SMALL_OF_THE_CHASSIS | {"delivery_attempt": "Nobody writes it any more."},
    ),
    OPERATIONS,
    {"GET /records/orders/{order_id}": [Ask(f"/records/orders/{uid_of(ORDER, 1_000)}")]},
    values={"accounts_url": "http://127.0.0.1:9", "tickets_url": "http://127.0.0.1:9"},
)
