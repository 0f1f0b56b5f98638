"""The vocabulary of tokens: one frozen dataclass a kind (IEC 62055-41, 6.2).

A value that exists is a token that may exist: every field is checked on construction. The bits
that it becomes are the business of ``sts.layouts`` and ``sts.codec``; here stands only what a
token says. ``Token`` is the union of all kinds, made for ``match`` with ``assert_never``.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import IntEnum
from typing import ClassVar, Final, Literal, Protocol, Self, TypeAlias

from sts.amount import CurrencyAmount, PowerLimit, UnitAmount
from sts.errors import FieldRangeError
from sts.identifiers import KeyRevisionNumber, KeyType, SupplyGroupCode, TariffIndex


class BlockCipher(Protocol):
    """A cipher under one decoder key, over blocks of 64 bits as whole numbers."""

    @property
    def key_bits(self) -> int:
        """Length of the decoder key, 64 or 128: it decides between the key change layouts."""
        ...

    def encrypt_block(self, block: int) -> int:
        """Encrypt one block."""
        ...

    def decrypt_block(self, block: int) -> int:
        """Decrypt one block."""
        ...


class Service(IntEnum):
    """What is sold; the number is the subclass of its unit credit token."""

    ELECTRICITY = 0
    WATER = 1
    GAS = 2
    TIME = 3


class CreditRegister(IntEnum):
    """What a ClearCredit token clears (IEC 62055-41, 6.3.13)."""

    ELECTRICITY = 0
    WATER = 1
    GAS = 2
    TIME = 3
    ELECTRICITY_CURRENCY = 4
    WATER_CURRENCY = 5
    GAS_CURRENCY = 6
    TIME_CURRENCY = 7
    ALL = 0xFFFF


def _require(name: str, value: int, width: int) -> None:
    """Refuse a value that is not an unsigned whole number of ``width`` bits."""
    high = (1 << width) - 1
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= high:
        raise FieldRangeError(name, low=0, high=high, found=value)


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferCredit:
    """Credit in units of a service (class 0, subclasses 0 to 3).

    Attributes:
        service: What the credit buys.
        rnd: 4 random bits.
        tid: Token identifier, minutes since the base date, 24 bits.
        amount: Tenths of a kWh, m³ or minute.
    """

    token_class: ClassVar[int] = 0
    service: Service
    rnd: int
    tid: int
    amount: UnitAmount

    def __post_init__(self) -> None:
        """Check the widths."""
        _require("rnd", self.rnd, 4)
        _require("tid", self.tid, 24)

    @property
    def subclass(self) -> int:
        """The service's number."""
        return int(self.service)


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferCurrencyCredit:
    """Credit in currency for a service (class 0, subclasses 4 to 7, 2018 edition).

    There are no random bits: sign and exponent take their place.

    Attributes:
        service: What the credit buys.
        tid: Token identifier, minutes since the base date, 24 bits.
        amount: 0.00001 of the currency, positive or negative.
    """

    token_class: ClassVar[int] = 0
    service: Service
    tid: int
    amount: CurrencyAmount

    def __post_init__(self) -> None:
        """Check the width."""
        _require("tid", self.tid, 24)

    @property
    def subclass(self) -> int:
        """The service's number above 4."""
        return int(self.service) + 4


