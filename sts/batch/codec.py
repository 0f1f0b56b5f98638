"""Contents to twenty digits and back, a column at a time: ``sts.codec`` on arrays.

A token goes through the same steps as there, a chunk of rows through each step at once. What the
scalar core raises for a token, the status of its row says, and the order of checks is the same.
"""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sts.batch.arrays import CHUNK_ROWS, chunks, mark, text_column
from sts.batch.canonical import is_canonical
from sts.batch.ciphers import Blocks, Cipher
from sts.batch.contents import Contents, kind_numbers, kind_of, present_kinds
from sts.batch.crc import token_checksums
from sts.batch.decimal import TOKEN_DIGITS, read_digits, write_digits
from sts.batch.status import Status, StatusColumn
from sts.codec import UNENCRYPTED_CLASS
from sts.errors import ArrayShapeError
from sts.token_kinds import TokenKind
from sts.tokens import ReservedToken

Digits = NDArray[np.bytes_]
"""20 ASCII digits a row, of the type ``S20``; empty in a marked row."""

_NO_KEY_BITS: Final = 64
_RESERVED_CLASS: Final = 3
_U64: Final = np.uint64
_CLASS_SHIFT: Final = _U64(27)
_CLASS_MASK: Final = _U64(3 << 27)
_SUBCLASS_SHIFT: Final = _U64(60)
_CONTENT_SHIFT: Final = _U64(16)
_CONTENT_MASK: Final = _U64((1 << 44) - 1)
_KIND_SHIFT: Final = _U64(44)
_CURRENCY_KINDS: Final = (4, 7)
"""The kind numbers, first and last, whose checksum is CRC_C."""


class Tokens(NamedTuple):
    """Tokens that were made, or why they were not.

    Attributes:
        digits: ``S20``, of the shape (rows,).
        status: ``uint8``, one a row.
    """

    digits: Digits
    status: StatusColumn


def encode(contents: Contents, cipher: Cipher | None = None) -> Tokens:
    """Return the 20 digits of each token.

    Args:
        contents: What to say; marked rows stay marked.
        cipher: The meters' cipher under their present decoder keys, a key for each row; class 1
            tokens need none.

    Returns:
        The digits, and for rows without: the status that ``contents`` or the key had,
        ``FIELD_RANGE``, ``DECODER_KEY_REQUIRED``, ``RESERVED_SUBCLASS``, ``CIPHER_MISMATCH`` or
        ``NON_CANONICAL_TOKEN``.

    Raises:
        ArrayShapeError: Not one key for each row.
    """
    rows = len(contents)
    _require_keys(cipher, rows)
    text = np.zeros((rows, TOKEN_DIGITS), np.uint8)
    status = contents.status.copy()
    kernel = None if cipher is None else cipher.kernel(min(rows, CHUNK_ROWS))
    for part in chunks(rows):
        marks = status[part]
        keys = None if cipher is None else cipher.keys.status[part]
        some = contents[part]
        _mark_without_key(some.token_class, marks, keys=keys)
        _mark_not_issued(some, _NO_KEY_BITS if cipher is None else cipher.key_bits, marks)
        block = clear_blocks(some)
        if cipher is not None and kernel is not None:
            encrypted = np.empty_like(block)
            kernel.encrypt(block, cipher.keys.expose()[part], encrypted)
            block = _by_class(some.token_class, clear=block, encrypted=encrypted)
        high, low = insert_classes(block, some.token_class)
        write_digits(high, low, text[part])
        if marks.any():
            text[part][marks != Status.OK] = 0
    return Tokens(text.view(f"S{TOKEN_DIGITS}").reshape(rows), status)


