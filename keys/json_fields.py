"""Reading the fields of a JSON object strictly: each is there, of its type, in its one form."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Final

from keys.canonical_json import LARGEST_NUMBER, JsonObject, JsonValue
from keys.errors import KeysError
from sts.token_identifier import require_utc

LONGEST_TEXT: Final = 200
_TIME_FORM: Final = "%Y-%m-%dT%H:%M:%SZ"


def is_name(text: str) -> bool:
    """Tell whether ``text`` can name something: printable, not blank, not long."""
    return 0 < len(text) <= LONGEST_TEXT and text.isprintable() and text == text.strip()


def time_text(when: datetime) -> str:
    """Return a time as it stands in files: UTC, whole seconds, ``2026-01-31T12:00:00Z``.

    Raises:
        NaiveDatetimeError: ``when`` has no zone.
    """
    # `strftime` does not pad the years before 1000 on every platform.
    return require_utc(when).replace(microsecond=0, tzinfo=None).isoformat() + "Z"


class Fields:
    """The fields of one object, read one by one.

    Args:
        where: What the object is, for messages.
        value: The object.
        names: The names that it must have, no more and no fewer.
        refuse: Makes the error to raise from a message.
    """

    __slots__ = ("_refuse", "_values", "_where")

    def __init__(
        self,
        where: str,
        value: JsonValue,
        *,
        names: Sequence[str],
        refuse: Callable[[str], KeysError],
    ) -> None:
        """Check that ``value`` is an object with exactly these names."""
        if not isinstance(value, dict) or set(value) != set(names):
            raise refuse(f"{where} must have the fields {', '.join(names)}")
        self._values: JsonObject = value
        self._where = where
        self._refuse = refuse

    def raw(self, name: str) -> JsonValue:
        """Return a field as it is."""
        return self._values[name]

    def is_null(self, name: str) -> bool:
        """Tell whether a field is there without a value."""
        return self._values[name] is None

    def text(self, name: str) -> str:
        """Return a field that names something."""
        value = self._values[name]
        if not isinstance(value, str) or not is_name(value):
            raise self._wrong(name, f"must be text of 1 to {LONGEST_TEXT} printable characters")
        return value

    def number(self, name: str, *, low: int = 0, high: int = LARGEST_NUMBER) -> int:
        """Return a field that is a whole number within bounds."""
        value = self._values[name]
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise self._wrong(name, f"must be a whole number from {low} to {high}")
        return value

    def hexadecimal(self, name: str, *, size: int | None = None) -> bytes:
        """Return the bytes of a field in lower-case hexadecimal digits.

        Args:
            name: The field.
            size: How many bytes it must have; None for any number.
        """
        value = self._values[name]
        try:
            found = bytes.fromhex(value) if isinstance(value, str) else None
        except ValueError:
            found = None
        if found is None or found.hex() != value:
            raise self._wrong(name, "must be lower-case hexadecimal digits")
        if size not in (None, len(found)):
            raise self._wrong(name, f"must have {size} bytes")
        return found

    def time(self, name: str) -> datetime:
        """Return a field that is a time in the one form that ``time_text`` writes."""
        value = self._values[name]
        try:
            when = datetime.strptime(str(value), _TIME_FORM).replace(tzinfo=UTC)
        except ValueError:
            when = None
        if when is None or time_text(when) != value:
            raise self._wrong(name, "must be a time such as 2026-01-31T12:00:00Z")
        return when

    def optional_time(self, name: str) -> datetime | None:
        """Return a field that is a time or null."""
        return None if self.is_null(name) else self.time(name)

    def items(self, name: str) -> Sequence[JsonValue]:
        """Return a field that is a list."""
        value = self._values[name]
        if not isinstance(value, list):
            raise self._wrong(name, "must be a list")
        return value

    def _wrong(self, name: str, what: str) -> KeysError:
        return self._refuse(f"{self._where}: {name} {what}")
