"""``kill -9`` at any instant leaves a sale wholly there or not at all, and its request goes on."""

import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from keys import FileJournal
from tests.house.project import ROOT
from vending_app.config import Config
from vending_app.storage.engine import Store

PROGRAM: Final = ROOT / "tests/faults/sale_kills.py"
KILLS: Final = 110
PROCESSES: Final = 8


def _run(mode: str, store: Store, config: Config, *rest: object) -> str:
    url = store.engine.url.render_as_string(hide_password=False)
    store.close()
    done = subprocess.run(
        [
            sys.executable,
            PROGRAM,
            mode,
            url,
            config.module_place,
            config.module_key,
            *map(str, rest),
        ],
        cwd=ROOT,
        env={"PYTHONPATH": str(ROOT), "PATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_a_sale_killed_at_any_step_is_wholly_there_or_not_at_all(
    store: Store, config: Config
) -> None:
    _run("points", store, config)


def test_a_sale_made_elsewhere_and_killed_at_any_step_is_gone_on_with_or_recovered(
    store: Store, config: Config, tmp_path: Path
) -> None:
    journal = tmp_path / "elsewhere.db"
    FileJournal.create(journal).close()
    _run("points", store, config, journal)


@pytest.mark.slow
def test_sales_survive_more_than_a_hundred_kills_at_random_instants(
    store: Store, config: Config
) -> None:
    kills, sold, moved, _ = map(int, _run("kills", store, config, KILLS, 1).split())
    assert kills == KILLS
    assert sold > KILLS // 4
    # Many of them died with something done, not while they opened the database.
    assert moved > KILLS // 4


def test_eight_processes_sell_to_one_meter_in_the_same_minute(store: Store, config: Config) -> None:
    _run("parallel", store, config, PROCESSES, 3)
