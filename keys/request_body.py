"""A request in one text, by which the same request is recognised when it comes again.

One value a line in a fixed order; none of them can hold a line feed.
"""

from keys.requests import MeterConfiguration, NewKey
from sts import Token
from sts.codec import clear_block


def issue_body(meter: MeterConfiguration, token: Token) -> bytes:
    """Return a request for one token: the token without random bits says all there is to say."""
    block = clear_block(token, meter.encryption_algorithm.key_bits)
    return _text("issue", *_meter(meter), token.token_class, block)


def change_body(meter: MeterConfiguration, new: NewKey, *, ditk_digest: str | None) -> bytes:
    """Return a request for a key change; a maker's key is named by its keyed hash."""
    return _text(
        "change-key" if ditk_digest is None else f"commission {ditk_digest}",
        *_meter(meter),
        meter.key_expiry_number,
        new.supply_group_code,
        new.key_revision_number,
        new.tariff_index,
        new.with_supply_group_code,
        new.allow_algorithm_change,
    )


def _meter(meter: MeterConfiguration) -> tuple[object, ...]:
    return (
        meter.meter_pan.digits,
        meter.supply_group_code,
        meter.tariff_index,
        meter.key_revision_number,
        int(meter.key_type),
        meter.encryption_algorithm.value,
        meter.token_carrier_type.value,
    )


def _text(*values: object) -> bytes:
    return "\n".join(map(str, values)).encode("ascii")
