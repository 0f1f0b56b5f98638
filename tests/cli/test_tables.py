"""`sts tables verify` says yes to the one set that opens every official token."""

import json
from importlib import import_module
from pathlib import Path

import pytest

from sts.ciphers.sta_tables import SAMPLE_JSON
from sts.vectors import read_cases
from tests.cli.transcript import in_process

# The package has a command of the same name.
COMMAND = import_module("sts.cli.tables")

# A case as the official ones are, but made with the SAMPLE tables, since those of real meters are
# nobody's to bring here. It is the worked example of the standard.
CASE = {
    "op": "token",
    "token_kind": "TransferCredit/electricity",
    "sta_tables": "licensed",
    "ea": "07",
    "decoder_key_hex": "e653341f9d5bf36f",
    "tid": 0x599863,
    "rnd": 5,
    "amount_tenths": 1,
    "expected_token": "67540125520408448957",
}


@pytest.mark.parametrize("cases", [[CASE], [CASE, CASE]], ids=["one", "two"])
def test_tables_that_open_every_official_token_are_the_licensed_ones(
    cases: list[dict[str, object]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, official = read_cases({"cases": cases})
    monkeypatch.setattr(COMMAND, "load_bundled", lambda: official)
    file = tmp_path / "tables.json"
    file.write_bytes(SAMPLE_JSON)
    outcome = in_process(["tables", "verify", str(file)], {})
    assert outcome.status == 0
    assert f"{len(cases)} of {len(cases)} official EA07 vectors match" in outcome.stdout


def test_one_token_that_does_not_open_is_enough_to_say_no(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = {**CASE, "expected_token": "67540125520408448956"}
    _, official = read_cases({"cases": [CASE, other]})
    monkeypatch.setattr(COMMAND, "load_bundled", lambda: official)
    file = tmp_path / "tables.json"
    file.write_bytes(SAMPLE_JSON)
    outcome = in_process(["tables", "verify", str(file), "--json"], {})
    assert outcome.status == 1
    report = json.loads(outcome.stdout)
    assert (report["matched"], report["vectors"], report["sample"]) == (1, 2, True)
