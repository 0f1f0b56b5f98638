"""What the tests of key custody share: random bytes that repeat, and keys with their metadata."""

from collections.abc import Mapping
from datetime import UTC, datetime
from hashlib import sha256
from typing import Final

from hypothesis import strategies as st

from keys.check_values import check_value
from keys.key_load import KeyInTransit
from keys.randomness import RandomBytes
from keys.records import VendingKeyRecord
from keys.registered_key import KeyTerms, RegisteredKey
from keys.unlock import ScryptCost
from sts import (
    BaseDate,
    KeyExpiryNumber,
    KeyGenerationAlgorithm,
    KeyRevisionNumber,
    KeyType,
    SupplyGroupCode,
    VendingKey,
)

NOW: Final = datetime(2026, 3, 2, 8, 15, tzinfo=UTC)
QUICK: Final = ScryptCost(n=2**14)
KEY_160: Final = VendingKey.from_hex("ABABABABABABABAB949494949494949401234567")
KEY_64: Final = VendingKey.from_hex("ABABABABABABABAB")
KEY_128: Final = VendingKey.from_hex("ABABABABABABABAB9494949494949494")
KEYS: Final = {
    KeyGenerationAlgorithm.DKGA02: KEY_64,
    KeyGenerationAlgorithm.DKGA03: KEY_128,
    KeyGenerationAlgorithm.DKGA04: KEY_160,
}


def fixed_random(seed: str) -> RandomBytes:
    """Return a source that gives the same bytes in the same order for the same seed."""
    drawn = 0

    def random_bytes(size: int) -> bytes:
        nonlocal drawn
        blocks = bytearray()
        while len(blocks) < size:
            drawn += 1
            blocks += sha256(f"{seed}/{drawn}".encode()).digest()
        return bytes(blocks[:size])

    return random_bytes


def registered(
    group: int = 201457, revision: int = 1, *, terms: KeyTerms | None = None, **changes: object
) -> RegisteredKey:
    """Return a published vending key with its metadata, changed where asked for."""
    algorithm = changes.get("key_generation_algorithm", KeyGenerationAlgorithm.DKGA04)
    assert isinstance(algorithm, KeyGenerationAlgorithm)
    fields: Mapping[str, object] = {
        "tenant": "thabaneng",
        "supply_group_code": SupplyGroupCode(group),
        "key_revision_number": KeyRevisionNumber(revision),
        "key_type": KeyType.UNIQUE,
        "key_generation_algorithm": algorithm,
        "base_date": BaseDate.Y2014,
        "key_expiry_number": KeyExpiryNumber(255),
        "check_value": check_value(KEYS.get(algorithm, KEY_64)),
    }
    record = VendingKeyRecord(**{**fields, **changes})  # type: ignore[arg-type]  # checked there
    return RegisteredKey(record=record, terms=terms or KeyTerms())


def in_transit(group: int = 201457, revision: int = 1, **changes: object) -> KeyInTransit:
    """Return the same with the bytes of the key."""
    key = registered(group, revision, **changes)  # type: ignore[arg-type]  # as above
    vending_key = KEYS.get(key.record.key_generation_algorithm, KEY_64)
    return KeyInTransit(key=key, vending_key=vending_key)


plain_numbers: Final = st.integers(min_value=-(2**53) + 1, max_value=2**53 - 1)
json_values: Final = st.recursive(
    st.none() | st.booleans() | plain_numbers | st.text(max_size=10),
    lambda values: (
        st.lists(values, max_size=4) | st.dictionaries(st.text(max_size=5), values, max_size=4)
    ),
    max_leaves=8,
)
records: Final = st.dictionaries(
    st.text(max_size=3), plain_numbers | st.text(max_size=3), max_size=2
)
