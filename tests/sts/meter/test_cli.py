"""``sts-meter`` as it is typed: transcripts, exit statuses, errors on one line."""

import json
import os
import pty
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

import pytest
from click.testing import CliRunner, Result

from sts.ciphers.sta_tables import SAMPLE_JSON
from sts.identifiers import EncryptionAlgorithm, SupplyGroupCode
from sts.meter.cli import first_key, main
from sts.meter.device import VirtualMeter, open_meter
from sts.tokens import Service
from tests.pair import DITK, VendAndMeter
from tests.sts.meter.bench import credit_digits

AT: Final = "2026-03-02T08:00Z"
DRN: Final = "0100200002010"
STA_DRN: Final = "00100001023"
PROGRAM: Final = (sys.executable, "-c", "from sts.meter.cli import main; main()")


class Bench:
    """A folder, a pair that vends for the meter in it, and the command line."""

    def __init__(self, folder: Path, pair: VendAndMeter) -> None:
        """Give commands the pair's key in the environment."""
        self.pair = pair
        self.path = folder / "house.meter"
        self.key = pair.state.key_register.decoder_key.expose().hex()
        self._runner = CliRunner(env={"STS_DECODER_KEY": self.key, "STS_STA_TABLES": None})

    def run(self, command: str, *arguments: str, typed: str = "") -> Result:
        return self._runner.invoke(main, [command, str(self.path), *arguments], input=typed)

    def new(self, *arguments: str) -> Result:
        numbers = (
            "--drn",
            str(self.pair.spec.decoder_reference_number),
            "--sgc",
            "201457",
            "--kt",
            "2",
        )
        return self.run("new", *numbers, "--at", AT, *arguments)

    def credited(self, tenths: int = 10) -> None:
        assert self.new().exit_code == 0
        assert self.run("enter", credit_digits(self.pair, tenths), "--at", AT).exit_code == 0


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path, VendAndMeter(DRN))


@pytest.fixture
def sta_bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path, VendAndMeter(STA_DRN, EncryptionAlgorithm.STA))


def _error(result: Result) -> str:
    (line,) = result.stderr.splitlines()
    assert line.startswith("error ")
    return line.removeprefix("error ")


def test_the_whole_way_from_new_to_off(bench: Bench) -> None:
    made = bench.new()
    assert made.exit_code == 0
    assert "Supply is off. The credit is used up. Buy a token." in made.stdout
    entered = bench.run("enter", *_groups(credit_digits(bench.pair, 10)), "--at", AT)
    assert entered.stdout == "Accepted. 1.0 kWh added.\nCredit 1.000 kWh. Supply is on.\n"
    ran = bench.run("run", "--load", "2kW", "--until-off", "--speed", "max", "--at", AT)
    lines = ran.stdout.splitlines()
    assert ran.exit_code == 0
    assert len(lines) == 23
    assert "2026-03-02 08:29:30.000  CUT AHEAD" in lines
    assert lines[0].endswith("1.000 kWh  2000 W")
    assert lines[-2] == "2026-03-02 08:30:00.000  RELAY OPENS: credit exhausted"
    assert lines[-1].endswith("0.000 kWh  off")
    again = bench.run("enter", bench.pair.digits, "--at", "2026-03-02T09:00Z")
    assert again.exit_code == 1
    assert again.stdout == (
        "This token has been used already.\nUsedError (10): the token identifier is stored\n"
    )


def _groups(digits: str) -> list[str]:
    return [digits[start : start + 4] for start in range(0, 20, 4)]


def test_a_token_can_be_typed_when_asked_for(bench: Bench) -> None:
    bench.new()
    result = bench.run("enter", "--at", AT, typed=credit_digits(bench.pair, 10) + "\n")
    assert result.exit_code == 0
    assert "1.0 kWh added" in result.stdout


def test_a_display_token_shows_its_lines(bench: Bench) -> None:
    bench.new()
    result = bench.run("enter", "36893488147553322496", "--at", AT)
    assert "  TI 01\n" in result.stdout


def test_an_entry_as_json(bench: Bench) -> None:
    bench.new()
    result = bench.run("enter", credit_digits(bench.pair, 10), "--at", AT, "--json")
    answer = json.loads(result.stdout)
    assert answer["result"] == {"code": 1, "name": "Accept"}
    assert answer["refused"] is False
    assert answer["amount"] == "1.0 kWh"
    assert answer["meter"]["credit"] == 1000


