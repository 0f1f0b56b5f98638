"""A fleet from CSV to CSV by the command itself, beside modules that make one set at a time.

``BULK_METERS`` says how many meters, a million if it says nothing; 70000000 are the world's. All
files, some 180 bytes a meter at the most, lie in a temporary folder (``TMPDIR``) and are removed
at the end, also after an error.
"""

import filecmp
import os
import resource
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from benchmarks.measure import machine, rates, row
from benchmarks.processes import measured

METERS: Final = int(os.environ.get("BULK_METERS", "1000000"))
_WORLD: Final = 70_000_000
_MOST_TO_KILL: Final = 10_000_000
"""Larger fleets are run once only, for the sake of the disk and of time."""
_GIVEN: Final = ("--sgc=201457", "--krn=1", "--ti=01", "--kt=2", "--ea=07")
_KEYS: Final = (
    ("1", "02", "1993", "ab" * 8),
    ("2", "04", "2014", "ab" * 8 + "94" * 8 + "01234567"),
)
_MODULE: Final = ("--module=software:keys.vault", "--tenant=thabaneng")
_SINGLE_SETS: Final = 200
_SAMPLE: Final = 1_000
_ASSUMED_RATES: Final = (10, 100, 1_000)
"""Tokens a second of one certified module. No maker publishes a rate, so these are assumptions."""
_TOKENS_OF_A_SET: Final = 2
_DAY: Final = 86_400


def run() -> None:
    """Measure and print."""
    print(f"fleet of {METERS:,}, EA07, two-token sets with rollover ({machine()})")
    with tempfile.TemporaryDirectory(prefix="bulk-") as name:
        folder = Path(name)
        _prepare(folder)
        rate = _whole(folder)
        if METERS <= _MOST_TO_KILL:
            _killed(folder)
            _verified(folder)
        single = _single(folder)
        row("one set at a time, in software", f"{single:,}/s", f"batch is {rate / single:,.0f} ×")
    print(f"  {_WORLD:,} sets by certified modules, if one made so many tokens a second:")
    for tokens in _ASSUMED_RATES:
        days = _WORLD * _TOKENS_OF_A_SET / tokens / _DAY
        row(
            f"    {tokens:,} (assumed)",
            f"{days:,.1f} days",
            f"{rate * _TOKENS_OF_A_SET / tokens:,.0f} modules would keep up with this machine",
        )


def _whole(folder: Path) -> float:
    """Run the job once, and return sets a second."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    usage = measured(_change("sets.csv"), folder, _environment())
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    busy = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    row("CSV to CSV", f"{usage.seconds:.1f} s", f"{METERS / usage.seconds:,.0f} sets/s")
    row("time of the processors", f"{busy:.1f} s", f"{busy / 2:.1f} s on two idle cores")
    row("largest process", f"{usage.largest_mb} MB")
    row("all processes together", f"{usage.together_mb} MB", "aim: 600 MB")
    if METERS != _WORLD:
        row("70 million", f"{usage.seconds * _WORLD / METERS / 60:.1f} min", "by this rate")
    return METERS / usage.seconds


def _killed(folder: Path) -> None:
    """Kill the job in the middle, let it go on, and compare."""
    running = subprocess.Popen(
        _change("killed.csv"),
        cwd=folder,
        env=_environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    start = time.perf_counter()
    parts = folder / "killed.csv.job"
    written = 0
    while running.poll() is None and written < (folder / "sets.csv").stat().st_size // 2:
        time.sleep(0.02)
        written = sum(each.stat().st_size for each in parts.glob("*.table"))
    running.kill()
    running.wait()
    row("killed in the middle, after", f"{time.perf_counter() - start:.1f} s")
    start = time.perf_counter()
    subprocess.run(
        _change("killed.csv"), check=True, cwd=folder, env=_environment(), capture_output=True
    )
    same = filecmp.cmp(folder / "sets.csv", folder / "killed.csv", shallow=False)
    row(
        "gone on with",
        f"{time.perf_counter() - start:.1f} s",
        "the same to the byte" if same else "ANOTHER RESULT",
    )
    if not same:
        message = "a job that was killed has another result"
        raise SystemExit(message)


def _verified(folder: Path) -> None:
    start = time.perf_counter()
    sample = f"--sample={_SAMPLE}"
    _keys(folder, "batch", "verify", "sets.csv", "--input=fleet.csv", sample, *_MODULE)
    row(f"{_SAMPLE:,} sets verified", f"{time.perf_counter() - start:.1f} s", "by the scalar core")


def _change(output: str) -> list[str]:
    # One time for all runs, so that they are the same job.
    at = "--at=2026-03-02T08:15Z"
    return [_PROGRAM, "batch", "key-change", "fleet.csv", "-o", output, "--to-krn=2", at, *_MODULE]


_PROGRAM: Final = str(Path(sys.executable).with_name("sts-keys"))


def _environment(key: str = "") -> dict[str, str]:
    return {**os.environ, "STS_VAULT_KEY_FILE": "vault.key", "STS_VENDING_KEY": key}


def _keys(folder: Path, *words: str, key: str = "") -> None:
    done = subprocess.run(
        [_PROGRAM, *words],
        check=False,
        cwd=folder,
        env=_environment(key),
        capture_output=True,
        text=True,
    )
    if done.returncode:
        message = f"{' '.join(words)}: {done.stderr}"
        raise SystemExit(message)


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
