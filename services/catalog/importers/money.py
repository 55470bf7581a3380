"""Prices: from what people write to integer minor units of ISO 4217 currencies."""

import re
from decimal import Decimal

from services.catalog.importers.document import Node

_MAX_PRICE = 1_000_000
_PLAIN_PRICE = re.compile(r"-?[0-9]{1,12}(\.[0-9]{1,12})?")
# ISO 4217, currencies in use; the number says how many digits are minor units.
_DIGITS = {
    0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF",
    2: "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CNY COP CRC CUP "
    "CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES "
    "KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK "
    "NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB "
    "TJS TMT TOP TRY TTD TWD TZS UAH USD UYU UZS VES WST XCD XCG YER ZAR ZMW ZWG",
    3: "BHD IQD JOD KWD LYD OMR TND",
}
MINOR_DIGITS = {code: digits for digits, codes in _DIGITS.items() for code in codes.split()}


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
    amount = _amount(node)
    if amount < 0:
        node.refuse("A price cannot be below 0.")
    if amount > _MAX_PRICE:
        node.refuse(f"The price {amount} is above {_MAX_PRICE:,}. Check the number of digits.")
    digits = MINOR_DIGITS[currency]
    minor = amount * 10**digits
    if minor != int(minor):
        has = f"{digits} decimals" if digits else "no decimals"
        node.refuse(f"The price {amount} has more decimals than its currency: {currency} has {has}.")
    return int(minor)


def _amount(node: Node) -> Decimal:
    value = node.value
    if isinstance(value, str):
        if not _PLAIN_PRICE.fullmatch(value.strip()):
            node.refuse(
                f"“{value[:40]}” is not a price. Write digits with a point before the decimals and without the currency, "
                "for example “12.50”."
            )
        return Decimal(value.strip())
    # The bounds keep an exponent of millions from becoming as many digits.
    node.number(at_least=-_MAX_PRICE * 10, at_most=_MAX_PRICE * 10)
    return Decimal(str(value))
