"""Checkpoints of the books, and their exchange with the key audit log."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from keys.audit import AuditLog
from keys.chain_errors import (
    ChainBrokenError,
    ChainEntryAlteredError,
    ChainTruncatedError,
    SealMismatchError,
)
from keys.chain_seal import Ed25519SealKey, HmacSealKey, format_checkpoint
from keys.secret import Secret
from tests.vending_app.ledger.world import SEAL_KEY, START, TENANT, World
from vending_app.domain.errors import UnknownTenantError
from vending_app.domain.ledger import chain_name
from vending_app.ledger_check import Evidence, read_checkpoint, verify, witnessed
from vending_app.services.checkpoints import exchange_checkpoints, keep_checkpoint, seal_books
from vending_app.storage import checkpoints

OTHER_KEY = Ed25519SealKey(Secret(bytes(32)))
LOG_KEY = HmacSealKey(Secret(bytes(range(32))))


def _findings(world: World, evidence: Evidence | None = None) -> list[str]:
    url = world.store.engine.url.render_as_string(hide_password=False)
    return [
        str(finding) for report in verify(url, evidence=evidence) for finding in report.findings
    ]


def _seal(world: World) -> None:
    seal_books(world.store, TENANT, key=SEAL_KEY, now=world.tick())


def _edit(world: World, *statements: str) -> None:
    """Change rows past triggers and references."""
    engine = world.store.engine
    if engine.dialect.name == "sqlite":
        assert engine.url.database
        with closing(sqlite3.connect(engine.url.database)) as connection, connection:
            names = connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")
            for (name,) in names.fetchall():
                connection.execute(f"DROP TRIGGER {name}")
            for statement in statements:
                connection.execute(statement)
    else:
        with engine.begin() as connected:
            connected.exec_driver_sql("SET LOCAL session_replication_role = 'replica'")
            for statement in statements:
                connected.exec_driver_sql(statement)


def test_a_checkpoint_is_the_sealed_end_of_the_books(world: World) -> None:
    posted = world.sell()
    sealed = seal_books(world.store, TENANT, key=SEAL_KEY, now=world.tick())
    assert sealed.chain == chain_name(TENANT)
    assert (sealed.head.length, sealed.head.hash.hex()) == (1, posted.hash)
    with world.store.read() as connection:
        kept = checkpoints.checkpoints(TENANT, connection, chain=sealed.chain)
    assert kept == (sealed,)
    read = read_checkpoint(format_checkpoint(sealed))
    assert read is not None
    assert read.is_sealed_by(SEAL_KEY.public_key)
    assert not read.is_sealed_by(OTHER_KEY.public_key)


def test_books_to_which_nothing_was_added_keep_their_checkpoint(world: World) -> None:
    first = seal_books(world.store, TENANT, key=SEAL_KEY, now=world.tick())
    assert seal_books(world.store, TENANT, key=SEAL_KEY, now=world.tick()) == first
    world.sell()
    second = seal_books(world.store, TENANT, key=SEAL_KEY, now=world.tick())
    assert (first.head.length, second.head.length) == (0, 1)


@pytest.mark.parametrize(
    ("statement", "refused"),
    [
        ("UPDATE ledger_entries SET record = '{}' WHERE entry_number = 3", ChainEntryAlteredError),
        ("UPDATE ledger_entries SET record = '{}' WHERE entry_number = 2", ChainBrokenError),
        ("DELETE FROM ledger_entries WHERE entry_number > 1", ChainTruncatedError),
    ],
)
def test_nothing_is_sealed_that_is_not_right(
    world: World, statement: str, refused: type[ChainBrokenError]
) -> None:
    world.sell()
    world.sell()
    _seal(world)
    world.sell()
    _edit(world, statement)
    with pytest.raises(refused):
        _seal(world)


def test_a_checkpoint_by_another_key_is_not_built_on(world: World) -> None:
    _seal(world)
    with pytest.raises(SealMismatchError):
        seal_books(world.store, TENANT, key=OTHER_KEY, now=world.tick())
    sealed = seal_books(world.store, TENANT, key=SEAL_KEY, now=world.tick())
    with pytest.raises(SealMismatchError):
        keep_checkpoint(world.store, TENANT, checkpoint=sealed, keys=(OTHER_KEY,))


def test_nobody_has_no_books_to_seal(world: World) -> None:
    with pytest.raises(UnknownTenantError):
        seal_books(world.store, "nobody", key=SEAL_KEY, now=START)


def test_whoever_cuts_the_books_off_does_not_get_past_a_checkpoint_kept_elsewhere(
    world: World,
) -> None:
    world.sell()
    world.deposit(500, code="1")
    sealed = read_checkpoint(
        format_checkpoint(seal_books(world.store, TENANT, key=SEAL_KEY, now=world.tick()))
    )
    assert sealed is not None
    _edit(
        world,
        "DELETE FROM ledger_checkpoints",
        "DELETE FROM ledger_lines WHERE entry_number = 2",
        "DELETE FROM ledger_entries WHERE entry_number = 2",
        "UPDATE vendors SET float_minor = 0",
        "UPDATE ledger_heads SET length = 1, hash = (SELECT hash FROM ledger_entries)",
        "UPDATE ledger_heads SET posted_at = (SELECT posted_at FROM ledger_entries)",
    )
    assert _findings(world) == []
    assert _findings(world, Evidence(heads=[sealed.head])) == [
        "thabaneng: ledger_entries 2: a checkpoint remembers it, but it was cut off"
    ]


def test_whoever_writes_the_books_anew_does_not_get_past_a_checkpoint_kept_elsewhere(
    world: World,
) -> None:
    world.deposit(500, code="1")
    sealed = seal_books(world.store, TENANT, key=SEAL_KEY, now=world.now)
    _edit(
        world,
        "DELETE FROM ledger_checkpoints",
        "DELETE FROM ledger_lines",
        "DELETE FROM ledger_entries",
        "DELETE FROM ledger_heads",
        "UPDATE vendors SET float_minor = 0",
    )
    world.deposit(600, code="1")
    kept = read_checkpoint(format_checkpoint(sealed))
    assert kept is not None
    assert _findings(world) == []
    assert _findings(world, Evidence(heads=[kept.head])) == [
        "thabaneng: ledger_entries 1: it is not the entry that a checkpoint remembers"
    ]


def test_books_and_key_audit_keep_each_others_checkpoints(world: World, tmp_path: Path) -> None:
    path = tmp_path / "audit.log"
    log = AuditLog.create(path, "module-1", key=LOG_KEY, actor="farai", now=START)
    world.sell()
    of_books, of_audit = exchange_checkpoints(
        world.store, TENANT, key=SEAL_KEY, key_audit=log, now=world.tick()
    )
    assert of_audit.head.length == 2
    witness = json.loads(path.read_text(encoding="ascii").splitlines()[-1])["record"]
    assert (witness["event"], witness["checkpoint"]["head"]) == (
        "witness",
        of_books.head.hash.hex(),
    )
    with world.store.read() as connection:
        assert checkpoints.checkpoints(TENANT, connection, chain="module-1") == (of_audit,)
    known = witnessed(path.read_bytes() + b"torn {")
    assert known.chain == "module-1"
    assert [head.length for head in known.heads] == [1]
    evidence = Evidence(
        public_key=SEAL_KEY.public_key, heads=known.heads, logs={known.chain: known.hashes}
    )
    assert _findings(world, evidence) == []
    another = Evidence(public_key=SEAL_KEY.public_key, logs={"module-1": {1: "0" * 64}})
    (finding,) = _findings(world, another)
    assert finding.startswith("thabaneng: ledger_checkpoints module-1/2: the key audit log is not")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b"{}",
        b'{"format": "sts-vending checkpoint"}',
        b'{"format": "sts-vending checkpoint", "seal": {"algorithm": "hmac-sha-256"}}',
        b'{"format": "sts-vending checkpoint", "seal": {"algorithm": "ed25519"}, "length": "y"}',
    ],
)
def test_what_is_no_checkpoint_is_not_read_as_one(content: bytes) -> None:
    assert read_checkpoint(content) is None


def test_a_checkpoint_that_was_altered_is_found(world: World) -> None:
    world.sell()
    _seal(world)
    _edit(world, "UPDATE ledger_checkpoints SET document = 'x'")
    assert _findings(world) == [
        "thabaneng: ledger_checkpoints ledger/thabaneng/1: its document is no checkpoint"
    ]
