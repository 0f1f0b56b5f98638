"""The one table of token layouts: class and subclass to fields, widths and rules.

Bits 59 to 16 of a token block, its 44 bits of content, are described here once, as data
(IEC 62055-41, 6.2 and 6.3). Each row also says which dataclass the fields become, which checksum
the token carries, and what the content must not be. Adding a token kind is adding a row.
"""

from collections.abc import Callable, Mapping
from operator import attrgetter
from typing import Final, Literal

from sts.amount import PowerLimit, UnitAmount
from sts.identifiers import KeyRevisionNumber, KeyType, SupplyGroupCode, TariffIndex
from sts.token_kinds import CONTENT_BITS, Column, Rule, TokenKind
from sts.tokens import (
    ClearCredit,
    ClearTamperCondition,
    CreditRegister,
    InitiateMeterTest,
    ProprietaryManagement,
    ProprietaryTest,
    ReadExtended,
    ReservedToken,
    Service,
    Set1stSectionDecoderKey,
    Set2ndSectionDecoderKey,
    Set3rdSectionDecoderKey,
    Set3rdSectionSupplyGroup,
    Set4thSectionDecoderKey,
    SetMaximumPhasePowerUnbalanceLimit,
    SetMaximumPowerLimit,
    SetTariffRate,
    SetWaterMeterFactor,
    Token,
    TransferCredit,
    TransferCurrencyCredit,
    WriteExtended,
)


def _column(name: str, width: int) -> Column:
    return Column(name, width, to_raw=attrgetter(name))


def _number(name: str, width: int, to_attribute: Callable[[int], object]) -> Column:
    """Make a column whose attribute is a number with a class of its own."""
    read = attrgetter(name)
    return Column(name, width, to_attribute, lambda token: int(read(token)))


def _coded(name: str, to_attribute: Callable[[int], object]) -> Column:
    """Make a 16-bit column whose attribute is a coded quantity."""
    return Column(name, 16, to_attribute, attrgetter(f"{name}.code"))


def _key_part(name: str) -> Column:
    return Column(name, 32, to_raw=attrgetter(name), secret=True)


def _pad(width: int) -> Column:
    return Column("pad", width, to_raw=lambda _token: 0, is_attribute=False)


def _within(name: str, low: int, high: int) -> Rule:
    text = f"must be from {low} to {high}"
    return Rule(name, text, "range", lambda fields: low <= fields[name] <= high)


def _zero(name: str) -> Rule:
    return Rule(name, "must be zero", "format", lambda fields: fields[name] == 0)


_REGISTERS: Final = frozenset(register.value for register in CreditRegister)
_REGISTER_RULE: Final = Rule(
    "register", "is reserved", "range", lambda fields: fields["register"] in _REGISTERS
)
_MINUS: Final = 8
"""The sign bit of S&E, with an exponent of zero."""
_NO_NEGATIVE_ZERO: Final = Rule(
    "sign_exponent",
    "must not make a negative zero",
    "range",
    lambda fields: fields["sign_exponent"] != _MINUS or fields["amount"] != 0,
)
_TID_FRAME: Final = (_column("rnd", 4), _column("tid", 24))
_CURRENCY_COLUMNS: Final = (
    Column("sign_exponent", 4, to_raw=attrgetter("amount.sign_exponent")),
    _column("tid", 24),
    _coded("amount", int),
)


def _credit(service: Service) -> TokenKind:
    return TokenKind(
        token_class=0,
        subclass=int(service),
        name=f"TransferCredit/{service.name.lower()}",
        token_type=TransferCredit,
        columns=(*_TID_FRAME, _coded("amount", UnitAmount)),
        constants={"service": service},
    )


def _currency_credit(service: Service) -> TokenKind:
    return TokenKind(
        token_class=0,
        subclass=int(service) + 4,
        name=f"TransferCredit/{service.name.lower()}-currency",
        token_type=TransferCurrencyCredit,
        columns=_CURRENCY_COLUMNS,
        constants={"service": service},
        rules=(_NO_NEGATIVE_ZERO,),
        currency_crc=True,
    )


def _control_columns(manufacturer_digits: int) -> tuple[Column, ...]:
    code_width = manufacturer_digits * 4
    return (
        _column("control", CONTENT_BITS - code_width),
        _column("manufacturer_code", code_width),
    )


def _test(subclass: int, manufacturer_digits: Literal[2, 4]) -> TokenKind:
    return TokenKind(
        token_class=1,
        subclass=subclass,
        name=f"InitiateMeterTest/Display{subclass + 1}",
        token_type=InitiateMeterTest,
        columns=_control_columns(manufacturer_digits),
        constants={"manufacturer_digits": manufacturer_digits},
    )


def _proprietary_test(subclass: int, manufacturer_digits: Literal[2, 4]) -> TokenKind:
    return TokenKind(
        token_class=1,
        subclass=subclass,
        name="proprietary test",
        token_type=ProprietaryTest,
        columns=_control_columns(manufacturer_digits),
        constants={"subclass": subclass},
    )


def _reserved(token_class: int, subclass: int) -> TokenKind:
    return TokenKind(
        token_class=token_class,
        subclass=subclass,
        name="reserved",
        token_type=ReservedToken,
        columns=(_column("content", CONTENT_BITS),),
        constants={"token_class": token_class, "subclass": subclass},
    )


