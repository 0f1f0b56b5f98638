"""The anatomy of a token, field by field, with and without the key.

``explain`` refuses only what is no token at all. Of everything else it tells as much as can be
told, and names what is wrong with the rest. Parts of keys are never shown, not even to someone who
has the meter's key.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final, Literal, TypeAlias

from sts.amount import CurrencyAmount, PowerLimit, UnitAmount
from sts.codec import (
    BLOCK_LAYOUT,
    UNENCRYPTED_CLASS,
    decode_block,
    format_token,
    parse_digits,
    read_block,
    split_class,
)
from sts.crc import token_crc
from sts.errors import DecoderKeyRequiredError, ReservedClassError, StsError
from sts.identifiers import BaseDate, KeyType
from sts.layouts import KIND_INDEX
from sts.meanings import (
    CLASS_NAMES,
    EXTENDED_FLAG_NAMES,
    KEY_TYPE_NAMES,
    REGISTER_NAMES,
    SERVICE_UNITS,
    currency_text,
    names_of_tests,
    tenths_text,
)
from sts.token_identifier import datetime_from_tid, is_reserved_minute, require_utc_offset
from sts.token_kinds import CONTENT_LOWEST_BIT, Fields, TokenKind
from sts.tokens import (
    EXTENDED_FLAG_INDEX,
    BlockCipher,
    CreditRegister,
    InitiateMeterTest,
    Service,
    Token,
)

_RESERVED_CLASS: Final = 3
_NO_OFFSET: Final = timedelta(0)
_Base: TypeAlias = tuple[BaseDate | None, timedelta]
"""The base date, if it is known, and the fixed offset that identifiers count in."""
_CLEAR_KEY_BITS: Final = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldAnatomy:
    """One field of the clear 66 bits.

    Attributes:
        name: As in the layout table.
        highest_bit: 65 to 0, before the class bits are put in.
        lowest_bit: As above.
        raw: The whole number in the field; None if it is part of a key.
        meaning: In words.
    """

    name: str
    highest_bit: int
    lowest_bit: int
    raw: int | None
    meaning: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Anatomy:
    """All that can be told of twenty digits.

    Attributes:
        digits: The 20 digits.
        number: The 66-bit number.
        token_class: 0 to 3.
        encrypted: Whether the block is encrypted.
        kind: The standard's name of the token; None while it is closed.
        fields: Class, subclass, content and checksum in the order of their bits; only the class
            while the token is closed or its checksum does not fit.
        crc_found: The checksum in the token; None while it is closed.
        crc_computed: The checksum that the content calls for; None while it is closed.
        problem: Why there is no token to show; None if there is one.
        token: The token, if it opens and is canonical.
    """

    digits: str
    number: int
    token_class: int
    encrypted: bool
    kind: str | None
    fields: tuple[FieldAnatomy, ...]
    crc_found: int | None
    crc_computed: int | None
    problem: StsError | None
    token: Token | None

    @property
    def status(self) -> Literal["open", "closed", "refused"]:
        """Whether the token could be read, needs a key, or must be refused."""
        if self.problem is None:
            return "open"
        return "closed" if isinstance(self.problem, DecoderKeyRequiredError) else "refused"

    def as_dict(self) -> dict[str, Any]:
        """Return the anatomy as plain values for JSON; numbers in hexadecimal as text."""
        return {
            "token": self.digits,
            "grouped": format_token(self.digits),
            "number_hex": f"{self.number:017x}",
            "class": self.token_class,
            "encrypted": self.encrypted,
            "status": self.status,
            "kind": self.kind,
            "fields": [
                {
                    "name": field.name,
                    "bits": [field.highest_bit, field.lowest_bit],
                    "raw": field.raw,
                    "meaning": field.meaning,
                }
                for field in self.fields
            ],
            "crc_found": _hex(self.crc_found),
            "crc_computed": _hex(self.crc_computed),
            "problem": None
            if self.problem is None
            else {"code": self.problem.code, "message": str(self.problem)},
        }


def explain(
    text: str,
    cipher: BlockCipher | None = None,
    *,
    base_date: BaseDate | None = None,
    utc_offset: timedelta = _NO_OFFSET,
) -> Anatomy:
    """Return the anatomy of 20 digits; spaces and dashes between them are ignored.

    Args:
        text: The digits.
        cipher: The meter's cipher, if the content of a class 0 or 2 token is to be seen.
        base_date: The base date of the meter's key, if the issue time is to be told for sure;
            without it the time is told for each of the three.
        utc_offset: The supply group's fixed offset, if its identifiers count local minutes.

    Raises:
        NotTwentyDigitsError, Exceeds66BitsError: There is no token to explain.
        UtcOffsetError: The offset is not whole minutes within ±14 hours.
    """
    require_utc_offset(utc_offset)
    number = parse_digits(text)
    token_class, block = split_class(number)
    encrypted = token_class != UNENCRYPTED_CLASS
    clear, key_bits, problem = _open(block, token_class, cipher)
    found = computed = None
    kind, token = None, None
    fields: tuple[FieldAnatomy, ...] = ()
    if clear is not None:
        found = clear & 0xFFFF
        computed = _expected_crc(clear, token_class, key_bits)
        try:
            row, raw = read_block(clear, token_class, key_bits)
            kind = row.name
            fields = _block_fields(row, raw, clear=clear, base=(base_date, utc_offset))
            token = decode_block(clear, token_class, key_bits)
        except StsError as error:
            problem = error
    return Anatomy(
        digits=f"{number:020d}",
        number=number,
        token_class=token_class,
        encrypted=encrypted,
        kind=kind,
        fields=(_class_field(token_class), *fields),
        crc_found=found,
        crc_computed=computed,
        problem=problem,
        token=token,
    )


def _open(
    block: int, token_class: int, cipher: BlockCipher | None
) -> tuple[int | None, int, StsError | None]:
    """Return the clear block, the key length it is to be read with, or why it stays closed."""
    if token_class == UNENCRYPTED_CLASS:
        return block, _CLEAR_KEY_BITS, None
    if token_class == _RESERVED_CLASS:
        return None, _CLEAR_KEY_BITS, ReservedClassError()
    if cipher is None:
        return None, _CLEAR_KEY_BITS, DecoderKeyRequiredError(token_class)
    return cipher.decrypt_block(block), cipher.key_bits, None


def _expected_crc(clear: int, token_class: int, key_bits: int) -> int:
    kind = KIND_INDEX.get((token_class, clear >> 60, key_bits))
    body = token_class << 48 | clear >> CONTENT_LOWEST_BIT
    return token_crc(body, currency=kind is not None and kind.currency_crc)


def _class_field(token_class: int) -> FieldAnatomy:
    return FieldAnatomy(
        name="class",
        highest_bit=65,
        lowest_bit=64,
        raw=token_class,
        meaning=CLASS_NAMES[token_class],
    )


def _block_fields(
    kind: TokenKind, raw: Fields, *, clear: int, base: _Base
) -> tuple[FieldAnatomy, ...]:
    """List subclass, content and checksum in the order of their bits."""
    secret = {column.name for column in kind.columns if column.secret}
    (_, subclass_high, subclass_low), _, (_, crc_high, crc_low) = BLOCK_LAYOUT.positions()
    content = tuple(
        FieldAnatomy(
            name=name,
            highest_bit=high,
            lowest_bit=low,
            raw=None if name in secret else raw[name],
            meaning="part of the new key, not shown"
            if name in secret
            else _meaning(name, raw, kind=kind, base=base),
        )
        for name, high, low in kind.layout.positions(CONTENT_LOWEST_BIT)
    )
    subclass = FieldAnatomy(
        name="subclass",
        highest_bit=subclass_high,
        lowest_bit=subclass_low,
        raw=kind.subclass,
        meaning=kind.name,
    )
    checksum = FieldAnatomy(
        name="crc",
        highest_bit=crc_high,
        lowest_bit=crc_low,
        raw=clear & 0xFFFF,
        meaning="CRC_C, fits" if kind.currency_crc else "CRC, fits",
    )
    return (subclass, *content, checksum)


_Meaning = Callable[[int, Fields, TokenKind], str]


def _meaning(name: str, raw: Fields, *, kind: TokenKind, base: _Base) -> str:
    if name == "tid":
        return _tid_meaning(raw[name], base)
    return _MEANINGS[name](raw[name], raw, kind)


def _tid_meaning(tid_minutes: int, base: _Base) -> str:
    """Tell the minute of issue, for each base date if it is not known which one applies."""
    base_date, utc_offset = base
    candidates = tuple(BaseDate) if base_date is None else (base_date,)
    times = " or ".join(
        f"{datetime_from_tid(tid_minutes, candidate, utc_offset=utc_offset):%Y-%m-%d %H:%M} UTC "
        f"(base {candidate})"
        for candidate in candidates
    )
    reserved = ", the reserved minute of the day" if is_reserved_minute(tid_minutes) else ""
    return f"minute {tid_minutes}: {times}{reserved}"


def _amount_meaning(raw: int, fields: Fields, kind: TokenKind) -> str:
    if not kind.currency_crc:
        unit = SERVICE_UNITS[Service(kind.subclass)]
        return f"{tenths_text(UnitAmount(raw).tenths)} {unit}"
    if fields["sign_exponent"] == 8 and raw == 0:  # noqa: PLR2004 - sign without a number
        return "a negative zero, which must not be"
    amount = CurrencyAmount.from_fields(fields["sign_exponent"], raw)
    return f"{currency_text(amount.units)} of the currency"


def _register_meaning(raw: int, _fields: Fields, _kind: TokenKind) -> str:
    try:
        return REGISTER_NAMES[CreditRegister(raw)]
    except ValueError:
        return "reserved"


def _data_meaning(raw: int, fields: Fields, kind: TokenKind) -> str:
    if fields["index"] != EXTENDED_FLAG_INDEX:
        return f"value {raw}"
    flag = raw >> (21 if kind.token_class == UNENCRYPTED_CLASS else 1)
    name = f"flag {flag}: {EXTENDED_FLAG_NAMES.get(flag, 'unknown')}"
    return name if kind.token_class == UNENCRYPTED_CLASS else f"{name} = {raw & 1}"


def _control_meaning(raw: int, _fields: Fields, kind: TokenKind) -> str:
    if kind.token_type is not InitiateMeterTest:
        return "the maker's business"
    digits: Literal[2, 4] = 2 if kind.subclass == 0 else 4
    token = InitiateMeterTest(control=raw, manufacturer_digits=digits)
    return names_of_tests(token.tests)


def _plain(text: str) -> _Meaning:
    return lambda _raw, _fields, _kind: text


def _number(text: str) -> _Meaning:
    return lambda raw, _fields, _kind: f"{raw}, {text}"


def _watts(raw: int, _fields: Fields, _kind: TokenKind) -> str:
    return f"{PowerLimit(raw).watts} W"


_MEANINGS: Final[Mapping[str, _Meaning]] = {
    "amount": _amount_meaning,
    "content": _plain("not defined by the standard"),
    "control": _control_meaning,
    "data": _data_meaning,
    "factor": _number("reserved for water meters"),
    "index": lambda raw, _fields, _kind: "flags" if raw == EXTENDED_FLAG_INDEX else "register",
    "key_expiry_high": _number("the upper 4 bits of the new key's expiry number"),
    "key_expiry_low": _number("the lower 4 bits of the new key's expiry number"),
    "key_revision_number": _number("of the new key"),
    "key_type": lambda raw, _fields, _kind: KEY_TYPE_NAMES[KeyType(raw)],
    "limit": _watts,
    "manufacturer_code": lambda raw, _fields, _kind: f"maker {raw}" if raw else "any make",
    "pad": _plain("padding"),
    "rate": _number("reserved by the standard"),
    "register": _register_meaning,
    "rnd": _plain("random bits"),
    "rollover": lambda raw, _fields, _kind: "new base date" if raw else "same base date",
    "sign_exponent": _number("sign and upper 3 bits of the exponent"),
    "supply_group_code": lambda raw, _fields, _kind: f"supply group {raw:06d}",
    "supply_group_high": _number("the upper 12 bits of the supply group code"),
    "supply_group_low": _number("the lower 12 bits of the supply group code"),
    "tariff_index": lambda raw, _fields, _kind: f"{raw:02d}, of the new key",
    "three_token_set": lambda raw, _fields, _kind: (
        "a third token belongs to the set" if raw else "no third token with the supply group"
    ),
}
"""Field name to what its value means; ``tid`` needs the base date and stands apart."""


def _hex(value: int | None) -> str | None:
    return None if value is None else f"{value:04x}"
