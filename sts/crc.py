"""The two checksums of a token (IEC 62055-41, 6.3.7 and 6.3.22).

CRC-16 with the generator x¹⁶ + x¹⁵ + x² + 1, processed bit-reflected (0xA001) from FFFFh without a
final inversion. The input is the 50 bits class ‖ subclass ‖ content, left-padded with zero bits to
seven bytes, most significant byte first. The register goes into the token with its bytes swapped.
"""

_GENERATOR_REFLECTED = 0xA001
_CURRENCY_SUFFIX = b"\x01"
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
    data = body.to_bytes(7, "big")
    register = crc16(data + _CURRENCY_SUFFIX if currency else data)
    return (register & 0xFF) << 8 | register >> 8
