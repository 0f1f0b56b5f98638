"""No key is shown but by `--reveal`, none is lost, and none is left for others to read."""

import json
import re
import stat
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from sts.conformance import BUNDLED
from tests.cli.transcript import Transcript, all_transcripts, in_process

GROUP_KEY = {"STS_VENDING_KEY": "ABABABABABABABAB949494949494949401234567"}
METER = ["--meter", "00000000000", "--sgc", "201457"]
METER_KEY = "929bd3a415c9420a05ec5ee9f3ce91c3"


def _published_keys() -> set[str]:
    cases: list[dict[str, Any]] = [
        case
        for name in BUNDLED
        for case in json.loads(files("sts").joinpath("data", name).read_text("utf-8"))["cases"]
    ]
    return {
        str(value).lower()
        for case in cases
        for name, value in case.items()
        if name.endswith("key_hex")
    }


def _forms(key: str) -> set[str]:
    """A key, and its 32-bit parts as key change tokens carry them, in hexadecimal and decimal."""
    parts = re.findall("." * 8, key)
    return {key, *parts, *(str(int(part, 16)) for part in parts)}


@pytest.mark.parametrize(
    "transcript", all_transcripts(), ids=lambda transcript: transcript.path.stem
)
def test_no_transcript_shows_a_key_without_reveal(transcript: Transcript) -> None:
    own = {
        value.lower() for value in (*transcript.environment.values(), *transcript.files.values())
    }
    keys = {key for key in own | _published_keys() if re.fullmatch("(?:[0-9a-f]{16})+", key)}
    keys |= {key for key in own | _published_keys() if re.fullmatch("[0-9a-f]{40}", key)}
    secrets = set().union(*(_forms(key) for key in keys)) - {"0" * 8, "0"}
    for step in transcript.steps:
        printed = "\n".join(step.expected).lower()
        if "--reveal" not in step.words:
            assert [secret for secret in secrets if secret in printed] == [], step.command


def test_a_key_file_is_for_its_owner_alone(tmp_path: Path) -> None:
    file = tmp_path / "meter.key"
    outcome = in_process(["derive", *METER, "--output", str(file)], GROUP_KEY)
    assert outcome.status == 0
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert file.read_text(encoding="ascii") == f"{METER_KEY}\n"


def test_a_file_is_never_written_over(tmp_path: Path) -> None:
    file = tmp_path / "precious"
    file.write_text("precious", encoding="ascii")
    outcome = in_process(["derive", *METER, "--output", str(file)], GROUP_KEY)
    assert outcome.status == 2
    assert file.read_text(encoding="ascii") == "precious"


def test_not_even_through_a_link(tmp_path: Path) -> None:
    link, target = tmp_path / "link", tmp_path / "target"
    link.symlink_to(target)
    outcome = in_process(["derive", *METER, "--output", str(link)], GROUP_KEY)
    assert outcome.status == 2
    assert not target.exists()


def test_what_is_refused_leaves_no_file(tmp_path: Path) -> None:
    file = tmp_path / "meter.key"
    for words in (["--kt", "0"], ["--dkga", "02"], ["--ti", "100"], ["--bogus"]):
        outcome = in_process(["derive", *METER, *words, "--output", str(file)], GROUP_KEY)
        assert outcome.status in (1, 2)
        assert not file.exists()


def test_no_command_takes_a_key_as_an_argument() -> None:
    for words in (["derive", *METER], ["decode", "58625789986991357486"]):
        for option in ("--key", "--decoder-key", "--vending-key"):
            outcome = in_process([*words, option, METER_KEY], GROUP_KEY)
            assert outcome.status == 2, (words, option)
