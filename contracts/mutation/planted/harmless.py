"""Changes that break nobody: checks that refuse them would be in the way of everything."""

from contracts.mutation.breaks import Break, Edit
from contracts.mutation.planted.places import is_asked, tells

API = "services/inventory/operations.py"

BREAKS = (
    Break(
        "an answer gets a field",
        (Edit(API, "    state: HoldState\n", "    state: HoldState\n    version: int = 1\n"),),
        (is_asked("inventory"),),
        harmless=True,
    ),
    Break(
        "a request may have a field more",
        (
            Edit(
                API,
                "    order_id: UUID\n    places:",
                "    order_id: UUID\n    channel: str | None = None\n    places:",
            ),
        ),
        (is_asked("inventory"),),
        harmless=True,
    ),
    Break(
        "a fact gets a field",
        (
            Edit(
                "services/orders/events.py",
                "    cancelled_at: datetime\n",
                '    cancelled_at: datetime\n    channel: str = "web"\n',
            ),
        ),
        (tells("orders"),),
        harmless=True,
    ),
)
