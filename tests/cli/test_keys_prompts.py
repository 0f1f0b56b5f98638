"""Passphrases, keys and components are asked for without echo, each of its own person."""

import re
from pathlib import Path
from typing import Final

import pytest

from keys import Vault
from keys.files import create_key_file, read_key_file
from keys.unlock import Passphrase
from sts.meter.key_file import open_meter_key
from tests.cli.test_prompts import Terminal, terminal
from tests.cli.transcript import PROGRAM, in_process

PROGRAM_OF_KEYS: Final = PROGRAM.with_name("sts-keys")
PHRASE: Final = "seven quiet rivers"
KEY: Final = "ABABABABABABABAB949494949494949401234567"
SETTINGS: Final = {"STS_VAULT_KEY_FILE": "vault.key"}
NEW_KEY: Final = ("--tenant", "thabaneng", "--sgc", "201457")


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def module() -> str:
    """A lab module over an empty vault."""
    Vault.create(Path("keys.vault"), create_key_file(Path("vault.key")))
    name = "software:keys.vault"
    made = in_process(["module", "init", name, "Depot 1"], SETTINGS, "sts-keys")
    assert made.status == 0, made
    return name


def test_a_new_passphrase_is_typed_twice_and_not_shown() -> None:
    with terminal("vault", "init", "keys.vault", program=PROGRAM_OF_KEYS) as person:
        person.wait_for("passphrase of the vault: ")
        person.type(f"{PHRASE}\n")
        person.wait_for("Repeat for confirmation: ")
        person.type(f"{PHRASE}\n")
        assert person.finish() == 0
    assert PHRASE not in person.screen
    assert Vault.open(Path("keys.vault"), Passphrase.from_text(PHRASE)).records == ()


def test_a_wrong_passphrase_is_refused_and_not_shown() -> None:
    Vault.create(Path("keys.vault"), Passphrase.from_text(PHRASE))
    with terminal("vault", "status", "keys.vault", program=PROGRAM_OF_KEYS) as person:
        person.wait_for("passphrase of the vault: ")
        person.type("seven loud rivers\n")
        assert person.finish() == 1
    assert "error WRONG_PASSPHRASE_OR_DAMAGED_HEADER: " in person.screen
    assert "rivers" not in person.screen


def test_a_vending_key_is_typed_without_echo(module: str) -> None:
    words = ("import", module, *NEW_KEY, "--key-file", "vault.key")
    with terminal(*words, program=PROGRAM_OF_KEYS) as person:
        person.wait_for("vending key (hexadecimal): ")
        person.type(f"{KEY}\n")
        assert person.finish() == 0
    assert KEY not in person.screen
    assert "229A7E" in person.screen


def test_what_opens_a_meter_key_file_is_typed_twice_and_not_shown(module: str) -> None:
    vending_key = {**SETTINGS, "STS_VENDING_KEY": KEY}
    assert in_process(["import", module, *NEW_KEY], vending_key, "sts-keys").status == 0
    meter = ("--meter", "0100200002010", "--output", "house.key", "--key-file", "vault.key")
    with terminal("meter-file", module, *NEW_KEY, *meter, program=PROGRAM_OF_KEYS) as person:
        person.wait_for("passphrase of the meter key file: ")
        person.type(f"{PHRASE}\n")
        person.wait_for("Repeat for confirmation: ")
        person.type(f"{PHRASE}\n")
        assert person.finish() == 0
    register = open_meter_key(Path("house.key").read_text("ascii"), PHRASE).register
    key = register.decoder_key.expose().hex()
    log = Path("keys.vault.audit").read_text("utf-8")
    assert "229A7E" in person.screen
    for secret in (PHRASE, key, KEY.lower()):
        assert secret not in person.screen.lower()
        assert secret not in log.lower()


def _ceremony(module: str, *components: str, record: str) -> tuple[str, ...]:
    given = [word for each in components for word in ("--component", each)]
    options = ("--led-by", "Cy Watt", "--record", record, "--key-file", "vault.key")
    return ("ceremony", module, *NEW_KEY, *given, *options)


def _write_down(person: Terminal, name: str, number: int) -> tuple[str, str]:
    """Sit alone at the screen, read a component and its check value, and type the latter."""
    person.wait_for(f"{name} alone at the screen: press Enter")
    person.type("\n")
    person.wait_for("type the check value when it is written down: ", times=number)
    shown = person.screen.rpartition(f"{name}, write this down:")[2]
    digits = re.search(r"(?:[0-9A-F]{4} ){9}[0-9A-F]{4}", shown)
    check_value = re.search(r"check value  ([0-9A-F]{6})", shown)
    assert digits is not None
    assert check_value is not None
    person.type(f"{check_value[1]}\n")
    return digits[0], check_value[1]


