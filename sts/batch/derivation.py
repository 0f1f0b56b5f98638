"""Decoder keys of whole fleets from one vending key: DKGA02, DKGA03 and DKGA04 over columns.

This is where the bytes of a vending key are needed, so it is meant for ``keys/``: everybody else
gets ``DecoderKeys``, or only tokens. The algorithms are explained in ``sts.derivation``.

DKGA02 is one call of DES over the data blocks of a chunk. DKGA04 hashes one message a row: the
messages of a chunk are written side by side, each behind the key block that HMAC puts in front, so
that a row costs two calls of SHA-256 and nothing else.
"""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from Crypto.Cipher import DES
from numpy.typing import NDArray

from sts.batch.arrays import CHUNK_ROWS, Numbers, chunks, mark, mark_outside, number_column
from sts.batch.keys import DecoderKeys
from sts.batch.meter_numbers import MeterPans
from sts.batch.status import Status, StatusColumn
from sts.derivation import KeyAttributes, KeyDerivation, dkga04_message, pan_block
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
from sts.key_material import VendingKey

_BLOCK_BYTES: Final = 8
_HASH_BLOCK_BYTES: Final = 64
_HASH_BYTES: Final = 32
_DKGA04_CHUNK_ROWS: Final = 4096
_MODEL_PAN: Final = MeterPan("600727000000000009")
_LONG_DRN_PAN: Final = MeterPan.from_drn("0000000000000")
_ZERO: Final = ord("0")
_U64: Final = np.uint64


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class KeyAttributeColumns:
    """All that decides the decoder keys of many meters, apart from the vending key.

    The columns are of any integer type and of one length, or one number for all rows. Numbers out
    of range mark their rows when keys are derived.

    Attributes:
        meter_pans: The meters.
        supply_group_codes: 0 to 999999.
        tariff_indexes: 0 to 99.
        key_revision_numbers: 1 to 9.
        key_types: 1 or 2; 3 for DKGA02 only.
        base_date: Of the vending key, so the same for all.
        encryption_algorithm: The cipher in the meters, which decides the length of all keys.
    """

    meter_pans: MeterPans
    supply_group_codes: Numbers
    tariff_indexes: Numbers
    key_revision_numbers: Numbers
    key_types: Numbers
    base_date: BaseDate
    encryption_algorithm: EncryptionAlgorithm

    def model(self) -> KeyAttributes:
        """Return attributes of one meter that has the base date and the cipher of these."""
        return KeyAttributes(
            meter_pan=_MODEL_PAN,
            supply_group_code=SupplyGroupCode(0),
            tariff_index=TariffIndex(0),
            key_revision_number=KeyRevisionNumber(1),
            key_type=KeyType.UNIQUE,
            base_date=self.base_date,
            encryption_algorithm=self.encryption_algorithm,
        )


class _Checked(NamedTuple):
    """The attributes of a chunk, all in range; columns of one number have one row."""

    pans: NDArray[np.uint8]
    supply_group_codes: NDArray[np.int64]
    tariff_indexes: NDArray[np.int64]
    key_revision_numbers: NDArray[np.int64]
    key_types: NDArray[np.int64]


