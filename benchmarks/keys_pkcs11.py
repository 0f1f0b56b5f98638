"""Derivations and tokens a second with the vending key in SoftHSM.

SoftHSM is software in this process: an HSM of metal is slower for one request at a time. Without
SoftHSM there is nothing to measure, and that is said.
"""

import os
import shutil
import subprocess
import tempfile
from itertools import cycle, islice
from pathlib import Path
from time import perf_counter
from typing import Final

import sts
from benchmarks.keys import GROUP, KEY, NOW, registered_key, requests_for
from benchmarks.measure import ROUNDS, machine, rate, rates, row, yardstick
from keys import FileJournal
from keys.pkcs11.module import Pkcs11Module, TokenKeys
from keys.pkcs11.settings import HsmSettings
from keys.pkcs11.store import HsmKeys, prepare_token

_LIBRARIES: Final = (
    Path("/usr/lib/softhsm/libsofthsm2.so"),
    Path("/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so"),
    Path("/usr/lib/aarch64-linux-gnu/softhsm/libsofthsm2.so"),
)
_LABEL: Final = "benchmark"
_PIN: Final = "4711"
_DERIVATIONS: Final = 2_000
_ROUNDS_OF_GROUPS: Final = 8


def run() -> None:
    """Measure and print."""
    print(f"keys, PKCS#11 module over SoftHSM ({machine()})")
    library = next((path for path in _LIBRARIES if path.exists()), None)
    if library is None or shutil.which("softhsm2-util") is None:
        row("SoftHSM is not installed", "–")
        return
    row("SHA-256 of 64 bytes", f"{yardstick():,}/s")
    with tempfile.TemporaryDirectory() as folder:
        settings = _token(Path(folder), library)
        start = perf_counter()
        prepare_token(settings)
        row("preparing a token", f"{perf_counter() - start:.1f} s")
        keys = HsmKeys.open(settings)
        start = perf_counter()
        keys.add(registered_key(), KEY)
        row("bringing a key in", f"{1000 * (perf_counter() - start):.0f} ms")
        for algorithm in (sts.EncryptionAlgorithm.STA, sts.EncryptionAlgorithm.MISTY1):
            _derivations(keys, algorithm)
            _issues(keys, algorithm, folder=Path(folder))


def _token(folder: Path, library: Path) -> HsmSettings:
    """Make a token of its own for this run."""
    tokens, configuration, pin = folder / "tokens", folder / "softhsm2.conf", folder / "pin"
    tokens.mkdir()
    configuration.write_text(f"directories.tokendir = {tokens}\n", encoding="utf-8")
    os.environ["SOFTHSM2_CONF"] = str(configuration)
    pin.touch(mode=0o600)
    pin.write_text(_PIN, encoding="ascii")
    made = ("--label", _LABEL, "--pin", _PIN, "--so-pin", _PIN * 2)
    subprocess.run(
        ["softhsm2-util", "--init-token", "--free", *made], check=True, stdout=subprocess.DEVNULL
    )
    return HsmSettings(library=library, token_label=_LABEL, pin_file=pin)


def _derivations(keys: HsmKeys, algorithm: sts.EncryptionAlgorithm) -> None:
    source, key = TokenKeys(keys), registered_key()
    meters = [meter for meter, _, _ in islice(requests_for(algorithm), 997)]
    attributes = [meter.key_attributes(key.record.base_date) for meter in meters]
    following = cycle(attributes).__next__
    derivations = rate(lambda: source.decoder_key(key, following()), _DERIVATIONS)
    row(f"DKGA04 for EA{algorithm.value}", f"{derivations:,}/s", "HMAC inside the token")


def _issues(keys: HsmKeys, algorithm: sts.EncryptionAlgorithm, *, folder: Path) -> None:
    journal = FileJournal.create(folder / f"EA{algorithm.value}.db")
    module = Pkcs11Module(keys, lab_mode=True, journal=journal)
    needed = ROUNDS * GROUP * _ROUNDS_OF_GROUPS
    requests = iter(list(islice(requests_for(algorithm), needed)))

    def issue_group() -> None:
        with journal.transaction() as group:
            for _ in range(GROUP):
                meter, request, message_id = next(requests)
                module.issue(meter, request, message_id=message_id, now=NOW, journal=group)

    issues = rates(issue_group, _ROUNDS_OF_GROUPS)
    journal.close()
    row(
        f"EA{algorithm.value} issues in groups of {GROUP}",
        f"{issues.processor * GROUP:,}/s",
        f"{issues.wall * GROUP:,}/s on the wall, two derivations each",
    )
