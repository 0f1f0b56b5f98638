"""What tokens can carry: steps, rounding and the split over several tokens.

A unit amount has steps of 0.1 unit up to 1 638.3 units and coarser ones above (IEC 62055-41,
6.3.6), so a larger sale is split, unless the model of the meter takes larger tokens. A currency
amount counts 0.00001 of the currency and is split only where the model of the meter asks for it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final, TypeAlias

from sts import (
    CurrencyAmount,
    UnitAmount,
    encode_amount,
    encode_currency_amount,
    largest_amount_at_most,
    largest_currency_amount_at_most,
)
from vending_app.domain.tariff.version import Rounding
from vending_app.domain.tariff_errors import TariffFigureError, TooManyTokensError

LARGEST_FINE_TENTHS: Final = 16_383
"""1 638.3 units: the most that a token carries in steps of 0.1."""
MOST_TOKENS: Final = 50
"""As many as a meter's store of token identifiers holds."""

TokenAmount: TypeAlias = UnitAmount | CurrencyAmount


@dataclass(frozen=True, slots=True)
class Carried:
    """What the tokens of a sale carry.

    Attributes:
        amounts: One a token.
        count: Their sum: tenths of a unit, or 0.00001 of the currency.
    """

    amounts: tuple[TokenAmount, ...]
    count: int


def split_tokens(tenths: int, maximum: int = LARGEST_FINE_TENTHS) -> tuple[int, ...]:
    """Return how a sale is split over tokens of at most ``maximum``: full ones, then the rest.

    Raises:
        TariffFigureError: A maximum below 1, or a sale below nothing.
        TooManyTokensError: It would take more than 50.
    """
    if maximum < 1 or tenths < 0:
        raise TariffFigureError("A token carries at least 1, and a sale is not below nothing.")
    full, rest = divmod(tenths, maximum)
    if full + bool(rest) > MOST_TOKENS:
        raise TooManyTokensError(MOST_TOKENS)
    return (maximum,) * full + ((rest,) if rest else ())


def carry_units(paid_tenths: Fraction, *, rounding: Rounding, maximum: int | None) -> Carried:
    """Return the tokens for exactly paid tenths of a unit, rounded as the tariff says.

    Raises:
        TariffFigureError, TooManyTokensError: As for ``split_tokens``.
    """
    fullest = largest_amount_at_most(LARGEST_FINE_TENTHS if maximum is None else maximum).tenths
    if rounding is Rounding.UP:
        amounts = [encode_amount(part) for part in split_tokens(ceiling(paid_tenths), fullest)]
    else:
        parts = split_tokens(floor(paid_tenths), fullest)
        amounts = [largest_amount_at_most(part) for part in parts]
    return Carried(tuple(amounts), sum(amount.tenths for amount in amounts))


def carry_currency(paid: Fraction, *, rounding: Rounding, maximum: int | None) -> Carried:
    """Return the tokens for exactly paid 0.00001 of the currency, rounded as the tariff says.

    Raises:
        TariffFigureError, TooManyTokensError: As for ``split_tokens``.
    """
    whole = ceiling(paid) if rounding is Rounding.UP else floor(paid)
    fullest = whole or 1
    if maximum is not None:
        fullest = largest_currency_amount_at_most(maximum).units
    parts: Sequence[int] = split_tokens(whole, fullest)
    coded = encode_currency_amount if rounding is Rounding.UP else largest_currency_amount_at_most
    amounts = tuple(coded(part) for part in parts)
    return Carried(amounts, sum(amount.units for amount in amounts))


def ceiling(value: Fraction) -> int:
    """Return the next whole number at or above an exact one."""
    return -(-value.numerator // value.denominator)


def floor(value: Fraction) -> int:
    """Return the next whole number at or below an exact one."""
    return value.numerator // value.denominator
