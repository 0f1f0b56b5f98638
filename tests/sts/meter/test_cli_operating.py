"""``sts-meter`` beside a running one, its keypad, its checks and its loads."""

import json
import os
import pty
import select
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import pytest
from click.testing import CliRunner, Result

from sts.meter.claims import living_claim
from sts.meter.cli import main
from sts.meter.cli.operating import QUIT
from sts.meter.device import open_meter
from sts.meter.memory import MeterMemory
from sts.meter.profiles import PROFILES
from tests.pair import START, VendAndMeter
from tests.sts.meter.bench import credit_digits, meter_file

AT: Final = ("--at", "2026-03-02T08:00Z")
MAX: Final = ("--speed", "max")
PROGRAM: Final = (sys.executable, "-c", "from sts.meter.cli import main; main()")
PATIENCE_SECONDS: Final = 20


@pytest.fixture
def pair() -> VendAndMeter:
    return VendAndMeter()


@pytest.fixture
def path(tmp_path: Path, pair: VendAndMeter) -> Path:
    return meter_file(tmp_path, pair)


def _run(command: str, path: Path, *arguments: str, typed: str = "") -> Result:
    return CliRunner().invoke(main, [command, str(path), *arguments], input=typed)


def _json(result: Result) -> dict[str, object]:
    found = json.loads(result.stdout)
    assert isinstance(found, dict)
    return found


# --- the front of the meter -------------------------------------------------------------------


def test_keys_from_a_pipe_enter_a_token_and_the_display_is_shown(
    path: Path, pair: VendAndMeter
) -> None:
    token = credit_digits(pair, 10)
    result = _run("keypad", path, *AT, typed=f"{token[:7]}\n{token[7:]}\nQ\n#01#\n")
    assert result.exit_code == 0
    pictures = result.stdout.split("+\n+")
    assert len(pictures) == 3
    assert "7/20" in pictures[1]
    assert "|ACCEPT              |" in pictures[2]


def test_the_keypad_as_json_has_one_object_a_key(path: Path) -> None:
    result = _run("keypad", path, *AT, "--json", typed="#01#p\n")
    rows = [json.loads(line) for line in result.stdout.splitlines()]
    assert [row["key"] for row in rows] == ["#", "0", "1", "#", "P"]
    assert rows[-1]["meter"]["relay_closed"] is False


def test_a_key_that_is_none_has_a_code(path: Path) -> None:
    result = _run("keypad", path, *AT, typed="12x\n")
    assert result.exit_code == 1
    assert result.stderr.startswith("error METER_KEY: ")


def test_the_keypad_at_a_terminal_takes_every_key_as_it_is_pressed(
    path: Path, pair: VendAndMeter
) -> None:
    token = credit_digits(pair, 10)
    process, leader = pty.fork()
    if process == 0:
        os.execv(sys.executable, [*PROGRAM, "keypad", str(path)])  # noqa: S606 - our own program
    shown = ""
    try:
        shown = _until(leader, "+\r\n", shown)
        os.write(leader, b"\x1b[A")
        for place, key in enumerate(token[:-1], start=1):
            os.write(leader, key.encode())
            shown = _until(leader, f"{place}/20", shown)
        os.write(leader, token[-1].encode())
        shown = _until(leader, "ACCEPT", shown)
        os.write(leader, QUIT.lower().encode())
        _, status = os.waitpid(process, 0)
    finally:
        os.close(leader)
    assert os.waitstatus_to_exitcode(status) == 0
    with open_meter(path) as meter:
        assert meter.snapshot(now=START).credit == 1000


def _until(leader: int, text: str, shown: str) -> str:
    """Read from a terminal until it has shown something new."""
    begins, until = len(shown), time.monotonic() + PATIENCE_SECONDS
    while text not in shown[begins:]:
        ready, _, _ = select.select([leader], [], [], max(until - time.monotonic(), 0))
        assert ready, f"{text} was not shown: {shown[begins:]}"
        shown += os.read(leader, 4096).decode("utf-8", "replace")
    return shown