CONTROL_BITS: Final[dict[int, int]] = {2: 36, 4: 28}
"""Width of the control field by the number of digits of the manufacturer code."""
LAST_TEST: Final = 18
"""The highest test number that has a meaning; higher control bits are reserved."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InitiateMeterTest:
    """A test or display that any meter performs (class 1, subclasses 0 and 1).

    Not encrypted and without token identifier: it works in every meter, as often as one likes.

    Attributes:
        control: Bit n − 1 asks for test n; all ones is test 0. 36 bits with a 2-digit
            manufacturer code, 28 with a 4-digit one.
        manufacturer_code: The raw field, 8 or 16 bits; 0 is for every make.
        manufacturer_digits: 2 or 4.
    """

    token_class: ClassVar[int] = 1
    control: int
    manufacturer_code: int = 0
    manufacturer_digits: Literal[2, 4] = 2

    def __post_init__(self) -> None:
        """Check the widths that belong to the length of the manufacturer code."""
        if self.manufacturer_digits not in CONTROL_BITS:
            raise FieldRangeError(
                "manufacturer_digits", low=2, high=4, found=self.manufacturer_digits
            )
        _require("control", self.control, CONTROL_BITS[self.manufacturer_digits])
        _require("manufacturer_code", self.manufacturer_code, self.manufacturer_digits * 4)

    @property
    def subclass(self) -> int:
        """0 with a 2-digit manufacturer code, 1 with a 4-digit one."""
        return self.manufacturer_digits // 2 - 1

    @classmethod
    def for_tests(cls, tests: Iterable[int], *, manufacturer_digits: Literal[2, 4] = 2) -> Self:
        """Ask a meter of any make for these tests; test 0 alone means all of them.

        Raises:
            FieldRangeError: A test number that has no control bit.
        """
        bits = CONTROL_BITS.get(manufacturer_digits, 0)
        control = 0
        for test in tests:
            if not 0 <= test <= bits:
                raise FieldRangeError("test", low=0, high=bits, found=test)
            control |= (1 << bits) - 1 if test == 0 else 1 << (test - 1)
        return cls(control=control, manufacturer_digits=manufacturer_digits)

    @property
    def tests(self) -> tuple[int, ...]:
        """The tests asked for, ascending; ``(0,)`` for all of them."""
        bits = CONTROL_BITS[self.manufacturer_digits]
        if self.control == (1 << bits) - 1:
            return (0,)
        return tuple(bit + 1 for bit in range(bits) if self.control >> bit & 1)


EXTENDED_FLAG_INDEX: Final = 63
"""Index of the flags in the extended token set: the data names a flag and, written, its value."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadExtended:
    """Display a value of the extended token set (class 1, subclass 2; STS 202-5).

    Attributes:
        index: Which register, 6 bits; 63 is the flags.
        data: 30 bits; of a flag, its number in the upper 9.
        manufacturer_code: The raw field, 8 bits; 0 is for every make.
    """

    token_class: ClassVar[int] = 1
    subclass: ClassVar[int] = 2
    index: int
    data: int = 0
    manufacturer_code: int = 0

    def __post_init__(self) -> None:
        """Check the widths."""
        _require("index", self.index, 6)
        _require("data", self.data, 30)
        _require("manufacturer_code", self.manufacturer_code, 8)

    @classmethod
    def flag(cls, number: int) -> Self:
        """Ask for one flag, 0 to 511.

        Raises:
            FieldRangeError: The flag number has more than 9 bits.
        """
        _require("flag", number, 9)
        return cls(index=EXTENDED_FLAG_INDEX, data=number << 21)

    @property
    def flag_number(self) -> int | None:
        """The flag asked for, or None if another register is."""
        return self.data >> 21 if self.index == EXTENDED_FLAG_INDEX else None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Management:
    """What the meter-specific management tokens (class 2) with a token identifier share.

    Attributes:
        rnd: 4 random bits.
        tid: Token identifier, minutes since the base date, 24 bits.
    """

    token_class: ClassVar[int] = 2
    rnd: int
    tid: int

    def __post_init__(self) -> None:
        """Check the widths."""
        _require("rnd", self.rnd, 4)
        _require("tid", self.tid, 24)


@dataclass(frozen=True, slots=True, kw_only=True)
class SetMaximumPowerLimit(_Management):
    """Load the limit of the power that may be drawn (class 2, subclass 0)."""

    subclass: ClassVar[int] = 0
    limit: PowerLimit


@dataclass(frozen=True, slots=True, kw_only=True)
class ClearCredit(_Management):
    """Set one credit register, or all, to zero (class 2, subclass 1)."""

    subclass: ClassVar[int] = 1
    register: CreditRegister


