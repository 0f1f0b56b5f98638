"""Tokens to twenty digits and back (IEC 62055-41, 6.2, 6.4 and 7.3).

    token ── fields, CRC ──▶ 64-bit block ── cipher ──▶ block ── class bits ──▶ 66 bits ──▶ digits

The 64-bit block is subclass (4) ‖ content (44) ‖ CRC (16). Classes 0 and 2 are encrypted, class 1
is not. The two class bits are then put in at bits 28 and 27, and the bits they displace become bits
65 and 64, so that the class can be read without the key. Only the canonical form decodes: what
``decode`` accepts, ``encode`` makes again digit for digit, unless it is reserved and never issued.
"""

from dataclasses import dataclass
from typing import Final

from sts.bits import Layout
from sts.crc import token_crc
from sts.errors import (
    CipherMismatchError,
    CrcMismatchError,
    DecoderKeyRequiredError,
    Exceeds66BitsError,
    NonCanonicalTokenError,
    NotTwentyDigitsError,
    ReservedClassError,
    ReservedSubclassError,
)
from sts.layouts import KIND_INDEX
from sts.token_kinds import Fields, TokenKind
from sts.tokens import BlockCipher, ReservedToken, Token

TOKEN_DIGITS: Final = 20
LARGEST_TOKEN: Final = (1 << 66) - 1
"""73786976294838206463, the largest number that fits in 66 bits."""
UNENCRYPTED_CLASS: Final = 1
_RESERVED_CLASS: Final = 3

BLOCK_LAYOUT: Final = Layout(("subclass", 4), ("content", 44), ("crc", 16))
"""The 64-bit block, before encryption."""
TRANSPOSED_LAYOUT: Final = Layout(
    ("displaced", 2), ("block_63_29", 35), ("token_class", 2), ("block_26_0", 27)
)
"""The 66-bit number, after the class bits have taken the place of bits 28 and 27."""

_CONTENT_SHIFT: Final = 16
_SUBCLASS_SHIFT: Final = 60
_CLASS_SHIFT: Final = 27
_CLASS_MASK: Final = 3 << _CLASS_SHIFT
_ASCII_DIGITS: Final = frozenset("0123456789")
_NO_KEY_BITS: Final = 64
"""Class 1 has one layout for both key lengths, so either will do without a key."""


def encode(token: Token, cipher: BlockCipher | None = None) -> str:
    """Return the 20 digits of ``token``.

    Args:
        token: What to say.
        cipher: The meter's cipher under its present decoder key; class 1 tokens need none.

    Raises:
        DecoderKeyRequiredError: A class 0 or 2 token without a cipher.
        ReservedSubclassError: A reserved token, which is never issued.
        CipherMismatchError: A key change part for the other key length.
        NonCanonicalTokenError: A three-token mark in a set for a 128-bit key.
    """
    if token.token_class == UNENCRYPTED_CLASS:
        block = clear_block(token)
    elif cipher is None:
        raise DecoderKeyRequiredError(token.token_class)
    else:
        block = cipher.encrypt_block(clear_block(token, cipher.key_bits))
    return str(insert_class(block, token.token_class)).zfill(TOKEN_DIGITS)


def decode(text: str, cipher: BlockCipher | None = None) -> Token:
    """Return the token that 20 digits stand for.

    Spaces and dashes between the digits are ignored. The checks run in this order, so the error
    is the first that applies.

    Raises:
        NotTwentyDigitsError: Not 20 digits.
        Exceeds66BitsError: Above 73786976294838206463.
        ReservedClassError: Class 3.
        DecoderKeyRequiredError: Class 0 or 2 without a cipher.
        CrcMismatchError: Wrong digits, another meter's token, or another key.
        CipherMismatchError: A key change part for the other key length.
        NonCanonicalTokenError: Authentic, but with content that must not be.
    """
    token_class, block = split_class(parse_digits(text))
    if token_class == UNENCRYPTED_CLASS:
        return decode_block(block, token_class)
    if token_class == _RESERVED_CLASS:
        raise ReservedClassError
    if cipher is None:
        raise DecoderKeyRequiredError(token_class)
    return decode_block(cipher.decrypt_block(block), token_class, cipher.key_bits)


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspection:
    """What twenty digits tell without a key.

    Attributes:
        digits: The 20 digits.
        token_class: 0, 1 or 2.
        encrypted: Whether the block is encrypted.
        block: The 64-bit block as it stands, class bits taken out; encrypted or clear.
        token: The whole content of a class 1 token, else None.
    """

    digits: str
    token_class: int
    encrypted: bool
    block: int
    token: Token | None


def inspect(text: str) -> Inspection:
    """Return all that can be known of a token without its meter's key.

    Raises:
        NotTwentyDigitsError, Exceeds66BitsError, ReservedClassError: As for ``decode``.
        CrcMismatchError, NonCanonicalTokenError: Of a class 1 token.
    """
    number = parse_digits(text)
    token_class, block = split_class(number)
    if token_class == _RESERVED_CLASS:
        raise ReservedClassError
    encrypted = token_class != UNENCRYPTED_CLASS
    return Inspection(
        digits=f"{number:020d}",
        token_class=token_class,
        encrypted=encrypted,
        block=block,
        token=None if encrypted else decode_block(block, token_class),
    )


