"""What a row of the layout table is: columns, rules, and the way to a token and back."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from sts.amount import CurrencyAmount
from sts.bits import Layout
from sts.tokens import Token

CONTENT_BITS: Final = 44
CONTENT_LOWEST_BIT: Final = 16

Fields = Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Column:
    """One field of a token: its name, its width, and the attribute that it becomes.

    Attributes:
        name: The field's name, also the attribute's.
        width: In bits.
        to_attribute: Raw whole number to attribute value.
        to_raw: Token to raw whole number.
        secret: Whether it is part of a key: then it is never shown.
        is_attribute: False for padding, which the token does not have.
    """

    name: str
    width: int
    to_attribute: Callable[[int], object] = int
    to_raw: Callable[[Any], int] = field(default=int)
    secret: bool = False
    is_attribute: bool = True


@dataclass(frozen=True, slots=True)
class Rule:
    """What the content must be beyond fitting its bits.

    Attributes:
        field: The field that breaks the rule.
        text: The rule in words.
        fault: Whether a meter answers FormatError or RangeError.
        holds: Whether these raw fields keep the rule.
    """

    field: str
    text: str
    fault: Literal["format", "range"]
    holds: Callable[[Fields], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenKind:
    """One row of the table.

    Attributes:
        token_class: 0 to 2.
        subclass: 0 to 15.
        name: The standard's name of the token.
        token_type: The dataclass that the fields become.
        columns: The 44 bits of content, most significant field first.
        constants: Attributes of the token that class and subclass alone decide.
        rules: Checked after the checksum, in order.
        currency_crc: Whether the checksum is CRC_C.
        key_bits: The decoder key length that the row is for; None for both.
        layout: The widths of the columns.
    """

    token_class: int
    subclass: int
    name: str
    token_type: Callable[..., Token]
    columns: tuple[Column, ...]
    constants: Mapping[str, object] = field(default_factory=dict)
    rules: tuple[Rule, ...] = ()
    currency_crc: bool = False
    key_bits: int | None = None
    layout: Layout = field(init=False)
    _attributes: tuple[tuple[str, Callable[[int], object], int, int], ...] = field(
        init=False, repr=False
    )
    _slots: tuple[tuple[Callable[[Any], int], int], ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Derive the layout and make sure that it fills the content exactly."""
        layout = Layout(*((column.name, column.width) for column in self.columns))
        assert layout.width == CONTENT_BITS, self.name
        shifts = [lowest for _, _, lowest in layout.positions()]
        slots = zip((column.to_raw for column in self.columns), shifts, strict=True)
        object.__setattr__(self, "layout", layout)
        object.__setattr__(self, "_slots", tuple(slots))
        attributes = [
            (column.name, column.to_attribute, shift, (1 << column.width) - 1)
            for column, shift in zip(self.columns, shifts, strict=True)
            if column.is_attribute
        ]
        object.__setattr__(self, "_attributes", tuple(attributes))

    def token_of(self, content: int) -> Token:
        """Return the token of a content that keeps all rules; bits above it are not looked at."""
        if self.currency_crc:
            attributes = _currency_attributes(self.layout.unpack(content))
        else:
            attributes = {
                name: convert(content >> shift & mask)
                for name, convert, shift, mask in self._attributes
            }
        return self.token_type(**attributes, **self.constants)

    def content_of(self, token: Token) -> int:
        """Return the 44 bits of content of a token of this kind.

        They are ``fields_of`` packed; a token that exists has fields that fit their widths.
        """
        content = 0
        for to_raw, shift in self._slots:
            content |= to_raw(token) << shift
        return content

    def fields_of(self, token: Token) -> dict[str, int]:
        """Return the raw fields of a token of this kind."""
        return {column.name: column.to_raw(token) for column in self.columns}


def _currency_attributes(fields: Fields) -> dict[str, object]:
    """Join the two fields that one currency amount is spread over."""
    amount = CurrencyAmount.from_fields(fields["sign_exponent"], fields["amount"])
    return {"tid": fields["tid"], "amount": amount}
