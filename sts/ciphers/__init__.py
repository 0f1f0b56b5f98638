"""The block ciphers of IEC 62055-41 and the table that finds one by its EA code."""

from collections.abc import Callable, Mapping
from typing import Final, TypeAlias

from sts.ciphers.dea import Dea
from sts.ciphers.misty1 import Misty1
from sts.ciphers.sta import Sta
from sts.ciphers.sta_tables import (
    SAMPLE_TABLES,
    StaTables,
    load_sta_tables,
    parse_sta_tables,
    require_licensed_tables,
)
from sts.errors import UnsupportedAlgorithmError
from sts.identifiers import EncryptionAlgorithm
from sts.key_material import DecoderKey

__all__ = [
    "SAMPLE_TABLES",
    "Cipher",
    "Dea",
    "Misty1",
    "Sta",
    "StaTables",
    "load_sta_tables",
    "new_cipher",
    "parse_sta_tables",
    "require_licensed_tables",
]

Cipher: TypeAlias = Sta | Dea | Misty1
"""A cipher that holds its key: ``encrypt_block`` and ``decrypt_block`` on 64-bit numbers."""

_CIPHERS: Final[Mapping[EncryptionAlgorithm, Callable[[DecoderKey, StaTables], Cipher]]] = {
    EncryptionAlgorithm.STA: Sta,
    EncryptionAlgorithm.DEA: lambda key, _: Dea(key),
    EncryptionAlgorithm.MISTY1: lambda key, _: Misty1(key),
}


def new_cipher(
    algorithm: EncryptionAlgorithm, key: DecoderKey, *, sta_tables: StaTables = SAMPLE_TABLES
) -> Cipher:
    """Return the cipher of an EA code, keyed.

    Args:
        algorithm: The EA code of the meter.
        key: The meter's decoder key.
        sta_tables: The tables for EA07; the other algorithms have none.

    Raises:
        KeyLengthError: The key is not as long as the algorithm wants it.
        UnsupportedAlgorithmError: Not one of the algorithms of this package.
    """
    cipher = _CIPHERS.get(algorithm)
    if cipher is None:
        raise UnsupportedAlgorithmError(f"no cipher for encryption algorithm {algorithm}")
    return cipher(key, sta_tables)
