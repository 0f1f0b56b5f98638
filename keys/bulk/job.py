"""What is asked for: an operation, a table of meters, and what holds for all of its rows."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from hashlib import sha256
from pathlib import Path
from typing import Final

from keys.bulk.errors import ColumnTwiceError, InputFormatError, MissingColumnError
from keys.canonical_json import JsonValue, canonical_bytes
from keys.json_fields import time_text


class Operation(StrEnum):
    """What is made of each row."""

    KEY_CHANGE = "key-change"
    CREDIT = "credit"
    DECODE = "decode"
    DERIVE = "derive"


class TableFormat(StrEnum):
    """How a table is kept in a file."""

    CSV = "csv"
    PARQUET = "parquet"
    SQLITE = "sqlite"


METER: Final = "meter"
PRESENT: Final = ("sgc", "krn", "ti", "kt", "ea")
"""The columns that say which key is in a meter; each is in the file or given for all rows."""
PRESENT_OPTIONAL: Final = ("ken", "tct")
NEW: Final = ("to_sgc", "to_krn", "to_ti")
"""Which key the meter is to have; what is missing or empty stays as it is."""
VALUES: Final[Mapping[Operation, tuple[str, ...]]] = {
    Operation.KEY_CHANGE: (),
    Operation.CREDIT: ("tenths", "tid"),
    Operation.DECODE: ("token",),
    Operation.DERIVE: (),
}
"""The columns with another value in each row."""
OUTPUT: Final[Mapping[Operation, tuple[str, ...]]] = {
    Operation.KEY_CHANGE: ("line", "meter", "token_1", "token_2", "token_3", "token_4"),
    Operation.CREDIT: ("line", "meter", "tid", "tenths", "token"),
    Operation.DECODE: ("line", "meter", "kind", "tid", "tenths"),
    Operation.DERIVE: ("line", "meter", "check_value"),
}
"""The columns that come out; ``line`` says of which line, row or rowid of the input."""

_SUFFIXES: Final = {
    ".csv": TableFormat.CSV,
    ".parquet": TableFormat.PARQUET,
    ".sqlite": TableFormat.SQLITE,
    ".db": TableFormat.SQLITE,
}


def format_of(path: Path) -> TableFormat:
    """Return the format that the name of a file tells.

    Raises:
        InputFormatError: It tells none.
    """
    found = _SUFFIXES.get(path.suffix.lower())
    if found is None:
        raise InputFormatError(path, f"the name must end in {', '.join(_SUFFIXES)}")
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One job on one fleet.

    Attributes:
        operation: What to do.
        source: The table of meters.
        output: What is made; its name says the format.
        tenant: Whose meters they are.
        module: The name of the security module.
        at: The time of the job, to the second; also the token identifier where no column says it.
        given: What holds for all rows, by the name of the column.
        table: In a SQLite file, the table.
        options: What else decides the result: ``three`` and ``forbid_dkga_change`` of a key
            change, ``service`` of credit.
    """

    operation: Operation
    source: Path
    output: Path
    tenant: str
    module: str
    at: datetime
    given: Mapping[str, str] = field(default_factory=dict)
    table: str = "meters"
    options: Mapping[str, str] = field(default_factory=dict)

    def parameters(self) -> dict[str, JsonValue]:
        """Return all that decides the result besides the input, as plain JSON values."""
        return {
            "operation": str(self.operation),
            "tenant": self.tenant,
            "at": time_text(self.at),
            "given": dict(sorted(self.given.items())),
            "table": self.table,
            "options": dict(sorted(self.options.items())),
            "output_format": str(format_of(self.output)),
        }

    def id(self, input_digest: str) -> str:
        """Return the name of the job: the same input and parameters have the same one."""
        body: JsonValue = {"input": input_digest, "parameters": self.parameters()}
        return sha256(canonical_bytes(body)).hexdigest()

    def columns(self, present: tuple[str, ...]) -> tuple[str, ...]:
        """Return the columns of a file that are needed, in the order of their use.

        Raises:
            ColumnTwiceError: One stands there twice, or is given for all rows besides.
            MissingColumnError: One is neither there nor given.
        """
        required = (METER, *PRESENT, *(name for name in VALUES[self.operation] if name != "tid"))
        optional = (*PRESENT_OPTIONAL, *(NEW if self.operation is Operation.KEY_CHANGE else ()))
        if self.operation is Operation.CREDIT:
            optional += ("tid",)
        for name in (*required, *optional):
            if present.count(name) + (name in self.given) > 1:
                raise ColumnTwiceError(name)
        for name in required:
            if name not in present and name not in self.given:
                raise MissingColumnError(name)
        return tuple(name for name in (*required, *optional) if name in present)
