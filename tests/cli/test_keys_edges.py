"""What commands of `sts-keys` say where files were cut off, and people have no names."""

import json
import pwd
from pathlib import Path
from typing import NoReturn

import pytest

from keys.files import create_key_file
from tests.cli.transcript import Outcome, in_process

MODULE = "software:keys.vault"
SETTINGS = {"STS_VAULT_KEY_FILE": "vault.key"}
CUT = 10


def _run(*words: str, **settings: str) -> Outcome:
    outcome = in_process(list(words), {**SETTINGS, **settings}, "sts-keys")
    assert outcome.status == 0, outcome
    return outcome


@pytest.fixture(autouse=True)
def _vault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    create_key_file(Path("vault.key"))
    _run("vault", "init", "keys.vault")


def test_an_entry_that_was_cut_off_is_said_aloud() -> None:
    _run("module", "init", MODULE, "Depot 1")
    _run("client", "add", MODULE, "till-1", "--output", "till-1.credential")
    assert "behind the last entry" not in _run("audit", "verify", MODULE).stderr
    log = Path("keys.vault.audit")
    whole = log.read_bytes()
    log.write_bytes(whole[:-CUT])
    torn = len(whole.splitlines(keepends=True)[-1]) - CUT
    for words in (("verify", MODULE), ("inspect", str(log))):
        outcome = _run("audit", *words)
        assert "1 entries, all right" in outcome.stdout
        assert f"behind the last entry are {torn} bytes that are none" in outcome.stderr


def test_a_user_who_has_no_name_is_written_down_by_number(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def nobody(uid: int) -> NoReturn:
        raise KeyError(uid)

    # As in a container that is started under a number which its list of users does not have.
    monkeypatch.setattr(pwd, "getpwuid", nobody)
    monkeypatch.setattr("os.getuid", lambda: 12345)
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.delenv(name, raising=False)
    _run("module", "init", MODULE, "Depot 1")
    (entry,) = json.loads(_run("audit", "export", MODULE).stdout)
    assert entry["record"]["actor"] == "uid 12345"
