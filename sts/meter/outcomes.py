"""What can come of a token, as sums of frozen values (IEC 62055-41, 7.2.2 to 7.2.4).

Authentication ends in ``Authentic``, ``Malformed`` or ``Refused``; validation in ``Valid`` or
``Refused``; the whole way in ``Accepted``, ``PartStored`` or ``Refused``.
"""

from dataclasses import dataclass
from typing import TypeAlias

from sts.identifiers import KeyRevisionNumber, KeyType, SupplyGroupCode, TariffIndex
from sts.meter.results import ResultCode
from sts.tokens import CreditRegister, Token

# --- effects: what an accepted token did ------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditAdded:
    """Credit in units of the register; negative currency credit takes away."""

    register: CreditRegister
    units: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditCleared:
    """A register set to zero, and the whole units that it held."""

    register: CreditRegister
    units: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitSet:
    """The maximum power limit, or of the unbalance between phases; None is no limit."""

    name: str
    watts: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ValueStored:
    """A tariff rate, a water factor, or a value of the extended token set."""

    name: str
    value: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TamperCleared:
    """The tamper status, and what it caused."""

    was_tampered: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Displayed:
    """Lines that a test or read token put on the display, in their order."""

    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyChanged:
    """The new key's attributes; a supply group code of 000000 is unknown."""

    key_type: KeyType
    supply_group_code: SupplyGroupCode
    tariff_index: TariffIndex
    key_revision_number: KeyRevisionNumber
    rollover: bool


Effect: TypeAlias = (
    CreditAdded | CreditCleared | LimitSet | ValueStored | TamperCleared | Displayed | KeyChanged
)

# --- outcomes ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Authentic:
    """The checksum, and the manufacturer code of class 1, are right (7.3.6)."""

    token: Token


@dataclass(frozen=True, slots=True, kw_only=True)
class Malformed:
    """Authentic, but with content that must not be; the identifier is looked at first.

    Attributes:
        code: FormatError or RangeError.
        reason: Which field breaks which rule.
        tid: The token identifier, None if such a token has none.
        is_credit: Whether it is a class 0 token.
    """

    code: ResultCode
    reason: str
    tid: int | None
    is_credit: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Valid:
    """Neither old nor used nor expired, and the meter has the function (7.3.7)."""

    token: Token


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """Executed and, if it has an identifier, cancelled (7.3.8)."""

    token: Token
    effects: tuple[Effect, ...]

    @property
    def code(self) -> ResultCode:
        """Accept."""
        return ResultCode.ACCEPT


@dataclass(frozen=True, slots=True, kw_only=True)
class PartStored:
    """A section of a key change set, kept until the set is complete (8.9).

    Attributes:
        token: The section.
        part: Its number, 1 to 4.
        missing: The numbers of those that the meter waits for.
    """

    token: Token
    part: int
    missing: tuple[int, ...]

    @property
    def code(self) -> ResultCode:
        """1stKCT for the first section, 2ndKCT for the others: no later numbers are known."""
        if self.part == 1:
            return ResultCode.FIRST_KEY_CHANGE_TOKEN
        return ResultCode.SECOND_KEY_CHANGE_TOKEN


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """Nothing changed but the last result and the lock-out.

    Attributes:
        code: The result.
        reason: Why, for an engineer.
        token: What was refused, as far as it could be read.
    """

    code: ResultCode
    reason: str
    token: Token | None = None


Authentication: TypeAlias = Authentic | Malformed | Refused
Validation: TypeAlias = Valid | Refused
Outcome: TypeAlias = Accepted | PartStored | Refused
