"""Web after a while: 200,000 browsers with a session. Its pages ask the other services, and those are asked for themselves."""

from chassis.db import Transaction
from services.web import queries
from services.web.app import create_app
from services.web.settings import WebSettings
from tests.grown.filling import SMALL_OF_THE_CHASSIS, Filled, Grown, of_the_chassis, uid
from tests.grown.looking import Grew

_ASKED = "accounts catalog inventory notifications orders payments tickets waitingroom"
HASH = "sha256(CAST(CAST(n AS text) AS bytea))"
LATER = "now() + n * interval '10 seconds'"

SESSIONS = Filled(
    "session",
    200_000,
    {
        "id_hash": HASH,
        "person_id": uid(2, "n"),
        "guest": "true",
        "sealed_tokens": "'\\x00'",
        "token_expires_at": "now()",
        "expires_at": LATER,
    },
)
VISITS = Filled("left_visit", 20_000, {"visit_hash": HASH, "expires_at": LATER})


async def reads(tx: Transaction) -> None:
    """What pages read of web's own."""
    await queries.session_by_hash(tx, bytes(32))
    await queries.was_left(tx, bytes(32))


GREW = Grew(
    create_app,
    WebSettings,
    Grown((SESSIONS, VISITS, *of_the_chassis(uid(1, "n"))), SMALL_OF_THE_CHASSIS),
    reads=reads,
    values={
        **{f"{name}_url": "http://127.0.0.1:9" for name in _ASKED.split()},
        "public_url": "http://shop.test",
        "cookie_secret": "a secret that is long enough for a test",
    },
)
