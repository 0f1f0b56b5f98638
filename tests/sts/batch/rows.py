"""Rows for the batch engine out of the scalar core's values, and the scalar core row by row."""

from collections.abc import Callable, Iterable, Sequence
from typing import Final, ParamSpec, TypeVar

import numpy as np
from numpy.typing import NDArray

import sts
from sts import batch
from sts.batch import Status
from sts.batch.arrays import CHUNK_ROWS
from sts.ciphers import Cipher
from sts.layouts import KIND_INDEX
from sts.tokens import Token

_Arguments = ParamSpec("_Arguments")
_Given = TypeVar("_Given")

RAGGED: Final = (0, 1, 63, 64, 65)
"""Numbers of rows around a machine word; those around a chunk are CHUNK_EDGES."""
CHUNK_EDGES: Final = (CHUNK_ROWS - 1, CHUNK_ROWS, CHUNK_ROWS + 1)


def generator(seed: int = 1) -> np.random.Generator:
    return np.random.default_rng(seed)


def random_keys(rows: int, key_bits: int, *, seed: int = 1) -> batch.DecoderKeys:
    shape = (rows, key_bits // 8)
    return batch.DecoderKeys(generator(seed).integers(0, 256, shape, dtype=np.uint8))


def random_blocks(rows: int, *, seed: int = 2) -> NDArray[np.uint64]:
    return generator(seed).integers(0, 1 << 64, rows, dtype=np.uint64)


def keys_of(keys: Iterable[sts.DecoderKey]) -> batch.DecoderKeys:
    matrix = [list(key.expose()) for key in keys]
    return batch.DecoderKeys(np.array(matrix, np.uint8))


def cipher_of(ciphers: Sequence[tuple[sts.EncryptionAlgorithm, sts.DecoderKey]]) -> batch.Cipher:
    return batch.new_cipher(ciphers[0][0], keys_of(key for _, key in ciphers))


def key_of(keys: batch.DecoderKeys, row: int) -> sts.DecoderKey:
    return sts.DecoderKey(keys.expose()[row].tobytes())


def scalar_cipher(cipher: batch.Cipher, row: int) -> Cipher:
    key = key_of(cipher.keys, row)
    return sts.new_cipher(cipher.algorithm, key, sta_tables=cipher.sta_tables)


def contents_of(tokens: Sequence[Token], key_bits: int) -> batch.Contents:
    """Return the contents of tokens of any kinds, packed by the scalar core."""
    kinds = [KIND_INDEX[token.token_class, token.subclass, key_bits] for token in tokens]
    packed = [
        kind.layout.pack(kind.fields_of(token)) for kind, token in zip(kinds, tokens, strict=True)
    ]
    return batch.Contents(
        token_class=np.array([token.token_class for token in tokens], np.uint8),
        subclass=np.array([token.subclass for token in tokens], np.uint8),
        content=np.array(packed, np.uint64),
        status=np.zeros(len(tokens), np.uint8),
    )


def outcome(
    call: Callable[_Arguments, _Given], *args: _Arguments.args, **kwargs: _Arguments.kwargs
) -> tuple[_Given | None, str]:
    """Return what a scalar call gives, or the code of what it raises."""
    try:
        return call(*args, **kwargs), Status.OK.code
    except sts.StsError as error:
        return None, error.code


def codes_of(status: NDArray[np.uint8]) -> list[str]:
    return [Status(number).code for number in status.tolist()]


def column(*texts: str, width: int = 20) -> NDArray[np.bytes_]:
    return np.array([text.encode("latin-1") for text in texts], f"S{width}")
