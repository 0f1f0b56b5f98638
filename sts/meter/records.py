"""A meter's memory as plain rows: names with whole numbers or text, and back.

A file of memory holds one row for each field, so that a field that a later version adds is a row
that older files do not have, and takes its default. Reading checks everything: what comes out is
a meter, or an error that names the field and never its value, which might be a key.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, TypeAlias, TypeVar

from sts.codec import clear_block, decode_block
from sts.errors import StsError
from sts.identifiers import (
    DecoderReferenceNumber,
    EncryptionAlgorithm,
    KeyExpiryNumber,
    KeyRevisionNumber,
    KeyType,
    SupplyGroupCode,
    TariffIndex,
)
from sts.key_material import DecoderKey
from sts.meter.buzzer import Alarm, Mute
from sts.meter.errors import MeterStateError
from sts.meter.keypad import EMPTY, FRAME, Keypad
from sts.meter.lcd import Page
from sts.meter.lockout import Lockout
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
from sts.token_identifier import require_utc
from sts.tokens import KeyChangeToken, Service

Value: TypeAlias = int | str | None
Rows: TypeAlias = Mapping[str, Value]

_Record = TypeVar("_Record")

_KEY_CHANGE_CLASS: Final = 2
_NONE: Final = "-"


@dataclass(frozen=True, slots=True)
class Form:
    """How a value of one type stands in a row, and how it is read back."""

    write: Callable[[Any], Value]
    read: Callable[[Any], object]


def _read_whole(value: Value) -> int:
    if type(value) is not int:
        raise TypeError
    return value


def _read_text(value: Value) -> str:
    if type(value) is not str:
        raise TypeError
    return value


def _read_bool(value: Value) -> bool:
    return (False, True)[range(2).index(_read_whole(value))]


def _numbered(make: Callable[[int], object]) -> Form:
    """Make the form of a value with a class of its own that is one number."""
    return Form(int, lambda value: make(_read_whole(value)))


def _named(make: Callable[[str], object]) -> Form:
    """Make the form of a value with a class of its own that is one text."""
    return Form(str, lambda value: make(_read_text(value)))


def _listed(write: Callable[[Any], str], read: Callable[[str], object]) -> Callable[[type], Form]:
    """Make the form of a collection whose elements have no spaces."""

    def form(collection: type) -> Form:
        return Form(
            lambda values: " ".join(write(value) for value in values),
            lambda value: collection(read(part) for part in _read_text(value).split()),
        )

    return form


def _optional(form: Form) -> Form:
    """Make the form of a value that may be absent."""
    return Form(
        lambda value: None if value is None else form.write(value),
        lambda value: None if value is None else form.read(value),
    )


def _write_register(register: Register) -> str:
    return f"{register.whole} {register.carry}"


def _read_register(value: Value) -> Register:
    whole, carry = _read_text(value).split()
    return Register(int(whole), int(carry))


def _read_price(text: str) -> PricePeriod:
    starts_at, per_thousand = text.split("=")
    return PricePeriod(starts_at=datetime.fromisoformat(starts_at), per_thousand=int(per_thousand))


def _read_lockout(value: Value) -> Lockout:
    refusals, until = _read_text(value).split()
    return Lockout(refusals=int(refusals), until=None if until == _NONE else _moment(until))


def _write_lockout(lockout: Lockout) -> str:
    return f"{lockout.refusals} {_NONE if lockout.until is None else lockout.until.isoformat()}"


def _write_keypad(keypad: Keypad) -> str | None:
    if keypad.last_key_at is None:
        return None
    return f"{FRAME if keypad.framed else ''}{keypad.digits} {keypad.last_key_at.isoformat()}"


def _read_keypad(value: Value) -> Keypad:
    if value is None:
        return EMPTY
    keys, last_key_at = _read_text(value).split()
    return Keypad(
        digits=keys.removeprefix(FRAME),
        framed=keys.startswith(FRAME),
        last_key_at=_moment(last_key_at),
    )


def _write_pages(pages: tuple[Page, ...]) -> str:
    # A line of the display holds only what can be shown, so neither of the two separators.
    return "\n".join("\t".join((str(page.seconds), *page.lines)) for page in pages)


def _read_pages(value: Value) -> tuple[Page, ...]:
    rows = (row.split("\t") for row in _read_text(value).splitlines())
    return tuple(Page(tuple(lines), int(seconds)) for seconds, *lines in rows)


def _read_mute(value: Value) -> Mute:
    alarm, until = _read_text(value).split()
    return Mute(Alarm(int(alarm)), _moment(until))


def _moment(text: str) -> datetime:
    return require_utc(datetime.fromisoformat(text))


def _read_section(block: str, *, key_bits: int) -> KeyChangeToken:
    token = decode_block(int(block, 16), _KEY_CHANGE_CLASS, key_bits)
    if not isinstance(token, KeyChangeToken):
        raise TypeError
    return token


_WHOLE: Final = Form(int, _read_whole)
_TEXT: Final = Form(str, _read_text)
_BOOL: Final = Form(int, _read_bool)
_REGISTER: Final = Form(_write_register, _read_register)
_TIME: Final = Form(datetime.isoformat, lambda value: _moment(_read_text(value)))
_NUMBERS: Final = _listed(lambda number: str(int(number)), int)
_KEY: Final = Form(
    lambda key: key.expose().hex(), lambda value: DecoderKey.from_hex(_read_text(value))
)

_SPEC: Final[Mapping[str, Form]] = {
    "decoder_reference_number": _named(DecoderReferenceNumber),
    "encryption_algorithm": _named(EncryptionAlgorithm),
    "service": _numbered(Service),
    "credit_kind": _named(CreditKind),
    "currency": _TEXT,
    "prices": _listed(
        lambda period: f"{period.starts_at.isoformat()}={period.per_thousand}", _read_price
    )(tuple),
    "phases": _WHOLE,
    "nominal_voltage_v": _WHOLE,
    "maximum_current_a": _WHOLE,
    "supports_key_expiry": _BOOL,
    "supports_three_token_set": _BOOL,
    "stores_tariff_rate": _BOOL,
    "stores_water_factor": _BOOL,
    "tid_of_manufacture": _WHOLE,
    "tid_store_size": _WHOLE,
    "min_credit": _WHOLE,
    "no_limit_code": _optional(_WHOLE),
    "reconnect": _named(ReconnectPolicy),
    "sta_tables_fingerprint": _TEXT,
}
_KEY_REGISTER: Final[Mapping[str, Form]] = {
    "decoder_key": _KEY,
    "key_type": _numbered(KeyType),
    "supply_group_code": _numbered(SupplyGroupCode),
    "tariff_index": _numbered(TariffIndex),
    "key_revision_number": _optional(_numbered(KeyRevisionNumber)),
    "key_expiry_number": _numbered(KeyExpiryNumber),
}
_STATE: Final[Mapping[str, Form]] = {
    "credit": _REGISTER,
    "credit_bought": _WHOLE,
    "credit_cleared": _REGISTER,
    "consumed": _REGISTER,
    "power_limit_w": _optional(_WHOLE),
    "unbalance_limit_w": _optional(_WHOLE),
    "tariff_rate": _optional(_WHOLE),
    "water_factor": _optional(_WHOLE),
    "control_value": _WHOLE,
    "flags": _NUMBERS(frozenset),
    "tampered": _BOOL,
    "causes": _listed(str, SupplyCause)(frozenset),
    "relay_closed": _BOOL,
    "load_w": _WHOLE,
    "advanced_to": _TIME,
    "last_result": _optional(_numbered(ResultCode)),
    "lockout": Form(_write_lockout, _read_lockout),
    "powered": _BOOL,
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
    sections = _listed(
        lambda token: f"{clear_block(token, bits):016x}",
        lambda block: _read_section(block, key_bits=bits),
    )
    return {
        "pending": sections(tuple),
        "last_part_at": _optional(_TIME),
        "keypad": Form(_write_keypad, _read_keypad),
        "shown": Form(_write_pages, _read_pages),
        "shown_at": _optional(_TIME),
        "mute": _optional(
            Form(lambda mute: f"{mute.alarm:d} {mute.until.isoformat()}", _read_mute)
        ),
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
