"""A fleet from CSV to CSV by the command itself, beside the module that makes one set at a time."""

import os
import resource
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter
from typing import Final

from benchmarks.measure import machine, rates, row

METERS: Final = int(os.environ.get("STS_BENCHMARK_METERS", "1000000"))
_WORLD: Final = 70_000_000
_GIVEN: Final = ("--sgc=201457", "--krn=1", "--ti=01", "--kt=2", "--ea=07")
_KEYS: Final = (
    ("1", "02", "1993", "ab" * 8),
    ("2", "04", "2014", "ab" * 8 + "94" * 8 + "01234567"),
)
_SINGLE_SETS: Final = 200


def run() -> None:
    """Measure and print."""
    print(f"fleet of {METERS:,}, EA07, two-token sets with rollover ({machine()})")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _prepare(folder)
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        start = perf_counter()
        _keys(folder, "batch", "key-change", "fleet.csv", "-o", "sets.csv", "--to-krn=2", *_MODULE)
        seconds = perf_counter() - start
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        busy = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        row("CSV to CSV", f"{seconds:.1f} s", f"{METERS / seconds:,.0f} sets/s")
        row("time of the processors", f"{busy:.1f} s", f"{busy / 2:.1f} s on two idle cores")
        row("largest process", f"{after.ru_maxrss >> 10} MB", "aim: all together 600 MB")
        row("70 million", f"{seconds * _WORLD / METERS / 60:.1f} min", "by this rate")
        single = _single(folder)
        row(
            "one set at a time",
            f"{single:,}/s",
            f"batch is {METERS / busy / single:,.0f} ×, a core",
        )


_MODULE: Final = ("--module=software:keys.vault", "--tenant=thabaneng")


def _keys(folder: Path, *words: str, key: str = "") -> None:
    program = Path(sys.executable).with_name("sts-keys")
    subprocess.run(
        [program, *words],
        check=True,
        cwd=folder,
        env={**os.environ, "STS_VAULT_KEY_FILE": "vault.key", "STS_VENDING_KEY": key},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def _prepare(folder: Path) -> None:
    _keys(folder, "vault", "init", "keys.vault", "--new-key-file", "vault.key")
    _keys(folder, "module", "init", "software:keys.vault", "Benchmark")
    for revision, algorithm, base, key in _KEYS:
        options = (f"--krn={revision}", f"--dkga={algorithm}", f"--base-date={base}")
        target = ("software:keys.vault", "--tenant=thabaneng", "--sgc=201457")
        _keys(folder, "import", *target, *options, key=key)
    _keys(folder, "batch", "generate", str(METERS), "-o", "fleet.csv", *_GIVEN)


def _single(folder: Path) -> int:
    """Return sets a second of the module without audit log, its journal in a file."""
    from keys.files import read_key_file  # noqa: PLC0415 - what the rest does without
    from keys.journal_file import FileJournal  # noqa: PLC0415 - as above
    from keys.open import ModuleOptions, open_driver  # noqa: PLC0415 - as above
    from keys.requests import MeterConfiguration, NewKey  # noqa: PLC0415 - as above
    from sts import (  # noqa: PLC0415 - as above
        EncryptionAlgorithm,
        KeyRevisionNumber,
        KeyType,
        MeterPan,
        SupplyGroupCode,
        TariffIndex,
    )

    journal = FileJournal.open(folder / "keys.vault.journal")
    unlock = read_key_file(folder / "vault.key")
    options = ModuleOptions(lab_mode=True, unlock=unlock, journal=journal)
    module = open_driver(f"software:{folder / 'keys.vault'}", options)
    group, index = SupplyGroupCode(201457), TariffIndex(1)
    meter = MeterConfiguration(
        tenant="thabaneng",
        meter_pan=MeterPan.from_drn("0100200002010"),
        supply_group_code=group,
        tariff_index=index,
        key_revision_number=KeyRevisionNumber(1),
        key_type=KeyType.UNIQUE,
        encryption_algorithm=EncryptionAlgorithm.STA,
    )
    new = NewKey(
        supply_group_code=group, key_revision_number=KeyRevisionNumber(2), tariff_index=index
    )
    now, numbers = datetime.now(UTC), iter(range(1_000_000))
    found = rates(
        lambda: module.change_key(meter, new, message_id=f"b-{next(numbers)}", now=now),
        _SINGLE_SETS,
    )
    journal.close()
    return found.processor