def _proprietary_management(subclass: int) -> TokenKind:
    return TokenKind(
        token_class=2,
        subclass=subclass,
        name="proprietary management",
        token_type=ProprietaryManagement,
        columns=(_column("content", CONTENT_BITS),),
        constants={"subclass": subclass},
    )


def _management(
    subclass: int,
    token_type: Callable[..., Token],
    name: str,
    *columns: Column,
    rules: tuple[Rule, ...] = (),
) -> TokenKind:
    """Make a row of class 2, the frame RND ‖ TID in front of ``columns``."""
    return TokenKind(
        token_class=2,
        subclass=subclass,
        name=name,
        token_type=token_type,
        columns=(*_TID_FRAME, *columns),
        rules=rules,
    )


def _key_change(
    subclass: int,
    token_type: Callable[..., Token],
    name: str,
    *columns: Column,
    key_bits: int | None = None,
    rules: tuple[Rule, ...] = (),
) -> TokenKind:
    return TokenKind(
        token_class=2,
        subclass=subclass,
        name=name,
        token_type=token_type,
        columns=columns,
        rules=rules,
        key_bits=key_bits,
    )


def _first_section(key_bits: int, *more_rules: Rule) -> TokenKind:
    return _key_change(
        3,
        Set1stSectionDecoderKey,
        "Set1stSectionDecoderKey",
        _column("key_expiry_high", 4),
        _number("key_revision_number", 4, KeyRevisionNumber),
        _number("rollover", 1, bool),
        _number("three_token_set", 1, bool),
        _number("key_type", 2, KeyType),
        _key_part("new_key_high"),
        key_bits=key_bits,
        rules=(_within("key_revision_number", 1, 9), *more_rules),
    )


TOKEN_KINDS: Final[tuple[TokenKind, ...]] = (
    *(_credit(service) for service in Service),
    *(_currency_credit(service) for service in Service),
    *(_reserved(0, subclass) for subclass in range(8, 16)),
    _test(0, 2),
    _test(1, 4),
    TokenKind(
        token_class=1,
        subclass=2,
        name="ExtendedToken (read)",
        token_type=ReadExtended,
        columns=(_column("index", 6), _column("data", 30), _column("manufacturer_code", 8)),
    ),
    *(_reserved(1, subclass) for subclass in range(3, 6)),
    *(_proprietary_test(subclass, 4) for subclass in range(6, 11)),
    *(_proprietary_test(subclass, 2) for subclass in range(11, 16)),
    _management(0, SetMaximumPowerLimit, "SetMaximumPowerLimit", _coded("limit", PowerLimit)),
    _management(
        1,
        ClearCredit,
        "ClearCredit",
        _number("register", 16, CreditRegister),
        rules=(_REGISTER_RULE,),
    ),
    _management(2, SetTariffRate, "SetTariffRate", _column("rate", 16)),
    _first_section(64),
    # A 128-bit key always takes four tokens, so the bit that announces three is reserved.
    _first_section(128, _zero("three_token_set")),
    _key_change(
        4,
        Set2ndSectionDecoderKey,
        "Set2ndSectionDecoderKey",
        _column("key_expiry_low", 4),
        _number("tariff_index", 8, TariffIndex),
        _key_part("new_key_low"),
        rules=(_within("tariff_index", 0, 99),),
    ),
    _management(5, ClearTamperCondition, "ClearTamperCondition", _pad(16), rules=(_zero("pad"),)),
    _management(
        6,
        SetMaximumPhasePowerUnbalanceLimit,
        "SetMaximumPhasePowerUnbalanceLimit",
        _coded("limit", PowerLimit),
    ),
    _management(7, SetWaterMeterFactor, "SetWaterMeterFactor", _column("factor", 16)),
    _key_change(
        8,
        Set3rdSectionSupplyGroup,
        "Set3rdSectionDecoderKey (supply group form)",
        _number("supply_group_code", 24, SupplyGroupCode),
        _pad(20),
        key_bits=64,
        rules=(_zero("pad"), _within("supply_group_code", 0, 999_999)),
    ),
    _key_change(
        8,
        Set3rdSectionDecoderKey,
        "Set3rdSectionDecoderKey",
        _column("supply_group_low", 12),
        _key_part("new_key_middle_2"),
        key_bits=128,
    ),
    _key_change(
        9,
        Set4thSectionDecoderKey,
        "Set4thSectionDecoderKey",
        _column("supply_group_high", 12),
        _key_part("new_key_middle_1"),
        key_bits=128,
    ),
    _management(
        10, WriteExtended, "ExtendedToken (write)", _column("index", 6), _column("data", 10)
    ),
    *(_proprietary_management(subclass) for subclass in range(11, 16)),
)
"""Every kind of token there is; class 3 has none."""


def _index() -> dict[tuple[int, int, int], TokenKind]:
    index = {}
    for kind in TOKEN_KINDS:
        for key_bits in (64, 128) if kind.key_bits is None else (kind.key_bits,):
            index[kind.token_class, kind.subclass, key_bits] = kind
    return index


KIND_INDEX: Final[Mapping[tuple[int, int, int], TokenKind]] = _index()
"""``(class, subclass, decoder key bits)`` to the kind; class 1 stands under both lengths."""
