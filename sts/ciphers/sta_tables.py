"""The three tables of the Standard Transfer Algorithm: the printed SAMPLE set and licensed sets.

The standard prints one set for illustration. The set of real meters is licensed by the STS
Association to its members (IEC 62055-41, 10.2.8 and 10.2.9) and is not part of this package: an
operator supplies it as a JSON file with exactly these fields, in the direction of encryption.

    field             content
    ----------------  --------------------------------------------------------------
    name              1 to 64 printable characters, shown wherever the set is named
    substitution_1    16 numbers: entry n replaces nibble n where the key bit is 0
    substitution_2    16 numbers: the same where the key bit is 1
    permutation       64 numbers: entry i is the destination of bit i

Neither messages nor ``repr`` show an entry of a table, because a licensed one is confidential.
"""

import json
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Final

from sts.errors import SampleTablesInProductionError, StaTablesError

MAX_FILE_BYTES: Final = 16_384
"""A sensible file has some 500 bytes; what is larger than this is something else."""

MAX_NAME_LENGTH: Final = 64

_FIELDS: Final = ("name", "substitution_1", "substitution_2", "permutation")
_HEX_DIGITS: Final = frozenset("0123456789abcdef")
_FINGERPRINT_LENGTH: Final = 64
_SHOWN_CHARACTERS: Final = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class StaTables:
    """One set of STA tables, each known to be a permutation.

    ``fingerprint`` is the SHA-256, in lower-case hexadecimal, of the file that the set was read
    from. Two people who compare it know that they hold the same file without showing it.

    Raises:
        StaTablesError: A table is not a permutation of the right size, or the name or the
            fingerprint is not what it should be. The message names the field.
    """

    name: str
    substitution_1: tuple[int, ...] = field(repr=False)
    substitution_2: tuple[int, ...] = field(repr=False)
    permutation: tuple[int, ...] = field(repr=False)
    fingerprint: str

    def __post_init__(self) -> None:
        """Check every field, in the order in which the file has them."""
        _require_name(self.name)
        _require_permutation("substitution_1", self.substitution_1, size=16)
        _require_permutation("substitution_2", self.substitution_2, size=16)
        _require_permutation("permutation", self.permutation, size=64)
        if len(self.fingerprint) != _FINGERPRINT_LENGTH or not _HEX_DIGITS.issuperset(
            self.fingerprint
        ):
            raise StaTablesError(
                "fingerprint must be a SHA-256 in 64 lower-case hexadecimal digits"
            )

    def __hash__(self) -> int:
        """Hash what stands for the whole set; each cipher looks its prepared tables up by this."""
        return hash(self.fingerprint)

    @property
    def is_sample(self) -> bool:
        """Whether this is the printed SAMPLE set, under whatever name.

        The content decides, so that a copy of the SAMPLE set in a file of its own cannot make
        tokens that pass for real ones.
        """
        return (
            self.substitution_1 == SAMPLE_TABLES.substitution_1
            and self.substitution_2 == SAMPLE_TABLES.substitution_2
            and self.permutation == SAMPLE_TABLES.permutation
        )


def parse_sta_tables(data: bytes) -> StaTables:
    """Read a set of tables from the bytes of its JSON file.

    Raises:
        StaTablesError: Not such a file; the message says what is wrong with it.
    """
    if len(data) > MAX_FILE_BYTES:
        raise StaTablesError(f"the file has more than {MAX_FILE_BYTES} bytes")
    content = _json_object(data)
    for name in _FIELDS:
        if name not in content:
            raise StaTablesError(f"the field {name} is missing")
    for name in content:
        if name not in _FIELDS:
            raise StaTablesError(f"unknown field {name[:_SHOWN_CHARACTERS]!r}")
    return StaTables(
        name=_string(content["name"]),
        substitution_1=_numbers("substitution_1", content["substitution_1"]),
        substitution_2=_numbers("substitution_2", content["substitution_2"]),
        permutation=_numbers("permutation", content["permutation"]),
        fingerprint=sha256(data).hexdigest(),
    )


