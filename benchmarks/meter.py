"""A year of a virtual meter's life: how long it takes to compute, in time of the processor."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from time import process_time
from typing import Final, Literal

from benchmarks.measure import machine, row, yardstick
from sts.derivation import KeyAttributes
from sts.identifiers import (
    BaseDate,
    EncryptionAlgorithm,
    KeyRevisionNumber,
    KeyType,
    MeterPan,
    SupplyGroupCode,
    TariffIndex,
)
from sts.key_material import DecoderKey
from sts.meter import DecoderKeyRegister, MeterSpec, MeterState, advance, new_state
from sts.meter.household import HouseholdLoad
from sts.meter.loads import Load
from sts.meter.recordings import RecordedLoad, Sample
from sts.meter.registers import Register
from sts.meter.supply import settle

_START: Final = datetime(2026, 1, 1, tzinfo=UTC)
_END: Final = datetime(2027, 1, 1, tzinfo=UTC)
_AIMS: Final = {60: 0.5, 1: 10.0}
"""Minutes between two changes of the load to seconds for a year."""
_MINUTE_US: Final = 60_000_000
_ROUNDS: Final = 3


def run() -> None:
    """Measure and print."""
    unit = yardstick()
    print(f"meter, a year ({machine()})")
    for minutes, aim in _AIMS.items():
        for phases in (1, 3):
            _year(minutes, phases, unit=unit, aim=aim)


def _year(minutes: int, phases: Literal[1, 3], *, unit: int, aim: float) -> None:
    load = _recording(minutes, phases)
    best = min(_seconds(load, phases) for _ in range(_ROUNDS))
    note = f"{best * unit:12,.0f} × SHA-256  aim {aim} s"
    row(f"load every {minutes} min, {phases} phases", f"{best:.2f} s", note)


def _seconds(load: Load, phases: Literal[1, 3]) -> float:
    spec, state = _meter(phases)
    began = process_time()
    passed = advance(spec, state, _END, load=load)
    taken = process_time() - began
    assert passed.state.relay_closed, "a year of a meter that is off proves nothing"
    return taken


def _recording(minutes: int, phases: Literal[1, 3]) -> RecordedLoad:
    """Record a household beforehand, so that making it up is not measured."""
    home = HouseholdLoad(seed=1, phases=phases, step_minutes=minutes, panels_w=2000)
    samples, begins = [], _START
    for segment in home.segments(_START, _END):
        samples.append(Sample((begins - _START) // timedelta(microseconds=1), segment.watts))
        begins = segment.ends_at
    assert begins == _END, "the whole year is recorded"
    assert samples[1].microseconds == minutes * _MINUTE_US, "at the wanted pace"
    return RecordedLoad(starts_at=_START, samples=tuple(samples))


def _meter(phases: Literal[1, 3]) -> tuple[MeterSpec, MeterState]:
    """Make a meter with credit for more than a year and a limit that is reached now and then."""
    pan = MeterPan.from_drn("0100200002010")
    spec = MeterSpec(
        decoder_reference_number=pan.drn,
        encryption_algorithm=EncryptionAlgorithm.MISTY1,
        phases=phases,
        time_zone="Africa/Johannesburg",
    )
    register = DecoderKeyRegister.from_attributes(
        DecoderKey(bytes(16)),
        KeyAttributes(
            meter_pan=pan,
            supply_group_code=SupplyGroupCode(201457),
            tariff_index=TariffIndex(1),
            key_revision_number=KeyRevisionNumber(1),
            key_type=KeyType.UNIQUE,
            base_date=BaseDate.Y2014,
            encryption_algorithm=EncryptionAlgorithm.MISTY1,
        ),
    )
    state = new_state(spec, register, now=_START)
    bought = replace(state, credit=Register(10**8), credit_bought=10**8, power_limit_w=2500)
    return spec, settle(spec, bought).state
