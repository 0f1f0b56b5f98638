"""The tables of a meter's file, as data.

table              rows
-----------------  -----------------------------------------------------------------
spec               one a field of what was built
state              one a field of what survives power loss, the key among them
volatile           one a field of what a power loss takes away
token_identifiers  one an entry of the TID store
token_history      one a token that was keyed, the oldest dropped
events             one an event of the relay, the oldest dropped
claim              at most one: the program that runs the meter and takes keys for it
orders             one a key, token or the like that another program wants entered

A file of an older version is brought up to date when it is opened: ``MIGRATIONS`` has the steps.
"""

from collections.abc import Mapping
from typing import Final

APPLICATION_ID: Final = 0x5354534D
"""``STSM`` in the header of the file: what tells a meter's memory from any other database."""
SCHEMA_VERSION: Final = 2

_CLAIM: Final = """CREATE TABLE claim (
        id INTEGER PRIMARY KEY CHECK (id = 1),
        program TEXT NOT NULL,
        process_id INTEGER NOT NULL,
        process_started TEXT NOT NULL,
        heartbeat TEXT NOT NULL
    ) STRICT"""
_ORDERS: Final = """CREATE TABLE orders (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        at TEXT NOT NULL,
        kind TEXT NOT NULL,
        text TEXT NOT NULL,
        answer TEXT
    ) STRICT"""

SCHEMA: Final = (
    "CREATE TABLE spec (name TEXT PRIMARY KEY, value ANY) STRICT, WITHOUT ROWID",
    "CREATE TABLE state (name TEXT PRIMARY KEY, value ANY) STRICT, WITHOUT ROWID",
    "CREATE TABLE volatile (name TEXT PRIMARY KEY, value ANY) STRICT, WITHOUT ROWID",
    """CREATE TABLE token_identifiers (
        slot INTEGER PRIMARY KEY,
        tid INTEGER NOT NULL CHECK (tid BETWEEN 0 AND 16777215)
    ) STRICT""",
    """CREATE TABLE token_history (
        id INTEGER PRIMARY KEY,
        at TEXT NOT NULL,
        digits TEXT NOT NULL,
        result INTEGER NOT NULL CHECK (result BETWEEN 1 AND 16),
        amount TEXT NOT NULL,
        text TEXT NOT NULL,
        reason TEXT NOT NULL
    ) STRICT""",
    """CREATE TABLE events (
        id INTEGER PRIMARY KEY,
        at TEXT NOT NULL,
        kind TEXT NOT NULL,
        cause TEXT,
        credit INTEGER NOT NULL,
        consumed INTEGER NOT NULL
    ) STRICT""",
    _CLAIM,
    _ORDERS,
)
"""The statements that make the tables, in their order."""

MIGRATIONS: Final[Mapping[int, tuple[str, ...]]] = {
    1: (_CLAIM, _ORDERS),
}
"""From each older version, the statements that lead to the one after it."""