def format_token(digits: str, separator: str = " ") -> str:
    """Return 20 digits in five groups of four, as they are printed for people."""
    return separator.join(digits[start : start + 4] for start in range(0, len(digits), 4))


def parse_digits(text: str) -> int:
    """Return the 66-bit number of 20 digits; white space and dashes are ignored.

    Raises:
        NotTwentyDigitsError: Another number of digits, or other characters.
        Exceeds66BitsError: Above 73786976294838206463.
    """
    # Spaces and dashes come from people; most tokens come without.
    digits = text if text.isdecimal() else "".join(text.split()).replace("-", "")
    if len(digits) != TOKEN_DIGITS or not (digits.isascii() and digits.isdecimal()):
        found = sum(character in _ASCII_DIGITS for character in digits)
        raise NotTwentyDigitsError(found=found, other_characters=found != len(digits))
    number = int(digits)
    if number > LARGEST_TOKEN:
        raise Exceeds66BitsError
    return number


def insert_class(block: int, token_class: int) -> int:
    """Return the 66-bit number of a 64-bit block and its class (IEC 62055-41, 6.4.2)."""
    displaced = (block & _CLASS_MASK) >> _CLASS_SHIFT
    return displaced << 64 | block & ~_CLASS_MASK | token_class << _CLASS_SHIFT


def split_class(number: int) -> tuple[int, int]:
    """Return the class and the 64-bit block of a 66-bit number."""
    token_class = (number & _CLASS_MASK) >> _CLASS_SHIFT
    block = number & ((1 << 64) - 1) & ~_CLASS_MASK | number >> 64 << _CLASS_SHIFT
    return token_class, block


def clear_block(token: Token, key_bits: int = _NO_KEY_BITS) -> int:
    """Return the 64-bit block of ``token`` before encryption, checksum included.

    Raises:
        ReservedSubclassError, CipherMismatchError, NonCanonicalTokenError: As for ``encode``.
    """
    if isinstance(token, ReservedToken):
        raise ReservedSubclassError(token.token_class, token.subclass)
    token_class, subclass = token.token_class, token.subclass
    kind = KIND_INDEX.get((token_class, subclass, key_bits))
    # Subclass 8 is one token under a 64-bit key and another under a 128-bit key.
    if kind is None or kind.token_type is not type(token):
        raise _wrong_key_length(type(token).__name__, key_bits)
    if kind.rules:
        _require_canonical(kind, kind.fields_of(token))
    body = subclass << 44 | kind.content_of(token)
    crc = token_crc(token_class << 48 | body, currency=kind.currency_crc)
    return body << _CONTENT_SHIFT | crc


def decode_block(block: int, token_class: int, key_bits: int = _NO_KEY_BITS) -> Token:
    """Return the token of a clear 64-bit block of class 0, 1 or 2.

    Raises:
        CrcMismatchError, CipherMismatchError, NonCanonicalTokenError: As for ``decode``.
    """
    kind, body = _authentic(block, token_class, key_bits)
    if kind.rules:
        _require_canonical(kind, kind.layout.unpack(body))
    return kind.token_of(body)


def read_block(block: int, token_class: int, key_bits: int) -> tuple[TokenKind, dict[str, int]]:
    """Return the kind and the raw fields of an authentic block, canonical or not.

    Raises:
        CrcMismatchError: The checksum does not fit.
        CipherMismatchError: A key change part for the other key length.
    """
    kind, body = _authentic(block, token_class, key_bits)
    return kind, kind.layout.unpack(body)


def _authentic(block: int, token_class: int, key_bits: int) -> tuple[TokenKind, int]:
    """Return the kind and the body of a block whose checksum fits."""
    subclass = block >> _SUBCLASS_SHIFT
    body = block >> _CONTENT_SHIFT
    kind = KIND_INDEX.get((token_class, subclass, key_bits))
    currency = kind is not None and kind.currency_crc
    if token_crc(token_class << 48 | body, currency=currency) != block & 0xFFFF:
        raise CrcMismatchError
    if kind is None:
        raise _wrong_key_length(f"class {token_class} subclass {subclass}", key_bits)
    return kind, body


def _wrong_key_length(name: str, key_bits: int) -> CipherMismatchError:
    """Make the error for a token that only the other of the two key lengths has."""
    return CipherMismatchError(name, needs_bits=192 - key_bits, found_bits=key_bits)


def _require_canonical(kind: TokenKind, fields: Fields) -> None:
    for rule in kind.rules:
        if not rule.holds(fields):
            secret = {column.name for column in kind.columns if column.secret}
            raise NonCanonicalTokenError(
                token_class=kind.token_class,
                kind=kind.name,
                field=rule.field,
                found=fields[rule.field],
                rule=rule.text,
                fault=rule.fault,
                fields={name: raw for name, raw in fields.items() if name not in secret},
            )