def derive_decoder_keys(
    algorithm: KeyGenerationAlgorithm, vending_key: VendingKey, attributes: KeyAttributeColumns
) -> DecoderKeys:
    """Return the decoder key of each row, as ``sts.derive_decoder_key`` does for one.

    Args:
        algorithm: How the keys are derived.
        vending_key: The key of the supply group.
        attributes: What the keys are for.

    Returns:
        Keys with the status of the meter number, ``OUT_OF_RANGE`` or ``UNSUPPORTED_KEY_TYPE``
        where there is none.

    Raises:
        UnsupportedAlgorithmError: DKGA01, or an algorithm that makes no keys for the cipher.
        KeyLengthError: The vending key is not of the algorithm's length.
        ArrayTypeError, ArrayShapeError: Not columns of whole numbers of one length.
    """
    # One key by the scalar core: it refuses whatever does not go together.
    KeyDerivation(algorithm, vending_key).derive(attributes.model())
    rows = len(attributes.meter_pans)
    columns = (
        number_column("supply_group_codes", attributes.supply_group_codes, rows),
        number_column("tariff_indexes", attributes.tariff_indexes, rows),
        number_column("key_revision_numbers", attributes.key_revision_numbers, rows),
        number_column("key_types", attributes.key_types, rows),
    )
    size, derive = _ALGORITHMS[algorithm](vending_key.expose(), attributes)
    keys = np.empty((rows, attributes.encryption_algorithm.key_bits // 8), np.uint8)
    status = attributes.meter_pans.status.copy()
    for part in chunks(rows, size):
        pans = np.ascontiguousarray(attributes.meter_pans.digits[part]).view(np.uint8)
        checked = _checked(pans, [column[part] for column in columns], status[part])
        common = checked.key_types == KeyType.COMMON
        mark(status[part], Status.UNSUPPORTED_KEY_TYPE, checked.key_types == KeyType.INITIALISATION)
        if algorithm is not KeyGenerationAlgorithm.DKGA02:
            mark(status[part], Status.UNSUPPORTED_KEY_TYPE, common)
        keys[part] = derive(checked)
    keys[status != Status.OK] = 0
    return DecoderKeys(keys, status)


_Derive = Callable[[_Checked], NDArray[np.uint8]]
"""From the attributes of a chunk to its keys, as a matrix of bytes."""
_Prepare = Callable[[bytes, KeyAttributeColumns], tuple[int, _Derive]]
"""From a vending key to the rows of a chunk, and to what derives one."""


def _checked(
    pans: NDArray[np.uint8], columns: list[NDArray[np.integer]], status: StatusColumn
) -> _Checked:
    """Mark numbers out of range, in the order of the fields, and replace them."""
    ranges = ((0, 999_999), (0, 99), (1, 9), (0, 3))
    taken = []
    for column, (low, high) in zip(columns, ranges, strict=True):
        # Of one number for all rows one is enough, and NumPy repeats it where it is used.
        repeated = column.strides == (0,) and low <= column[0] <= high
        some = column[:1] if repeated else column
        taken.append(mark_outside(status, Status.OUT_OF_RANGE, some, low=low, high=high))
    return _Checked(pans.reshape(len(status), -1), *taken)


def _prepare_dkga02(vending_key: bytes, _attributes: KeyAttributeColumns) -> tuple[int, _Derive]:
    """DES(VK, D) ⊕ D ⊕ VK."""
    encrypt = DES.new(vending_key, DES.MODE_ECB).encrypt
    own = np.frombuffer(vending_key, np.uint64)

    def derive(attributes: _Checked) -> NDArray[np.uint8]:
        data = _data_blocks(attributes)
        keys = _words(encrypt(data.tobytes())) ^ data
        return _bytes(keys ^ own)

    return CHUNK_ROWS, derive


def _prepare_dkga03(vending_key: bytes, _attributes: KeyAttributeColumns) -> tuple[int, _Derive]:
    """TDES-EDE(VK1 ‖ VK2, D) ⊕ D; withdrawn in 2018."""
    first = DES.new(vending_key[:_BLOCK_BYTES], DES.MODE_ECB)
    second = DES.new(vending_key[_BLOCK_BYTES:], DES.MODE_ECB)

    def derive(attributes: _Checked) -> NDArray[np.uint8]:
        data = _data_blocks(attributes)
        encrypted = first.encrypt(second.decrypt(first.encrypt(data.tobytes())))
        return _bytes(_words(encrypted) ^ data)

    return CHUNK_ROWS, derive


def _words(data: bytes) -> NDArray[np.uint64]:
    """Read blocks as words in the order of memory, which is all that XOR asks for."""
    return np.frombuffer(data, np.uint64)


def _bytes(words: NDArray[np.uint64]) -> NDArray[np.uint8]:
    return words.view(np.uint8).reshape(-1, _BLOCK_BYTES)


def _data_blocks(attributes: _Checked) -> NDArray[np.uint64]:
    """Return PANBlock ⊕ CONTROLBlock of each row, as words in the order of memory."""
    blocks = _pan_blocks(attributes.pans)
    common = attributes.key_types == KeyType.COMMON
    if common.any():
        # All meters of a group get the same key: what is left tells the two issuers apart.
        short, long = (
            np.frombuffer(pan_block(pan, KeyType.COMMON), np.uint64)
            for pan in (_MODEL_PAN, _LONG_DRN_PAN)
        )
        shared = np.where(attributes.pans[:, 0] == _ZERO, long, short)
        blocks = np.where(common, shared, blocks)
    blocks ^= _control_blocks(attributes).astype(">u8").view(np.uint64)
    return blocks


def _pan_blocks(pans: NDArray[np.uint8]) -> NDArray[np.uint64]:
    """Return the 16 middle digits of each PAN, one a nibble, as words in the order of memory."""
    digits = pans[:, 1:-1].copy().view("<u8")
    # Eight characters in a word: two to a byte, then these bytes next to each other.
    digits &= np.uint64(0x0F0F_0F0F_0F0F_0F0F)
    pairs = (digits << _U64(4) | digits >> _U64(8)) & _U64(0x00FF_00FF_00FF_00FF)
    pairs = (pairs | pairs >> _U64(8)) & _U64(0x0000_FFFF_0000_FFFF)
    return (pairs | pairs >> _U64(16)).astype("<u4").view(np.uint64).reshape(-1)


def _control_blocks(attributes: _Checked) -> NDArray[np.uint64]:
    """Return the CONTROLBlock of each row as a number: key type, group, tariff, revision, F."""
    block = attributes.key_types.astype(np.uint64)
    for place in reversed(range(6)):
        block = block << _U64(4) | _digit(attributes.supply_group_codes, place).astype(np.uint64)
    for place in reversed(range(2)):
        block = block << _U64(4) | _digit(attributes.tariff_indexes, place).astype(np.uint64)
    block = block << _U64(4) | attributes.key_revision_numbers.astype(np.uint64)
    return block << _U64(24) | _U64(0xFF_FFFF)


def _digit(numbers: NDArray[np.int64], place: int) -> NDArray[np.int64]:
    digit: NDArray[np.int64] = numbers // 10**place % 10
    return digit


def _prepare_dkga04(vending_key: bytes, attributes: KeyAttributeColumns) -> tuple[int, _Derive]:
    """Leftmost bytes of HMAC-SHA-256(VK, M)."""
    padded = vending_key.ljust(_HASH_BLOCK_BYTES, b"\0")
    inner = bytes(byte ^ 0x36 for byte in padded)
    outer = bytes(byte ^ 0x5C for byte in padded)
    template = np.frombuffer(inner + dkga04_message(attributes.model()), np.uint8)
    size = attributes.encryption_algorithm.key_bits // 8
    width = len(template)
    sha256 = hashlib.sha256

    def derive(checked: _Checked) -> NDArray[np.uint8]:
        rows = len(checked.pans)
        text = np.empty((rows, width), np.uint8)
        text[...] = template
        _write_message(text[:, _HASH_BLOCK_BYTES:], checked)
        # As one item of so many bytes a row, NumPy cuts the matrix faster than a loop would.
        messages = text.view(f"V{width}").reshape(rows).tolist()
        macs = [sha256(outer + sha256(message).digest()).digest() for message in messages]
        return np.frombuffer(b"".join(macs), np.uint8).reshape(rows, _HASH_BYTES)[:, :size]

    return _DKGA04_CHUNK_ROWS, derive


def _write_message(message: NDArray[np.uint8], attributes: _Checked) -> None:
    """Put what differs from row to row into its place in 49 bytes; see ``dkga04_message``."""
    for place in range(2):
        message[:, 12 - place] = _digit(attributes.tariff_indexes, place) + _ZERO
    for place in range(6):
        message[:, 21 - place] = _digit(attributes.supply_group_codes, place) + _ZERO
    message[:, 23] = attributes.key_types + _ZERO
    message[:, 25] = attributes.key_revision_numbers + _ZERO
    message[:, 27:45] = attributes.pans


_ALGORITHMS: Final[Mapping[KeyGenerationAlgorithm, _Prepare]] = {
    KeyGenerationAlgorithm.DKGA02: _prepare_dkga02,
    KeyGenerationAlgorithm.DKGA03: _prepare_dkga03,
    KeyGenerationAlgorithm.DKGA04: _prepare_dkga04,
}