def load_sta_tables(path: Path) -> StaTables:
    """Read a set of tables from a file: the one place in the core that touches the disk.

    Raises:
        StaTablesError: The file cannot be read, or is not a set of tables.
    """
    try:
        with path.open("rb") as file:
            # One byte more than allowed is enough to know that there are too many.
            data = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise StaTablesError(f"cannot read {path}: {error.strerror}") from error
    return parse_sta_tables(data)


def _json_object(data: bytes) -> dict[str, object]:
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise StaTablesError(f"not UTF-8, at byte {error.start}") from None
    try:
        content: object = json.loads(text, object_pairs_hook=_fields_once)
    except json.JSONDecodeError as error:
        raise StaTablesError(
            f"not JSON: {error.msg} in line {error.lineno}, column {error.colno}"
        ) from None
    except (ValueError, RecursionError):
        # A number of thousands of digits or brackets a thousand deep: JSON by the letter.
        raise StaTablesError("not JSON of a sensible size and depth") from None
    if not isinstance(content, dict):
        raise StaTablesError("not a JSON object")
    return content


def _fields_once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """Build an object, refusing a field that stands in it twice (JSON would keep the last)."""
    content = dict(pairs)
    if len(content) != len(pairs):
        raise StaTablesError("a field stands in the file more than once")
    return content


def _string(value: object) -> str:
    if not isinstance(value, str):
        raise StaTablesError("name must be a string")
    return value


def _numbers(name: str, value: object) -> tuple[int, ...]:
    if not isinstance(value, list):
        raise StaTablesError(f"{name} must be a list of numbers")
    # The elements are checked where every set of tables is checked, in ``StaTables``.
    return tuple(value)


def _require_name(name: str) -> None:
    if not name.strip() or len(name) > MAX_NAME_LENGTH or not name.isprintable():
        raise StaTablesError(f"name must have 1 to {MAX_NAME_LENGTH} printable characters")


def _require_permutation(name: str, entries: tuple[int, ...], *, size: int) -> None:
    """Raise unless ``entries`` has each number from 0 to ``size`` - 1 exactly once."""
    if len(entries) != size:
        raise StaTablesError(f"{name} must have {size} entries, found {len(entries)}")
    place_of: dict[int, int] = {}
    for place, entry in enumerate(entries):
        # ``type`` and not ``isinstance``: True and 1.0 equal 1, but are slips in such a file.
        if type(entry) is not int or not 0 <= entry < size:
            raise StaTablesError(
                f"{name}: entry {place} is not a whole number from 0 to {size - 1}"
            )
        if entry in place_of:
            raise StaTablesError(f"{name}: entries {place_of[entry]} and {place} are the same")
        place_of[entry] = place


def _json_list(text: str) -> list[int]:
    return [int(number) for number in text.split()]


SAMPLE_JSON: Final = json.dumps(
    {
        "name": "SAMPLE",
        "substitution_1": _json_list("12 10 8 4 3 15 0 2 14 1 5 13 6 9 7 11"),
        "substitution_2": _json_list("6 9 7 4 3 10 12 14 2 13 1 15 0 11 8 5"),
        "permutation": _json_list(
            "29 27 34  9 16 62 55  2 40 49 38 25 33 61 30 23 "
            " 1 41 21 57 42 15  5 58 19 53 22 17 48 28 24 39 "
            " 3 60 36 14 11 52 54 12 31 51 10 26  0 45 37 43 "
            "44  6 59  4  7 35 56 50 13 18 32 47 46 63 20  8 "
        ),
    },
    separators=(",", ":"),
).encode("ascii")
"""The SAMPLE set as a file: the fields in the order above, without spaces or a line's end."""

SAMPLE_TABLES: Final = parse_sta_tables(SAMPLE_JSON)
"""The set that the standard prints. Public, so its tokens must never reach a real meter.

Its fingerprint is that of ``SAMPLE_JSON``.
"""


def require_licensed_tables(tables: StaTables) -> None:
    """Refuse the SAMPLE tables, for whoever is about to make a token for a real meter.

    Raises:
        SampleTablesInProductionError: The tables are the SAMPLE set, whatever their name.
    """
    if tables.is_sample:
        raise SampleTablesInProductionError
