"""A meter on the bench: a file made from a pair, which goes on vending for it."""

from datetime import datetime
from pathlib import Path

from sts.meter.device import create_meter
from tests.pair import START, VendAndMeter


def meter_file(folder: Path, pair: VendAndMeter, *, now: datetime = START) -> Path:
    """Write the pair's meter to a file."""
    path = folder / "house.meter"
    create_meter(path, pair.spec, pair.state, now=now)
    return path


def credit_digits(pair: VendAndMeter, tenths: int) -> str:
    """Sell units without entering the token into the pair's own meter."""
    state, volatile = pair.state, pair.volatile
    pair.credit(tenths)
    pair.state, pair.volatile = state, volatile
    return pair.digits
