"""The two checksums of a token (IEC 62055-41, 6.3.7 and 6.3.22).

CRC-16 with the generator x¹⁶ + x¹⁵ + x² + 1, processed bit-reflected (0xA001) from FFFFh without a
final inversion. The input is the 50 bits class ‖ subclass ‖ content, left-padded with zero bits to
seven bytes, most significant byte first. The register goes into the token with its bytes swapped.

How it is made fast: a checksum is linear but for a constant, that of seven bytes of zeros. So for
each byte's place there is a table of what a byte adds to it, and a checksum is seven look-ups.
"""

from typing import Final

_GENERATOR_REFLECTED: Final = 0xA001
_BODY_BYTES: Final = 7
_CURRENCY_SUFFIX: Final = b"\x01"
"""CRC_C: one more byte after the seven, so that the two checksums never stand in for another."""


def _table() -> tuple[int, ...]:
    rows = []
    for byte in range(256):
        register = byte
        for _ in range(8):
            register = register >> 1 ^ (_GENERATOR_REFLECTED if register & 1 else 0)
        rows.append(register)
    return tuple(rows)


_TABLE = _table()


def crc16(data: bytes) -> int:
    """Return the CRC register after ``data``, as 16 bits, before the byte swap."""
    register, table = 0xFFFF, _TABLE
    for byte in data:
        register = register >> 8 ^ table[register & 0xFF ^ byte]
    return register


def token_crc(body: int, *, currency: bool) -> int:
    """Return the checksum as it stands in token bits 15 to 0.

    Args:
        body: The 50 bits class ‖ subclass ‖ content.
        currency: Whether the token is a currency credit token, which carries CRC_C.
    """
    table_0, table_1, table_2, table_3, table_4, table_5, table_6 = (
        _CURRENCY_TABLES if currency else _UNIT_TABLES
    )
    byte_0, byte_1, byte_2, byte_3, byte_4, byte_5, byte_6 = body.to_bytes(_BODY_BYTES, "little")
    return (
        table_0[byte_0]
        ^ table_1[byte_1]
        ^ table_2[byte_2]
        ^ table_3[byte_3]
        ^ table_4[byte_4]
        ^ table_5[byte_5]
        ^ table_6[byte_6]
    )


def _swapped_crc(body: int, suffix: bytes) -> int:
    register = crc16(body.to_bytes(_BODY_BYTES, "big") + suffix)
    return (register & 0xFF) << 8 | register >> 8


def _byte_tables(suffix: bytes) -> tuple[tuple[int, ...], ...]:
    """For each byte of a body, the least significant first, list what its values add."""
    constant = _swapped_crc(0, suffix)
    tables = []
    for first in range(0, 8 * _BODY_BYTES, 8):
        # The constant belongs to every token, so it may sit in any one table.
        sums = [0 if first else constant]
        # With one more bit there are as many values again, those with this bit.
        for bit in range(first, first + 8):
            share = _swapped_crc(1 << bit, suffix) ^ constant
            sums += [value ^ share for value in sums]
        tables.append(tuple(sums))
    return tuple(tables)


_UNIT_TABLES: Final = _byte_tables(b"")
_CURRENCY_TABLES: Final = _byte_tables(_CURRENCY_SUFFIX)
