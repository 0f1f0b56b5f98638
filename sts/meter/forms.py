"""How single values stand in a row of memory, and how they are read back.

Reading takes nothing for granted: what is not exactly of the form raises ``TypeError``,
``ValueError``, ``OverflowError`` or an error of the library.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, TypeAlias

from sts.token_identifier import require_utc

Value: TypeAlias = int | str | None
"""What a column of a row can hold."""


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


WHOLE: Final = Form(int, read_whole)
TEXT: Final = Form(str, read_text)
BOOL: Final = Form(int, _read_bool)
TIME: Final = Form(datetime.isoformat, lambda value: moment_of(read_text(value)))
