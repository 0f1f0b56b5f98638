"""A request as plain values, by which the same request is recognised when it comes again."""

from keys.canonical_json import JsonObject
from keys.requests import MeterConfiguration, NewKey, TokenRequest
from sts.codec import clear_block


def issue_body(meter: MeterConfiguration, request: TokenRequest) -> JsonObject:
    """Return a request for one token: the token without random bits says all there is to say."""
    token = request.token(0)
    block = clear_block(token, meter.encryption_algorithm.key_bits)
    return {
        "operation": "issue",
        **_meter_body(meter),
        "token_class": token.token_class,
        "block": f"{block:016x}",
    }


def change_body(meter: MeterConfiguration, new: NewKey, *, ditk_digest: str | None) -> JsonObject:
    """Return a request for a key change; a maker's key is named by its keyed hash."""
    return {
        "operation": "change-key" if ditk_digest is None else "commission",
        **_meter_body(meter),
        "present_key_expiry_number": (
            None if meter.key_expiry_number is None else int(meter.key_expiry_number)
        ),
        "ditk": ditk_digest,
        "new_supply_group_code": str(new.supply_group_code),
        "new_key_revision_number": int(new.key_revision_number),
        "new_tariff_index": int(new.tariff_index),
        "with_supply_group_code": new.with_supply_group_code,
        "allow_algorithm_change": new.allow_algorithm_change,
    }


def _meter_body(meter: MeterConfiguration) -> JsonObject:
    return {
        "meter_pan": meter.meter_pan.digits,
        "supply_group_code": str(meter.supply_group_code),
        "tariff_index": int(meter.tariff_index),
        "key_revision_number": int(meter.key_revision_number),
        "key_type": int(meter.key_type),
        "encryption_algorithm": meter.encryption_algorithm.value,
        "token_carrier_type": meter.token_carrier_type.value,
    }
