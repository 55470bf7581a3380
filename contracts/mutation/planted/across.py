"""Breaks that are made on both sides at once: the checks of one version pass, and only the released version is broken."""

from contracts.mutation.breaks import Break, Edit, Everywhere
from contracts.mutation.planted.places import asks, hears, is_asked, tells

API, OFFERS = "services/inventory/api.py", "services/inventory/operations.py"
CLIENT = "services/orders/clients/inventory.py"
WRITES = asks("orders", "inventory")
HEARS = hears("orders", "inventory")

BREAKS = (
    Break(
        "a field of an answer is renamed by provider, consumer and contract at once",
        (
            Edit(OFFERS, "    expires_at: datetime\n", "    valid_until: datetime\n"),
            Edit(API, "expires_at=hold.expires_at", "valid_until=hold.expires_at"),
            Everywhere(CLIENT, "(Read):\n    expires_at: datetime\n", "(Read):\n    valid_until: datetime\n"),
            Everywhere(CLIENT, "hold.expires_at", "hold.valid_until"),
            Everywhere(WRITES, '"expires_at":', '"valid_until":'),
        ),
        (is_asked("inventory"),),
        ("inventory breaks what orders relies on", "a hold of a seat", "missing the following keys: expires_at"),
        rewrites=(WRITES,),
        blind=(WRITES, is_asked("inventory")),
        across=True,
    ),
    Break(
        "a field of a fact is renamed by provider, consumer and contract at once",
        (
            Edit("services/inventory/events.py", '"hold_id"', '"hold"'),
            Edit("services/inventory/events.py", "    hold_id: UUID\n", "    hold: UUID\n"),
            Edit(
                "services/inventory/service.py",
                '                hold_id=row["hold_id"], event_id',
                '                hold=row["hold_id"], event_id',
            ),
            Edit("services/orders/inbox.py", "    hold_id: UUID\n", "    hold: UUID\n"),
            Edit("services/orders/inbox.py", "fact.hold_id", "fact.hold"),
            Edit(HEARS, '"hold_id":', '"hold":'),
        ),
        (tells("inventory"),),
        ("inventory breaks what orders relies on", "missing the following keys: hold_id"),
        rewrites=(HEARS,),
        blind=(HEARS, tells("inventory")),
        across=True,
    ),
)