@dataclass(frozen=True, slots=True, kw_only=True)
class SetTariffRate(_Management):
    """Reserved by the standard; the 16 bits have no meaning yet (class 2, subclass 2)."""

    subclass: ClassVar[int] = 2
    rate: int

    def __post_init__(self) -> None:
        """Check the widths."""
        _Management.__post_init__(self)
        _require("rate", self.rate, 16)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClearTamperCondition(_Management):
    """Clear the tamper status and what it caused (class 2, subclass 5)."""

    subclass: ClassVar[int] = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class SetMaximumPhasePowerUnbalanceLimit(_Management):
    """Load the limit of the power difference between phases (class 2, subclass 6)."""

    subclass: ClassVar[int] = 6
    limit: PowerLimit


@dataclass(frozen=True, slots=True, kw_only=True)
class SetWaterMeterFactor(_Management):
    """Reserved by the standard; the 16 bits have no meaning yet (class 2, subclass 7)."""

    subclass: ClassVar[int] = 7
    factor: int

    def __post_init__(self) -> None:
        """Check the widths."""
        _Management.__post_init__(self)
        _require("factor", self.factor, 16)


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteExtended(_Management):
    """Write a value of the extended token set (class 2, subclass 10; STS 202-5).

    Attributes:
        index: Which register, 6 bits; 63 is the flags.
        data: 10 bits; of a flag, its number in the upper 9 and its value in the lowest.
    """

    subclass: ClassVar[int] = 10
    index: int
    data: int

    def __post_init__(self) -> None:
        """Check the widths."""
        _Management.__post_init__(self)
        _require("index", self.index, 6)
        _require("data", self.data, 10)

    @property
    def flag_number(self) -> int | None:
        """The flag written to, or None if another register is."""
        return self.data >> 1 if self.index == EXTENDED_FLAG_INDEX else None

    @property
    def flag_value(self) -> bool | None:
        """The value written to the flag, or None if another register is written."""
        return bool(self.data & 1) if self.index == EXTENDED_FLAG_INDEX else None


# The parts of a new key stay out of every repr: who joins them has the meter's key.


@dataclass(frozen=True, slots=True, kw_only=True)
class Set1stSectionDecoderKey:
    """First part of a key change set (class 2, subclass 3).

    Attributes:
        key_expiry_high: Upper 4 bits of the new key's expiry number.
        key_revision_number: Of the new key.
        rollover: Whether token identifiers start anew with another base date.
        three_token_set: Whether a third token brings the supply group code (64-bit keys).
        key_type: Of the new key.
        new_key_high: Bytes 0 to 3 of the new key.
    """

    token_class: ClassVar[int] = 2
    subclass: ClassVar[int] = 3
    key_expiry_high: int
    key_revision_number: KeyRevisionNumber
    rollover: bool
    three_token_set: bool
    key_type: KeyType
    new_key_high: int = field(repr=False)

    def __post_init__(self) -> None:
        """Check the widths."""
        _require("key_expiry_high", self.key_expiry_high, 4)
        _require("new_key_high", self.new_key_high, 32)


@dataclass(frozen=True, slots=True, kw_only=True)
class Set2ndSectionDecoderKey:
    """Second part of a key change set (class 2, subclass 4).

    Attributes:
        key_expiry_low: Lower 4 bits of the new key's expiry number.
        tariff_index: Of the new key.
        new_key_low: The last 4 bytes of the new key.
    """

    token_class: ClassVar[int] = 2
    subclass: ClassVar[int] = 4
    key_expiry_low: int
    tariff_index: TariffIndex
    new_key_low: int = field(repr=False)

    def __post_init__(self) -> None:
        """Check the widths."""
        _require("key_expiry_low", self.key_expiry_low, 4)
        _require("new_key_low", self.new_key_low, 32)


@dataclass(frozen=True, slots=True, kw_only=True)
class Set3rdSectionSupplyGroup:
    """Third part of a three-token set for a 64-bit key (class 2, subclass 8)."""

    token_class: ClassVar[int] = 2
    subclass: ClassVar[int] = 8
    supply_group_code: SupplyGroupCode


