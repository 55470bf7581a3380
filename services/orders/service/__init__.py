"""Orders' use cases, a file each. They share `transitions`, which change an order's state, and the saga, which drives it on."""

from dataclasses import dataclass

from services.orders.service.begin_payment import BeginPayment
from services.orders.service.cancel_order import CancelOrder
from services.orders.service.find_orders import FindOrders
from services.orders.service.place_order import PlaceOrder
from services.orders.service.prolong_hold import ProlongHold
from services.orders.service.refresh_order import RefreshOrder
from services.orders.service.take_orders_along import TakeOrdersAlong


@dataclass(frozen=True)
class Orders:
    """The use cases that buyers ask for; those of workers are the saga and `publish_confirmations_again`."""

    place_order: PlaceOrder
    find_orders: FindOrders
    begin_payment: BeginPayment
    refresh_order: RefreshOrder
    cancel_order: CancelOrder
    prolong_hold: ProlongHold
    take_orders_along: TakeOrdersAlong
