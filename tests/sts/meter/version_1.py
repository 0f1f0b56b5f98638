"""The file of a meter as the first version of the program wrote it."""

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Final

APPLICATION_ID: Final = 0x5354534D
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
)
SPEC: Final[Mapping[str, int | str | None]] = {
    "decoder_reference_number": "0100200002010",
    "encryption_algorithm": "11",
    "service": 0,
    "credit_kind": "unit",
    "currency": "",
    "prices": "",
    "phases": 1,
    "nominal_voltage_v": 230,
    "maximum_current_a": 60,
    "supports_key_expiry": 1,
    "supports_three_token_set": 1,
    "stores_tariff_rate": 0,
    "stores_water_factor": 0,
    "tid_of_manufacture": 0,
    "tid_store_size": 50,
    "min_credit": 0,
    "no_limit_code": 65535,
    "reconnect": "automatic",
    "sta_tables_fingerprint": "0" * 64,
}
STATE: Final[Mapping[str, int | str | None]] = {
    "key_type": 2,
    "supply_group_code": 201457,
    "tariff_index": 1,
    "key_revision_number": 1,
    "key_expiry_number": 255,
    "credit": "1000 0",
    "credit_bought": 1500,
    "credit_cleared": "0 0",
    "consumed": "500 0",
    "power_limit_w": None,
    "unbalance_limit_w": None,
    "tariff_rate": None,
    "water_factor": None,
    "control_value": 0,
    "flags": "1 3",
    "tampered": 0,
    "causes": "",
    "relay_closed": 1,
    "load_w": 1000,
    "advanced_to": "2026-03-02T08:30:00+00:00",
    "last_result": 1,
}


def write_version_1(path: Path, decoder_key: str) -> None:
    """Write the file of a meter with 1 kWh left, half an hour after a token of 1.5 kWh."""
    token = ("2026-03-02T08:00:00+00:00", "1" * 20, 1, "1.5 kWh", "Accepted.", "")
    closed = ("2026-03-02T08:00:00+00:00", "RELAY_CLOSED", None, 1500, 0)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        for statement in SCHEMA:
            connection.execute(statement)
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute("PRAGMA user_version = 1")
        put = "INSERT INTO {} (name, value) VALUES (?, ?)"
        connection.executemany(put.format("spec"), SPEC.items())
        state = {**STATE, "decoder_key": decoder_key}
        connection.executemany(put.format("state"), state.items())
        connection.executemany(put.format("volatile"), [("pending", ""), ("last_part_at", None)])
        connection.executemany(
            "INSERT INTO token_identifiers VALUES (?, ?)", [(slot, slot) for slot in range(50)]
        )
        connection.execute(
            "INSERT INTO token_history (at, digits, result, amount, text, reason)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            token,
        )
        connection.execute(
            "INSERT INTO events (at, kind, cause, credit, consumed) VALUES (?, ?, ?, ?, ?)", closed
        )
        connection.commit()
