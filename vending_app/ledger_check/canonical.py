"""The one way to write what is hashed, and the hash: written anew here, from the documentation.

JSON in ASCII, names sorted, no spaces. SHA-256, hexadecimal.
"""

import json
import re
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, Final

_SQLITE_MOMENT: Final = re.compile(r"(\d{4}-\d{2}-\d{2}) (\d{2}:\d{2}:\d{2}\.\d{6})")


def canonical_text(value: object) -> str:
    """Return the canonical form; what has none gets a form that no honest row has."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), default=repr)


def hash_text(text: str) -> str:
    """Return SHA-256 of a text, hexadecimal."""
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def hash_of(value: object) -> str:
    """Return SHA-256 of the canonical form of a value."""
    return hash_text(canonical_text(value))


def read_object(text: object) -> dict[str, Any]:
    """Return the object that a text says in canonical form; an empty one if it does not."""
    try:
        value = json.loads(str(text))
    except (ValueError, RecursionError):
        return {}
    if not isinstance(value, dict) or canonical_text(value) != text:
        return {}
    return value


def moment_text(value: object) -> str:
    """Return a moment as it stands in what is hashed: UTC with six decimals.

    SQLite keeps text, PostgreSQL a moment. What is neither is returned so that it equals nothing.
    """
    if isinstance(value, datetime):
        utc = value.astimezone(UTC) if value.tzinfo else value
        return f"{utc.replace(tzinfo=None).isoformat(timespec='microseconds')}Z"
    found = _SQLITE_MOMENT.fullmatch(value) if isinstance(value, str) else None
    return f"{found[1]}T{found[2]}Z" if found else f"no moment: {value!r}"


def whole(value: object) -> int:
    """Return a whole number; 0 for what is none, which other checks find."""
    return value if isinstance(value, int) and not isinstance(value, bool) else 0
