"""Payments after years: 200,000 of them, with what was asked, heard and booked of each."""

from uuid import UUID

from chassis.db import Transaction
from services.payments import gateway_queries, queries
from services.payments.app import create_app
from services.payments.domain import Terms
from services.payments.operations import OPERATIONS
from services.payments.settings import PaymentsSettings
from tests.grown.filling import SMALL_OF_THE_CHASSIS, Filled, Grown, of_the_chassis, uid, uid_of
from tests.grown.looking import Ask, Grew

ORDER, PAYMENT, TRANSFER = 1, 5, 51
PAYMENTS = 200_000
THEN = f"now() - ({PAYMENTS} - n) * interval '5 minutes'"
OF_ONE = 1_000

PAID = Filled(
    "payment",
    PAYMENTS,
    {
        "payment_id": uid(PAYMENT, "n"),
        "order_id": uid(ORDER, "n"),
        "attempt": "1",
        "amount_minor": "5000",
        "currency": "'CHF'",
        "description": "'2 places'",
        "return_url": "'https://shop.example/orders/1'",
        "pay_by": f"{THEN} + interval '10 minutes'",
        "state": "'captured'",
        "gateway_payment_id": "'gw-' || n",
        "captured_at": THEN,
        "created_at": THEN,
    },
)
ASKED = Filled(
    "gateway_operation",
    2 * PAYMENTS,
    {
        "key": f"CAST({uid(ORDER, '(n + 1) / 2')} AS text) || ':' || n % 2",
        "payment_id": uid(PAYMENT, "(n + 1) / 2"),
        "kind": "(ARRAY['authorise', 'capture'])[1 + n % 2]",
        "state": "'succeeded'",
        "attempts": "1",
        "ask_again_at": "now()",
        "settled_at": "now()",
    },
)
STEPS = Filled(
    "payment_change",
    2 * PAYMENTS,
    {"payment_id": uid(PAYMENT, "(n + 1) / 2"), "state": "(ARRAY['authorised', 'captured'])[1 + n % 2]"},
)
HINTS = Filled(
    "webhook",
    PAYMENTS,
    {
        "webhook_id": "'hook-' || n",
        "type": "'payment.authorised'",
        "gateway_payment_id": "'gw-' || n",
        "attempts": "1",
        "ask_at": THEN,
        "received_at": THEN,
        "handled_at": THEN,
    },
)
BOOKED = Filled(
    "ledger_transfer",
    PAYMENTS,
    {"transfer_id": uid(TRANSFER, "n"), "payment_id": uid(PAYMENT, "n"), "kind": "'captured'", "booked_at": THEN},
)
ENTERED = Filled(
    "ledger_entry",
    2 * PAYMENTS,
    {
        "transfer_id": uid(TRANSFER, "(n + 1) / 2"),
        "account": "(ARRAY['gateway_clearing', 'organiser_payable'])[1 + n % 2]",
        "currency": "'CHF'",
        "amount_minor": "5000 - n % 2 * 10000",
    },
)


async def reads(tx: Transaction) -> None:
    """What a new payment reads."""
    terms = dict.fromkeys(Terms.__dataclass_fields__)
    wanted = terms | {"order_id": UUID(uid_of(ORDER, OF_ONE)), "payment_id": UUID(uid_of(PAYMENT, OF_ONE))}
    await queries.payments_of_order(tx, Terms(**wanted))  # type: ignore[arg-type]  # it reads these two alone
    await gateway_queries.operations_of(tx, UUID(uid_of(PAYMENT, OF_ONE)))
    await queries.locked_payment(tx, UUID(uid_of(PAYMENT, OF_ONE)))


GREW = Grew(
    create_app,
    PaymentsSettings,
    Grown(
        (PAID, ASKED, STEPS, HINTS, BOOKED, ENTERED, *of_the_chassis(uid(PAYMENT, "n"))),
        SMALL_OF_THE_CHASSIS
        | {"ledger_account": "A few in each currency.", "gateway_attempt": "Nobody writes it any more."},
    ),
    OPERATIONS,
    {
        "GET /payments/{payment_id}": [Ask(f"/payments/{uid_of(PAYMENT, OF_ONE)}")],
        "GET /records/orders/{order_id}": [Ask(f"/records/orders/{uid_of(ORDER, OF_ONE)}")],
    },
    reads,
    {"bank_url": "http://127.0.0.1:9", "bank_api_key": "a-key-for-tests", "bank_webhook_secret": "a-secret-for-tests"},
    unasked={"ledger.balances": "Tests alone and auditors ask for all balances."},
)
