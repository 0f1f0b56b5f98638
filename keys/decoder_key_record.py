"""What is known of a decoder key that a meter's maker supplied, besides its bytes."""

from collections.abc import Callable
from dataclasses import dataclass

from keys.canonical_json import JsonObject, JsonValue
from keys.errors import KeysError
from keys.json_fields import Fields
from keys.registered_key import RegisteredKey, key_body, parse_key
from sts import EncryptionAlgorithm, MeterPan, StsError, TariffIndex

_FIELDS = ("meter_pan", "tariff_index", "encryption_algorithm", "key")


@dataclass(frozen=True, slots=True, kw_only=True)
class DecoderKeyRecord:
    """Metadata of one meter's own key; never its bytes.

    Attributes:
        meter_pan: The meter.
        tariff_index: Of the key.
        encryption_algorithm: The cipher in the meter.
        key: What the maker's vending key is said to be; the check value is the decoder key's.
    """

    meter_pan: MeterPan
    tariff_index: TariffIndex
    encryption_algorithm: EncryptionAlgorithm
    key: RegisteredKey


def decoder_key_body(record: DecoderKeyRecord) -> JsonObject:
    """Return the metadata as plain JSON values."""
    return {
        "meter_pan": record.meter_pan.digits,
        "tariff_index": int(record.tariff_index),
        "encryption_algorithm": record.encryption_algorithm.value,
        "key": key_body(record.key),
    }


def parse_decoder_key(
    where: str, value: JsonValue, *, refuse: Callable[[str], KeysError]
) -> DecoderKeyRecord:
    """Read what ``decoder_key_body`` returned.

    Args:
        where: What the record belongs to, for messages.
        value: The JSON value.
        refuse: Makes the error to raise from a message.
    """
    fields = Fields(where, value, names=_FIELDS, refuse=refuse)
    try:
        return DecoderKeyRecord(
            meter_pan=MeterPan(fields.text("meter_pan")),
            tariff_index=TariffIndex(fields.number("tariff_index")),
            encryption_algorithm=EncryptionAlgorithm.parse(fields.text("encryption_algorithm")),
            key=parse_key(where, fields.raw("key"), refuse=refuse),
        )
    except StsError as error:
        raise refuse(f"{where}: {error}") from None
