"""The block ciphers over columns: one block and one key a row."""

from collections.abc import Callable, Mapping
from typing import Final, NoReturn, Protocol, final

import numpy as np
from numpy.typing import NDArray

from sts.batch.arrays import CHUNK_ROWS, chunks
from sts.batch.dea import DeaKernel
from sts.batch.keys import DecoderKeys
from sts.batch.misty1 import Misty1Kernel
from sts.batch.sta import StaKernel
from sts.ciphers import SAMPLE_TABLES, StaTables
from sts.errors import ArrayShapeError, ArrayTypeError, KeyLengthError
from sts.identifiers import EncryptionAlgorithm

Blocks = NDArray[np.uint64]
"""One block of 64 bits a row, as a number."""


class Kernel(Protocol):
    """What works on one chunk after another, in memory of its own."""

    def encrypt(self, blocks: Blocks, keys: NDArray[np.uint8], out: Blocks) -> None:
        """Encrypt each block under the key of its row."""
        ...

    def decrypt(self, blocks: Blocks, keys: NDArray[np.uint8], out: Blocks) -> None:
        """Decrypt each block under the key of its row."""
        ...


_KERNELS: Final[Mapping[EncryptionAlgorithm, Callable[[StaTables, int], Kernel]]] = {
    EncryptionAlgorithm.STA: StaKernel,
    EncryptionAlgorithm.DEA: lambda _tables, _rows: DeaKernel(),
    EncryptionAlgorithm.MISTY1: lambda _tables, rows: Misty1Kernel(rows),
}


@final
class Cipher:
    """One cipher and the decoder keys of many meters: what ``encode`` and ``decode`` take.

    Attributes:
        algorithm: The EA code, the same for all rows.
        keys: One decoder key a row.
        sta_tables: The tables of EA07.
    """

    __slots__ = ("algorithm", "keys", "sta_tables")

    def __init__(
        self, algorithm: EncryptionAlgorithm, keys: DecoderKeys, *, sta_tables: StaTables
    ) -> None:
        """Hold the keys; see ``new_cipher``."""
        self.algorithm = algorithm
        self.keys = keys
        self.sta_tables = sta_tables

    @property
    def key_bits(self) -> int:
        """Length of the decoder keys in bits."""
        return self.keys.bits

    def kernel(self, rows: int) -> Kernel:
        """Return what works on chunks of up to ``rows`` rows."""
        return _KERNELS[self.algorithm](self.sta_tables, rows)

    def encrypt_blocks(self, blocks: Blocks) -> Blocks:
        """Return the cipher block of each clear block, whatever the status of its key.

        Raises:
            ArrayTypeError, ArrayShapeError: Not one ``uint64`` for each key.
        """
        kernel, out = self._prepared(blocks)
        for rows in chunks(len(blocks)):
            kernel.encrypt(blocks[rows], self.keys.expose()[rows], out[rows])
        return out

    def decrypt_blocks(self, blocks: Blocks) -> Blocks:
        """Return the clear block of each cipher block, whatever the status of its key.

        Raises:
            ArrayTypeError, ArrayShapeError: Not one ``uint64`` for each key.
        """
        kernel, out = self._prepared(blocks)
        for rows in chunks(len(blocks)):
            kernel.decrypt(blocks[rows], self.keys.expose()[rows], out[rows])
        return out

    def _prepared(self, blocks: Blocks) -> tuple[Kernel, Blocks]:
        if not isinstance(blocks, np.ndarray) or blocks.dtype != np.uint64:
            found = getattr(blocks, "dtype", type(blocks).__name__)
            raise ArrayTypeError("blocks", wanted="uint64", found=found)
        if blocks.shape != (len(self.keys),):
            wanted = f"({len(self.keys)},)"
            raise ArrayShapeError("blocks", wanted=wanted, found=blocks.shape)
        return self.kernel(min(len(blocks), CHUNK_ROWS)), np.empty_like(blocks)

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.keys)

    def __getitem__(self, rows: slice) -> "Cipher":
        """Return the same for some of the rows."""
        return Cipher(self.algorithm, self.keys[rows], sta_tables=self.sta_tables)

    def __repr__(self) -> str:
        """Show the algorithm and the number of rows, never the keys."""
        return f"<Cipher EA{self.algorithm.value}, {len(self)} rows>"

    def __reduce__(self) -> NoReturn:
        """Refuse to be pickled: it holds keys."""
        message = "a Cipher holds keys and cannot be pickled"
        raise TypeError(message)


def new_cipher(
    algorithm: EncryptionAlgorithm, keys: DecoderKeys, *, sta_tables: StaTables = SAMPLE_TABLES
) -> Cipher:
    """Return the cipher of an EA code, keyed for each row.

    Args:
        algorithm: The EA code of the meters.
        keys: Their decoder keys.
        sta_tables: The tables for EA07; the other algorithms have none.

    Raises:
        KeyLengthError: The keys are not as long as the algorithm wants them.
    """
    if keys.bits != algorithm.key_bits:
        raise KeyLengthError(
            f"EA{algorithm.value}", allowed_bits=(algorithm.key_bits,), found_bits=keys.bits
        )
    return Cipher(algorithm, keys, sta_tables=sta_tables)
