"""`sts-vend tariff`: a tariff is looked at, then put in force by two people."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from vending_app.cli import main
from vending_app.config import Config
from vending_app.demo_tariffs import HOME, SHOP
from vending_app.domain.tariff import format_version

ODD = format_version(replace(HOME, number=2, first_day=date(2026, 7, 1)))
PLAIN = format_version(replace(SHOP, number=2, first_day=date(2026, 7, 1)))


def _file(folder: Path, text: str) -> str:
    path = folder / "tariff.json"
    path.write_text(text, encoding="utf-8")
    return str(path)


def _add(config: Config, file: str, *more: str, tenant: str = "thabaneng") -> Result:
    approver = {"thabaneng": "botha", "baobab": "venter"}[tenant]
    words = ["tariff", "add", file, "--data-dir", str(config.data_dir), "--tenant", tenant]
    people = ["--login", "admin", "--approver", approver]
    return CliRunner().invoke(main, [*words, *people, *more])


@pytest.fixture
def prepared(config: Config, monkeypatch: pytest.MonkeyPatch) -> Config:
    monkeypatch.setenv("STS_VEND_LAB_MODE", "true")
    return config


def test_what_is_no_tariff_is_an_error(tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["tariff", "lint", _file(tmp_path, "{")])
    assert result.exit_code == 1
    assert result.stdout.startswith("error TARIFF_JSON: ")


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "tariff.json"
    path.write_bytes(b"\xff\xfe")
    result = CliRunner().invoke(main, ["tariff", "lint", str(path)])
    assert result.exit_code == 1
    assert result.stderr.startswith("error TARIFF_FILE: ")


def test_a_plain_tariff_is_put_in_force(prepared: Config, tmp_path: Path) -> None:
    looked = CliRunner().invoke(main, ["tariff", "lint", _file(tmp_path, PLAIN)])
    assert (looked.exit_code, looked.stdout) == (0, "nothing odd found\n")
    added = _add(prepared, _file(tmp_path, PLAIN), tenant="baobab")
    assert added.exit_code == 0, added.output
    assert added.stdout.endswith("shop, version 2, is in force from 2026-07-01.\n")
    again = _add(prepared, _file(tmp_path, PLAIN), tenant="baobab")
    assert again.exit_code == 1
    assert again.stderr.startswith("error TARIFF_VERSION: ")


def test_an_odd_tariff_is_put_in_force_when_the_approver_has_seen_it(
    prepared: Config, tmp_path: Path
) -> None:
    file = _file(tmp_path, ODD)
    refused = _add(prepared, file)
    assert refused.exit_code == 1
    assert refused.stderr.startswith("error TARIFF_ODD: ")
    added = _add(prepared, file, "--accept")
    assert added.exit_code == 0, added.output
    assert "home, version 2, is in force from 2026-07-01." in added.stdout


def test_nobody_unknown_adds_a_tariff(prepared: Config, tmp_path: Path) -> None:
    result = _add(prepared, _file(tmp_path, PLAIN), "--approver", "nobody")
    assert result.exit_code == 1
    assert result.stderr.startswith("error UNKNOWN_OPERATOR: ")
