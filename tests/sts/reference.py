"""The token format a second time: slowly, in strings of bits, straight from the standard's words.

It shares nothing with the library, so that the two can be held against each other, and it makes
tokens that the library would never make: authentic ones with content that must not be.
"""

from sts.tokens import BlockCipher


def crc_register(data: bytes) -> int:
    """Return CRC-16 with generator x¹⁶ + x¹⁵ + x² + 1, reflected, from FFFFh, bit by bit."""
    register = 0xFFFF
    for byte in data:
        register ^= byte
        for _ in range(8):
            carry = register & 1
            register >>= 1
            if carry:
                register ^= 0xA001
    return register


def checksum(token_class: int, subclass: int, content: int) -> int:
    """Return the checksum of a token as it stands in it: CRC_C for currency credit."""
    bits = f"{token_class:02b}{subclass:04b}{content:044b}"
    data = bytes.fromhex(f"{int(bits, 2):014x}")
    if token_class == 0 and 4 <= subclass <= 7:
        data += b"\x01"
    return int.from_bytes(crc_register(data).to_bytes(2, "big"), "little")


def clear_block(token_class: int, subclass: int, content: int) -> int:
    """Return the 64-bit block with its checksum, before encryption."""
    return int(f"{subclass:01x}{content:011x}{checksum(token_class, subclass, content):04x}", 16)


def splice(block: int, token_class: int) -> str:
    """Put the class in the place of bits 28 and 27, these two in front, and write it in decimal."""
    bits = f"{block:064b}"
    spliced = bits[35:37] + bits[:35] + f"{token_class:02b}" + bits[37:]
    return f"{int(spliced, 2):020d}"


def forge(
    token_class: int, subclass: int, content: int, *, cipher: BlockCipher | None = None
) -> str:
    """Return the 20 digits of an authentic token, whatever its content says."""
    block = clear_block(token_class, subclass, content)
    return splice(block if cipher is None else cipher.encrypt_block(block), token_class)


def content_of(digits: str, cipher: BlockCipher) -> str:
    """Return the 44 bits of content of an encrypted token as 11 hexadecimal digits."""
    bits = f"{int(digits):066b}"
    block = bits[2:37] + bits[:2] + bits[39:]
    return f"{cipher.decrypt_block(int(block, 2)):016X}"[1:12]
