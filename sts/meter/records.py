"""A meter's memory as plain rows: names with whole numbers or text, and back.

A file of memory holds one row for each field, so that a field that a later version adds is a row
that older files do not have, and takes its default. Reading checks everything: what comes out is
a meter, or an error that names the field and never its value, which might be a key.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final, TypeAlias, TypeVar

from sts.codec import clear_block, decode_block
from sts.errors import StsError
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
from sts.meter.errors import MeterStateError
from sts.meter.forms import (
    BOOL,
    TEXT,
    TIME,
    WHOLE,
    Form,
    Value,
    listed,
    named,
    numbered,
    optional,
    read_text,
)
from sts.meter.panel_forms import KEYPAD, LOCKOUT, MUTE, PAGES
from sts.meter.registers import Register
from sts.meter.results import ResultCode
from sts.meter.spec import CreditKind, MeterSpec, PricePeriod, ReconnectPolicy
from sts.meter.state import (
    DecoderKeyRegister,
    MeterState,
    SupplyCause,
    Volatile,
    require_fitting,
)
from sts.tokens import KeyChangeToken, Service

Rows: TypeAlias = Mapping[str, Value]

_Record = TypeVar("_Record")

_KEY_CHANGE_CLASS: Final = 2


def _write_register(register: Register) -> str:
    return f"{register.whole} {register.carry}"


def _read_register(value: Value) -> Register:
    whole, carry = read_text(value).split()
    return Register(int(whole), int(carry))


def _read_price(text: str) -> PricePeriod:
    starts_at, per_thousand = text.split("=")
    return PricePeriod(starts_at=datetime.fromisoformat(starts_at), per_thousand=int(per_thousand))


def _read_section(block: str, *, key_bits: int) -> KeyChangeToken:
    token = decode_block(int(block, 16), _KEY_CHANGE_CLASS, key_bits)
    if not isinstance(token, KeyChangeToken):
        raise TypeError
    return token


_REGISTER: Final = Form(_write_register, _read_register)
_NUMBERS: Final = listed(lambda number: str(int(number)), int)
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
    "tid_store_size": WHOLE,
    "min_credit": WHOLE,
    "no_limit_code": optional(WHOLE),
    "reconnect": named(ReconnectPolicy),
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
    "credit": _REGISTER,
    "credit_bought": WHOLE,
    "credit_cleared": _REGISTER,
    "consumed": _REGISTER,
    "power_limit_w": optional(WHOLE),
    "unbalance_limit_w": optional(WHOLE),
    "tariff_rate": optional(WHOLE),
    "water_factor": optional(WHOLE),
    "control_value": WHOLE,
    "flags": _NUMBERS(frozenset),
    "tampered": BOOL,
    "causes": listed(str, SupplyCause)(frozenset),
    "relay_closed": BOOL,
    "load_w": WHOLE,
    "advanced_to": TIME,
    "last_result": optional(numbered(ResultCode)),
    "lockout": LOCKOUT,
    "powered": BOOL,
}


def spec_to_rows(spec: MeterSpec) -> Rows:
    """Return the rows of a specification."""
    return _write(spec, _SPEC)


def spec_from_rows(rows: Rows) -> MeterSpec:
    """Return the specification of rows.

    Raises:
        MeterStateError: The rows are not those of a meter.
    """
    return _make(MeterSpec, _read(rows, _SPEC))


def state_to_rows(state: MeterState) -> Rows:
    """Return the rows of a state, all but the token identifier store."""
    return {**_write(state.key_register, _KEY_REGISTER), **_write(state, _STATE)}


def state_from_rows(spec: MeterSpec, rows: Rows, *, tid_store: tuple[int, ...]) -> MeterState:
    """Return the state of rows and a token identifier store.

    Raises:
        MeterStateError: The rows are not those of a meter so built.
    """
    key_rows = {name: value for name, value in rows.items() if name in _KEY_REGISTER}
    own_rows = {name: value for name, value in rows.items() if name not in _KEY_REGISTER}
    register = _make(DecoderKeyRegister, _read(key_rows, _KEY_REGISTER))
    found = {"key_register": register, "tid_store": tid_store, **_read(own_rows, _STATE)}
    state = _make(MeterState, found)
    require_fitting(spec, state)
    return state


def volatile_to_rows(spec: MeterSpec, volatile: Volatile) -> Rows:
    """Return the rows of volatile memory; sections are clear blocks in hexadecimal."""
    return _write(volatile, _volatile_forms(spec))


def volatile_from_rows(spec: MeterSpec, rows: Rows) -> Volatile:
    """Return the volatile memory of rows.

    Raises:
        MeterStateError: The rows are not those of a meter so built.
    """
    return _make(Volatile, _read(rows, _volatile_forms(spec)))


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


def _write(record: object, forms: Mapping[str, Form]) -> Rows:
    return {name: form.write(getattr(record, name)) for name, form in forms.items()}


def _read(rows: Rows, forms: Mapping[str, Form]) -> dict[str, object]:
    found: dict[str, object] = {}
    for name, value in rows.items():
        if name not in forms:
            raise MeterStateError(name, "unknown field")
        try:
            found[name] = forms[name].read(value)
        except (StsError, OverflowError, TypeError, ValueError):
            raise MeterStateError(name, "not a value of this field") from None
    return found


def _make(record: Callable[..., _Record], values: Mapping[str, object]) -> _Record:
    try:
        return record(**values)
    except TypeError:
        raise MeterStateError("memory", "a field is missing") from None
