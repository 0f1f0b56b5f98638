"""EA09 row by row: DES by the library that the scalar core uses, a new key for each row.

The algorithm was withdrawn in 2018; this is for reading old tokens and moving old meters to another
key, so it has to be right, not fast.
"""

from typing import Final

import numpy as np
from Crypto.Cipher import DES
from numpy.typing import NDArray

_BLOCK_BYTES: Final = 8


class DeaKernel:
    """Encrypts and decrypts chunks of blocks."""

    def encrypt(
        self, blocks: NDArray[np.uint64], keys: NDArray[np.uint8], out: NDArray[np.uint64]
    ) -> None:
        """Write the cipher blocks of ``blocks`` to ``out``.

        Args:
            blocks: Clear blocks.
            keys: Of the shape (blocks, 8), most significant byte first.
            out: As long as ``blocks``; may be the same array.
        """
        out[...] = _numbers(
            [DES.new(key, DES.MODE_ECB).encrypt(block) for key, block in _pairs(keys, blocks)]
        )

    def decrypt(
        self, blocks: NDArray[np.uint64], keys: NDArray[np.uint8], out: NDArray[np.uint64]
    ) -> None:
        """Write the clear blocks of ``blocks`` to ``out``; arguments as for ``encrypt``."""
        out[...] = _numbers(
            [DES.new(key, DES.MODE_ECB).decrypt(block) for key, block in _pairs(keys, blocks)]
        )


def _pairs(keys: NDArray[np.uint8], blocks: NDArray[np.uint64]) -> list[tuple[bytes, bytes]]:
    return list(zip(_cut(keys.tobytes()), _cut(blocks.astype(">u8").tobytes()), strict=True))


def _cut(data: bytes) -> list[bytes]:
    return [data[at : at + _BLOCK_BYTES] for at in range(0, len(data), _BLOCK_BYTES)]


def _numbers(blocks: list[bytes]) -> NDArray[np.uint64]:
    return np.frombuffer(b"".join(blocks), ">u8").astype(np.uint64)
