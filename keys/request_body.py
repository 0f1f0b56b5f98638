"""A request in one text, by which the same request is recognised when it comes again.

One value a line in a fixed order; none of them can hold a line feed.
"""

from keys.requests import MeterConfiguration, NewKey
from sts import Token
from sts.codec import clear_block


def issue_body(meter: MeterConfiguration, token: Token) -> bytes:
    """Return a request for one token: the token without random bits says all there is to say."""
    block = clear_block(token, meter.encryption_algorithm.key_bits)
    return f"issue\n{_meter(meter)}\n{token.token_class}\n{block}".encode("ascii")


def change_body(meter: MeterConfiguration, new: NewKey, *, ditk_digest: str | None) -> bytes:
    """Return a request for a key change; a maker's key is named by its keyed hash."""
    what = "change-key" if ditk_digest is None else f"commission {ditk_digest}"
    return (
        f"{what}\n{_meter(meter)}\n{meter.key_expiry_number}\n{new.supply_group_code}\n"
        f"{new.key_revision_number}\n{new.tariff_index}\n"
        f"{new.with_supply_group_code}\n{new.allow_algorithm_change}"
    ).encode("ascii")


def _meter(meter: MeterConfiguration) -> str:
    # Plain numbers, filled up: a third of what formats with a width take.
    return (
        f"{meter.meter_pan.digits}\n{str(meter.supply_group_code.number).zfill(6)}\n"
        f"{str(meter.tariff_index.number).zfill(2)}\n{meter.key_revision_number.number}\n"
        f"{+meter.key_type}\n{meter.encryption_algorithm!s}\n{meter.token_carrier_type!s}"
    )
