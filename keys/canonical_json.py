r"""JSON with one way to write each value, so that it can be hashed, signed and sealed.

The canonical form is ASCII: names sorted, no spaces, every character outside ASCII as ``\uXXXX``.
Numbers are whole and lie within ±(2^53 − 1), the range in which every JSON reader agrees
(RFC 7493). There are no floats, and no name stands twice in an object.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NoReturn, TypeAlias

from keys.errors import KeysError

JsonValue: TypeAlias = bool | int | str | Sequence["JsonValue"] | Mapping[str, "JsonValue"] | None
JsonObject: TypeAlias = Mapping[str, JsonValue]

LARGEST_NUMBER: Final = 2**53 - 1
_LEAVES: Final = frozenset({str, bool, type(None)})
_NUMBERS: Final = range(-LARGEST_NUMBER, LARGEST_NUMBER + 1)
_TEXT: Final = frozenset({str})


class CanonicalJsonError(KeysError):
    """Not JSON, or a value without a canonical form."""

    code = "CANONICAL_JSON"


def canonical_bytes(value: JsonValue) -> bytes:
    """Return the one way to write ``value``.

    Raises:
        CanonicalJsonError: It holds a float, a number beyond ±(2^53 − 1), bytes, or anything else
            that JSON does not know.
    """
    _require_plain(value)
    return _CANONICAL.encode(value).encode("ascii")


def readable_bytes(value: JsonValue) -> bytes:
    """Return ``value`` in lines and in the order given, for files that people look at.

    Raises:
        CanonicalJsonError: As for ``canonical_bytes``.
    """
    _require_plain(value)
    return _READABLE.encode(value).encode("ascii") + b"\n"


def read_json(content: bytes) -> JsonValue:
    """Read a value that has a canonical form, however it is written.

    Raises:
        CanonicalJsonError: Not JSON, a name twice in one object, or a value without a canonical
            form.
    """
    try:
        value: JsonValue = json.loads(
            content,
            object_pairs_hook=_object_of,
            parse_constant=_refuse_number,
            parse_float=_refuse_number,
        )
    except (ValueError, RecursionError):
        # The reader's own message may quote the content, so it is not passed on.
        raise CanonicalJsonError("not JSON") from None
    _require_plain(value)
    return value


def read_canonical(content: bytes) -> JsonValue:
    """Read a value, and refuse any other way to write it than the canonical one.

    Raises:
        CanonicalJsonError: As for ``read_json``, or not in canonical form.
    """
    value = read_json(content)
    if _CANONICAL.encode(value).encode("ascii") != content:
        raise CanonicalJsonError("JSON, but not in canonical form")
    return value


def _require_plain(value: object) -> None:
    """Refuse what JSON cannot say, or not in one way. Every entry of a chain passes here."""
    kind = type(value)
    if kind in _LEAVES:
        return
    members: Iterable[object] = ()
    # What is asked for last takes its time to answer: an abstract class.
    if isinstance(value, int):
        # Not by `in`: a range would go through all its numbers to find one of another class.
        if not -LARGEST_NUMBER <= value <= LARGEST_NUMBER:
            raise CanonicalJsonError("a number beyond ±(2^53 − 1)")
    elif isinstance(value, (list, tuple)):
        members = value
    elif isinstance(value, (dict, Mapping)):
        # Whatever is no plain text is looked at more closely; for the rest, this is quick.
        if not set(map(type, value)) <= _TEXT and not all(isinstance(name, str) for name in value):
            raise CanonicalJsonError("the name of a field is not text")
        members = value.values()
    elif not isinstance(value, str):
        raise CanonicalJsonError(f"JSON has no place for {kind.__name__}")
    for member in members:
        # Nearly all are texts and numbers, and need no call of their own.
        kind = type(member)
        if kind not in _LEAVES and not (kind is int and member in _NUMBERS):
            _require_plain(member)


def _object_of(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise CanonicalJsonError("a name stands twice in one object")
    return found


def _refuse_number(_: str) -> NoReturn:
    raise CanonicalJsonError("numbers are whole here")


# A mapping that is no dictionary is all that the encoder does not know by itself.
_CANONICAL: Final = json.JSONEncoder(sort_keys=True, separators=(",", ":"), default=dict)
_READABLE: Final = json.JSONEncoder(indent=2, default=dict)
