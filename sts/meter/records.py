"""A meter's memory as plain rows: names with whole numbers or text, and back.

A file of memory holds one row for each field, so that a field that a later version adds is a row
that older files do not have, and takes its default. Reading checks everything: what comes out is
a meter, or an error that names the field and never its value, which might be a key.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from sts.codec import clear_block, decode_block
from sts.identifiers import (
    BaseDate,
    DecoderReferenceNumber,
    EncryptionAlgorithm,
    KeyExpiryNumber,
    KeyRevisionNumber,
    KeyType,
    SupplyGroupCode,
    TariffIndex,
)
from sts.key_material import DecoderKey
from sts.meter.forms import (
    BOOL,
    DIGITS,
    NUMBERS,
    REGISTER,
    TEXT,
    TIME,
    WHOLE,
    Form,
    Rows,
    listed,
    make_record,
    named,
    numbered,
    optional,
    packed,
    read_fields,
    read_text,
    write_record,
)
from sts.meter.panel_forms import KEYPAD, LOCKOUT, MUTE, PAGES
from sts.meter.profile_records import PROFILE_ROWS, profile_from_rows, profile_to_rows
from sts.meter.registers import Register
from sts.meter.results import ResultCode
from sts.meter.spec import CreditKind, MeterSpec, PricePeriod
from sts.meter.state import (
    DecoderKeyRegister,
    LimitState,
    MeterState,
    PhaseEnergy,
    Reading,
    SupplyCause,
    TamperKind,
    Volatile,
    require_fitting,
)
from sts.tokens import KeyChangeToken, Service

_KEY_CHANGE_CLASS: Final = 2


def _read_price(text: str) -> PricePeriod:
    starts_at, per_thousand = text.split("=")
    return PricePeriod(starts_at=datetime.fromisoformat(starts_at), per_thousand=int(per_thousand))


def _read_section(block: str, *, key_bits: int) -> KeyChangeToken:
    token = decode_block(int(block, 16), _KEY_CHANGE_CLASS, key_bits)
    if not isinstance(token, KeyChangeToken):
        raise TypeError
    return token


def _write_phase(phase: PhaseEnergy) -> str:
    registers = (phase.imported, phase.exported)
    return "/".join(f"{register.whole}:{register.carry}" for register in registers)


def _read_phase(text: str) -> PhaseEnergy:
    imported, exported = (
        Register(*map(int, register.split(":", maxsplit=1))) for register in text.split("/")
    )
    return PhaseEnergy(imported, exported)


_LIMIT: Final = packed(
    LimitState, {"over_since": TIME, "trips": DIGITS, "tripped_at": TIME, "open_until": TIME}
)
_READING: Final = packed(Reading, {"at": TIME, "imported": DIGITS, "exported": DIGITS})
_KEY: Final = Form(
    lambda key: key.expose().hex(), lambda value: DecoderKey.from_hex(read_text(value))
)

_SPEC: Final[Mapping[str, Form]] = {
    "decoder_reference_number": named(DecoderReferenceNumber),
    "encryption_algorithm": named(EncryptionAlgorithm),
    "service": numbered(Service),
    "credit_kind": named(CreditKind),
    "currency": TEXT,
    "prices": listed(
        lambda period: f"{period.starts_at.isoformat()}={period.per_thousand}", _read_price
    )(tuple),
    "phases": WHOLE,
    "nominal_voltage_v": WHOLE,
    "maximum_current_a": WHOLE,
    "supports_key_expiry": BOOL,
    "supports_three_token_set": BOOL,
    "stores_tariff_rate": BOOL,
    "stores_water_factor": BOOL,
    "tid_of_manufacture": WHOLE,
    "min_credit": WHOLE,
    "no_limit_code": optional(WHOLE),
    "time_zone": TEXT,
    "lockout_survives_power_cycle": BOOL,
    "sta_tables_fingerprint": TEXT,
}
_KEY_REGISTER: Final[Mapping[str, Form]] = {
    "decoder_key": _KEY,
    "key_type": numbered(KeyType),
    "supply_group_code": numbered(SupplyGroupCode),
    "tariff_index": numbered(TariffIndex),
    "key_revision_number": optional(numbered(KeyRevisionNumber)),
    "key_expiry_number": numbered(KeyExpiryNumber),
    "base_date": optional(
        Form(lambda base_date: base_date.value, lambda value: BaseDate(read_text(value)))
    ),
}
_STATE: Final[Mapping[str, Form]] = {
    "credit": REGISTER,
    "credit_bought": WHOLE,
    "credit_cleared": REGISTER,
    "consumed": REGISTER,
    "exported": REGISTER,
    "phase_energy": listed(_write_phase, _read_phase)(tuple),
    "emergency_floor": optional(REGISTER),
    "low_credit_grade": WHOLE,
    "cut_alarm": BOOL,
    "power_limit_w": optional(WHOLE),
    "unbalance_limit_w": optional(WHOLE),
    "power_limit": _LIMIT,
    "phase_unbalance": _LIMIT,
    "over_current": _LIMIT,
    "tariff_rate": optional(WHOLE),
    "water_factor": optional(WHOLE),
    "control_value": WHOLE,
    "flags": NUMBERS(frozenset),
    "tamper_kinds": listed(str, TamperKind)(frozenset),
    "tampering": listed(str, TamperKind)(frozenset),
    "reverse_since": optional(TIME),
    "causes": listed(str, SupplyCause)(frozenset),
    "last_cause": optional(named(SupplyCause)),
    "test_until": optional(TIME),
    "relay_closed": BOOL,
    "watts": NUMBERS(tuple),
    "volts": optional(NUMBERS(tuple)),
    "interval_start": optional(_READING),
    "day_start": optional(_READING),
    "advanced_to": TIME,
    "last_result": optional(numbered(ResultCode)),
    "lockout": LOCKOUT,
    "powered": BOOL,
}


def spec_to_rows(spec: MeterSpec) -> Rows:
    """Return the rows of a specification."""
    return {**write_record(spec, _SPEC), **profile_to_rows(spec.profile)}


def spec_from_rows(rows: Rows) -> MeterSpec:
    """Return the specification of rows.

    Raises:
        MeterStateError: The rows are not those of a meter.
        MeterSpecError: They are those of one that cannot be.
    """
    habits = {name: value for name, value in rows.items() if name in PROFILE_ROWS}
    built = {name: value for name, value in rows.items() if name not in PROFILE_ROWS}
    found = {"profile": profile_from_rows(habits), **read_fields(built, _SPEC)}
    return make_record(MeterSpec, found)


def state_to_rows(state: MeterState) -> Rows:
    """Return the rows of a state, all but the token identifier store."""
    return {**write_record(state.key_register, _KEY_REGISTER), **write_record(state, _STATE)}


def state_from_rows(spec: MeterSpec, rows: Rows, *, tid_store: tuple[int, ...]) -> MeterState:
    """Return the state of rows and a token identifier store.

    Raises:
        MeterStateError, MeterSpecError: The rows are not those of a meter so built.
    """
    key_rows = {name: value for name, value in rows.items() if name in _KEY_REGISTER}
    own_rows = {name: value for name, value in rows.items() if name not in _KEY_REGISTER}
    register = make_record(DecoderKeyRegister, read_fields(key_rows, _KEY_REGISTER))
    found = {"key_register": register, "tid_store": tid_store, **read_fields(own_rows, _STATE)}
    state = make_record(MeterState, found)
    require_fitting(spec, state)
    return state


def volatile_to_rows(spec: MeterSpec, volatile: Volatile) -> Rows:
    """Return the rows of volatile memory; sections are clear blocks in hexadecimal."""
    return write_record(volatile, _volatile_forms(spec))


def volatile_from_rows(spec: MeterSpec, rows: Rows) -> Volatile:
    """Return the volatile memory of rows.

    Raises:
        MeterStateError: The rows are not those of a meter so built.
    """
    return make_record(Volatile, read_fields(rows, _volatile_forms(spec)))


def _volatile_forms(spec: MeterSpec) -> Mapping[str, Form]:
    bits = spec.encryption_algorithm.key_bits
    sections = listed(
        lambda token: f"{clear_block(token, bits):016x}",
        lambda block: _read_section(block, key_bits=bits),
    )
    return {
        "pending": sections(tuple),
        "last_part_at": optional(TIME),
        "keypad": KEYPAD,
        "shown": PAGES,
        "shown_at": optional(TIME),
        "mute": optional(MUTE),
    }
