"""Key change sets of whole fleets: built, and joined again, in columns.

How a new key is spread over two, three or four tokens is explained in ``sts.key_change``. A set is
whole or not at all: where one of its tokens cannot be made, all its digits are blank.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sts.batch.arrays import Numbers, flag_column, mark, mark_outside, number_column, status_column
from sts.batch.ciphers import Cipher
from sts.batch.codec import Digits, decode, encode
from sts.batch.contents import Contents, kind_of, pack, places
from sts.batch.keys import DecoderKeys
from sts.batch.status import Status, StatusColumn, first_status
from sts.errors import (
    ArrayShapeError,
    ArrayTypeError,
    KeyChangeConflictError,
    KeyChangeSetSizeError,
    KeyLengthError,
)
from sts.key_change import SET_SIZES, SetSize

NOT_SENT: Final = -1
"""Stands for the supply group code of a set that does not carry one."""

_CLASS: Final = 2
_SUBCLASSES: Final = (3, 4, 8, 9)
"""Of the parts, in their order."""
_THREE_TOKENS: Final = 3
_FOUR_TOKENS: Final = 4


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class KeyChanges:
    """What complete sets tell the meters.

    Columns of numbers are of any integer type and of the length of ``new_keys``, or one number for
    all rows. A number out of range marks its row.

    Attributes:
        new_keys: The decoder keys that take the place of the present ones; a key that is marked
            marks its row.
        key_expiry_numbers: 0 to 255.
        key_revision_numbers: 1 to 9.
        key_types: 0 to 3.
        tariff_indexes: 0 to 99.
        rollover: ``bool``: whether token identifiers start anew.
        supply_group_codes: 0 to 999999; None if the sets are not to carry them.
    """

    new_keys: DecoderKeys
    key_expiry_numbers: Numbers
    key_revision_numbers: Numbers
    key_types: Numbers
    tariff_indexes: Numbers
    rollover: NDArray[np.bool_] | bool
    supply_group_codes: Numbers | None = None


class KeyChangeTokens(NamedTuple):
    """The tokens of sets.

    Attributes:
        digits: ``S20``, of the shape (rows, set size), in the order 1st, 2nd, 3rd, 4th; all
            empty in a marked row.
        status: ``uint8``, one a row.
    """

    digits: Digits
    status: StatusColumn


def encode_key_changes(
    changes: KeyChanges,
    cipher: Cipher,
    *,
    set_size: SetSize | None = None,
    status: StatusColumn | None = None,
) -> KeyChangeTokens:
    """Return the tokens of each set.

    Args:
        changes: The changes. Whether they may be issued is not looked at, see
            ``check_key_changes``.
        cipher: The meters' cipher under their present decoder keys.
        set_size: 2, 3 or 4; None takes 4 for 128-bit keys and 2 for 64-bit ones.
        status: Of what the changes were made from, for example of ``check_key_changes``.

    Returns:
        The digits, and for rows without: that status, the status of the new or of the present key,
        or ``OUT_OF_RANGE``.

    Raises:
        KeyLengthError: The new keys are not as long as the present ones.
        KeyChangeSetSizeError: A size that does not go with the length of the keys.
        KeyChangeConflictError: Sets of 3 or 4 without supply group codes.
        ArrayTypeError, ArrayShapeError: Not columns of whole numbers of one length.
    """
    if changes.new_keys.bits != cipher.key_bits:
        raise KeyLengthError(
            "key change set",
            allowed_bits=(cipher.key_bits,),
            found_bits=changes.new_keys.bits,
        )
    contents = key_change_contents(changes, set_size=set_size, status=status)
    rows = len(changes.new_keys)
    digits = np.zeros((rows, len(contents)), "S20")
    marks = status_column(status, rows)
    for place, part in enumerate(contents):
        tokens = encode(part, cipher)
        digits[:, place] = tokens.digits
        marks = first_status(marks, tokens.status)
    digits[marks != Status.OK] = b""
    return KeyChangeTokens(digits, marks)


def key_change_contents(
    changes: KeyChanges, *, set_size: SetSize | None = None, status: StatusColumn | None = None
) -> tuple[Contents, ...]:
    """Return the contents of the tokens of each set, in the order 1st, 2nd, 3rd, 4th.

    Arguments and errors are those of ``encode_key_changes``; all contents have the same status.
    """
    bits = changes.new_keys.bits
    allowed = SET_SIZES[bits]
    size = allowed[0] if set_size is None else set_size
    if size not in allowed:
        raise KeyChangeSetSizeError(key_bits=bits, allowed=allowed, found=size)
    if size >= _THREE_TOKENS and changes.supply_group_codes is None:
        message = f"a set of {size} tokens carries a supply group code, none was given"
        raise KeyChangeConflictError(message)
    rows = len(changes.new_keys)
    marks = first_status(status_column(status, rows), changes.new_keys.status)
    parts = _fields_of_parts(changes, size, marks)
    return tuple(
        pack(_CLASS, subclass, fields, key_bits=bits, status=marks)
        for subclass, fields in zip(_SUBCLASSES[:size], parts, strict=True)
    )


def _fields_of_parts(
    changes: KeyChanges, size: int, status: StatusColumn
) -> list[Mapping[str, Numbers]]:
    """Return the fields of each part, and mark numbers out of range."""
    rows = len(status)

    def column(name: str, low: int, high: int) -> NDArray[np.int64]:
        values = number_column(name, getattr(changes, name), rows)
        return mark_outside(status, Status.OUT_OF_RANGE, values, low=low, high=high)

    expiry = column("key_expiry_numbers", 0, 255)
    words = changes.new_keys.expose().view(">u4").astype(np.int64).T
    rollover = flag_column("rollover", changes.rollover, rows)
    first: Mapping[str, Numbers] = {
        "key_expiry_high": expiry >> 4,
        "key_revision_number": column("key_revision_numbers", 1, 9),
        "rollover": rollover.astype(np.uint8),
        "three_token_set": int(size == _THREE_TOKENS),
        "key_type": column("key_types", 0, 3),
        "new_key_high": words[0],
    }
    second: Mapping[str, Numbers] = {
        "key_expiry_low": expiry & 0xF,
        "tariff_index": column("tariff_indexes", 0, 99),
        "new_key_low": words[-1],
    }
    if size < _THREE_TOKENS:
        return [first, second]
    group = column("supply_group_codes", 0, 999_999)
    if size == _THREE_TOKENS:
        return [first, second, {"supply_group_code": group}]
    return [
        first,
        second,
        {"supply_group_low": group & 0xFFF, "new_key_middle_2": words[1]},
        {"supply_group_high": group >> 12, "new_key_middle_1": words[2]},
    ]


def decode_key_changes(digits: Digits, cipher: Cipher) -> KeyChanges:
    """Put the tokens of each set together, whatever their order.

    The same token twice is harmless.

    Args:
        digits: ``S20``, of the shape (rows, tokens); an empty cell is no token.
        cipher: The meters' cipher under the decoder keys that the sets were made with.

    Returns:
        The changes, all columns as arrays; where a set does not carry it, the supply group code is
        ``NOT_SENT``. The status of ``new_keys`` is that of the first token that cannot be decoded,
        ``KEY_CHANGE_CONFLICT`` for tokens that do not belong to one set,
        ``KEY_CHANGE_INCOMPLETE``, or ``OUT_OF_RANGE`` for a supply group code above 999999.

    Raises:
        ArrayTypeError, ArrayShapeError: Not a matrix of ``S20``, or not one key for each row.
    """
    if not isinstance(digits, np.ndarray) or digits.dtype != np.dtype("S20"):
        found = getattr(digits, "dtype", type(digits).__name__)
        raise ArrayTypeError("digits", wanted="S20", found=found)
    if digits.ndim != 2:  # noqa: PLR2004 - a matrix
        raise ArrayShapeError("digits", wanted="(rows, tokens)", found=digits.shape)
    parts = _Parts(len(digits))
    for column in digits.T:
        parts.add(decode(column, cipher), present=column != b"")
    return parts.joined(cipher.key_bits)


class _Parts:
    """The parts of each set as they are found."""

    def __init__(self, rows: int) -> None:
        """Begin without any."""
        self.status: StatusColumn = np.zeros(rows, np.uint8)
        self.found = np.zeros((_FOUR_TOKENS, rows), np.bool_)
        self.contents = np.zeros((_FOUR_TOKENS, rows), np.uint64)

    def add(self, tokens: Contents, *, present: NDArray[np.bool_]) -> None:
        """Take one token of each set, where there is one."""
        np.copyto(self.status, tokens.status, where=present & (self.status == Status.OK))
        known = np.zeros(len(present), np.bool_)
        for place, subclass in enumerate(_SUBCLASSES):
            is_part: NDArray[np.bool_] = tokens.is_kind(_CLASS, subclass) & present
            known |= is_part
            other = is_part & self.found[place] & (self.contents[place] != tokens.content)
            mark(self.status, Status.KEY_CHANGE_CONFLICT, other)
            np.copyto(self.contents[place], tokens.content, where=is_part)
            self.found[place] |= is_part
        mark(self.status, Status.KEY_CHANGE_CONFLICT, present & ~known)

    def joined(self, key_bits: int) -> KeyChanges:
        """Return what the sets say, and mark those that are not whole."""
        first, second, third, fourth = (
            self._fields(place, key_bits) for place in range(_FOUR_TOKENS)
        )
        found = self.found
        announced = first("three_token_set") != 0
        if key_bits == 64:  # noqa: PLR2004 - the length
            whole = found[0] & found[1] & (found[2] | ~announced)
            mark(self.status, Status.KEY_CHANGE_INCOMPLETE, ~whole)
            mark(self.status, Status.KEY_CHANGE_CONFLICT, found[2] & ~announced)
            words = [first("new_key_high"), second("new_key_low")]
            group = third("supply_group_code").astype(np.int64)
            group[~found[2]] = NOT_SENT
        else:
            mark(
                self.status,
                Status.KEY_CHANGE_INCOMPLETE,
                ~(found[0] & found[1] & found[2] & found[3]),
            )
            words = [
                first("new_key_high"),
                third("new_key_middle_2"),
                fourth("new_key_middle_1"),
                second("new_key_low"),
            ]
            group = (fourth("supply_group_high") << np.uint64(12)).astype(np.int64)
            group |= third("supply_group_low").astype(np.int64)
            mark(self.status, Status.OUT_OF_RANGE, group > 999_999)  # noqa: PLR2004 - 6 digits
        keys = np.ascontiguousarray(np.stack(words, axis=1).astype(">u4")).view(np.uint8)
        expiry = first("key_expiry_high") << np.uint64(4) | second("key_expiry_low")
        right = self.status == Status.OK
        return KeyChanges(
            new_keys=DecoderKeys(keys * right[:, None], self.status),
            key_expiry_numbers=expiry * right,
            key_revision_numbers=first("key_revision_number") * right,
            key_types=first("key_type") * right,
            tariff_indexes=second("tariff_index") * right,
            rollover=(first("rollover") != 0) & right,
            supply_group_codes=np.where(right, group, NOT_SENT),
        )

    def _fields(self, place: int, key_bits: int) -> Callable[[str], NDArray[np.uint64]]:
        """Return what reads a field of one part, by its name."""
        kind = kind_of(_CLASS << 4 | _SUBCLASSES[place], key_bits)
        where = {} if kind is None else places(kind)
        contents = self.contents[place]
        return lambda name: contents >> where[name].shift & where[name].mask