def decode(digits: Digits, cipher: Cipher | None = None) -> Contents:
    """Return what each token says.

    Unlike in the scalar core, no spaces or dashes are allowed between the digits.

    Args:
        digits: ``S20``, of the shape (rows,).
        cipher: The meters' cipher under their present decoder keys, a key for each row; class 1
            tokens need none.

    Returns:
        The contents, and as the status of a row the first that applies of ``NOT_TWENTY_DIGITS``,
        ``EXCEEDS_66_BITS``, ``RESERVED_CLASS``, ``DECODER_KEY_REQUIRED`` or the status that the
        key had, ``CRC_MISMATCH``, ``CIPHER_MISMATCH``, ``NON_CANONICAL_TOKEN``.

    Raises:
        ArrayTypeError, ArrayShapeError: Not a column of ``S20``, or not one key for each row.
    """
    text = text_column("digits", digits, TOKEN_DIGITS)
    rows = len(text)
    _require_keys(cipher, rows)
    status = np.zeros(rows, np.uint8)
    classes, subclasses = np.empty(rows, np.uint8), np.empty(rows, np.uint8)
    content = np.empty(rows, np.uint64)
    kernel = None if cipher is None else cipher.kernel(min(rows, CHUNK_ROWS))
    key_bits = _NO_KEY_BITS if cipher is None else cipher.key_bits
    for part in chunks(rows):
        marks = status[part]
        keys = None if cipher is None else cipher.keys.status[part]
        token_class, block = split_classes(*read_digits(text[part], marks))
        mark(marks, Status.RESERVED_CLASS, token_class == _RESERVED_CLASS)
        _mark_without_key(token_class, marks, keys=keys)
        if cipher is not None and kernel is not None:
            clear = np.empty_like(block)
            kernel.decrypt(block, cipher.keys.expose()[part], clear)
            block = _by_class(token_class, clear=block, encrypted=clear)
        classes[part] = token_class
        np.right_shift(block, _SUBCLASS_SHIFT, out=subclasses[part], casting="unsafe")
        content[part] = block >> _CONTENT_SHIFT & _CONTENT_MASK
        _mark_unauthentic(block, kind_numbers(classes[part], subclasses[part]), marks)
        _blank(marks, classes[part], subclasses[part], content[part])
        some = Contents(
            token_class=classes[part],
            subclass=subclasses[part],
            content=content[part],
            status=marks,
        )
        _mark_not_canonical(some, key_bits, marks)
        _blank(marks, classes[part], subclasses[part], content[part])
    return Contents(
        token_class=classes,
        subclass=subclasses,
        content=content,
        status=status,
        key_bits=None if cipher is None else key_bits,
    )


def clear_blocks(contents: Contents) -> Blocks:
    """Return the 64-bit block of each token before encryption, checksum included."""
    kinds = kind_numbers(contents.token_class, contents.subclass)
    body = kinds.astype(np.uint64) << _KIND_SHIFT | contents.content
    checksums = _checksums(body, kinds)
    # The class in the two bits above the subclass is shifted out of the 64.
    return body << _CONTENT_SHIFT | checksums


def insert_classes(blocks: Blocks, token_class: NDArray[np.uint8]) -> tuple[Blocks, Blocks]:
    """Return the upper 2 and the lower 64 bits of the 66-bit numbers (IEC 62055-41, 6.4.2)."""
    displaced = blocks & _CLASS_MASK
    low = blocks ^ displaced
    low |= token_class.astype(np.uint64) << _CLASS_SHIFT
    return displaced >> _CLASS_SHIFT, low


def split_classes(high: Blocks, low: Blocks) -> tuple[NDArray[np.uint8], Blocks]:
    """Return the class and the 64-bit block of 66-bit numbers: ``insert_classes`` undone."""
    bits = low & _CLASS_MASK
    return (bits >> _CLASS_SHIFT).astype(np.uint8), low ^ bits | high << _CLASS_SHIFT


def _checksums(bodies: Blocks, kinds: NDArray[np.uint8]) -> NDArray[np.uint16]:
    first, last = _CURRENCY_KINDS
    currency = (kinds >= first) & (kinds <= last)
    if not currency.any():
        return token_checksums(bodies, currency=False)
    if currency.all():
        return token_checksums(bodies, currency=True)
    return np.where(
        currency,
        token_checksums(bodies, currency=True),
        token_checksums(bodies, currency=False),
    )


