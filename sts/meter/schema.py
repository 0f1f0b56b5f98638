"""The tables of a meter's file, as data.

table              rows
-----------------  -----------------------------------------------------------------
spec               one a field of what was built
state              one a field of what survives power loss, the key among them
volatile           one a field of what a power loss takes away
token_identifiers  one an entry of the TID store
token_history      one a token that was keyed, the oldest dropped
events             one an event of the supply, the oldest dropped
load_profile       one a half hour, the oldest dropped
daily_totals       one a local day, the oldest dropped
claim              at most one: the program that runs the meter and takes keys for it
orders             one a key, token or the like that another program wants entered

A file of an older version is brought up to date when it is opened: ``MIGRATIONS`` has the steps.
"""

from collections.abc import Mapping
from typing import Final

APPLICATION_ID: Final = 0x5354534D
"""``STSM`` in the header of the file: what tells a meter's memory from any other database."""
SCHEMA_VERSION: Final = 3

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
_EVENTS: Final = """CREATE TABLE events (
        id INTEGER PRIMARY KEY,
        at TEXT NOT NULL,
        kind TEXT NOT NULL,
        cause TEXT,
        tamper TEXT,
        credit INTEGER NOT NULL,
        consumed INTEGER NOT NULL
    ) STRICT"""
_LOAD_PROFILE: Final = """CREATE TABLE load_profile (
        id INTEGER PRIMARY KEY,
        starts_at TEXT NOT NULL,
        ends_at TEXT NOT NULL,
        imported INTEGER NOT NULL,
        exported INTEGER NOT NULL,
        credit INTEGER NOT NULL
    ) STRICT"""
_DAILY_TOTALS: Final = """CREATE TABLE daily_totals (
        id INTEGER PRIMARY KEY,
        day TEXT NOT NULL,
        starts_at TEXT NOT NULL,
        ends_at TEXT NOT NULL,
        imported INTEGER NOT NULL,
        exported INTEGER NOT NULL
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
    _EVENTS,
    _CLAIM,
    _ORDERS,
    _LOAD_PROFILE,
    _DAILY_TOTALS,
)
"""The statements that make the tables, in their order."""

MIGRATIONS: Final[Mapping[int, tuple[str, ...]]] = {
    1: (_CLAIM, _ORDERS),
    2: (
        "CREATE TABLE events_before AS SELECT * FROM events",
        "DROP TABLE events",
        _EVENTS,
        """INSERT INTO events (id, at, kind, cause, credit, consumed)
            SELECT id, at, kind, cause, credit, consumed FROM events_before""",
        "DROP TABLE events_before",
        _LOAD_PROFILE,
        _DAILY_TOTALS,
        # A meter of three phases had one load, and no registers of its phases.
        """INSERT INTO state (name, value)
            SELECT 'watts', CASE (SELECT value FROM spec WHERE name = 'phases')
                WHEN 3 THEN value || ' 0 0' ELSE CAST(value AS TEXT) END
            FROM state WHERE name = 'load_w'""",
        """INSERT INTO state (name, value)
            SELECT 'phase_energy', '0:0/0:0 0:0/0:0 0:0/0:0'
            FROM spec WHERE name = 'phases' AND value = 3""",
        """INSERT INTO state (name, value)
            SELECT 'tamper_kinds', CASE value WHEN 0 THEN '' ELSE 'COVER' END
            FROM state WHERE name = 'tampered'""",
        "DELETE FROM state WHERE name IN ('load_w', 'tampered')",
    ),
}
"""From each older version, the statements that lead to the one after it."""
