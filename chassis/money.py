"""Money: whole minor units beside an ISO 4217 code; the one table of minor units, and how amounts are written for people.

Two tables exist in the world. ISO 4217 says how many digits an amount has (three for IQD, two for COP), Unicode's CLDR how many
people usually care for (none for either). An amount is counted and written with the first one, so that nothing of it is ever
rounded away; from CLDR come the signs and their places.
"""

import re
import unicodedata
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache

import iso4217
from babel import Locale
from babel.numbers import (
    get_currency_precision,
    get_currency_symbol,
    get_decimal_symbol,
    get_group_symbol,
    get_minus_sign_symbol,
)

from chassis.languages import DEFAULT

MINOR_DIGITS: dict[str, int] = {
    code: int(str(row["CcyMnrUnts"]))
    for code, row in iso4217.raw_table.items()
    # Codes without a minor unit (gold, a code for tests) are no currencies in which tickets are sold.
    if code and str(row["CcyMnrUnts"]).isdigit()
}
# The largest whole number that JSON carries through every program unchanged (2^53 - 1): no amount is above it.
MOST_MINOR = 9_007_199_254_740_991
# A price leaves room for nine hundred places in one order; an amount above it is a slip of the keyboard in any currency.
MOST_PRICE_MINOR = 10_000_000_000_000
_FIRST_STRONG_ISOLATE, _POP_ISOLATE = "\u2068", "\u2069"
_DIRECTIONS = re.compile("[\u200e\u200f\u061c\u0590-\u08ff]")


class NotACurrency(ValueError):
    """No currency of ISO 4217 that has minor units."""


@dataclass(frozen=True, slots=True)
class Money:
    """An amount: `minor` whole minor units (cents of EUR, whole JPY, mils of KWD; may be below 0) of `currency`."""

    minor: int
    currency: str

    @classmethod
    def of(cls, amount: Decimal, currency: str) -> "Money":
        """From major units: `12.50` EUR are 1250. Raises NotACurrency; ValueError if the amount has too many decimals."""
        if currency not in MINOR_DIGITS:
            raise NotACurrency(f"“{currency}” is not a currency of ISO 4217.")
        minor = amount.scaleb(MINOR_DIGITS[currency])
        if minor != int(minor):
            raise ValueError(f"{amount} has more decimals than {currency} has.")
        return cls(int(minor), currency)

    @property
    def amount(self) -> Decimal:
        """In major units, with all decimals of the currency: `12.500` of JOD."""
        return Decimal(self.minor).scaleb(-minor_digits(self.currency))

    def written(self, language: str = DEFAULT) -> str:
        """For people: `€1,234.50`, in German `1.234,50 €`. `language` is one that `chassis.languages` names."""
        return style_of(self.currency, language).write(self.minor)

    def as_price(self, language: str = DEFAULT) -> str:
        """The same of what is on sale or was sold: nothing to pay reads `Free`."""
        return self.written(language) if self.minor else "Free"


@dataclass(frozen=True, slots=True)
class Style:
    """How a language writes amounts of a currency; the script of a page writes its sums with the same parts.

    `primary` and `secondary`: how many digits stand in the last group and in those before it (3 and 2 in Hindi).
    """

    before: str
    after: str
    decimal: str
    group: str
    primary: int
    secondary: int
    digits: int
    minus: str

    def write(self, minor: int) -> str:
        """An amount of minor units. Babel only gives the parts: 2.19 itself loses a language's groups if they stand between `'`."""
        whole, fraction = divmod(abs(minor), 10**self.digits)
        text = self.before + self._grouped(str(whole))
        if self.digits:
            text += f"{self.decimal}{fraction:0{self.digits}d}"
        text = f"{self.minus if minor < 0 else ''}{text}{self.after}"
        # Signs that turn the direction of a line keep to themselves: an amount never moves what stands around it.
        return f"{_FIRST_STRONG_ISOLATE}{text}{_POP_ISOLATE}" if _DIRECTIONS.search(text) else text

    def _grouped(self, whole: str) -> str:
        groups, size = [], self.primary
        while len(whole) > size:
            groups.append(whole[-size:])
            whole, size = whole[:-size], self.secondary
        return self.group.join([whole, *reversed(groups)])


def minor_digits(currency: str) -> int:
    """How many digits of an amount are minor units; of a currency that ISO 4217 has retired as CLDR remembers it."""
    known = MINOR_DIGITS.get(currency)
    return get_currency_precision(currency) if known is None else known


@lru_cache(maxsize=1024)
def style_of(currency: str, language: str = DEFAULT) -> Style:
    """How `language` writes amounts of `currency`."""
    locale = Locale.parse(language)
    pattern = locale.currency_formats["standard"]
    symbol = get_currency_symbol(currency, locale)
    primary, secondary = pattern.grouping
    return Style(
        before=_spaced(pattern.prefix[0].replace("¤", symbol)),
        after=_spaced(pattern.suffix[0].replace("¤", symbol)[::-1])[::-1],
        decimal=get_decimal_symbol(locale),
        group=get_group_symbol(locale),
        primary=primary,
        secondary=secondary,
        digits=minor_digits(currency),
        minus=get_minus_sign_symbol(locale),
    )


def _spaced(text: str) -> str:
    """Letters that would touch a digit get a space between, as CLDR asks: `CHF 20.00`, but `€20.00`."""
    touches = bool(text) and unicodedata.category(text[-1])[0] not in "SZC"
    return text + "\u00a0" if touches else text