def test_the_cover_the_power_and_the_button(path: Path, pair: VendAndMeter) -> None:
    _run("enter", path, credit_digits(pair, 10), *AT)
    opened = _run("tamper", path, *AT)
    assert opened.stdout == (
        "Credit 1.000 kWh. Supply is off. The meter has been tampered with. Ask your supplier.\n"
    )
    assert _json(_run("press", path, *AT, "--json"))["relay_closed"] is False
    assert _json(_run("power", path, "off", *AT, "--json"))["powered"] is False
    refused = _run("enter", path, credit_digits(pair, 10), *AT)
    assert refused.exit_code == 1
    assert refused.stderr.startswith("error METER_WITHOUT_POWER: ")
    assert _json(_run("power", path, "on", *AT, "--json"))["powered"] is True


def test_a_lockout_can_be_reset_on_the_bench(path: Path) -> None:
    for digits in ("0" * 19 + "7", "0" * 19 + "8", "0" * 19 + "9"):
        assert _run("enter", path, digits, *AT).exit_code == 1
    assert _json(_run("show", path, *AT, "--json"))["locked_until"] is not None
    assert _json(_run("reset-lockout", path, *AT, "--json"))["locked_until"] is None


# --- beside a running meter -------------------------------------------------------------------


@pytest.fixture
def running(path: Path) -> Iterator[subprocess.Popen[str]]:
    arguments = ("run", str(path), "--load", "1kW", "--speed", "60", "--json")
    process = subprocess.Popen([*PROGRAM, *arguments], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        process.stdout.readline()
        yield process
    finally:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


@pytest.mark.usefixtures("running")
def test_a_token_entered_beside_a_run_gets_its_answer_from_there(
    path: Path, pair: VendAndMeter
) -> None:
    entered = _run("enter", path, credit_digits(pair, 10), "--json")
    assert entered.exit_code == 0
    answer = json.loads(entered.stdout)
    assert answer["amount"] == "1.0 kWh"
    again = _run("enter", path, pair.digits)
    assert again.exit_code == 1
    assert again.stdout.startswith("This token has been used already.")
    second = _run("run", path)
    assert second.exit_code == 1
    assert second.stderr.startswith("error METER_CLAIMED: ")
    assert "sts-meter run (process " in _run("doctor", path).stdout


def test_a_run_that_was_stopped_has_given_the_meter_back(
    path: Path, running: subprocess.Popen[str]
) -> None:
    with closing(MeterMemory(path)) as memory:
        assert living_claim(memory) is not None
        running.send_signal(signal.SIGINT)
        assert running.wait(PATIENCE_SECONDS) == 0
        assert memory.rows("claim") == []


# --- loads ------------------------------------------------------------------------------------


def _credited(path: Path, pair: VendAndMeter) -> None:
    assert _run("enter", path, credit_digits(pair, 10), *AT).exit_code == 0


def test_a_recording_is_drawn_to_the_instant(
    path: Path, pair: VendAndMeter, tmp_path: Path
) -> None:
    _credited(path, pair)
    profile = tmp_path / "load.csv"
    rows = ("time,watts", "2026-03-02T08:00Z,1000", "2026-03-02T08:30Z,2000")
    profile.write_text("\n".join(rows), encoding="utf-8")
    arguments = ("--profile", str(profile), "--for", "2h", "--step", "2h", *MAX, *AT)
    lines = _run("run", path, *arguments).stdout.splitlines()
    assert lines[1] == "2026-03-02 08:45:00.000  RELAY OPENS: credit exhausted"


def test_a_schedule_stops_when_it_is_off(path: Path, pair: VendAndMeter, tmp_path: Path) -> None:
    _credited(path, pair)
    profile = tmp_path / "load.csv"
    profile.write_text("days,from,watts\ndaily,00:00,500\n", encoding="utf-8")
    arguments = ("--profile", str(profile), "--for", "1d", "--until-off", *MAX, *AT)
    lines = _run("run", path, *arguments).stdout.splitlines()
    assert lines[-2].endswith("10:00:00.000  RELAY OPENS: credit exhausted")
    assert len(lines) == 4


def test_a_household_has_a_number(path: Path, pair: VendAndMeter) -> None:
    _credited(path, pair)
    arguments = ("--household", "7", "--for", "1h", "--step", "1h", *MAX, *AT, "--json")
    last = json.loads(_run("run", path, *arguments).stdout.splitlines()[-1])
    assert last["total"] > 0


@pytest.mark.parametrize(
    ("arguments", "status", "code"),
    [
        (("--household", "7", *MAX, "--until-off"), 2, "USAGE"),
        (("--household", "7", "--load", "1kW", "--for", "1h"), 2, "USAGE"),
        (("--profile", "nowhere.csv", "--for", "1h", *MAX), 1, "METER_LOAD_DESCRIPTION"),
    ],
)
def test_loads_that_cannot_be_are_refused(
    path: Path, arguments: tuple[str, ...], status: int, code: str
) -> None:
    result = _run("run", path, *arguments, *AT)
    assert result.exit_code == status
    assert result.stderr.startswith(f"error {code}: ")


@pytest.mark.parametrize("content", [b"\xff\xfe", b"time,l1_w\n", b"days,from\n", b""])
def test_a_profile_that_is_none_is_refused(path: Path, tmp_path: Path, content: bytes) -> None:
    profile = tmp_path / "load.csv"
    profile.write_bytes(content)
    result = _run("run", path, "--profile", str(profile), "--for", "1h", *MAX, *AT)
    assert result.exit_code == 1
    assert result.stderr.startswith("error METER_LOAD_DESCRIPTION: ")


def test_a_load_of_three_phases_is_refused_by_a_meter_of_one(path: Path, tmp_path: Path) -> None:
    profile = tmp_path / "load.csv"
    profile.write_text("days,from,l1_w,l2_w,l3_w\ndaily,00:00,1,2,3\n", encoding="utf-8")
    result = _run("run", path, "--profile", str(profile), "--for", "1h", *MAX, *AT)
    assert result.stderr.startswith("error METER_LOAD: ")


def test_each_of_three_phases_has_a_load_of_its_own(tmp_path: Path) -> None:
    pair = VendAndMeter(profile=PROFILES["standard"], phases=3)
    path = meter_file(tmp_path, pair)
    _credited(path, pair)
    _run("run", path, "--load", "2kW,1kW,-500W", "--for", "12min", *MAX, *AT)
    shown = _run("show", path, "--at", "2026-03-02T08:12Z").stdout
    assert "load            2500 W (2000 W, 1000 W, -500 W)\n" in shown
    assert "credit          0.500 kWh\n" in shown
    _run("run", path, "--load", "-3kW,0,0", "--for", "20min", *MAX, "--at", "2026-03-02T08:12Z")
    shown = _run("show", path, "--at", "2026-03-02T08:32Z").stdout
    assert "fed back        1.000 kWh\n" in shown
    assert "credit          0.500 kWh\n" in shown
    refused = _run("run", path, "--load", "1kW,1kW", "--for", "1min", *MAX, *AT)
    assert refused.stderr.startswith("error METER_LOAD_DESCRIPTION: ")


# --- tampering, and a technician --------------------------------------------------------------


def test_a_magnet_lasts_until_it_is_taken_away(path: Path, pair: VendAndMeter) -> None:
    _credited(path, pair)
    held = _run("tamper", path, "--kind", "magnet", "--lasting", *AT)
    assert "The meter has been tampered with." in held.stdout
    pair.clear_tamper()
    still = _run("enter", path, pair.digits, *AT)
    assert "The meter has been tampered with." in still.stdout
    assert _run("tamper", path, "--kind", "magnet", "--end", *AT).exit_code == 0
    pair.clear_tamper()
    assert "Supply is on." in _run("enter", path, pair.digits, *AT).stdout
    assert "MAGNETIC" in _run("events", path, *AT).stdout


def test_a_technician_switches_the_supply(path: Path, pair: VendAndMeter) -> None:
    _credited(path, pair)
    off = _run("supply", path, "off", *AT)
    assert off.stdout.endswith("Supply is off. A technician has switched off the supply.\n")
    assert _json(_run("supply", path, "on", *AT, "--json"))["relay_closed"] is True


def test_what_is_lent_is_shown_until_it_is_repaid(tmp_path: Path) -> None:
    pair = VendAndMeter(profile=PROFILES["standard"])
    path = meter_file(tmp_path, pair)
    _run("keypad", path, *AT, typed="#90#\n")
    _run("run", path, "--load", "2kW", "--for", "1h", *MAX, *AT)
    late = ("--at", "2026-03-02T09:00Z")
    row = "emergency       3.000 kWh left, 2.000 kWh to pay off\n"
    assert row in _run("show", path, *late).stdout
    entered = _run("enter", path, credit_digits(pair, 30), *late)
    assert "Credit 1.000 kWh." in entered.stdout
    assert "emergency " not in _run("show", path, *late).stdout
    assert "EMERGENCY_REPAID" in _run("events", path, *late).stdout


# --- the load profile -------------------------------------------------------------------------


def _export(path: Path, *arguments: str) -> Result:
    return CliRunner().invoke(main, ["profile", "export", str(path), *arguments])


def test_the_load_profile_goes_out_as_a_table(path: Path, pair: VendAndMeter) -> None:
    _credited(path, pair)
    _run("run", path, "--load", "100W", "--for", "1h", *MAX, *AT)
    late = ("--at", "2026-03-02T09:10Z")
    result = _export(path, *late)
    assert result.stdout == (
        "starts_at,ends_at,imported,exported,credit\n"
        "2026-03-02T08:00:00+00:00,2026-03-02T08:30:00+00:00,50,0,950\n"
        "2026-03-02T08:30:00+00:00,2026-03-02T09:00:00+00:00,50,0,900\n"
    )
    rows = json.loads(_export(path, *late, "--json").stdout)
    assert [row["credit"] for row in rows] == [950, 900]


def test_daily_totals_go_out_too_and_no_file_is_overwritten(
    path: Path, pair: VendAndMeter, tmp_path: Path
) -> None:
    _credited(path, pair)
    _run("run", path, "--load", "10W", "--for", "2d", *MAX, *AT)
    output = tmp_path / "days.csv"
    arguments = ("--days", "--output", str(output), "--at", "2026-03-04T08:00Z")
    assert _export(path, *arguments).stdout == f"2 lines written to {output}\n"
    assert output.read_text(encoding="utf-8").splitlines() == [
        "day,starts_at,ends_at,imported,exported",
        "2026-03-02,2026-03-02T08:00:00+00:00,2026-03-03T00:00:00+00:00,160,0",
        "2026-03-03,2026-03-03T00:00:00+00:00,2026-03-04T00:00:00+00:00,240,0",
    ]
    again = _export(path, *arguments)
    assert again.exit_code == 1
    assert again.stderr.startswith("error METER_FILE_EXISTS: ")
    nowhere = _export(path, "--output", str(tmp_path / "no" / "folder.csv"))
    assert nowhere.stderr.startswith("error METER_FILE_ACCESS: ")


# --- doctor -----------------------------------------------------------------------------------


def test_a_sound_meter_has_no_problems(path: Path, pair: VendAndMeter) -> None:
    _credited(path, pair)
    result = _run("doctor", path)
    assert result.exit_code == 0
    assert result.stdout == (
        "file and registers checked: 1 events, 1 tokens\nrun by nobody; no problems\n"
    )
    assert _json(_run("doctor", path, "--json"))["problems"] == []


def test_every_problem_has_a_code(path: Path) -> None:
    now = datetime.now(UTC).isoformat()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE state SET value = 1000 WHERE name = 'credit_bought'")
        connection.execute("INSERT INTO claim VALUES (1, 'run', 4194305, '', ?)", (now,))
        connection.commit()
    path.chmod(0o644)
    result = _run("doctor", path, "--json")
    assert result.exit_code == 1
    problems = json.loads(result.stdout)["problems"]
    assert [problem["code"] for problem in problems] == [
        "ENERGY_BALANCE",
        "FILE_NOT_PRIVATE",
        "CLAIM_LEFT_BEHIND",
    ]
    assert "problem FILE_NOT_PRIVATE: " in _run("doctor", path).stdout


def test_a_damaged_file_is_told_by_its_own_code(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("DROP TABLE state")
    result = _run("doctor", path)
    assert result.exit_code == 1
    assert result.stderr.startswith("error METER_FILE_DAMAGED: ")
