"""What a module refuses, whatever it is made of and whoever asks. Pure: time is an argument.

The order in which wrong things are looked for is part of the interface: key, then carrier, then
tables, then time, then the token identifier, then the limit.
"""

from datetime import datetime
from typing import Final

from keys.errors import (
    CommonKeyError,
    CreditLimitError,
    CreditUnderDefaultKeyError,
    IssuedUntilPassedError,
    KeyNotActiveError,
    KeyTypeMismatchError,
    NotInitialisationKeyError,
)
from keys.registered_key import KeyTerms, RegisteredKey
from keys.requests import MeterConfiguration
from sts import KeyType, Token, TokenCarrierType, TransferCredit, TransferCurrencyCredit
from sts import tid_from_datetime as tid_of
from sts.token_identifier import require_unexpired, require_utc

STEPS_PER_CURRENCY_UNIT: Final = 100_000
"""Credit in currency is coded in 0.00001 of the currency; limits are in whole units of it."""


def require_fitting_key(meter: MeterConfiguration, key: RegisteredKey) -> None:
    """Refuse a vending key that did not make the key in this meter (IEC 62055-41, 6.5.2.3).

    Raises:
        KeyTypeMismatchError: The meter holds another type of key.
        CommonKeyError: A common key for another carrier than the magnetic card.
    """
    if meter.key_type is not key.record.key_type:
        raise KeyTypeMismatchError(meter=meter.key_type, vending_key=key.record.key_type)
    if (
        meter.key_type is KeyType.COMMON
        and meter.token_carrier_type is not TokenCarrierType.MAGNETIC_CARD
    ):
        raise CommonKeyError(meter.token_carrier_type)


def require_initialisation_key(meter: MeterConfiguration) -> None:
    """Refuse to commission a meter that has left the factory.

    Raises:
        NotInitialisationKeyError: Its key is not of type 0.
    """
    if meter.key_type is not KeyType.INITIALISATION:
        raise NotInitialisationKeyError(meter.key_type)


def require_permitted_kind(token: Token, key: RegisteredKey) -> None:
    """Refuse credit under a default key (IEC 62055-41, 6.5.2.3.3).

    Raises:
        CreditUnderDefaultKeyError: It is that.
    """
    is_default = key.record.key_type is KeyType.DEFAULT
    if is_default and isinstance(token, TransferCredit | TransferCurrencyCredit):
        raise CreditUnderDefaultKeyError


def require_usable(key: RegisteredKey, now: datetime, *, tid_minutes: int) -> None:
    """Refuse a key that makes no tokens at this time.

    Raises:
        KeyNotActiveError, IssuedUntilPassedError, NaiveDatetimeError: As ``require_in_use``.
        KeyExpiredError, BeforeBaseDateError, AfterLastMinuteError: As ``require_unexpired_key``.
    """
    in_time = key.first_moment <= require_utc(now) < key.end
    if in_time and key.record.key_expiry_number.covers(tid_minutes):
        return
    # One of the two has the reason.
    require_in_use(key.terms, now)
    require_unexpired_key(key, now, tid_minutes=tid_minutes)


def require_in_use(terms: KeyTerms, now: datetime) -> None:
    """Refuse a key before it is active, and after the centre lets the module use it.

    Raises:
        KeyNotActiveError, IssuedUntilPassedError: Too early, too late.
        NaiveDatetimeError: ``now`` has no zone.
    """
    present = require_utc(now)
    if terms.activation is not None and present < terms.activation:
        raise KeyNotActiveError(terms.activation)
    if terms.issued_until is not None and present >= terms.issued_until:
        raise IssuedUntilPassedError(terms.issued_until)


def require_unexpired_key(key: RegisteredKey, now: datetime, *, tid_minutes: int) -> None:
    """Refuse a key past its expiry number; an old token identifier does not revive it.

    Raises:
        KeyExpiredError: The clock or the token identifier is beyond the expiry number.
        BeforeBaseDateError, AfterLastMinuteError: Now is no minute of the key's base date.
    """
    record = key.record
    latest = max(tid_of(now, record.base_date), tid_minutes)
    require_unexpired(latest, record.key_expiry_number, record.base_date)


def credit_steps(token: Token) -> int:
    """Return by how much a token counts against a credit limit; negative credit gives none back."""
    return max(0, token.amount.units) if isinstance(token, TransferCurrencyCredit) else 0


def require_within_limit(terms: KeyTerms, used: int, *, steps: int) -> None:
    """Refuse credit beyond the limit of a key.

    Args:
        terms: Of the key.
        used: How much credit was made under it, in 0.00001 of the currency.
        steps: How much more is asked for, in the same.

    Raises:
        CreditLimitError: With this token it would be beyond.
    """
    limit = terms.credit_limit_units
    if limit is not None and used + steps > limit * STEPS_PER_CURRENCY_UNIT:
        raise CreditLimitError(limit)