@dataclass(frozen=True, slots=True, kw_only=True)
class Set3rdSectionDecoderKey:
    """Third part of a four-token set for a 128-bit key (class 2, subclass 8).

    Attributes:
        supply_group_low: Lower 12 bits of the supply group code.
        new_key_middle_2: NKMO2, bytes 4 to 7 of the new key.
    """

    token_class: ClassVar[int] = 2
    subclass: ClassVar[int] = 8
    supply_group_low: int
    new_key_middle_2: int = field(repr=False)

    def __post_init__(self) -> None:
        """Check the widths."""
        _require("supply_group_low", self.supply_group_low, 12)
        _require("new_key_middle_2", self.new_key_middle_2, 32)


@dataclass(frozen=True, slots=True, kw_only=True)
class Set4thSectionDecoderKey:
    """Fourth part of a four-token set for a 128-bit key (class 2, subclass 9).

    Attributes:
        supply_group_high: Upper 12 bits of the supply group code.
        new_key_middle_1: NKMO1, bytes 8 to 11 of the new key.
    """

    token_class: ClassVar[int] = 2
    subclass: ClassVar[int] = 9
    supply_group_high: int
    new_key_middle_1: int = field(repr=False)

    def __post_init__(self) -> None:
        """Check the widths."""
        _require("supply_group_high", self.supply_group_high, 12)
        _require("new_key_middle_1", self.new_key_middle_1, 32)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProprietaryTest:
    """A maker's own unencrypted token (class 1, subclasses 6 to 15).

    Attributes:
        subclass: 6 to 10 with a 4-digit manufacturer code, 11 to 15 with a 2-digit one.
        control: The maker's business; 28 or 36 bits.
        manufacturer_code: The raw field, 16 or 8 bits.
    """

    token_class: ClassVar[int] = 1
    subclass: int
    control: int
    manufacturer_code: int

    def __post_init__(self) -> None:
        """Check the widths that belong to the subclass."""
        if not 6 <= self.subclass <= 15:  # noqa: PLR2004 - the range is what is being defined
            raise FieldRangeError("subclass", low=6, high=15, found=self.subclass)
        _require("control", self.control, CONTROL_BITS[self.manufacturer_digits])
        _require("manufacturer_code", self.manufacturer_code, self.manufacturer_digits * 4)

    @property
    def manufacturer_digits(self) -> Literal[2, 4]:
        """How many digits the manufacturer code has."""
        return 4 if self.subclass <= 10 else 2  # noqa: PLR2004 - see the class


@dataclass(frozen=True, slots=True, kw_only=True)
class ProprietaryManagement:
    """A maker's own encrypted token (class 2, subclasses 11 to 15)."""

    token_class: ClassVar[int] = 2
    subclass: int
    content: int

    def __post_init__(self) -> None:
        """Check the subclass and the width of the content."""
        if not 11 <= self.subclass <= 15:  # noqa: PLR2004 - the range is what is being defined
            raise FieldRangeError("subclass", low=11, high=15, found=self.subclass)
        _require("content", self.content, 44)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReservedToken:
    """An authentic token of a subclass without a definition: read, but never issued."""

    token_class: int
    subclass: int
    content: int

    def __post_init__(self) -> None:
        """Check the widths."""
        _require("token_class", self.token_class, 2)
        _require("subclass", self.subclass, 4)
        _require("content", self.content, 44)


CreditToken: TypeAlias = TransferCredit | TransferCurrencyCredit
TestToken: TypeAlias = InitiateMeterTest | ReadExtended | ProprietaryTest
ManagementToken: TypeAlias = (
    SetMaximumPowerLimit
    | ClearCredit
    | SetTariffRate
    | ClearTamperCondition
    | SetMaximumPhasePowerUnbalanceLimit
    | SetWaterMeterFactor
    | WriteExtended
)
KeyChangeToken: TypeAlias = (
    Set1stSectionDecoderKey
    | Set2ndSectionDecoderKey
    | Set3rdSectionSupplyGroup
    | Set3rdSectionDecoderKey
    | Set4thSectionDecoderKey
)
Token: TypeAlias = (
    CreditToken
    | TestToken
    | ManagementToken
    | KeyChangeToken
    | ProprietaryManagement
    | ReservedToken
)
