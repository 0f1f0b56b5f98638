"""The tables of ``docs/virtual-meter.md`` are those of the code."""

from dataclasses import fields
from pathlib import Path

from sts.meter.cli import main
from sts.meter.cli.making import new
from sts.meter.profile_records import profile_to_rows
from sts.meter.profiles import PROFILES, MeterProfile
from sts.meter.results import RESULTS
from sts.meter.short_codes import DEFAULT_SHORT_CODES
from sts.meter.spec import MeterSpec
from sts.meter.supply import CAUSES
from tests.house.project import ROOT

PAGE = ROOT / "docs" / "virtual-meter.md"


def _table(path: Path, first_heading: str) -> list[list[str]]:
    """Return the rows of the table whose first column has this heading, cell by cell."""
    lines = path.read_text(encoding="utf-8").splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith(first_heading))
    rows: list[list[str]] = []
    for line in lines[start + 2 :]:
        if not line.startswith("|"):
            break
        rows.append([cell.strip() for cell in line.strip("|").split("|")])
    return rows


def test_every_field_of_a_specification_is_explained_with_its_option() -> None:
    rows = _table(PAGE, "| Field of `MeterSpec` |")
    assert [row[0] for row in rows] == [f"`{field.name}`" for field in fields(MeterSpec)]
    options = {option for parameter in new.params for option in parameter.opts}
    assert {row[1].strip("`") for row in rows} <= options


def test_every_option_of_a_new_meter_is_on_the_page() -> None:
    page = PAGE.read_text(encoding="utf-8")
    options = {option for parameter in new.params for option in parameter.opts}
    missing = {option for option in options if option.startswith("--") and option not in page}
    assert missing == set()


def test_every_result_is_listed_with_its_words() -> None:
    rows = _table(PAGE, "| Code | Result |")
    assert rows == [
        [f"{code:d}", words.name, words.household, words.engineer]
        for code, words in RESULTS.items()
    ]


def test_every_command_is_listed_with_what_it_does() -> None:
    rows = _table(PAGE, "| Command |")
    assert rows == [
        [f"`{name}`", command.get_short_help_str(200)]
        for name, command in sorted(main.commands.items())
    ]


def test_every_profile_is_listed() -> None:
    assert [row[0].strip("`") for row in _table(PAGE, "| Name of the profile |")] == list(PROFILES)


def test_every_habit_is_explained_with_what_is_standard() -> None:
    rows = _table(PAGE, "| Habit |")
    assert [row[0].strip("`") for row in rows] == [
        field.name for field in fields(MeterProfile) if field.name != "name"
    ]
    standard = profile_to_rows(PROFILES["standard"])
    told = {name.strip("`"): value.strip("`") for name, value, _ in rows}
    for name in ("reverse_energy", "reconnect", "power_limit", "phase_unbalance", "short_codes"):
        assert told[name] == standard[name]
    for name in ("reverse_tamper_s", "cut_alarm_s", "load_switch_test_s", "tid_store_size"):
        assert told[name] == str(standard[name])
    assert told["over_current"] == standard["over_current"]


def test_every_short_code_is_listed() -> None:
    assert _table(PAGE, "| Code | What it does |") == [
        [row.code, row.function.replace("_", " ").lower()] for row in DEFAULT_SHORT_CODES
    ]


def test_every_cause_is_listed_with_its_words() -> None:
    assert _table(PAGE, "| Cause |") == [[f"`{cause}`", words] for cause, words in CAUSES.items()]