def test_showing_changes_nothing(bench: Bench) -> None:
    bench.credited()
    before = bench.path.read_bytes()
    first = bench.run("show", "--at", AT)
    assert first.exit_code == 0
    assert bench.path.read_bytes() == before
    assert first.stdout.splitlines()[1].split() == ["credit", "1.000", "kWh"]
    shown = json.loads(bench.run("show", "--at", AT, "--json").stdout)
    assert shown["drn"] == DRN
    assert shown["supply_group_code"] == "201457"


def test_without_a_moment_it_is_now(bench: Bench) -> None:
    bench.credited()
    shown = json.loads(bench.run("show", "--json").stdout)
    assert shown["at"] >= "2026-03-02T08:00:00+00:00"


def test_events_and_history_are_listed_newest_first(bench: Bench) -> None:
    bench.credited()
    bench.run("run", "--load", "500W", "--for", "1h", "--speed", "max", "--at", AT)
    bench.run("enter", "[red]1234", "--at", "2026-03-02T09:00Z")
    late = ("--at", "2026-03-02T12:00Z")
    heads, opened, ahead, closed = bench.run("events", *late).stdout.splitlines()
    assert heads.split() == ["time", "event", "cause", "credit", "total"]
    assert opened.split()[1:] == ["RELAY_OPENED", "CREDIT_EXHAUSTED", "0", "1000"]
    assert ahead.split()[1] == "CUT_AHEAD"
    assert closed.split()[1] == "RELAY_CLOSED"
    rows = json.loads(bench.run("events", "--json", *late).stdout)
    assert [row["cause"] for row in rows] == ["CREDIT_EXHAUSTED", None, "CREDIT_EXHAUSTED"]
    lines = bench.run("history").stdout.splitlines()
    assert lines[1].split()[1:] == ["[red", "]123", "4", "FormatError"]
    assert lines[2].split()[-3:] == ["Accept", "1.0", "kWh"]
    tokens = json.loads(bench.run("history", "--json", "--limit", "1").stdout)
    assert [token["result"]["name"] for token in tokens] == ["FormatError"]


def test_a_run_as_json_has_one_object_a_line(bench: Bench) -> None:
    bench.credited()
    result = bench.run(
        "run",
        "--load",
        "1kW",
        "--for",
        "2h",
        "--step",
        "1h",
        "--speed",
        "max",
        "--at",
        AT,
        "--json",
    )
    rows = [json.loads(line) for line in result.stdout.splitlines()]
    assert [row.get("event", row.get("credit_text")) for row in rows] == [
        "1.000 kWh",
        "CUT_AHEAD",
        "RELAY_OPENED",
        "0.000 kWh",
        "0.000 kWh",
    ]


def test_a_run_stops_at_whatever_comes_first(bench: Bench) -> None:
    bench.credited()
    until_off = ("--until-off", "--speed", "max", "--at", AT)
    short = bench.run("run", "--load", "1kW", "--for", "30min", *until_off)
    assert short.stdout.splitlines()[-1].startswith("2026-03-02 08:30:00.000")
    whole = bench.run("run", "--for", "5h", *until_off)
    assert whole.stdout.splitlines()[-1].startswith("2026-03-02 09:00:00.000")
    off = bench.run("run", *until_off)
    assert len(off.stdout.splitlines()) == 1
    assert off.stdout.rstrip().endswith("off")


def test_a_run_without_a_load_needs_an_end(bench: Bench) -> None:
    bench.credited()
    until_off = ("--until-off", "--speed", "max", "--at", AT)
    refused = bench.run("run", *until_off)
    assert refused.exit_code == 2
    assert _error(refused).startswith("USAGE: with this load")
    assert bench.run("run", "--for", "1h", *until_off).exit_code == 0


