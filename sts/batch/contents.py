"""What tokens say, in columns: class, subclass and 44 bits of content a row.

Which fields the content has is looked up in ``sts.layouts``, the one table of token layouts, so
every kind of token that the scalar core knows can be written and read here.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sts.batch.arrays import (
    Numbers,
    chunks,
    mark_outside,
    number_column,
    rows_of,
    status_column,
)
from sts.batch.status import Status, StatusColumn
from sts.errors import ArrayShapeError, ArrayTypeError, UnknownCodeError
from sts.layouts import KIND_INDEX
from sts.token_kinds import TokenKind
from sts.tokens import Service

_SHORT_KEY_BITS: Final = 64
"""Under this length stand the kinds of both lengths too."""
_PADDING: Final = "pad"
_TYPES: Final = {
    "token_class": np.dtype(np.uint8),
    "subclass": np.dtype(np.uint8),
    "content": np.dtype(np.uint64),
    "status": np.dtype(np.uint8),
}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Contents:
    """The contents of many tokens.

    Attributes:
        token_class: ``uint8``, 0 to 3.
        subclass: ``uint8``, 0 to 15.
        content: ``uint64``, 44 bits. It may hold parts of keys, so it is never shown.
        status: ``uint8``; all columns are 0 in a marked row.
        key_bits: The length of decoder key that the contents are laid out for: subclass 8 of
            class 2 is one token under 64 bits and another under 128. None: for either.

    Raises:
        ArrayTypeError, ArrayShapeError: A column of another type, or of another length.
    """

    token_class: NDArray[np.uint8] = field(repr=False)
    subclass: NDArray[np.uint8] = field(repr=False)
    content: NDArray[np.uint64] = field(repr=False)
    status: StatusColumn = field(repr=False)
    key_bits: int | None = None

    def __post_init__(self) -> None:
        """Check types and lengths."""
        for name, wanted in _TYPES.items():
            column = getattr(self, name)
            if not isinstance(column, np.ndarray) or column.dtype != wanted:
                found = getattr(column, "dtype", type(column).__name__)
                raise ArrayTypeError(name, wanted=str(wanted), found=found)
            if column.shape != self.status.shape or column.ndim != 1:
                shape = f"({len(self)},)"
                raise ArrayShapeError(name, wanted=shape, found=column.shape)

    def __len__(self) -> int:
        """Return the number of rows."""
        return int(self.status.size)

    def __getitem__(self, rows: slice) -> "Contents":
        """Return some of the rows."""
        return Contents(
            token_class=self.token_class[rows],
            subclass=self.subclass[rows],
            content=self.content[rows],
            status=self.status[rows],
            key_bits=self.key_bits,
        )

    def is_kind(self, token_class: int, subclass: int) -> NDArray[np.bool_]:
        """Tell which rows are right and of this class and subclass."""
        right = self.status == Status.OK
        of_kind: NDArray[np.bool_] = right & (
            kind_numbers(self.token_class, self.subclass) == (token_class << 4 | subclass)
        )
        return of_kind

    def field(self, name: str) -> NDArray[np.uint64]:
        """Return one field of every row, by its name in ``sts.layouts``, as a raw number.

        For example ``tid``, ``rnd``, ``amount``, ``sign_exponent``, ``limit``, ``register``,
        ``control``, ``key_revision_number``, ``new_key_high``. Rows that are marked, or whose kind
        of token has no such field, are 0.

        Raises:
            UnknownCodeError: No kind of token has a field of this name.
        """
        if name not in _FIELD_NAMES:
            raise UnknownCodeError("field", allowed=sorted(_FIELD_NAMES), found=name)
        values = np.zeros(len(self), np.uint64)
        present = present_kinds(self.token_class, self.subclass)
        for number in present:
            kind = kind_of(number, self.key_bits or _SHORT_KEY_BITS)
            place = None if kind is None else places(kind).get(name)
            if place is not None:
                taken = self.content >> place.shift & place.mask
                where = kind_numbers(self.token_class, self.subclass) == number
                np.copyto(values, taken, where=where)
        # Marked rows look like the kind with the number 0, and must not seem to have its fields.
        values[self.status != Status.OK] = 0
        return values


class Place(NamedTuple):
    """Where a field stands in the content."""

    shift: np.uint64
    mask: np.uint64


def pack(
    token_class: int,
    subclass: int,
    fields: Mapping[str, Numbers],
    *,
    key_bits: int | None = None,
    status: StatusColumn | None = None,
) -> Contents:
    """Return the contents of tokens of one kind, from their fields.

    Args:
        token_class: 0 to 2.
        subclass: 0 to 15.
        fields: The fields of the kind by their names in ``sts.layouts``, each a column or one
            number for all rows. Padding is left out.
        key_bits: 64 or 128 for the kinds that only one length of decoder key has.
        status: Of what the fields were made from: marked rows stay marked.

    Returns:
        Contents whose status is ``FIELD_RANGE`` where a field does not fit its bits. Whether the
        content may be is looked at when it is encoded.

    Raises:
        UnknownCodeError: No such kind of token, a field that it does not have, or one missing.
        ArrayTypeError, ArrayShapeError: Not whole numbers, or columns of different lengths.
    """
    kind = KIND_INDEX.get((token_class, subclass, key_bits or _SHORT_KEY_BITS))
    if kind is None:
        allowed = ("the classes and subclasses of sts.layouts",)
        raise UnknownCodeError("token kind", allowed=allowed, found=f"{token_class}/{subclass}")
    wanted = {name: place for name, place in places(kind).items() if name != _PADDING}
    for name in wanted.keys() ^ fields.keys():
        raise UnknownCodeError(f"fields of {kind.name}", allowed=tuple(wanted), found=name)
    rows = rows_of(status, *fields.values())
    columns = [(place, number_column(name, fields[name], rows)) for name, place in wanted.items()]
    marks = status_column(status, rows)
    content = np.zeros(rows, np.uint64)
    for part in chunks(rows):
        for place, column in columns:
            raw = mark_outside(
                marks[part], Status.FIELD_RANGE, column[part], low=0, high=int(place.mask)
            )
            content[part] |= raw.view(np.uint64) << place.shift
    right = marks == Status.OK
    content *= right
    return Contents(
        token_class=right * np.uint8(token_class),
        subclass=right * np.uint8(subclass),
        content=content,
        status=marks,
        key_bits=kind.key_bits,
    )


def transfer_credits(
    *,
    tids: Numbers,
    amount_codes: Numbers,
    rnd: Numbers,
    service: Service = Service.ELECTRICITY,
    status: StatusColumn | None = None,
) -> Contents:
    """Return the contents of credit tokens (class 0, subclasses 0 to 3).

    Args:
        tids: Token identifiers, minutes since the base date.
        amount_codes: From ``encode_amounts``.
        rnd: 4 random bits a row.
        service: What the credit buys.
        status: Of what these were made from, see ``first_status``.

    Raises:
        ArrayTypeError, ArrayShapeError: Not whole numbers, or columns of different lengths.
    """
    fields = {"rnd": rnd, "tid": tids, "amount": amount_codes}
    return pack(0, int(service), fields, status=status)


def transfer_currency_credits(
    *,
    tids: Numbers,
    sign_exponents: Numbers,
    amount_codes: Numbers,
    service: Service = Service.ELECTRICITY,
    status: StatusColumn | None = None,
) -> Contents:
    """Return the contents of currency credit tokens (class 0, subclasses 4 to 7).

    Args:
        tids: Token identifiers, minutes since the base date.
        sign_exponents: From ``encode_currency_amounts``.
        amount_codes: From ``encode_currency_amounts``.
        service: What the credit buys.
        status: Of what these were made from, see ``first_status``.

    Raises:
        ArrayTypeError, ArrayShapeError: Not whole numbers, or columns of different lengths.
    """
    fields = {"sign_exponent": sign_exponents, "tid": tids, "amount": amount_codes}
    return pack(0, int(service) + 4, fields, status=status)


def kind_numbers(token_class: NDArray[np.uint8], subclass: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return class and subclass of each row in one number, 0 to 63."""
    return token_class << np.uint8(4) | subclass


def present_kinds(token_class: NDArray[np.uint8], subclass: NDArray[np.uint8]) -> list[int]:
    """Return the kind numbers that occur, ascending."""
    numbers = kind_numbers(token_class, subclass)
    if not numbers.size:
        return []
    # Nearly always all rows are of one kind.
    if numbers.min() == numbers.max():
        return [int(numbers[0])]
    counts = np.bincount(numbers)
    return [int(number) for number in np.flatnonzero(counts)]


def kind_of(number: int, key_bits: int) -> TokenKind | None:
    """Return the kind of token with a kind number under a length of decoder key."""
    return KIND_INDEX.get((number >> 4, number & 15, key_bits))


def places(kind: TokenKind) -> dict[str, Place]:
    """Return where the fields of a kind stand, by name."""
    return {
        name: Place(np.uint64(low), np.uint64((1 << high - low + 1) - 1))
        for name, high, low in kind.layout.positions()
    }


_FIELD_NAMES: Final = frozenset(name for kind in KIND_INDEX.values() for name in places(kind))
