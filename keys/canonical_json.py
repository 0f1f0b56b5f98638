r"""JSON with one way to write each value, so that it can be hashed, signed and sealed.

The canonical form is ASCII: names sorted, no spaces, every character outside ASCII as ``\uXXXX``.
Numbers are whole and lie within ±(2^53 − 1), the range in which every JSON reader agrees
(RFC 7493). There are no floats, and no name stands twice in an object.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Final, NoReturn, TypeAlias

from keys.errors import KeysError

JsonValue: TypeAlias = bool | int | str | Sequence["JsonValue"] | Mapping[str, "JsonValue"] | None
JsonObject: TypeAlias = Mapping[str, JsonValue]

LARGEST_NUMBER: Final = 2**53 - 1


class CanonicalJsonError(KeysError):
    """Not JSON, or a value without a canonical form."""

    code = "CANONICAL_JSON"


def canonical_bytes(value: JsonValue) -> bytes:
    """Return the one way to write ``value``.

    Raises:
        CanonicalJsonError: It holds a float, a number beyond ±(2^53 − 1), bytes, or anything else
            that JSON does not know.
    """
    plain = _plain(value)
    return json.dumps(plain, sort_keys=True, separators=(",", ":")).encode("ascii")


def readable_bytes(value: JsonValue) -> bytes:
    """Return ``value`` in lines and in the order given, for files that people look at.

    Raises:
        CanonicalJsonError: As for ``canonical_bytes``.
    """
    return json.dumps(_plain(value), indent=2).encode("ascii") + b"\n"


def read_json(content: bytes) -> JsonValue:
    """Read a value that has a canonical form, however it is written.

    Raises:
        CanonicalJsonError: Not JSON, a name twice in one object, or a value without a canonical
            form.
    """
    try:
        value = json.loads(
            content,
            object_pairs_hook=_object_of,
            parse_constant=_refuse_number,
            parse_float=_refuse_number,
        )
    except (ValueError, RecursionError):
        # The reader's own message may quote the content, so it is not passed on.
        raise CanonicalJsonError("not JSON") from None
    return _plain(value)


def read_canonical(content: bytes) -> JsonValue:
    """Read a value, and refuse any other way to write it than the canonical one.

    Raises:
        CanonicalJsonError: As for ``read_json``, or not in canonical form.
    """
    value = read_json(content)
    if canonical_bytes(value) != content:
        raise CanonicalJsonError("JSON, but not in canonical form")
    return value


def _plain(value: object) -> JsonValue:
    """Return ``value`` with dictionaries and lists only; this is where it is checked."""
    match value:
        case None | bool() | str():
            return value
        case int():
            if abs(value) > LARGEST_NUMBER:
                raise CanonicalJsonError("a number beyond ±(2^53 − 1)")
            return value
        case list() | tuple():
            return [_plain(item) for item in value]
        case Mapping():
            if not all(isinstance(name, str) for name in value):
                raise CanonicalJsonError("the name of a field is not text")
            return {name: _plain(item) for name, item in value.items()}
        case _:
            raise CanonicalJsonError(f"JSON has no place for {type(value).__name__}")


def _object_of(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise CanonicalJsonError("a name stands twice in one object")
    return found


def _refuse_number(_: str) -> NoReturn:
    raise CanonicalJsonError("numbers are whole here")
