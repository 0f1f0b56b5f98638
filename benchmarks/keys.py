"""Tokens a second out of the software module, journalled, beside what SQLite alone commits."""

import sqlite3
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import count, islice
from pathlib import Path
from typing import Final

import sts
from benchmarks.measure import ROUNDS, machine, rates, row, yardstick
from keys import (
    CreditRequest,
    FileJournal,
    MeterConfiguration,
    RegisteredKey,
    Secret,
    SoftwareModule,
    Vault,
    VendingKeyRecord,
)
from keys.records import check_value_of

GROUP: Final = 100
_ROUNDS_OF_GROUPS: Final = 8
_SINGLE: Final = 300
_AIM_GROUPED: Final = 4_000
_AIM_SINGLE: Final = 1_000
NOW: Final = datetime(2026, 3, 2, 8, 15, tzinfo=UTC)
_TENANT: Final = "benchmark"
_GROUP_CODE: Final = sts.SupplyGroupCode(201457)
_REVISION: Final = sts.KeyRevisionNumber(1)
KEY: Final = sts.VendingKey.from_hex("ab" * 8 + "94" * 8 + "01234567")


def run() -> None:
    """Measure and print."""
    unit = yardstick()
    print(f"keys, software module ({machine()})")
    row("SHA-256 of 64 bytes", f"{unit:,}/s")
    with tempfile.TemporaryDirectory() as folder:
        for algorithm in (sts.EncryptionAlgorithm.STA, sts.EncryptionAlgorithm.MISTY1):
            _module(Path(folder), algorithm)


def _module(folder: Path, algorithm: sts.EncryptionAlgorithm) -> None:
    name = f"EA{algorithm.value}"
    journal = FileJournal.create(folder / f"{name}.db")
    module = SoftwareModule(_vault(folder / f"{name}.vault"), lab_mode=True, journal=journal)
    # Made beforehand, so that only the module is measured.
    needed = ROUNDS * (GROUP * _ROUNDS_OF_GROUPS + _SINGLE)
    requests = iter(list(islice(requests_for(algorithm), needed)))

    def issue() -> None:
        meter, request, message_id = next(requests)
        module.issue(meter, request, message_id=message_id, now=NOW)

    def issue_group() -> None:
        with journal.transaction() as group:
            for _ in range(GROUP):
                meter, request, message_id = next(requests)
                module.issue(meter, request, message_id=message_id, now=NOW, journal=group)

    grouped = rates(issue_group, _ROUNDS_OF_GROUPS)
    # Disks are moody: what they are compared with is measured before and after.
    before = _bare_commits(folder / f"{name}-before.db")
    single = rates(issue, _SINGLE)
    commits = (before + _bare_commits(folder / f"{name}-after.db")) // 2
    journal.close()
    row("bare SQLite commits", f"{commits:,}/s", "on the wall")
    row(
        f"{name} issues in groups of {GROUP}",
        f"{grouped.processor * GROUP:,}/s",
        f"{grouped.wall * GROUP:,}/s on the wall  aim {_AIM_GROUPED:,}/s",
    )
    row(
        f"{name} issues, one commit each",
        f"{single.processor:,}/s",
        f"{single.wall:,}/s on the wall, {single.wall / commits:4.2f} × bare commits  "
        f"aim {_AIM_SINGLE:,}/s",
    )


def requests_for(
    algorithm: sts.EncryptionAlgorithm,
) -> Iterator[tuple[MeterConfiguration, CreditRequest, str]]:
    """Yield requests for ever other meters."""
    tid = sts.tid_from_datetime(NOW, sts.BaseDate.Y2014)
    for serial in count():
        meter = MeterConfiguration(
            tenant=_TENANT,
            meter_pan=sts.MeterPan.from_drn(sts.DecoderReferenceNumber.from_serial("00", serial)),
            supply_group_code=_GROUP_CODE,
            tariff_index=sts.TariffIndex(1),
            key_revision_number=_REVISION,
            key_type=sts.KeyType.UNIQUE,
            encryption_algorithm=algorithm,
        )
        amount = sts.encode_amount(serial % 10_000)
        request = CreditRequest(service=sts.Service.ELECTRICITY, tid_minutes=tid, amount=amount)
        yield meter, request, f"message-{serial}"


def registered_key() -> RegisteredKey:
    """Return the metadata of the vending key that the requests are for."""
    record = VendingKeyRecord(
        tenant=_TENANT,
        supply_group_code=_GROUP_CODE,
        key_revision_number=_REVISION,
        key_type=sts.KeyType.UNIQUE,
        key_generation_algorithm=sts.KeyGenerationAlgorithm.DKGA04,
        base_date=sts.BaseDate.Y2014,
        key_expiry_number=sts.KeyExpiryNumber(255),
        check_value=check_value_of(KEY),
    )
    return RegisteredKey(record=record)


def _vault(path: Path) -> Vault:
    vault = Vault.create(path, Secret(bytes(32)))
    vault.add(registered_key(), KEY)
    return vault


def _bare_commits(path: Path) -> int:
    """Return durable transactions a second of one row of the size of a journal entry."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("CREATE TABLE entries (content TEXT)")
    content = "x" * 300

    def commit() -> None:
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("INSERT INTO entries VALUES (?)", (content,))
        connection.execute("COMMIT")

    commits = rates(commit, _SINGLE).wall
    connection.close()
    return commits
