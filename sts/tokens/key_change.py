"""Class 2 without a token identifier: the parts of a key change set."""

from dataclasses import dataclass, field
from typing import ClassVar

from sts.identifiers import KeyRevisionNumber, KeyType, SupplyGroupCode, TariffIndex
from sts.tokens.vocabulary import require_type, require_width

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
        require_width("key_expiry_high", self.key_expiry_high, 4)
        require_type("key_revision_number", self.key_revision_number, KeyRevisionNumber)
        require_type("rollover", self.rollover, bool)
        require_type("three_token_set", self.three_token_set, bool)
        require_type("key_type", self.key_type, KeyType)
        require_width("new_key_high", self.new_key_high, 32, secret=True)


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
        require_width("key_expiry_low", self.key_expiry_low, 4)
        require_type("tariff_index", self.tariff_index, TariffIndex)
        require_width("new_key_low", self.new_key_low, 32, secret=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Set3rdSectionSupplyGroup:
    """Third part of a three-token set for a 64-bit key (class 2, subclass 8)."""

    token_class: ClassVar[int] = 2
    subclass: ClassVar[int] = 8
    supply_group_code: SupplyGroupCode

    def __post_init__(self) -> None:
        """Check the type."""
        require_type("supply_group_code", self.supply_group_code, SupplyGroupCode)


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
        require_width("supply_group_low", self.supply_group_low, 12)
        require_width("new_key_middle_2", self.new_key_middle_2, 32, secret=True)


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
        require_width("supply_group_high", self.supply_group_high, 12)
        require_width("new_key_middle_1", self.new_key_middle_1, 32, secret=True)