def _require_keys(cipher: Cipher | None, rows: int) -> None:
    if cipher is not None and len(cipher) != rows:
        raise ArrayShapeError("keys of the cipher", wanted=f"({rows},)", found=(len(cipher),))


def _by_class(token_class: NDArray[np.uint8], *, clear: Blocks, encrypted: Blocks) -> Blocks:
    """Choose for each row the block that went through the cipher, or that of class 1 before it."""
    unencrypted = token_class == UNENCRYPTED_CLASS
    return np.where(unencrypted, clear, encrypted) if unencrypted.any() else encrypted


def _mark_without_key(
    token_class: NDArray[np.uint8], status: StatusColumn, *, keys: StatusColumn | None
) -> None:
    """Mark encrypted tokens without a key; where a key has a status, that is the reason."""
    if keys is None:
        mark(status, Status.DECODER_KEY_REQUIRED, token_class != UNENCRYPTED_CLASS)
        return
    if keys.any():
        where = (status == Status.OK) & (token_class != UNENCRYPTED_CLASS)
        np.copyto(status, keys, where=where)


def _mark_not_issued(contents: Contents, key_bits: int, status: StatusColumn) -> None:
    """Mark what does not fit its bits, is reserved, or is not what the standard allows."""
    outside = (contents.token_class > _RESERVED_CLASS) | (contents.subclass > 15)  # noqa: PLR2004 - 4 bits
    mark(status, Status.FIELD_RANGE, outside | (contents.content > _CONTENT_MASK))
    kinds = kind_numbers(contents.token_class, contents.subclass)
    for number in present_kinds(contents.token_class, contents.subclass):
        kind = kind_of(number, key_bits)
        if number >> 4 == _RESERVED_CLASS or (kind and kind.token_type is ReservedToken):
            mark(status, Status.RESERVED_SUBCLASS, kinds == number)
        elif _means_another(kind, number, contents.key_bits):
            mark(status, Status.CIPHER_MISMATCH, kinds == number)
    _mark_not_canonical(contents, key_bits, status)


def _means_another(kind: TokenKind | None, number: int, laid_out_for: int | None) -> bool:
    """Tell whether contents laid out for one length of key are another token under this one."""
    own = None if laid_out_for is None else kind_of(number, laid_out_for)
    return kind is not None and own is not None and kind.token_type is not own.token_type


def _mark_not_canonical(contents: Contents, key_bits: int, status: StatusColumn) -> None:
    """Mark what only the other key length has, and what breaks a rule of its kind."""
    kinds = kind_numbers(contents.token_class, contents.subclass)
    for number in present_kinds(contents.token_class, contents.subclass):
        kind = kind_of(number, key_bits)
        if kind is None:
            mark(status, Status.CIPHER_MISMATCH, kinds == number)
        elif kind.rules:
            of_kind = kinds == number
            broken = ~is_canonical(kind, contents.content)
            mark(status, Status.NON_CANONICAL_TOKEN, of_kind & broken)


def _mark_unauthentic(blocks: Blocks, kinds: NDArray[np.uint8], status: StatusColumn) -> None:
    """Mark what does not have the checksum of its kind."""
    body = blocks >> _CONTENT_SHIFT & _CONTENT_MASK | kinds.astype(np.uint64) << _KIND_SHIFT
    wrong = _checksums(body, kinds) != blocks.astype(np.uint16)
    mark(status, Status.CRC_MISMATCH, wrong)


def _blank(status: StatusColumn, *columns: NDArray[np.uint8] | NDArray[np.uint64]) -> None:
    """Set the columns to 0 in marked rows."""
    if status.any():
        for column in columns:
            column[status != Status.OK] = 0
