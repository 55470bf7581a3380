"""How an order stands for its buyer, in words: one phase, one heading, one sentence each."""

from typing import Literal

from services.web.clients.catalog import EventState
from services.web.frame.notices import Notice

Phase = Literal[
    "placing", "held", "declined", "paying", "confirming", "issuing", "unshown", "confirmed", "cancelling", "cancelled"
]
FINAL: frozenset[Phase] = frozenset({"confirmed", "cancelled"})
# While it moves by itself: so often a browser without JavaScript asks again.
REFRESH_SECONDS: dict[Phase, int] = {"placing": 2, "confirming": 3, "issuing": 3, "unshown": 10, "cancelling": 3}

HEADINGS: dict[Phase, str] = {
    "placing": "Taking your places…",
    "held": "Your places are held",
    "declined": "The bank said no",
    "paying": "Your payment is open",
    "confirming": "Confirming your payment…",
    "issuing": "Confirmed. Your tickets are being made…",
    "unshown": "Confirmed. Your tickets cannot be shown right now",
    "confirmed": "Confirmed. See you there!",
    "cancelling": "Cancelling your order…",
    "cancelled": "This order is cancelled",
}
LEADS: dict[Phase, str] = {
    "held": "Tell us who they are for, then pay. When the time is over they go back on sale.",
    "declined": "Nothing was charged, and your places are still held. Try again, perhaps with another card.",
    "paying": "Your places are held. Finish the payment on the page of the bank, or give the places back.",
    "confirmed": "Your tickets are below, and on their way to your e-mail. Each code opens the door once.",
    "issuing": "The payment is done and the places are yours. You can close this page: the tickets come by e-mail too.",
    "unshown": "The payment is done and the places are yours. The tickets are safe, and come by e-mail too.",
    "confirming": "This takes a few seconds. You can close this page: the tickets come by e-mail too.",
}
WAITING: dict[Phase, str] = {
    "placing": "Asking for your places",
    "confirming": "Waiting for the answer of the bank",
    "issuing": "Signing your tickets",
    "unshown": "Asking again in a few seconds",
    "cancelling": "Giving the places back",
}
# What happened, and what to do, by the reason of a cancelled order.
CANCELLED: dict[str, tuple[str, str]] = {
    "expired": (
        "The time to pay is over, so the places went back on sale. Nothing was charged. They may still be free.",
        "Choose again",
    ),
    "buyer": ("You cancelled it. Nothing was charged, and the places are on sale again.", "Choose other places"),
    "places_gone": (
        (
            "The payment came after the places had gone to somebody else. You get all of your money back by itself, "
            "usually within a few days; there is nothing you need to do."
        ),
        "See what is still free",
    ),
    "refused": ("The places could not be held for you. Nothing was charged.", "Choose again"),
    "event_cancelled": (
        (
            "The event was cancelled before your order was complete. If your bank shows a charge, it is given back by "
            "itself; there is nothing you need to do."
        ),
        "See the page of the event",
    ),
    "payment_failed": (
        (
            "The payment could not be completed. If your bank shows a charge, it is given back by itself. "
            "Your places are on sale again, so be quick if you want to try once more."
        ),
        "Try again",
    ),
}
CANCELLED_OTHERWISE = ("Nothing was charged, or it is given back by itself.", "Choose again")

# What the buyer of an order has to know of its event, by how it stands.
EVENT_NOTICES: dict[EventState, Notice] = {
    "cancelled": Notice(
        "error",
        "The event is cancelled.",
        "It does not take place. The organiser tells you how you get your money back.",
    ),
    "postponed": Notice(
        "warning",
        "The event is postponed: the new date is not known yet.",
        "Your places stay yours. We show the date once there is one.",
    ),
    "moved_online": Notice(
        "warning",
        "The event takes place online.",
        "Do not set out for the place. The organiser tells you how to take part.",
    ),
    "rescheduled": Notice(
        "warning", "The event has a new date.", "Your places stay yours, on the date that this page shows."
    ),
}

# How an order stands in a list of orders, and the tone of it.
STATE_WORDS: dict[str, tuple[str, str]] = {
    "placing": ("Being placed", "open"),
    "held": ("Held, not paid", "open"),
    "paying": ("Waiting for payment", "open"),
    "authorised": ("Being confirmed", "open"),
    "committed": ("Being confirmed", "open"),
    "confirmed": ("Confirmed", "good"),
    "cancelling": ("Being cancelled", "gone"),
    "cancelled": ("Cancelled", "gone"),
}