def test_an_endless_run_is_stopped_with_ctrl_c(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.credited()
    advance, times = VirtualMeter.advance, iter(range(4))

    def tired(self: VirtualMeter, **moment: Any) -> Any:  # noqa: ANN401 - as the method has it
        if next(times, None) is None:
            raise KeyboardInterrupt
        return advance(self, **moment)

    monkeypatch.setattr(VirtualMeter, "advance", tired)
    fast = ("--step", "1s", "--speed", "1000000")
    result = bench.run("run", "--load", "1kW", *fast, "--at", AT)
    assert result.exit_code == 0
    assert result.stderr == "stopped\n"
    assert len(result.stdout.splitlines()) == 3


# --- refusals ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("run", "--speed", "max"), "USAGE: --speed max needs an end"),
        (("run", "--speed", "0"), "USAGE: Invalid value for '--speed'"),
        (("run", "--speed", "fast"), "USAGE: Invalid value for '--speed'"),
        (("run", "--load", "much"), "USAGE: Invalid value for '--load'"),
        (("run", "--for", "9999999d", "--speed", "max"), "USAGE: --for goes beyond"),
        (("show", "--at", "noon"), "USAGE: Invalid value for '--at'"),
        (("show", "--at", "2026-03-02T08:00"), "USAGE: Invalid value for '--at'"),
        (("events", "--limit", "0"), "USAGE: Invalid value for '--limit'"),
    ],
)
def test_mistakes_in_usage_have_status_2(
    bench: Bench, arguments: tuple[str, ...], message: str
) -> None:
    bench.credited()
    result = bench.run(*arguments)
    assert result.exit_code == 2
    assert _error(result).startswith(message)


def test_a_load_beyond_the_rating_is_refused_by_the_meter(bench: Bench) -> None:
    bench.credited()
    result = bench.run("run", "--load", "999kW", "--for", "1h", "--at", AT)
    assert result.exit_code == 1
    assert _error(result).startswith("METER_LOAD: ")


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("--drn", "0100200002011"), "WRONG_CHECK_DIGIT"),
        (("--sgc", "1234"), "WRONG_LENGTH"),
        (("--ea", "07"), "METER_SPEC"),
        (("--currency", "ZAR"), "METER_SPEC"),
        (("--price", "3"), "METER_SPEC"),
        (("--phases", "3", "--service", "water"), "METER_SPEC"),
    ],
)
def test_meters_that_cannot_be_are_refused(
    bench: Bench, arguments: tuple[str, ...], code: str
) -> None:
    result = bench.new(*arguments)
    assert result.exit_code == 1
    assert _error(result).startswith(f"{code}: ")
    assert not bench.path.exists()


def test_a_refusal_as_json(bench: Bench) -> None:
    result = bench.run("show", "--json")
    assert result.exit_code == 1
    assert json.loads(result.stdout)["error"]["code"] == "METER_FILE_MISSING"


def test_an_existing_file_is_not_overwritten(bench: Bench) -> None:
    bench.credited()
    result = bench.new()
    assert result.exit_code == 1
    assert _error(result).startswith("METER_FILE_EXISTS: ")


# --- kinds of meters --------------------------------------------------------------------------


def test_a_currency_meter(bench: Bench) -> None:
    assert bench.new("--currency", "ZAR", "--price", "3.425").exit_code == 0
    assert "0.00000 ZAR" in bench.run("show", "--at", AT).stdout


def test_prices_from_a_time_on(bench: Bench) -> None:
    later = "2026-07-01T00:00Z=3.9"
    assert bench.new("--currency", "ZAR", "--price", "3.4", "--price", later).exit_code == 0
    with open_meter(bench.path) as meter:
        prices = [period.per_thousand for period in meter.spec.prices]
    assert prices == [340_000, 390_000]


@pytest.mark.parametrize(("service", "load"), [("water", "0 litre/h"), ("time", "time passes")])
def test_the_load_of_other_services(bench: Bench, service: str, load: str) -> None:
    bench.pair = VendAndMeter(DRN, service=Service[service.upper()])
    assert bench.new("--service", service).exit_code == 0
    assert bench.run("enter", credit_digits(bench.pair, 10), "--at", AT).exit_code == 0
    assert f"load            {load}\n" in bench.run("show", "--at", AT).stdout


def test_all_that_can_be_built_in(bench: Bench) -> None:
    result = bench.new(
        *("--phases", "3", "--voltage", "400", "--max-current", "100", "--button"),
        *("--no-key-expiry", "--no-three-token-set", "--tid-of-manufacture", "7"),
        *("--ti", "07", "--krn", "3", "--ken", "85", "--json"),
    )
    shown = json.loads(result.stdout)
    assert (shown["phases"], shown["tariff_index"]) == (3, "07")
    assert (shown["key_revision_number"], shown["key_expiry_number"]) == (3, 85)


def test_a_meter_from_the_factory_has_no_revision(bench: Bench) -> None:
    shown = json.loads(bench.new("--kt", "0", "--json").stdout)
    assert (shown["key_type"], shown["key_revision_number"]) == ("INITIALISATION", None)


