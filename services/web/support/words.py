"""What services say in their records of an order, in plain sentences.

Every word that a service may say has its sentence in `SENTENCES`; a test holds the table against the contracts.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from services.web.clients.records import Entry, Facts
from services.web.frame import formats

Tone = Literal["plain", "good", "bad"]
# A fact that took so long to leave, or to travel, was late.
LATE_SECONDS = 1.0


@dataclass(frozen=True)
class Sentence:
    """How a happening reads. In braces what is known of it: see `_words`."""

    text: str
    tone: Tone = "plain"


# By service and by what it says. `*`: what every service may say.
SENTENCES: Mapping[tuple[str, str], Sentence] = {
    ("orders", "placed"): Sentence("The order was placed."),
    ("orders", "hold_granted"): Sentence("The order has its places: {places} for {amount}, until {until}."),
    ("orders", "hold_refused"): Sentence("The places could not be had, and the order was cancelled.", "bad"),
    ("orders", "abandoned"): Sentence("The order was never finished being placed: it is cancelled.", "bad"),
    ("orders", "payment_begun"): Sentence("The buyer was sent to the bank."),
    ("orders", "nothing_to_pay"): Sentence("The buyer took it; there was nothing to pay."),
    ("orders", "payment_authorised"): Sentence("The order knows that the bank vouches for the money."),
    ("orders", "payment_declined"): Sentence("The bank declined. The buyer may try again while the places are held.", "bad"),
    ("orders", "payment_failed"): Sentence("The payment came to nothing, and the order is given up.", "bad"),
    ("orders", "places_committed"): Sentence("The places of the order are sold."),
    ("orders", "places_gone"): Sentence("The places had gone to others: the money will be given back.", "bad"),
    ("orders", "captured"): Sentence("The money is taken, and the order is confirmed.", "good"),
    ("orders", "capture_refused"): Sentence("The bank would not give the money: the order is given up.", "bad"),
    ("orders", "hold_prolonged"): Sentence("The buyer asked for more time, and has it."),
    ("orders", "hold_expired"): Sentence("Nobody had paid in time: the order is given up.", "bad"),
    ("orders", "buyer_cancelled"): Sentence("The buyer cancelled the order."),
    ("orders", "event_cancelled"): Sentence("The event was cancelled, so the order ends before the money is taken.", "bad"),
    ("orders", "given_back"): Sentence("Places and money are given back, and the order is cancelled ({reason})."),
    ("orders", "waited"): Sentence("The order could not go on{tries}: {reason}. It tries again at {until}.", "bad"),
    ("inventory", "hold_granted"): Sentence("Inventory held {places} until {until}."),
    ("inventory", "hold_expired"): Sentence("The hold of {places} ended unpaid, and {they_are} on sale again.", "bad"),
    ("inventory", "hold_committed"): Sentence("Inventory sold the {places}."),
    ("inventory", "hold_taken_again"): Sentence("The hold had ended, but its {places} {were} still free: inventory sold what it held."),
    ("inventory", "hold_released"): Sentence("Inventory took {places} back."),
    ("payments", "payment_opened"): Sentence("A payment of {amount} was opened, to be paid until {until}."),
    ("payments", "payment_authorised"): Sentence("The payer agreed, and the bank set {amount} aside."),
    ("payments", "payment_captured"): Sentence("The bank took {amount} from the payer."),
    ("payments", "payment_declined"): Sentence("The bank declined the payment: {reason}.", "bad"),
    ("payments", "payment_voided"): Sentence("The payment was called off before money was taken."),
    ("payments", "payment_refunded"): Sentence("{amount} went back to the payer."),
    ("payments", "gateway_asked"): Sentence("The bank was asked to {kind}{tries}."),
    ("payments", "gateway_silent"): Sentence("The bank {reason} when asked to {kind}. It is asked again.", "bad"),
    ("payments", "gateway_did"): Sentence("The bank {did}{tries}."),
    ("payments", "gateway_refused"): Sentence("The bank will not {kind}: {reason}.", "bad"),
    ("payments", "webhook_taken"): Sentence("The bank sent word: {kind}."),
    ("payments", "webhook_followed"): Sentence("Payments made sure that it knows what that word was about{tries}."),
    ("payments", "money_booked"): Sentence("{amount} are in the ledger as {kind}."),
    ("tickets", "tickets_issued"): Sentence("{tickets} {were} issued.", "good"),
    ("notifications", "mail_noted"): Sentence("The mail with {kind} is to be sent."),
    ("notifications", "mail_sent"): Sentence("The mail server took the mail with {kind}{tries}.", "good"),
    ("notifications", "mail_put_off"): Sentence("The mail with {kind} could not be sent{tries}: {reason}. Again at {until}.", "bad"),
    ("notifications", "mail_given_up"): Sentence("The mail with {kind} was given up{tries}: {reason}.", "bad"),
    ("*", "fact_told"): Sentence("{service} published: {fact}{sent}."),
    ("*", "fact_heard"): Sentence("{service} heard{travelled}: {fact}{tries}."),
    ("*", "fact_buried"): Sentence("{service} could make nothing of it{tries}, and put it aside: {fact}. Somebody has to look.", "bad"),
}  # fmt: skip

_FACTS = {
    "events.orders.order_confirmed.v1": "the order is confirmed",
    "events.orders.order_cancelled.v1": "the order is cancelled",
    "events.inventory.hold_expired.v1": "the hold has ended",
    "events.payments.payment_authorised.v1": "the payment is authorised",
    "events.payments.payment_captured.v1": "the money is taken",
    "events.payments.payment_declined.v1": "the payment is declined",
    "events.payments.payment_voided.v1": "the payment is called off",
    "events.payments.payment_refunded.v1": "the money is given back",
    "events.tickets.tickets_issued.v1": "the tickets are issued",
    "events.tickets.tickets_changed.v1": "the event of the tickets is not as it was",
    "events.catalog.event_changed.v1": "an event is not as it was",
}
_KINDS = {
    "authorise": "open its payment page",
    "capture": "take the money",
    "void": "call the payment off",
    "refund": "give the money back",
    "tickets": "the tickets",
    "money_returned": "the news that money was given back",
    "new_date": "the event's new date",
    "new_place": "the event's new place",
    "event_changed": "what is new of the event",
    "cancelled": "the news that the event is cancelled",
    "postponed": "the news that the event is postponed",
    "moved_online": "the news that the event takes place online",
    "captured": "taken",
    "refunded": "given back",
}
_DID = {
    "authorise": "opened its payment page",
    "capture": "took the money",
    "void": "called the payment off",
    "refund": "gave the money back",
}
_REASONS = {
    "expired": "the time to pay was over",
    "buyer": "the buyer wanted it",
    "event_cancelled": "the event was cancelled",
    "places_gone": "the places were gone",
    "refused": "the places could not be had",
    "payment_failed": "the payment failed",
    "no_answer": "did not answer",
    "unreadable": "answered what cannot be read",
    "called_off": "the payment was called off meanwhile",
}
_ORDINALS = ("", "first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth")


def sentence_of(service: str, entry: Entry, fact_times: Mapping[str, datetime]) -> tuple[str, Tone]:
    """What a service says by an entry, and in which tone. `fact_times`: when each fact was published, by its id."""
    sentence = SENTENCES.get((service, entry.what)) or SENTENCES.get(("*", entry.what))
    if sentence is None:
        # The service runs a newer version than web, and says a word that has no sentence here yet.
        return f"{_name(service)} notes: {entry.what.replace('_', ' ')}.", "plain"
    return sentence.text.format_map(_words(service, entry, fact_times)), _tone(entry, sentence, fact_times)


def _tone(entry: Entry, sentence: Sentence, fact_times: Mapping[str, datetime]) -> Tone:
    """What came late or more than once stands out, whatever it is."""
    facts = entry.facts
    if entry.what == "fact_told" and (facts.ended_at is None or _seconds(entry.at, facts.ended_at) >= LATE_SECONDS):
        return "bad"
    travelled = _seconds(fact_times.get(facts.reference, entry.at), entry.at)
    if entry.what == "fact_heard" and (travelled >= LATE_SECONDS or (facts.attempt or 1) > 1):
        return "bad"
    return sentence.tone


def _words(service: str, entry: Entry, fact_times: Mapping[str, datetime]) -> dict[str, str]:
    facts = entry.facts
    count = facts.places or 0
    return {
        "service": _name(service),
        "places": formats.count(count, "place", "places"),
        "tickets": formats.count(count, "ticket", "tickets"),
        "were": "was" if count == 1 else "were",
        "they_are": "it is" if count == 1 else "they are",
        "amount": _amount(facts),
        "until": _until(entry),
        "reason": _reason(facts.reason),
        "kind": _KINDS.get(facts.kind, facts.kind.replace("_", " ").replace(".", " ")),
        "did": _DID.get(facts.kind, f"did: {facts.kind}"),
        "tries": _tries(facts.attempt),
        "fact": _FACTS.get(facts.kind, f"“{facts.kind}”"),
        "sent": _sent(entry),
        "travelled": _travelled(entry, fact_times),
    }


def _amount(facts: Facts) -> str:
    if facts.amount_minor is None or facts.currency is None:
        return "an unknown amount"
    return "nothing" if facts.amount_minor == 0 else formats.money(facts.amount_minor, facts.currency)


def _until(entry: Entry) -> str:
    """A time of the same day is enough; UTC, as all times of a story."""
    until = entry.facts.until
    if until is None:
        return "an unknown time"
    near = abs(until - entry.at) < timedelta(hours=20)
    return f"{until:%H:%M:%S}" if near else f"{until:%Y-%m-%d %H:%M:%S}"


def _reason(code: str) -> str:
    """Known codes as words; others as they are, legibly."""
    if not code:
        return "for a reason that is not known"
    if code.startswith("answered_"):
        return f"answered {code.removeprefix('answered_').replace('_', ' ')}"
    service, found, refusal = code.partition("_answered_")
    if found:
        return f"{service} answered {refusal.replace('_', ' ')}"
    if code.endswith("_unavailable") and code != "gateway_unavailable":
        return f"{code.removesuffix('_unavailable')} did not answer"
    return _REASONS.get(code, code.replace("_", " "))


def _tries(attempt: int | None) -> str:
    if attempt is None or attempt <= 1:
        return ""
    return f", at the {_ORDINALS[attempt] if attempt < len(_ORDINALS) else f'{attempt}th'} attempt"


def _sent(entry: Entry) -> str:
    """When the firehose had a fact, if that was not at once."""
    ended, again = entry.facts.ended_at, (entry.facts.attempt or 1) > 1
    if ended is None:
        return ". It has not left yet"
    late = _seconds(entry.at, ended)
    if late < LATE_SECONDS:
        return ""
    return f". It left {'(last) ' if again else ''}only {duration(late)} later"


def _travelled(entry: Entry, fact_times: Mapping[str, datetime]) -> str:
    seconds = _seconds(fact_times.get(entry.facts.reference, entry.at), entry.at)
    return f", {duration(seconds)} later" if seconds >= LATE_SECONDS else ""


def _seconds(begin: datetime, end: datetime) -> float:
    return (end - begin).total_seconds()


def _name(service: str) -> str:
    return service.capitalize()


def duration(seconds: float) -> str:
    """`0.25 s`, `12.4 s`, `3 min 20 s`, `2 h 5 min`, `4 days`."""
    if seconds < 1:
        return f"{seconds:.2f} s"
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours < 48 else f"{hours // 24} days"
