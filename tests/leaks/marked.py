"""Marked secrets: values that are met nowhere else, and what follows from them."""

from hashlib import sha256
from typing import Final

from keys.check_values import check_value
from keys.registered_key import RegisteredKey
from keys.requests import MeterConfiguration
from sts import (
    DecoderKey,
    EncryptionAlgorithm,
    KeyGenerationAlgorithm,
    KeyRevisionNumber,
    MeterPan,
    TariffIndex,
    VendingKey,
    derive_decoder_key,
)
from tests.keys.conftest import sample_meter
from tests.keys.custody import registered
from tests.leaks.searcher import LeakSearcher


def marked(name: str, size: int) -> bytes:
    """Return bytes that belong to this name and to no other."""
    return sha256(f"marked secret {name}".encode()).digest()[:size]


VENDING_KEY: Final = VendingKey(marked("vending key", 20))
DES_KEY: Final = VendingKey(marked("DES vending key", 8))
COMPONENTS: Final = tuple(VendingKey(marked(f"component {n}", 20)) for n in range(2))
DITK: Final = DecoderKey(marked("initialisation key", 16))
SUPPLIED: Final = DecoderKey(marked("key from a maker", 16))
PASSPHRASE: Final = marked("passphrase", 12).hex()
PIN: Final = str(int.from_bytes(marked("PIN", 8), "big"))

KEY: Final[RegisteredKey] = registered(check_value=check_value(VENDING_KEY))
OLD_KEY: Final[RegisteredKey] = registered(
    revision=2,
    check_value=check_value(DES_KEY),
    key_generation_algorithm=KeyGenerationAlgorithm.DKGA02,
)
METER: Final[MeterConfiguration] = sample_meter()
OTHER_TARIFF: Final[MeterConfiguration] = sample_meter(tariff_index=TariffIndex(2))
OLD_METER: Final[MeterConfiguration] = sample_meter(
    meter_pan=MeterPan.from_drn("00100001023"),
    encryption_algorithm=EncryptionAlgorithm.STA,
    key_revision_number=KeyRevisionNumber(2),
)
STA_METER: Final[MeterConfiguration] = sample_meter(
    meter_pan=OLD_METER.meter_pan, encryption_algorithm=EncryptionAlgorithm.STA
)


def _derived() -> dict[str, bytes]:
    found = {}
    for key, vending_key, meter in (
        (KEY, VENDING_KEY, METER),
        (KEY, VENDING_KEY, OTHER_TARIFF),
        (KEY, VENDING_KEY, STA_METER),
        (OLD_KEY, DES_KEY, OLD_METER),
    ):
        decoder_key = derive_decoder_key(
            key.record.key_generation_algorithm,
            vending_key,
            meter.key_attributes(key.record.base_date),
        )
        revision, pan = key.record.key_revision_number, meter.meter_pan.digits
        found[f"decoder key {pan} {meter.tariff_index} {revision}"] = decoder_key.expose()
    return found


SECRETS: Final = {
    "vending key": VENDING_KEY.expose(),
    "DES vending key": DES_KEY.expose(),
    "first component": COMPONENTS[0].expose(),
    "second component": COMPONENTS[1].expose(),
    "initialisation key": DITK.expose(),
    "key from a maker": SUPPLIED.expose(),
    "passphrase": PASSPHRASE.encode(),
    "PIN": PIN.encode(),
    **_derived(),
}
SEARCHER: Final = LeakSearcher(SECRETS)
