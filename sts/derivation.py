"""Decoder keys from vending keys (IEC 62055-41, 6.5.3). Nothing else derives them.

A meter's key depends on the vending key, the meter's number and the attributes of the key. Two
algorithms are current: DKGA02 (DES, 64-bit vending keys) and DKGA04 (HMAC-SHA-256, 160-bit vending
keys). DKGA03 is legacy, DKGA01 is recognised and refused.

``KeyDerivation`` holds one vending key ready for use; make it once and derive many keys.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, NoReturn

from sts.errors import KeyLengthError, UnsupportedAlgorithmError, UnsupportedKeyTypeError
from sts.identifiers import (
    BaseDate,
    EncryptionAlgorithm,
    KeyGenerationAlgorithm,
    KeyRevisionNumber,
    KeyType,
    MeterPan,
    SupplyGroupCode,
    TariffIndex,
)
from sts.key_material import DecoderKey, VendingKey


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyAttributes:
    """All that decides a decoder key, apart from the vending key (IEC 62055-41, 6.5.2).

    Attributes:
        meter_pan: The meter.
        supply_group_code: The group whose vending key is used.
        tariff_index: The meter's entry in the tariff table.
        key_revision_number: Which vending key of the group.
        key_type: What the key is for.
        base_date: The zero point of the vending key's token identifiers; DKGA04 hashes it.
        encryption_algorithm: The cipher in the meter; decides the key's length.
    """

    meter_pan: MeterPan
    supply_group_code: SupplyGroupCode
    tariff_index: TariffIndex
    key_revision_number: KeyRevisionNumber
    key_type: KeyType
    base_date: BaseDate
    encryption_algorithm: EncryptionAlgorithm


class KeyDerivation:
    """One derivation algorithm with one vending key, ready to derive any number of keys."""

    __slots__ = ("_derive", "algorithm")

    def __init__(self, algorithm: KeyGenerationAlgorithm, vending_key: VendingKey) -> None:
        """Prepare ``vending_key`` for ``algorithm``.

        Raises:
            UnsupportedAlgorithmError: DKGA01.
            KeyLengthError: The vending key is not of the algorithm's length.
        """
        if algorithm is KeyGenerationAlgorithm.DKGA01:
            message = "DKGA01 (a closed list of meters of the early 1990s) is not supported"
            raise UnsupportedAlgorithmError(message)
        bits, prepare = _ALGORITHMS[algorithm]
        if vending_key.bits != bits:
            raise KeyLengthError(
                f"DKGA{algorithm}", allowed_bits=(bits,), found_bits=vending_key.bits
            )
        self.algorithm = algorithm
        self._derive = prepare(vending_key.expose())

    def derive(self, attributes: KeyAttributes) -> DecoderKey:
        """Return the decoder key for ``attributes``.

        Raises:
            UnsupportedKeyTypeError: Key type 0, which the manufacturer sets and nobody derives,
                or key type 3 under another algorithm than DKGA02.
            UnsupportedAlgorithmError: The algorithm makes no keys for this cipher.
        """
        _require_derivable(self.algorithm, attributes)
        return DecoderKey(self._derive(attributes))

    def __reduce__(self) -> NoReturn:
        """Refuse to be copied or pickled: it is as good as the vending key."""
        message = "a KeyDerivation holds a key and cannot be pickled"
        raise TypeError(message)

    def __repr__(self) -> str:
        """Show the algorithm, never the key."""
        return f"<KeyDerivation DKGA{self.algorithm}>"


def derive_decoder_key(
    algorithm: KeyGenerationAlgorithm, vending_key: VendingKey, attributes: KeyAttributes
) -> DecoderKey:
    """Return one decoder key; for many under one vending key make a ``KeyDerivation``.

    Raises:
        UnsupportedAlgorithmError, UnsupportedKeyTypeError, KeyLengthError: As there.
    """
    return KeyDerivation(algorithm, vending_key).derive(attributes)


def derive_with_mac(attributes: KeyAttributes, mac: Callable[[bytes], bytes]) -> DecoderKey:
    """Return a decoder key of DKGA04 whose HMAC is made where the vending key is.

    For vending keys that never leave a hardware security module.

    Args:
        attributes: All that decides the key besides.
        mac: Returns the 32 bytes of HMAC-SHA-256 of a message under the vending key.

    Raises:
        UnsupportedAlgorithmError, UnsupportedKeyTypeError: As for ``KeyDerivation.derive``.
    """
    _require_derivable(KeyGenerationAlgorithm.DKGA04, attributes)
    return DecoderKey(_dkga04_key(attributes, mac))


def pan_block(meter_pan: MeterPan, key_type: KeyType) -> bytes:
    """Return the 8-byte PANBlock of DKGA02 and DKGA03 (IEC 62055-41, 6.5.3.3).

    16 digits, one a nibble: the PAN without its first digit and its check digit. For a common key
    the DRN digits are zeros, so that all meters of the group get the same key.
    """
    digits = meter_pan.digits[1:-1]
    if key_type is KeyType.COMMON:
        digits = digits[: len(meter_pan.iin) - 1].ljust(16, "0")
    return bytes.fromhex(digits)


def control_block(attributes: KeyAttributes) -> bytes:
    """Return the 8-byte CONTROLBlock of DKGA02 and DKGA03 (IEC 62055-41, 6.5.3.2).

    One nibble each: key type, 6 digits of supply group code, 2 of tariff index, key revision
    number, and six times Fh.
    """
    return bytes.fromhex(
        # Plain numbers, filled up: a third of what formats with a width take.
        f"{+attributes.key_type}{str(attributes.supply_group_code.number).zfill(6)}"
        f"{str(attributes.tariff_index.number).zfill(2)}"
        f"{attributes.key_revision_number.number}ffffff"
    )


def _require_derivable(algorithm: KeyGenerationAlgorithm, attributes: KeyAttributes) -> None:
    """Refuse keys that an algorithm does not make."""
    if attributes.key_type is KeyType.INITIALISATION:
        message = "key type 0 is the manufacturer's own value, it is not derived"
        raise UnsupportedKeyTypeError(message)
    if attributes.key_type is KeyType.COMMON and algorithm is not KeyGenerationAlgorithm.DKGA02:
        message = f"key type 3 is derived by DKGA02 only, not by DKGA{algorithm}"
        raise UnsupportedKeyTypeError(message)
    if attributes.encryption_algorithm not in _CIPHERS[algorithm]:
        message = f"DKGA{algorithm} makes no keys for EA{attributes.encryption_algorithm}"
        raise UnsupportedAlgorithmError(message)


def _data_number(attributes: KeyAttributes) -> int:
    """Return the 8 bytes that DES encrypts, PANBlock ⊕ CONTROLBlock, as a number."""
    pan = pan_block(attributes.meter_pan, attributes.key_type)
    return int.from_bytes(pan, "big") ^ int.from_bytes(control_block(attributes), "big")


def _prepare_dkga02(vending_key: bytes) -> Callable[[KeyAttributes], bytes]:
    """DES(VK, D) ⊕ D ⊕ VK, the vending key as stored, without a change of parity."""
    from Crypto.Cipher import DES  # noqa: PLC0415 - slow to import, and DKGA04 does without

    encrypt = DES.new(vending_key, DES.MODE_ECB).encrypt

    whole_key = int.from_bytes(vending_key, "big")

    def derive(attributes: KeyAttributes) -> bytes:
        number = _data_number(attributes)
        encrypted = int.from_bytes(encrypt(number.to_bytes(8, "big")), "big")
        return (encrypted ^ number ^ whole_key).to_bytes(8, "big")

    return derive


def _prepare_dkga03(vending_key: bytes) -> Callable[[KeyAttributes], bytes]:
    """TDES-EDE(VK1 ‖ VK2, D) ⊕ D; withdrawn in 2018."""
    from Crypto.Cipher import DES  # noqa: PLC0415 - as above

    # Spelled out as three single DES steps, because two equal halves are legal here and a
    # triple DES of a library would refuse them.
    first = DES.new(vending_key[:8], DES.MODE_ECB)
    second = DES.new(vending_key[8:], DES.MODE_ECB)

    def derive(attributes: KeyAttributes) -> bytes:
        number = _data_number(attributes)
        once = first.encrypt(number.to_bytes(8, "big"))
        encrypted = first.encrypt(second.decrypt(once))
        return (int.from_bytes(encrypted, "big") ^ number).to_bytes(8, "big")

    return derive


def _prepare_dkga04(vending_key: bytes) -> Callable[[KeyAttributes], bytes]:
    """Leftmost bytes of HMAC-SHA-256(VK, M): SP 800-108, feedback mode, one step, no counter."""
    from cryptography.hazmat.primitives import hashes, hmac  # noqa: PLC0415 - as above

    # Copied, a keyed HMAC need not go over the key for every message again.
    keyed = hmac.HMAC(vending_key, hashes.SHA256())

    def mac(message: bytes) -> bytes:
        fresh = keyed.copy()
        fresh.update(message)
        return fresh.finalize()

    return lambda attributes: _dkga04_key(attributes, mac)


def _dkga04_key(attributes: KeyAttributes, mac: Callable[[bytes], bytes]) -> bytes:
    return mac(dkga04_message(attributes))[: attributes.encryption_algorithm.key_bits // 8]


def dkga04_message(attributes: KeyAttributes) -> bytes:
    """Return the 49 bytes that DKGA04 authenticates (IEC 62055-41, 6.5.3.6).

    Each item has its length in front; the two bytes 04h count the items of label and context.

    =======================  ==================================================
    bytes                    meaning
    =======================  ==================================================
    04                       items in the label
    02 "04"                  DKGA
    02 "93", "14", "35"      base date
    02 "07", "11"            encryption algorithm
    02 d d                   tariff index
    00                       separator
    04                       items in the context
    06 d×6                   supply group code
    01 d                     key type
    01 d                     key revision number
    12 d×18                  meter PAN
    00 00 00 40 or 80        length of the key in bits
    =======================  ==================================================
    """
    algorithm = attributes.encryption_algorithm
    return (
        # Plain numbers and texts, as above.
        f"\x04\x0204\x02{attributes.base_date.code}\x02{algorithm!s}"
        f"\x02{str(attributes.tariff_index.number).zfill(2)}"
        f"\0\x04\x06{str(attributes.supply_group_code.number).zfill(6)}"
        f"\x01{+attributes.key_type}\x01{attributes.key_revision_number.number}"
        f"\x12{attributes.meter_pan.digits}"
    ).encode("ascii") + algorithm.key_bits.to_bytes(4, "big")


_ALGORITHMS: Final = {
    KeyGenerationAlgorithm.DKGA02: (64, _prepare_dkga02),
    KeyGenerationAlgorithm.DKGA03: (128, _prepare_dkga03),
    KeyGenerationAlgorithm.DKGA04: (160, _prepare_dkga04),
}
"""Algorithm to length of the vending key in bits and preparation of one."""

_CIPHERS: Final = {
    KeyGenerationAlgorithm.DKGA02: (EncryptionAlgorithm.STA, EncryptionAlgorithm.DEA),
    KeyGenerationAlgorithm.DKGA03: (EncryptionAlgorithm.DEA,),
    KeyGenerationAlgorithm.DKGA04: (EncryptionAlgorithm.STA, EncryptionAlgorithm.MISTY1),
}
"""Algorithm to the ciphers that take its keys (IEC 62055-41, tables of 6.1.4 and 6.1.5)."""
