"""Hypothesis strategies: values that may be, for every part of the library.

Numbers are drawn over their whole range. Keys come in two sorts: any bytes, and ``telling`` ones
whose hexadecimal and decimal forms cannot stand in a message by chance.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone
from hashlib import sha256
from typing import Final, Literal

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from sts import (
    SAMPLE_TABLES,
    BaseDate,
    ClearCredit,
    ClearTamperCondition,
    CreditRegister,
    CurrencyAmount,
    DecoderKey,
    DecoderReferenceNumber,
    EncryptionAlgorithm,
    InitiateMeterTest,
    KeyAttributes,
    KeyChange,
    KeyExpiryNumber,
    KeyRevisionNumber,
    KeyType,
    MeterPan,
    PowerLimit,
    ProprietaryManagement,
    ProprietaryTest,
    ReadExtended,
    Service,
    Set1stSectionDecoderKey,
    Set2ndSectionDecoderKey,
    Set3rdSectionDecoderKey,
    Set3rdSectionSupplyGroup,
    Set4thSectionDecoderKey,
    SetMaximumPhasePowerUnbalanceLimit,
    SetMaximumPowerLimit,
    SetTariffRate,
    SetWaterMeterFactor,
    StaTables,
    SupplyGroupCode,
    TariffIndex,
    Token,
    TransferCredit,
    TransferCurrencyCredit,
    UnitAmount,
    VendingKey,
    WriteExtended,
)
from sts.ciphers import Cipher, Dea, Misty1, Sta

KeyBits = Literal[64, 128]


def bits(width: int) -> SearchStrategy[int]:
    """Draw a whole number of so many bits."""
    return st.integers(min_value=0, max_value=(1 << width) - 1)


# --- identifiers ------------------------------------------------------------------------------

_manufacturer_codes: Final = st.one_of(
    st.integers(min_value=0, max_value=99).map("{:02d}".format),
    st.integers(min_value=0, max_value=9999).map("{:04d}".format),
)
drns: Final = st.builds(
    DecoderReferenceNumber.from_serial,
    _manufacturer_codes,
    st.integers(min_value=0, max_value=99_999_999),
)
meter_pans: Final = drns.map(MeterPan.from_drn)
supply_group_codes: Final = st.integers(min_value=0, max_value=999_999).map(SupplyGroupCode)
tariff_indexes: Final = st.integers(min_value=0, max_value=99).map(TariffIndex)
key_revision_numbers: Final = st.integers(min_value=1, max_value=9).map(KeyRevisionNumber)
key_expiry_numbers: Final = bits(8).map(KeyExpiryNumber)
key_types: Final = st.sampled_from(KeyType)
derivable_key_types: Final = st.sampled_from((KeyType.DEFAULT, KeyType.UNIQUE))
base_dates: Final = st.sampled_from(BaseDate)


def key_attributes(*algorithms: EncryptionAlgorithm) -> SearchStrategy[KeyAttributes]:
    """Draw the attributes of a key of type 1 or 2 for one of these ciphers."""
    return st.builds(
        KeyAttributes,
        meter_pan=meter_pans,
        supply_group_code=supply_group_codes,
        tariff_index=tariff_indexes,
        key_revision_number=key_revision_numbers,
        key_type=derivable_key_types,
        base_date=base_dates,
        encryption_algorithm=st.sampled_from(algorithms),
    )


# --- times ------------------------------------------------------------------------------------

tids: Final = bits(24)
utc_offsets: Final = st.integers(min_value=-840, max_value=840).map(
    lambda minutes: timedelta(minutes=minutes)
)
zones: Final = st.integers(min_value=-86_399, max_value=86_399).map(
    lambda seconds: timezone(timedelta(seconds=seconds))
)
# A day inside the first and the last one that Python has, so that any zone can show them.
moments: Final = st.builds(
    lambda naive, zone: naive.replace(tzinfo=UTC).astimezone(zone),
    st.datetimes(min_value=datetime(1, 1, 3), max_value=datetime(9999, 12, 29)),  # noqa: DTZ001 - the zone comes next
    zones,
)

# --- amounts ----------------------------------------------------------------------------------

amount_codes: Final = bits(16)
unit_amounts: Final = amount_codes.map(UnitAmount)
power_limits: Final = amount_codes.map(PowerLimit)
currency_amounts: Final = st.tuples(st.booleans(), bits(5), bits(14)).map(
    lambda parts: CurrencyAmount(
        negative=parts[0] and bool(parts[1] or parts[2]), exponent=parts[1], mantissa=parts[2]
    )
)

# --- keys, tables and ciphers -----------------------------------------------------------------


def decoder_keys(key_bits: int) -> SearchStrategy[DecoderKey]:
    """Draw any decoder key of a length."""
    return st.binary(min_size=key_bits // 8, max_size=key_bits // 8).map(DecoderKey)


def vending_keys(key_bits: int) -> SearchStrategy[VendingKey]:
    """Draw any vending key of a length."""
    return st.binary(min_size=key_bits // 8, max_size=key_bits // 8).map(VendingKey)


def telling_bytes(size: int) -> SearchStrategy[bytes]:
    """Draw bytes of which each begins with A, B, E or F in its hexadecimal form."""
    return st.binary(min_size=size, max_size=size).map(
        lambda data: bytes(byte | 0xA0 for byte in data)
    )


def shown_in(key: bytes, text: str) -> bool:
    """Tell whether any four bytes of a telling key stand in ``text``, in hexadecimal or decimal."""
    plain = text.lower().replace(" ", "")
    windows = [key[at : at + 4] for at in range(len(key) - 3)]
    return (
        any(window.hex() in plain for window in windows)
        or any(str(int.from_bytes(window, "big")) in plain for window in windows)
        or str(int.from_bytes(key, "big")) in plain
        or repr(key) in text
    )


def _shuffled(size: int, seed: str) -> tuple[int, ...]:
    return tuple(sorted(range(size), key=lambda entry: sha256(f"{seed}/{entry}".encode()).digest()))


def _made_up_tables(seed: str) -> StaTables:
    return StaTables(
        name=seed,
        substitution_1=_shuffled(16, f"{seed}/1"),
        substitution_2=_shuffled(16, f"{seed}/2"),
        permutation=_shuffled(64, f"{seed}/p"),
        fingerprint=sha256(seed.encode()).hexdigest(),
    )


MADE_UP_TABLES: Final = (_made_up_tables("made up 1"), _made_up_tables("made up 2"))
"""Tables of no meaning whose second one is not the inverse of the first, as in the licensed set."""

# Preparing tables takes some milliseconds and four sets are kept, hence three sets, not any.
_table_sets: Final = st.sampled_from((SAMPLE_TABLES, *MADE_UP_TABLES))
ciphers: Final[Mapping[KeyBits, SearchStrategy[Cipher]]] = {
    64: st.one_of(st.builds(Sta, decoder_keys(64), _table_sets), decoder_keys(64).map(Dea)),
    128: decoder_keys(128).map(Misty1),
}
any_cipher: Final = st.one_of(ciphers[64], ciphers[128])

# --- tokens -----------------------------------------------------------------------------------

_services: Final = st.sampled_from(Service)
_rnds: Final = bits(4)
_tests: Final = st.one_of(
    st.builds(
        InitiateMeterTest,
        control=bits(36),
        manufacturer_code=bits(8),
        manufacturer_digits=st.just(2),
    ),
    st.builds(
        InitiateMeterTest,
        control=bits(28),
        manufacturer_code=bits(16),
        manufacturer_digits=st.just(4),
    ),
)
_proprietary_tests: Final = st.one_of(
    st.builds(
        ProprietaryTest,
        subclass=st.integers(min_value=6, max_value=10),
        control=bits(28),
        manufacturer_code=bits(16),
    ),
    st.builds(
        ProprietaryTest,
        subclass=st.integers(min_value=11, max_value=15),
        control=bits(36),
        manufacturer_code=bits(8),
    ),
)


def _first_sections(three_token_set: SearchStrategy[bool]) -> SearchStrategy[Token]:
    return st.builds(
        Set1stSectionDecoderKey,
        key_expiry_high=bits(4),
        key_revision_number=key_revision_numbers,
        rollover=st.booleans(),
        three_token_set=three_token_set,
        key_type=key_types,
        new_key_high=bits(32),
    )


_EITHER_KEY: Final[Mapping[type[Token], SearchStrategy[Token]]] = {
    TransferCredit: st.builds(
        TransferCredit, service=_services, rnd=_rnds, tid=tids, amount=unit_amounts
    ),
    TransferCurrencyCredit: st.builds(
        TransferCurrencyCredit, service=_services, tid=tids, amount=currency_amounts
    ),
    InitiateMeterTest: _tests,
    ReadExtended: st.builds(ReadExtended, index=bits(6), data=bits(30), manufacturer_code=bits(8)),
    ProprietaryTest: _proprietary_tests,
    SetMaximumPowerLimit: st.builds(SetMaximumPowerLimit, rnd=_rnds, tid=tids, limit=power_limits),
    ClearCredit: st.builds(
        ClearCredit, rnd=_rnds, tid=tids, register=st.sampled_from(CreditRegister)
    ),
    SetTariffRate: st.builds(SetTariffRate, rnd=_rnds, tid=tids, rate=bits(16)),
    Set2ndSectionDecoderKey: st.builds(
        Set2ndSectionDecoderKey,
        key_expiry_low=bits(4),
        tariff_index=tariff_indexes,
        new_key_low=bits(32),
    ),
    ClearTamperCondition: st.builds(ClearTamperCondition, rnd=_rnds, tid=tids),
    SetMaximumPhasePowerUnbalanceLimit: st.builds(
        SetMaximumPhasePowerUnbalanceLimit, rnd=_rnds, tid=tids, limit=power_limits
    ),
    SetWaterMeterFactor: st.builds(SetWaterMeterFactor, rnd=_rnds, tid=tids, factor=bits(16)),
    WriteExtended: st.builds(WriteExtended, rnd=_rnds, tid=tids, index=bits(6), data=bits(10)),
    ProprietaryManagement: st.builds(
        ProprietaryManagement,
        subclass=st.integers(min_value=11, max_value=15),
        content=bits(44),
    ),
}
ISSUABLE_TOKENS: Final[Mapping[KeyBits, Mapping[type[Token], SearchStrategy[Token]]]] = {
    64: {
        **_EITHER_KEY,
        Set1stSectionDecoderKey: _first_sections(st.booleans()),
        Set3rdSectionSupplyGroup: st.builds(
            Set3rdSectionSupplyGroup, supply_group_code=supply_group_codes
        ),
    },
    128: {
        **_EITHER_KEY,
        Set1stSectionDecoderKey: _first_sections(st.just(value=False)),
        Set3rdSectionDecoderKey: st.builds(
            Set3rdSectionDecoderKey, supply_group_low=bits(12), new_key_middle_2=bits(32)
        ),
        Set4thSectionDecoderKey: st.builds(
            Set4thSectionDecoderKey, supply_group_high=bits(12), new_key_middle_1=bits(32)
        ),
    },
}
"""Length of the decoder key to every kind of token that may be issued under it."""


def issuable_tokens(key_bits: KeyBits) -> SearchStrategy[Token]:
    """Draw a token of any kind that may be issued under a key of this length."""
    return st.one_of(tuple(ISSUABLE_TOKENS[key_bits].values()))


# --- key changes ------------------------------------------------------------------------------


def key_changes(key_bits: KeyBits) -> SearchStrategy[KeyChange]:
    """Draw a well-formed change to a key of this length, with a supply group code."""
    return st.builds(
        KeyChange,
        new_key=decoder_keys(key_bits),
        key_expiry_number=key_expiry_numbers,
        key_revision_number=key_revision_numbers,
        key_type=key_types,
        tariff_index=tariff_indexes,
        rollover=st.booleans(),
        supply_group_code=supply_group_codes,
    )