def test_two_custodians_and_a_leader_make_a_key_and_make_it_again(module: str) -> None:
    """The key that was drawn comes back from what its custodians wrote down."""
    words = _ceremony(module, "Ada Ohm=generate", "Ben Volt=generate", record="first.txt")
    with terminal(*words, program=PROGRAM_OF_KEYS) as person:
        ada = _write_down(person, "Ada Ohm", 1)
        ben = _write_down(person, "Ben Volt", 2)
        person.wait_for("Cy Watt confirms the combined check value: ")
        combined = re.search(r"combined check value  ([0-9A-F]{6})", person.screen)
        assert combined is not None
        person.type(f"{combined[1]}\n")
        assert person.finish() == 0
    # Each component was on the other screen of the terminal, which is left again.
    assert person.screen.count("\x1b[?1049h") == person.screen.count("\x1b[?1049l") == 2
    (made,) = Vault.open(Path("keys.vault"), read_key_file(Path("vault.key"))).records
    assert made.record.check_value == combined[1]
    record = Path("first.txt").read_text(encoding="utf-8")
    for digits, check_value in (ada, ben):
        assert digits not in record
        assert check_value in record

    words = _ceremony(module, "Ben Volt=enter", "Ada Ohm=enter", record="second.txt")
    with terminal(*words, program=PROGRAM_OF_KEYS) as person:
        for name, (digits, check_value) in (("Ben Volt", ben), ("Ada Ohm", ada)):
            person.wait_for(f"{name}: component (hexadecimal): ")
            person.type(f"{digits}\n")
            person.wait_for(f"{name}: check value of the component: ")
            person.type(f"{check_value}\n")
        person.wait_for("Cy Watt confirms the combined check value: ")
        # It is on paper already, so it is not shown before it is typed.
        assert combined[1] not in person.screen
        person.type(f"{combined[1]}\n")
        assert person.finish() == 0
    assert ada[0] not in person.screen
    assert ben[0] not in person.screen


def test_components_may_go_to_files_of_their_custodians(module: str) -> None:
    words = _ceremony(module, "Ada Ohm=generate:ada", "Ben Volt=generate:ben", record="r.txt")
    with terminal(*words, program=PROGRAM_OF_KEYS) as person:
        person.wait_for("Cy Watt confirms the combined check value: ")
        combined = re.search(r"combined check value  ([0-9A-F]{6})", person.screen)
        assert combined is not None
        person.type(f"{combined[1]}\n")
        assert person.finish() == 0
    assert {Path(name).stat().st_mode & 0o777 for name in ("ada", "ben", "r.txt")} == {0o600}
    words = _ceremony(module, "Ada Ohm=enter:ada", "Ben Volt=enter:ben", record="s.txt")
    again = in_process([*words, "--check-value", combined[1]], {}, "sts-keys")
    assert again.status == 0, again


def test_a_ceremony_that_is_broken_off_leaves_no_component(module: str) -> None:
    words = _ceremony(module, "Ada Ohm=generate:ada", "Ben Volt=generate:ben", record="r.txt")
    with terminal(*words, program=PROGRAM_OF_KEYS) as person:
        person.wait_for("Cy Watt confirms the combined check value: ")
        assert Path("ada").exists()
        person.type("\x04")
        assert person.finish() == 1
    assert not Path("ada").exists()
    assert not Path("ben").exists()
    assert Vault.open(Path("keys.vault"), read_key_file(Path("vault.key"))).records == ()


def test_a_check_value_that_was_not_written_down_stops_the_ceremony(module: str) -> None:
    words = _ceremony(module, "Ada Ohm=generate", "Ben Volt=generate", record="r.txt")
    with terminal(*words, program=PROGRAM_OF_KEYS) as person:
        person.wait_for("Ada Ohm alone at the screen: press Enter")
        person.type("\n")
        person.wait_for("type the check value when it is written down: ")
        person.type("000000\n")
        assert person.finish() == 1
    assert "error CHECK_VALUE_MISMATCH: " in person.screen


def test_the_id_of_a_centre_is_asked_for(module: str) -> None:
    made = in_process(
        ["lab-centre", "init", "lab.centre", "Lab", "--key-file", "vault.key"], {}, "sts-keys"
    )
    centre_id = made.stdout.split()[-1]
    told = ["--key-file", "vault.key", "--output", "lab.identity"]
    assert in_process(["lab-centre", "identity", "lab.centre", *told], {}, "sts-keys").status == 0
    words = ("module", "trust", module, "lab.identity", "--key-file", "vault.key")
    with terminal(*words, program=PROGRAM_OF_KEYS) as person:
        person.wait_for("id of the centre: ")
        person.type(f"{centre_id}\n")
        assert person.finish() == 0
    assert "trusts Lab" in person.screen
