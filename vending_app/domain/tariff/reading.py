"""Reading the fields of a document strictly: none missing, none unknown, each in one spelling.

A reader knows only the object before it. Whoever hands that object over puts the way to it before
the path of any error, so a refusal of a charge, too, ends up with its path in the whole document.
"""

from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from enum import StrEnum
from fractions import Fraction
from typing import TypeVar

from keys.canonical_json import CanonicalJsonError, JsonValue, read_json
from vending_app.domain.tariff.figures import parse_figure
from vending_app.domain.tariff.rates import Rate, TableRate
from vending_app.domain.tariff_errors import (
    TariffDefinitionError,
    TariffFieldMissingError,
    TariffFieldTypeError,
    TariffFieldUnknownError,
    TariffJsonError,
    TariffSpellingError,
)

_Made = TypeVar("_Made")
_Word = TypeVar("_Word", bound=StrEnum)


class Fields:
    """The fields of one object, of which each can be taken once and none may be left."""

    def __init__(self, content: Mapping[str, JsonValue]) -> None:
        """Take the object."""
        self._left = dict(content)

    def has(self, name: str) -> bool:
        """Tell whether a field is there and not taken yet."""
        return name in self._left

    def text(self, name: str) -> str:
        """Take a text."""
        return _text(self._take(name), path=f"/{name}")

    def whole(self, name: str) -> int:
        """Take a whole number."""
        return _whole(self._take(name), path=f"/{name}")

    def flag(self, name: str) -> bool:
        """Take a field that is ``true`` or left out."""
        if not self.has(name):
            return False
        if self._take(name) is not True:
            raise TariffSpellingError("Write true, or leave the field out.", path=f"/{name}")
        return True

    def day(self, name: str) -> date:
        """Take a day, written 2026-03-31."""
        text = self.text(name)
        try:
            found = date.fromisoformat(text)
        except ValueError:
            found = None
        # Python reads other ways to write a day as well.
        if found is None or found.isoformat() != text:
            raise TariffSpellingError("A day is written like 2026-03-31.", path=f"/{name}")
        return found

    def figure(self, name: str) -> Fraction:
        """Take an exact figure."""
        return parse_figure(self.text(name), path=f"/{name}")

    def rate(self, name: str) -> Rate:
        """Take a figure, or the name of a table, written ``{"table": "fuel"}``."""
        if isinstance(self._left.get(name), Mapping):
            return self.made(name, lambda fields: TableRate(fields.text("table")))
        return self.figure(name)

    def word(self, name: str, among: type[_Word]) -> _Word:
        """Take one of some words."""
        text = self.text(name)
        if text not in list(among):
            words = ", ".join(among)
            raise TariffSpellingError(f"One of {words} is expected here.", path=f"/{name}")
        return among(text)

    def texts(self, name: str) -> tuple[str, ...]:
        """Take a list of texts."""
        return tuple(
            _text(item, path=f"/{name}/{number}") for number, item in enumerate(self._list(name))
        )

    def wholes(self, name: str) -> tuple[int, ...]:
        """Take a list of whole numbers."""
        return tuple(
            _whole(item, path=f"/{name}/{number}") for number, item in enumerate(self._list(name))
        )

    def made(self, name: str, read: Callable[["Fields"], _Made]) -> _Made:
        """Take an object, as what ``read`` makes of it."""
        return read_object(self._take(name), read, path=f"/{name}")

    def all_made(self, name: str, read: Callable[["Fields"], _Made]) -> tuple[_Made, ...]:
        """Take a list of objects, as what ``read`` makes of each."""
        return tuple(
            read_object(item, read, path=f"/{name}/{number}")
            for number, item in enumerate(self._list(name))
        )

    def require_nothing_left(self) -> None:
        """Refuse a field that nobody has taken.

        Raises:
            TariffFieldUnknownError: There is one.
        """
        for name in self._left:
            raise TariffFieldUnknownError(f"There is no field {name!r} here.", path=f"/{name}")

    def _take(self, name: str) -> JsonValue:
        if name not in self._left:
            raise TariffFieldMissingError(f"The field {name!r} is missing.", path=f"/{name}")
        return self._left.pop(name)

    def _list(self, name: str) -> Sequence[JsonValue]:
        value = self._take(name)
        if not isinstance(value, list):
            raise TariffFieldTypeError("A list is expected here.", path=f"/{name}")
        return value


def read_text(text: str, read: Callable[[Fields], _Made]) -> _Made:
    """Read a document as what ``read`` makes of its outermost object.

    Raises:
        TariffJsonError: Not JSON, a name twice in one object, or a number that is not whole.
        TariffDefinitionError: ``read`` refuses it, or leaves a field.
    """
    try:
        content = read_json(text.encode("utf-8", "surrogatepass"))
    except CanonicalJsonError as error:
        raise TariffJsonError(f"This is no document of a tariff: {error}.") from None
    return read_object(content, read, path="")


def read_object(value: JsonValue, read: Callable[[Fields], _Made], *, path: str) -> _Made:
    """Return what ``read`` makes of an object, every refusal led here by its path.

    Raises:
        TariffFieldTypeError: It is no object.
        TariffDefinitionError: ``read`` refuses it, or leaves a field.
    """
    if not isinstance(value, Mapping):
        raise TariffFieldTypeError("An object is expected here.", path=path)
    fields = Fields(value)
    with _led_by(path):
        made = read(fields)
        fields.require_nothing_left()
    return made


@contextmanager
def _led_by(path: str) -> Generator[None]:
    try:
        yield
    except TariffDefinitionError as error:
        error.path = path + error.path
        raise


def _text(value: JsonValue, *, path: str) -> str:
    if not isinstance(value, str):
        raise TariffFieldTypeError("A text is expected here.", path=path)
    return value


def _whole(value: JsonValue, *, path: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise TariffFieldTypeError("A whole number is expected here.", path=path)
    return value