def test_what_waits_for_parts_says_so(bench: Bench) -> None:
    bench.new()
    digits = bench.pair.key_change_digits({"supply_group_code": SupplyGroupCode(203557)})
    result = bench.run("enter", digits[0], "--at", AT)
    assert result.exit_code == 0
    assert result.stdout.startswith("Part 1 of a set stored. Now enter part 2, 3, 4.")
    assert "2, 3, 4" in bench.run("show", "--at", AT).stdout


def test_an_ea07_meter_says_that_its_tables_are_the_sample(sta_bench: Bench) -> None:
    made = sta_bench.new("--ea", "07")
    assert made.exit_code == 0
    mark = "SAMPLE tables: not for real meters\n"
    assert made.stderr == mark
    result = sta_bench.run("enter", credit_digits(sta_bench.pair, 10), "--at", AT)
    assert result.stderr == mark
    assert "1.0 kWh added" in result.stdout


def test_an_ea07_meter_remembers_its_tables(sta_bench: Bench, tmp_path: Path) -> None:
    tables = tmp_path / "tables.json"
    tables.write_bytes(SAMPLE_JSON.replace(b"SAMPLE", b"COPY"))
    assert sta_bench.new("--ea", "07", "--tables", str(tables)).exit_code == 0
    assert _error(sta_bench.run("show")).startswith("METER_TABLES: ")
    assert sta_bench.run("show", "--tables", str(tables)).exit_code == 0


# --- where the key comes from -----------------------------------------------------------------


@pytest.fixture
def _no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(first_key, "KEY_VARIABLE", "STS_NO_SUCH_VARIABLE")


@pytest.mark.usefixtures("_no_key")
def test_without_a_key_nothing_is_made(bench: Bench) -> None:
    result = bench.new()
    assert result.exit_code == 2
    assert _error(result).startswith("USAGE: no decoder key")
    assert not bench.path.exists()


@pytest.mark.usefixtures("_no_key")
def test_a_key_can_come_from_a_file(bench: Bench, tmp_path: Path) -> None:
    file = tmp_path / "meter.key"
    file.write_text(bench.key + "\n", encoding="ascii")
    assert bench.new("--decoder-key-file", str(file)).exit_code == 0
    token = credit_digits(bench.pair, 10)
    assert bench.run("enter", token, "--at", AT).exit_code == 0


@pytest.mark.parametrize(
    ("content", "code"),
    [("", "KEY_LENGTH"), ("no key at all", "KEY_FORMAT"), ("schlüssel", "KEY_FORMAT")],
)
def test_a_file_without_a_key_is_refused_without_showing_it(
    bench: Bench, tmp_path: Path, content: str, code: str
) -> None:
    file = tmp_path / "meter.key"
    file.write_text(content, encoding="utf-8")
    error = _error(bench.new("--decoder-key-file", str(file)))
    assert error.startswith(f"{code}: ")
    assert not content or content not in error


def test_a_key_file_that_is_not_there_is_a_mistake_in_usage(bench: Bench, tmp_path: Path) -> None:
    result = bench.new("--decoder-key-file", str(tmp_path / "nowhere"))
    assert result.exit_code == 2


def test_a_key_is_asked_for_at_a_terminal_and_not_shown(tmp_path: Path) -> None:
    path = tmp_path / "house.meter"
    key = DITK[128].expose().hex()
    leader, follower = pty.openpty()
    environment = {name: text for name, text in os.environ.items() if name != "STS_DECODER_KEY"}
    process = subprocess.Popen(
        [*PROGRAM, "new", str(path), "--drn", DRN, "--kt", "0"],
        stdin=follower,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=environment,
        start_new_session=True,
    )
    os.close(follower)
    shown = b""
    with process:
        assert process.stdout is not None
        # What is typed before the prompt is thrown away.
        while not shown.endswith(b": "):
            shown += os.read(process.stdout.fileno(), 1)
        os.write(leader, f"{key}\n".encode())
        shown += process.stdout.read()
    os.close(leader)
    assert process.returncode == 0
    assert key not in shown.decode()
    assert path.exists()


def test_the_program_itself_has_the_statuses(tmp_path: Path) -> None:
    def status(*arguments: str) -> int:
        return subprocess.run([*PROGRAM, *arguments], capture_output=True, check=False).returncode

    assert status("--help") == 0
    assert status("show", str(tmp_path / "nowhere")) == 1
    assert status("show") == 2
