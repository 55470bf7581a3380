"""What orders refuses, each with its code and a sentence that says what to do. Pure."""

from collections.abc import Sequence
from datetime import datetime
from typing import ClassVar
from uuid import UUID


class OrdersError(Exception):
    """Base of what orders refuses."""

    code: ClassVar[str]
    category: ClassVar[str]


class OrderUnknown(OrdersError):
    """No order of this person has this id."""

    code = "order_unknown"
    category = "not_found"

    def __init__(self, order_id: UUID) -> None:
        self.order_id = order_id
        super().__init__("You have no order with this id. Check the address, or sign in as the person who bought.")


class EventUnknown(OrdersError):
    """The catalog does not know the event."""

    code = "event_unknown"
    category = "not_found"

    def __init__(self, event_id: UUID) -> None:
        self.event_id = event_id
        super().__init__("There is no such event. Choose one from the list.")


class NotOnSale(OrdersError):
    """The event, or what was chosen of it, cannot be bought at this time. `begins_at`: from when, null if that is not known."""

    code = "not_on_sale"
    category = "conflict"
    begins_at: datetime | None

    def __init__(self, begins_at: datetime | None = None) -> None:
        self.begins_at = begins_at
        super().__init__("These tickets are not on sale at the moment. The page of the event says when they are.")


class EventCancelled(OrdersError):
    """The event does not take place."""

    code = "event_cancelled"
    category = "conflict"

    def __init__(self) -> None:
        super().__init__("This event is cancelled. No tickets are sold for it, and nothing was charged.")


class NoPlaces(OrdersError):
    """An order without places."""

    code = "no_places"
    category = "invalid"

    def __init__(self) -> None:
        super().__init__("Choose at least one place.")


class NotAGuest(OrdersError):
    """Orders go along from a guest to an account, and no other way."""

    code = "not_a_guest"
    category = "forbidden"

    def __init__(self) -> None:
        super().__init__("Only the orders of a guest go along when somebody signs in. Send the guest's own token.")


class TooManyPlaces(OrdersError):
    """More than one order may have."""

    code = "too_many_places"
    category = "invalid"

    def __init__(self, most: int) -> None:
        self.most = most
        super().__init__(f"One order can have at most {most} places for this event. Choose fewer.")


class OrderStillOpen(OrdersError):
    """The buyer holds as many places of this event as one order may have, or would with these, and has not paid for them."""

    code = "order_still_open"
    category = "conflict"
    order_id: UUID
    held: int
    most: int

    def __init__(self, order_id: UUID, number: str, held: int, most: int) -> None:
        self.order_id = order_id
        self.held = held
        self.most = most
        super().__init__(
            f"You hold {held} of at most {most} places of this event and have not paid for them yet. "
            f"Pay or cancel order {number} first."
        )


class LimitOfBuyer(OrdersError):
    """The buyer's account has as many places of this event as one may, or would have more with these."""

    code = "limit_of_buyer"
    category = "conflict"
    has: int
    most: int

    def __init__(self, has: int, most: int) -> None:
        self.has = has
        self.most = most
        left = (
            f"You have {has} of them: choose at most {most - has} more." if has < most else f"You have {has} of them."
        )
        super().__init__(f"One person can have at most {most} places of this event. {left if has else 'Choose fewer.'}")


class PlaceUnknown(OrdersError):
    """A class or seat that this event does not have."""

    code = "place_unknown"
    category = "not_found"

    def __init__(self) -> None:
        super().__init__("This event does not have one of these places. Reload its page and choose again.")


class SoldOut(OrdersError):
    """Fewer places are left than were asked for."""

    code = "sold_out"
    category = "conflict"
    class_id: UUID
    available: int

    def __init__(self, sentence: str, class_id: UUID, available: int) -> None:
        self.class_id = class_id
        self.available = available
        super().__init__(sentence)


class SeatsTaken(OrdersError):
    """Somebody else has some of the seats."""

    code = "seats_taken"
    category = "conflict"
    seat_ids: list[str]

    def __init__(self, sentence: str, seat_ids: Sequence[str]) -> None:
        self.seat_ids = list(seat_ids)
        super().__init__(sentence)


class PassNeeded(OrdersError):
    """The event has a waiting room, and the buyer has no pass that is good for it."""

    code = "pass_needed"
    category = "forbidden"

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)


class PassUsed(OrdersError):
    """The buyer's pass was used for other places."""

    code = "pass_used"
    category = "conflict"

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)


class OrderNotPayable(OrdersError):
    """It is not waiting for a payment."""

    code = "order_not_payable"
    category = "conflict"

    def __init__(self, state: str) -> None:
        self.state = state
        super().__init__("This order does not wait for a payment. Its page says how it stands.")


class HoldExpired(OrdersError):
    """Too late to begin a payment."""

    code = "hold_expired"
    category = "gone"

    def __init__(self) -> None:
        super().__init__(
            "The time to pay is over and the places were given back. Choose again; they may still be free."
        )


class OrderNotCancellable(OrdersError):
    """Too late to cancel."""

    code = "order_not_cancellable"
    category = "conflict"

    def __init__(self, state: str) -> None:
        self.state = state
        super().__init__("This order cannot be cancelled any more. Ask the organiser for a refund.")
