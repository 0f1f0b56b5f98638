"""How single values stand in a row of memory, and how they are read back.

Reading takes nothing for granted: what is not exactly of the form raises ``TypeError``,
``ValueError``, ``OverflowError`` or an error of the library.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, TypeAlias, TypeVar

from sts.errors import StsError
from sts.meter.errors import MeterStateError
from sts.meter.registers import Register
from sts.token_identifier import require_utc

Value: TypeAlias = int | str | None
"""What a column of a row can hold."""
Rows: TypeAlias = Mapping[str, Value]
"""The rows of a record: name to value."""

_Record = TypeVar("_Record")

_NOTHING: Final = "-"


@dataclass(frozen=True, slots=True)
class Form:
    """How a value of one type stands in a row, and how it is read back."""

    write: Callable[[Any], Value]
    read: Callable[[Any], object]


def read_whole(value: Value) -> int:
    """Return the whole number of a column.

    Raises:
        TypeError: It holds something else.
    """
    if type(value) is not int:
        raise TypeError
    return value


def read_text(value: Value) -> str:
    """Return the text of a column.

    Raises:
        TypeError: It holds something else.
    """
    if type(value) is not str:
        raise TypeError
    return value


def _read_bool(value: Value) -> bool:
    return (False, True)[range(2).index(read_whole(value))]


def numbered(make: Callable[[int], object]) -> Form:
    """Make the form of a value with a class of its own that is one number."""
    return Form(int, lambda value: make(read_whole(value)))


def named(make: Callable[[str], object]) -> Form:
    """Make the form of a value with a class of its own that is one text."""
    return Form(str, lambda value: make(read_text(value)))


def listed(write: Callable[[Any], str], read: Callable[[str], object]) -> Callable[[type], Form]:
    """Make the form of a collection whose elements have no spaces."""

    def form(collection: type) -> Form:
        return Form(
            lambda values: " ".join(write(value) for value in values),
            lambda value: collection(read(part) for part in read_text(value).split()),
        )

    return form


def optional(form: Form) -> Form:
    """Make the form of a value that may be absent."""
    return Form(
        lambda value: None if value is None else form.write(value),
        lambda value: None if value is None else form.read(value),
    )


def moment_of(text: str) -> datetime:
    """Return the moment, in UTC, that a text names.

    Raises:
        ValueError: It names none.
        OverflowError: It is outside the calendar of UTC.
        NaiveDatetimeError: It has no zone.
    """
    return require_utc(datetime.fromisoformat(text))


def packed(make: Callable[..., object], parts: Mapping[str, Form]) -> Form:
    """Make the form of a record in one row: its fields in order, a space between them."""

    def write(record: object) -> str:
        texts = ((part, getattr(record, name)) for name, part in parts.items())
        return " ".join(
            _NOTHING if value is None else str(part.write(value)) for part, value in texts
        )

    def read(value: Value) -> object:
        texts = read_text(value).split()
        return make(
            **{
                name: None if text == _NOTHING else part.read(text)
                for (name, part), text in zip(parts.items(), texts, strict=True)
            }
        )

    return Form(write, read)


def _write_register(register: Register) -> str:
    return f"{register.whole} {register.carry}"


def _read_register(value: Value) -> Register:
    whole, carry = read_text(value).split()
    return Register(int(whole), int(carry))


WHOLE: Final = Form(int, read_whole)
TEXT: Final = Form(str, read_text)
BOOL: Final = Form(int, _read_bool)
TIME: Final = Form(datetime.isoformat, lambda value: moment_of(read_text(value)))
REGISTER: Final = Form(_write_register, _read_register)
NUMBERS: Final = listed(lambda number: str(int(number)), int)
DIGITS: Final = Form(str, lambda value: int(read_text(value)))
"""A whole number as text, for a part of a packed record."""


def write_record(record: object, forms: Mapping[str, Form]) -> Rows:
    """Return the rows of a record, one a field."""
    return {name: form.write(getattr(record, name)) for name, form in forms.items()}


def read_fields(rows: Rows, forms: Mapping[str, Form]) -> dict[str, object]:
    """Return the fields of rows.

    Raises:
        MeterStateError: A row that is not known, or not a value of its field.
    """
    found: dict[str, object] = {}
    for name, value in rows.items():
        if name not in forms:
            raise MeterStateError(name, "unknown field")
        try:
            found[name] = forms[name].read(value)
        except (StsError, OverflowError, TypeError, ValueError):
            raise MeterStateError(name, "not a value of this field") from None
    return found


def make_record(record: Callable[..., _Record], values: Mapping[str, object]) -> _Record:
    """Return the record of fields.

    Raises:
        MeterStateError: One is missing.
    """
    try:
        return record(**values)
    except TypeError:
        raise MeterStateError("memory", "a field is missing") from None
