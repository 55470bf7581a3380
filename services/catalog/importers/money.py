"""Prices: from what people write to integer minor units of ISO 4217 currencies."""

import re
from decimal import Decimal

from chassis.money import MINOR_DIGITS, MOST_PRICE_MINOR, Money
from services.catalog.importers.document import Node

_PLAIN_PRICE = re.compile(r"-?[0-9]{1,18}(\.[0-9]{1,12})?")
_THOUSANDS = re.compile(r"-?[0-9]{1,3}(\.[0-9]{3})+")
_MOST = 10**18


def read_currency(node: Node) -> str:
    """An ISO 4217 code in capitals."""
    code = node.text(at_most=20)
    if code not in MINOR_DIGITS:
        node.refuse(f"“{code}” is not a currency of ISO 4217. Write its three capital letters, for example “EUR”.")
    return code


def read_price(node: Node, currency: str) -> int:
    """A price in minor units; taken are `12.5`, `"12.50"` and `0`."""
    if node.missing:
        node.refuse("The price is missing. Write 0 for what costs nothing.")
    amount = _amount(node, currency)
    if amount < 0:
        node.refuse("A price cannot be below 0.")
    most = Money(MOST_PRICE_MINOR, currency)
    if amount > most.amount:
        node.refuse(f"The price {amount} is above {most.written()}. Check the number of digits.")
    try:
        return Money.of(amount, currency).minor
    except ValueError:
        digits = MINOR_DIGITS[currency]
        has = f"{digits} decimals" if digits else "no decimals"
        return node.refuse(f"The price {amount} has more decimals than its currency: {currency} has {has}.")


def _amount(node: Node, currency: str) -> Decimal:
    value = node.value
    if isinstance(value, str):
        text = value.strip()
        if not _PLAIN_PRICE.fullmatch(text):
            node.refuse(
                f"“{value[:40]}” is not a price. Write digits with a point before the decimals and without the currency, "
                "for example “12.50”."
            )
        if _THOUSANDS.fullmatch(text) and MINOR_DIGITS[currency] != 3:
            whole = text.replace(".", "")
            node.refuse(
                f"“{text}” can be read in two ways. Write “{whole}” if it is thousands, or two decimals if it is not."
            )
        return Decimal(text)
    # The bounds keep an exponent of millions from becoming as many digits.
    node.number(at_least=-_MOST, at_most=_MOST)
    return Decimal(str(value))
