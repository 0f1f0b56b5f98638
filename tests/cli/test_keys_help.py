"""Help of `sts-keys` is true: every command has an example, and the examples work as printed."""

import re
import shlex
import shutil
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Final

import click
import pytest

from keys.cli import main
from tests.cli.transcript import Outcome, in_process

SETTINGS: Final = {
    "STS_DECODER_KEY": "0123456789abcdef0123456789abcdef",
    "STS_VENDING_KEY": "ABABABABABABABAB949494949494949401234567",
    "STS_METER_PASSPHRASE": "four slow green trains",
    "STS_VAULT_PASSPHRASE": "four fast blue trains",
}
"""Where a person would be asked."""

FILES: Final = {
    "factory.key": "0123456789abcdef0123456789abcdef",
    "maker.csv": "drn,decoder_key,encryption_algorithm,supply_group_code,key_revision_number,"
    "tariff_index,key_type,base_date,key_expiry_number,key_generation_algorithm\n"
    "0100200003018,00112233445566778899aabbccddeeff,11,201457,1,01,2,2014,255,04\n",
}
ELSEWHERE: Final = {
    "batch": "tests/cli/transcripts_of_keys/batch.txt",
    "ceremony": "tests/cli/test_keys_prompts.py",
    "hsm": "tests/cli/test_keys_hsm.py",
}
"""Commands that need a fleet, people or a token, and where they are run."""
SAYS_NO: Final = {"expiring", "verify"}
"""Commands for which an exit status of 1 is an answer."""
CENTRE: Final = ("--key-file", "centre.key")
VAULT: Final = ("--key-file", "vault.key")
MODULE: Final = "software:keys.vault"


def _commands(command: click.Command, *path: str) -> Iterator[tuple[str, click.Command]]:
    if isinstance(command, click.Group):
        for name, child in command.commands.items():
            yield from _commands(child, *path, name)
    else:
        yield " ".join(path), command


COMMANDS: Final = {
    name: command for name, command in _commands(main) if not name.startswith("batch ")
}


def _examples(command: click.Command) -> list[str]:
    text = re.sub(r"\\\n\s*", "", command.help or "")
    lines = (line.strip() for line in text.splitlines())
    return [line.split("   (")[0] for line in lines if line.startswith("sts-keys ")]


EXAMPLES: Final = [
    example
    for name, command in COMMANDS.items()
    if name.split()[0] not in ELSEWHERE
    for example in _examples(command)
    if "pkcs11:" not in example
]


def _run(*words: str) -> Outcome:
    outcome = in_process(list(words), SETTINGS, "sts-keys")
    assert outcome.status == 0, outcome
    return outcome


def _issue_file(file: str, *names: str) -> None:
    keys = [word for name in names for word in ("--key", name)]
    issued = ("lab.centre", "depot.identity", "--tenant", "thabaneng", *keys, "--output", file)
    _run("lab-centre", "issue", *issued, *CENTRE)


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str, str]:
    """A folder in which there is what the examples name, and the ids of module and centre."""
    folder = tmp_path_factory.mktemp("prepared")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for name, content in FILES.items():
            Path(name).write_text(content, encoding="ascii")
        _run("vault", "init", "keys.vault", "--new-key-file", "vault.key")
        made = _run("module", "init", MODULE, "Depot 1", *VAULT).stdout.split()
        _run("module", "identity", MODULE, "--output", "depot.identity", *VAULT)
        named = _run("lab-centre", "init", "lab.centre", "Lab", "--new-key-file", "centre.key")
        centre = named.stdout.split()[-1]
        _run("lab-centre", "identity", "lab.centre", "--output", "lab.identity", *CENTRE)
        for revision in "12":
            key = ("--tenant", "thabaneng", "--sgc", "201457", "--krn", revision)
            _run("lab-centre", "generate", "lab.centre", *key, *CENTRE)
        _run("module", "trust", MODULE, "lab.identity", "--id", centre, *VAULT)
        _issue_file("begin.klf", "201457/1", "201457/2")
        _run("module", "load", MODULE, "begin.klf", *VAULT)
        _issue_file("first.klf", "201457/1")
        _run("client", "add", MODULE, "till-2", "--output", "till-2.credential", *VAULT)
        _run("audit", "checkpoint", MODULE, "--output", "monday.checkpoint", *VAULT)
    return folder, made[-1], centre


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_an_example(name: str) -> None:
    assert any(example.startswith(f"sts-keys {name} ") for example in _examples(COMMANDS[name]))


@pytest.mark.parametrize("example", EXAMPLES)
def test_every_example_in_a_help_page_works(
    example: str,
    prepared: tuple[Path, str, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    folder, module_id, centre_id = prepared
    monkeypatch.chdir(shutil.copytree(folder, tmp_path / "copy"))
    owner = module_id if "--module" in example else centre_id
    words = shlex.split(re.sub(r"\b[0-9a-f]{32}\b", owner, example))[1:]
    _make_room(words)
    outcome = in_process(words, SETTINGS, "sts-keys")
    assert outcome.status in ({0, 1} if words[0] in SAYS_NO else {0}), outcome


def _make_room(words: list[str]) -> None:
    """Remove what the example makes."""
    for option, file in pairwise(words):
        if option in {"--output", "--new-key-file"}:
            Path(file).unlink(missing_ok=True)
    if words[1] == "init":
        places = {"vault": "keys.vault*", "module": "keys.vault.*", "lab-centre": "lab.centre*"}
        for path in Path().glob(places[words[0]]):
            path.unlink()
