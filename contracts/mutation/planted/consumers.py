"""Breaks of consumers: their clients ask or read something else than their contracts say."""

from contracts.mutation.breaks import Break, Change, Delete, Edit
from contracts.mutation.planted.places import NEEDED, asks

INVENTORY = "services/orders/clients/inventory.py"
PAYMENTS = "services/orders/clients/payments.py"
CALLING = "chassis/http.py"


def _orders(name: str, says: tuple[str, ...], *changes: Change) -> Break:
    return Break(name, changes, (asks("orders", "inventory"),), ("orders asks inventory", *says))


BREAKS = (
    _orders(
        "a client renames a field of its request",
        ("ttl_seconds",),
        Edit(INVENTORY, '"ttl_seconds": ttl_seconds', '"lives_seconds": ttl_seconds'),
    ),
    _orders(
        "a client sends a field more",
        ("channel",),
        Edit(INVENTORY, '"ttl_seconds": ttl_seconds', '"ttl_seconds": ttl_seconds, "channel": "web"'),
    ),
    _orders(
        "a client sends a number as a string",
        ("$.ttl_seconds", "'600' (String)"),
        Edit(INVENTORY, '"ttl_seconds": ttl_seconds', '"ttl_seconds": str(ttl_seconds)'),
    ),
    _orders(
        "a client asks another route",
        ("PUT /holds/", "is asked, but the contract does not say so"),
        Edit(INVENTORY, 'return f"/events/{event_id}/holds/{hold_id}"', 'return f"/holds/{hold_id}"'),
    ),
    _orders(
        "a client uses another method",
        ("PUT /events/", "/release is asked, but the contract does not say so"),
        Edit(
            INVENTORY,
            'self._http.post(f"{_address(event_id, hold_id)}/{how}"',
            'self._http.put(f"{_address(event_id, hold_id)}/{how}"',
        ),
    ),
    Break(
        "a client forgets a parameter of its query",
        (Edit(PAYMENTS, 'parameters = {"refresh": "true"}', "parameters: dict[str, str] = {}"),),
        (asks("orders", "payments"),),
        ("orders asks payments", "refresh"),
    ),
    Break(
        "a client does not say for which person it asks",
        (
            Edit(
                "services/web/clients/tickets.py",
                '"/tickets", params=parameters, headers={"Onsale-Person": token}',
                '"/tickets", params=parameters, headers={"Onsale-Buyer": token}',
            ),
        ),
        (asks("web", "tickets"),),
        ("web asks tickets", "Onsale-Person"),
    ),
    Break(
        "a client forgets the key that makes its request safe to repeat",
        (
            Edit(
                "services/web/clients/orders.py",
                'headers={"Onsale-Person": token, "Idempotency-Key": idempotency_key}',
                'headers={"Onsale-Person": token}',
            ),
        ),
        (asks("web", "orders"),),
        ("web asks orders", "Idempotency-Key"),
    ),
    _orders(
        "requests lose the trace",
        ("Expected a header 'traceparent'",),
        Edit(
            CALLING,
            "TracingTransport(own, provider=provider)",
            "TracingTransport(own, provider=provider, propagate=False)",
        ),
    ),
    _orders(
        "requests lose the deadline",
        ("Expected a header", "Onsale-Deadline-Ms"),
        Edit(CALLING, "request.headers[DEADLINE_HEADER] =", 'request.headers["Deadline"] ='),
    ),
    _orders(
        "requests lose the caller's token",
        ("Expected a header", "Authorization"),
        Edit(CALLING, 'request.headers["Authorization"] =', 'request.headers["Token"] ='),
    ),
    _orders(
        "a client reads a field that its contract does not ask for",
        ("does not understand the example of its own contract", "granted_at (Field required)"),
        Edit(INVENTORY, "class _Hold(BaseModel):\n", "class _Hold(BaseModel):\n    granted_at: datetime\n"),
    ),
    _orders(
        "a client takes for a number what its contract says is a moment",
        ("does not understand the example of its own contract", "expires_at (Input should be a valid integer"),
        Edit(
            INVENTORY,
            "class _Hold(BaseModel):\n    expires_at: datetime\n",
            "class _Hold(BaseModel):\n    expires_at: int\n",
        ),
    ),
    Break(
        "a client asks something new without a contract",
        (
            Edit(
                "services/web/clients/inventory.py",
                "    async def taken_seats(",
                '    async def hold(self, event_id: UUID, hold_id: UUID) -> httpx.Response:\n        """A hold."""\n'
                '        return await self._http.get(f"/events/{event_id}/holds/{hold_id}")\n\n    async def taken_seats(',
            ),
        ),
        (NEEDED,),
        ("web", "/events/{event_id}/holds/{hold_id}"),
    ),
    Break(
        "a client is deleted, and its pact is not",
        (
            Delete("services/orders/clients/inventory.py"),
            Edit(
                "services/orders/app.py", 'InventoryClient(service.client("inventory", settings.inventory_url))', "None"
            ),
        ),
        (NEEDED,),
        ("orders has a contract for", "of inventory", "no code of it asks that"),
    ),
)
