"""From a blank token to a token that a virtual meter accepts, with nothing but the commands."""

import json
from pathlib import Path

import pytest

from keys.files import create_key_file
from tests.cli.transcript import Outcome, in_process
from tests.conftest import Require
from tests.soft_hsm import SoftHsm, missing

pytestmark = pytest.mark.hsm

MODULE = "pkcs11:hsm.toml"
METER = ("--tenant", "thabaneng", "--sgc", "201457", "--meter", "0100200002010")
FACTORY_KEY = "0123456789abcdef0123456789abcdef"
AT = ("--at", "2026-03-02T09:00Z")


@pytest.fixture
def blank_hsm(tmp_path: Path, require: Require, monkeypatch: pytest.MonkeyPatch) -> SoftHsm:
    """A token that has a PIN and nothing else, in the folder in which the commands run."""
    reason = missing()
    if reason:
        require("hsm", reason)
    monkeypatch.setenv("SOFTHSM2_CONF", "")  # So that it is put back after the test.
    monkeypatch.chdir(tmp_path)
    return SoftHsm.blank(tmp_path)


def _run(*words: str, program: str = "sts-keys", **settings: str) -> Outcome:
    outcome = in_process(list(words), settings, program)
    assert outcome.status == 0, outcome
    return outcome


def _enter(digits: str) -> str:
    return _run("enter", "house.meter", digits, *AT, program="sts-meter").stdout


def test_a_key_load_file_goes_into_the_token_and_a_sale_comes_out(
    blank_hsm: SoftHsm,
) -> None:
    assert blank_hsm.settings_file.exists()
    assert _run("hsm", "prepare", "hsm.toml").stdout == "prepared the token thabaneng\n"
    again = in_process(["hsm", "prepare", "hsm.toml"], {}, "sts-keys")
    assert again.stderr.startswith("error HSM_ALREADY_PREPARED: ")
    assert again.status == 1

    _run("module", "init", MODULE, "Depot 1", *AT)
    _run("module", "identity", MODULE, "--output", "depot.identity")
    create_key_file(Path("centre.key"))
    centre = {"STS_CENTRE_KEY_FILE": "centre.key"}
    made = _run("lab-centre", "init", "lab.centre", "Lab", *AT, "--json", **centre)
    _run("lab-centre", "identity", "lab.centre", "--output", "lab.identity", **centre)
    key = METER[:4]
    _run("lab-centre", "generate", "lab.centre", *key, *AT, **centre)
    issued = ("--tenant", "thabaneng", "--key", "201457/1", "--output", "first.klf")
    _run("lab-centre", "issue", "lab.centre", "depot.identity", *issued, *AT, **centre)
    trusted = json.loads(made.stdout)["id"]
    _run("module", "trust", MODULE, "lab.identity", "--id", trusted, *AT)
    _run("module", "load", MODULE, "first.klf", *AT)

    made_by = {"STS_DECODER_KEY": FACTORY_KEY}
    _run("new", "house.meter", "--drn", METER[-1], *AT, program="sts-meter", **made_by)
    commissioned = _run("commission", MODULE, *METER, *AT, "--json", **made_by)
    answers = [_enter(digits) for digits in json.loads(commissioned.stdout)["tokens"]]
    assert answers[-1].startswith("Accepted. The meter has its new key.")
    sold = _run("issue", "credit", MODULE, *METER, "--amount", "25.6", *AT, "--json")
    assert _enter(json.loads(sold.stdout)["token"]).startswith("Accepted. 25.6 kWh added.")
    assert json.loads(_run("module", "status", MODULE, "--json").stdout)["journal_entries"] == 2
    assert "7 entries, all right" in _run("audit", "verify", MODULE).stdout


@pytest.mark.usefixtures("blank_hsm")
def test_settings_that_others_could_replace_open_no_token_for_real_meters() -> None:
    """The settings name a library: whoever can replace them has his own program run."""
    folder = Path()
    _run("hsm", "prepare", "hsm.toml")
    made = ("module", "init", MODULE, "Town", "--production")
    used = ("client", "add", MODULE, "till-1", "--output", "till-1.credential")
    for words in (made, used):
        folder.chmod(0o777)
        refused = in_process(list(words), {}, "sts-keys")
        folder.chmod(0o700)
        assert refused.stderr.startswith("error UNSAFE_FOLDER_MODE: ")
        assert refused.status == 1
        _run(*words)


@pytest.mark.usefixtures("blank_hsm")
def test_two_tokens_may_be_given_one_seal_key() -> None:
    create_key_file(Path("seal.key"))
    words = ("hsm", "prepare", "hsm.toml", "--shared-seal-key-file", "seal.key", "--json")
    assert json.loads(_run(*words).stdout) == {"token": "thabaneng", "shared_seal_key": True}
