"""The commands themselves: who is let in, what is shown, and what a kill leaves."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from keys.bulk.generate import generate
from keys.cli import main
from keys.clients import ClientCredential, format_credential
from keys.custody import Custody
from keys.files import create_key_file, write_new
from keys.vault import Vault
from tests.keys.bulk.conftest import LONG_KEY, METERS, NOW, SHARED, Depot
from tests.keys.bulk.tables import read_table, write_table
from tests.keys.custody import registered

GIVEN = {**SHARED, "to_krn": "2"}


# --- production -------------------------------------------------------------------------------


@pytest.fixture
def production(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Custody:
    """Make a module for real meters, with one key and a client."""
    monkeypatch.chdir(tmp_path)
    vault = Vault.create(Path("keys.vault"), create_key_file(Path("vault.key")))
    vault.add_all([(registered(201457), LONG_KEY)])
    custody = Custody.begin(
        Path("keys.vault"),
        vault,
        name="Depot 1",
        is_lab=False,
        actor="ada",
        now=NOW,
        random_bytes=os.urandom,
    )
    _let_in(custody, "planner")
    return custody


def _let_in(custody: Custody, name: str) -> ClientCredential:
    credential = custody.file.new_credential(name)
    custody.add_client(credential, now=NOW)
    write_new(Path(f"{name}.credential"), format_credential(credential))
    return credential


def _credit(*words: str) -> Result:
    rows = [
        {"meter": meter, **SHARED, "ea": ea, "tenths": "125"}
        for meter, ea in zip(METERS, ("11", "11", "11", "07"), strict=True)
    ]
    write_table(Path("fleet.parquet"), rows)
    command = ["batch", "credit", "fleet.parquet", "-o", "out.parquet", "--processes", "1"]
    who = ["--module", "software:keys.vault", "--tenant", "thabaneng", "--key-file", "vault.key"]
    return CliRunner().invoke(main, [*command, *who, *words])


@pytest.mark.usefixtures("production")
def test_a_production_module_makes_real_tokens_for_who_shows_a_credential() -> None:
    outcome = _credit("--credential", "planner.credential")
    # The fourth meter needs the licensed tables, which are not here.
    assert outcome.exit_code == 1
    assert "wrote out.parquet: 3 of 4 rows" in outcome.output
    assert len(read_table(Path("out.parquet"))) == 3
    refused = Path("out.parquet.errors.csv").read_text(encoding="ascii")
    assert refused == f"line,code,meter\n4,SAMPLE_TABLES_IN_PRODUCTION,{METERS[3]}\n"


@pytest.mark.usefixtures("production")
def test_a_production_module_verifies_for_who_shows_a_credential() -> None:
    _credit("--credential", "planner.credential")
    who = ["--module", "software:keys.vault", "--tenant", "thabaneng", "--key-file", "vault.key"]
    words = ["batch", "verify", "out.parquet", "--input", "fleet.parquet", *who]
    outcome = CliRunner().invoke(main, [*words, "--credential", "planner.credential"])
    assert outcome.exit_code == 0
    assert "4 rows, 3 came out, 4 judged and right" in outcome.output
    assert CliRunner().invoke(main, words).exit_code == 1


def test_a_production_module_makes_nothing_for_anybody_else(
    production: Custody, tmp_path: Path
) -> None:
    outcomes = [_credit()]
    _let_in(production, "gone")
    production.revoke_client("gone", now=NOW)
    outcomes.append(_credit("--credential", "gone.credential"))
    content = Path("planner.credential").read_text(encoding="ascii").replace("planner", "stranger")
    write_new(Path("stranger.credential"), content.encode("ascii"))
    outcomes.append(_credit("--credential", "stranger.credential"))
    outcomes.append(_credit("--credential", "planner.credential", "--at", "2026-03-02T08:15Z"))
    codes = [re.findall(r"error ([A-Z_]+):", outcome.output) for outcome in outcomes]
    assert codes == [
        ["CLIENT_CREDENTIAL_MISSING"],
        ["CLIENT_REVOKED"],
        ["CLIENT_CREDENTIAL_REFUSED"],
        ["LAB_MODULE_ONLY"],
    ]
    assert not list(tmp_path.glob("out.*"))


# --- kills ------------------------------------------------------------------------------------


def _children(process: int) -> list[int]:
    tasks = Path(f"/proc/{process}/task")
    return [
        int(child) for task in tasks.iterdir() for child in (task / "children").read_text().split()
    ]


def _running(processes: list[int]) -> Iterator[int]:
    for each in processes:
        try:
            state = Path(f"/proc/{each}/stat").read_text(encoding="ascii").rpartition(")")[2]
        except (FileNotFoundError, ProcessLookupError):
            continue
        if state.split()[0] != "Z":
            yield each


@pytest.mark.slow
def test_who_kills_the_first_process_ends_them_all(depot: Depot) -> None:
    source = depot.folder / "fleet.csv"
    generate(source, 300_000, seed=3, given=GIVEN)
    program = str(Path(sys.executable).with_name("sts-keys"))
    running = subprocess.Popen(
        [
            program, "batch", "key-change", str(source), "-o", str(depot.folder / "out.csv"),
            "--module", depot.name, "--tenant", "thabaneng", "--key-file", str(depot.key_file),
            "--processes", "2",
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )  # fmt: skip
    folder = depot.folder / "out.csv.job"
    while not list(folder.glob("*.record")):
        assert running.poll() is None
        time.sleep(0.005)
    workers = _children(running.pid)
    running.send_signal(signal.SIGKILL)
    running.wait()
    assert len(workers) == 2
    end = time.monotonic() + 20
    while list(_running(workers)) and time.monotonic() < end:
        time.sleep(0.01)
    assert not list(_running(workers))
    assert not (depot.folder / "out.csv").exists()
