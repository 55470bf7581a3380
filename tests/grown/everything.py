"""All services, grown."""

from collections.abc import Mapping

from tests.grown import (
    of_accounts,
    of_catalog,
    of_inventory,
    of_notifications,
    of_orders,
    of_payments,
    of_tickets,
    of_waitingroom,
    of_web,
)
from tests.grown.looking import Grew

# Services that keep nothing worth filling yet, and why. Whoever lets one keep more writes how it has grown, in a module of its own.
YOUNG: Mapping[str, str] = {
    # A new service stands here.
}

# All the others.
GREW: Mapping[str, Grew] = {
    "accounts": of_accounts.GREW,
    "catalog": of_catalog.GREW,
    "inventory": of_inventory.GREW,
    "notifications": of_notifications.GREW,
    "orders": of_orders.GREW,
    "payments": of_payments.GREW,
    "tickets": of_tickets.GREW,
    "waitingroom": of_waitingroom.GREW,
    "web": of_web.GREW,
}
