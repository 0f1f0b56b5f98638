"""Flip a byte anywhere, and the file is refused for the right reason."""

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Final

import pytest

from keys import CreditRequest, FileJournal, KeysError, SoftwareModule, key_load
from keys.audit_record import AuditEvent
from keys.centre_custody import CentreCustody
from keys.chain_seal import format_checkpoint, parse_checkpoint, require_seal
from keys.clients import format_credential, parse_credential, require_client
from keys.custody import Custody, Origin
from keys.journal import JournalSeal
from keys.journal_errors import JournalError
from keys.lab_centre import LabCentre
from keys.module_home import ModuleHome
from keys.secret import Secret
from keys.trusted_centres import TrustedCentre
from keys.vault import Vault
from sts import BaseDate, Service, encode_amount, tid_from_datetime
from tests.journals import open_journal
from tests.keys.conftest import sample_meter
from tests.keys.custody import KEY_160, NOW, fixed_random, registered

UNLOCK: Final = Secret(bytes(range(32)))
MASKS: Final = (0x01, 0x20, 0x80)
PAGE: Final = 4096
"""The size of a page of SQLite."""
STRIDE: Final = 5
"""Every fifth byte is flipped, and every fifteenth in the same way."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A module with a key, a client and an issued token, and the centre that gave the key."""
    folder = tmp_path_factory.mktemp("flipped")
    vault = Vault.create(folder / "keys.vault", UNLOCK)
    module = Custody.begin(
        vault.path,
        vault,
        name="Depot 1",
        is_lab=True,
        actor="ada",
        now=NOW,
        random_bytes=fixed_random("module"),
    )
    centre = CentreCustody.begin(
        folder / "lab.centre",
        "Lab",
        unlock=UNLOCK,
        actor="cy",
        now=NOW,
        random_bytes=fixed_random("centre"),
    )
    centre.take(registered(), KEY_160, origin=Origin(event=AuditEvent.IMPORT), now=NOW)
    module.trust(centre.centre.identity, now=NOW)
    file = centre.issue(
        module.file.identity.public,
        [registered().name],
        now=NOW,
        expires_at=NOW + timedelta(days=1),
    )
    (folder / "first.klf").write_bytes(file)
    module.load(file, now=NOW)
    credential = module.file.new_credential("till 1")
    module.add_client(credential, now=NOW)
    (folder / "till.credential").write_bytes(format_credential(credential))
    _issue(vault, ModuleHome(vault.path).journal)
    return folder


def _issue(vault: Vault, journal_path: Path) -> None:
    journal = open_journal(journal_path)
    try:
        SoftwareModule(vault, lab_mode=True, journal=journal).issue(
            sample_meter(),
            CreditRequest(
                service=Service.ELECTRICITY,
                amount=encode_amount(256),
                tid_minutes=tid_from_datetime(NOW, BaseDate.Y2014),
            ),
            message_id="sale 1",
            now=NOW,
        )
    finally:
        journal.close()


def _flipped(content: bytes, stride: int = STRIDE) -> Iterator[bytes]:
    for place in range(0, len(content), stride):
        mask = MASKS[place % len(MASKS)]
        yield content[:place] + bytes([content[place] ^ mask]) + content[place + 1 :]


def _codes(path: Path, act: Callable[[], object]) -> Counter[str]:
    """Flip every byte of a file in turn, and count the codes of the refusals."""
    content = path.read_bytes()
    codes: Counter[str] = Counter()
    try:
        for altered in _flipped(content):
            path.write_bytes(altered)
            with pytest.raises(KeysError) as refusal:
                act()
            codes[refusal.value.code] += 1
    finally:
        path.write_bytes(content)
    act()
    return codes


def test_of_a_vault(folder: Path) -> None:
    path = folder / "keys.vault"
    codes = _codes(path, lambda: Vault.open(path, UNLOCK))
    assert codes.keys() == {
        "VAULT_FORMAT",
        "VAULT_TAMPERED",
        "WRONG_PASSPHRASE_OR_DAMAGED_HEADER",
    }


def test_of_the_file_of_a_module(folder: Path) -> None:
    vault = Vault.open(folder / "keys.vault", UNLOCK)
    home = ModuleHome(vault.path)
    codes = _codes(
        home.module,
        lambda: home.open_file(vault.journal_key(), random_bytes=fixed_random("x")),
    )
    assert codes.keys() == {
        "SEALED_FILE_FORMAT",
        "SEALED_FILE_TAMPERED",
        "WRONG_KEY_OR_DAMAGED_SEALED_FILE",
    }


def test_of_a_centre(folder: Path) -> None:
    path = folder / "lab.centre"
    codes = _codes(
        path, lambda: LabCentre.open(path, unlock=UNLOCK, random_bytes=fixed_random("x"))
    )
    assert codes.keys() == {
        "SEALED_FILE_FORMAT",
        "SEALED_FILE_TAMPERED",
        "WRONG_KEY_OR_DAMAGED_SEALED_FILE",
    }


def test_of_a_key_load_file(folder: Path) -> None:
    """A module that trusts the centre and has not loaded the file refuses each other form of it."""
    vault = Vault.open(folder / "keys.vault", UNLOCK)
    file = ModuleHome(vault.path).open_file(vault.journal_key(), random_bytes=fixed_random("x"))
    content = (folder / "first.klf").read_bytes()
    fresh = TrustedCentre(identity=file.centres[0].identity)
    codes: Counter[str] = Counter()
    for altered in _flipped(content, stride=1):
        with pytest.raises(KeysError) as refusal:
            key_load.load(altered, file.identity, centres=[fresh], now=NOW)
        codes[refusal.value.code] += 1
    assert codes.keys() == {
        "KEY_LOAD_FILE_FORMAT",
        "KEY_LOAD_FILE_VERSION",
        "KEY_LOAD_FILE_UNKNOWN_CENTRE",
        "KEY_LOAD_FILE_SIGNATURE",
    }


def test_of_an_audit_log(folder: Path) -> None:
    """Whatever the byte, the entry is named in which it was flipped, or the one behind it."""
    vault = Vault.open(folder / "keys.vault", UNLOCK)
    opened = Custody.open(vault.path, vault, actor="x", random_bytes=fixed_random("x"))
    checkpoint = opened.audit.log.checkpoint(opened.checkpoint_key(), now=NOW)
    codes = _codes(ModuleHome(vault.path).audit, lambda: opened.audit.log.verified([checkpoint]))
    assert codes.keys() <= {
        "AUDIT_LOG_FORMAT",
        "CHAIN_ENTRY_ALTERED",
        "CHAIN_ENTRY_REPLACED",
        "CHAIN_TRUNCATED",
        "SEAL_MISMATCH",
    }
    assert codes["CHAIN_ENTRY_ALTERED"] > codes.total() // 2


def test_of_a_checkpoint(folder: Path, tmp_path: Path) -> None:
    vault = Vault.open(folder / "keys.vault", UNLOCK)
    opened = Custody.open(vault.path, vault, actor="x", random_bytes=fixed_random("x"))
    key = opened.checkpoint_key()
    path = tmp_path / "checkpoint"
    path.write_bytes(format_checkpoint(opened.audit.log.checkpoint(key, now=NOW)))
    codes = _codes(path, lambda: require_seal(parse_checkpoint(path.read_bytes()), [key]))
    assert codes.keys() == {"CHECKPOINT_FORMAT", "SEAL_MISMATCH"}


def test_of_a_client_credential(folder: Path) -> None:
    vault = Vault.open(folder / "keys.vault", UNLOCK)
    file = ModuleHome(vault.path).open_file(vault.journal_key(), random_bytes=fixed_random("x"))
    path = folder / "till.credential"
    codes = _codes(path, lambda: require_client(parse_credential(path.read_bytes()), file.clients))
    assert codes.keys() == {"CLIENT_CREDENTIAL_FORMAT", "CLIENT_CREDENTIAL_REFUSED"}


def test_of_what_an_entry_of_the_journal_says(folder: Path) -> None:
    """SQLite has bytes in its file that mean nothing; those of the entries all do."""
    vault = Vault.open(folder / "keys.vault", UNLOCK)
    path = ModuleHome(vault.path).journal
    seal = JournalSeal(vault.journal_key())
    _checkpointed(path)
    content = path.read_bytes()
    entry = content.index(b"thabaneng" + b"sale 1")
    # All the columns but the last, when it was made, which decides nothing.
    said = range(entry, content.index(b"2026-03-02T08:15:00", entry))
    codes: Counter[str] = Counter()
    for place in said:
        altered = bytearray(content)
        altered[place] ^= MASKS[place % len(MASKS)]
        path.write_bytes(altered)
        with pytest.raises(KeysError) as refusal:
            _check(path, seal)
        codes[refusal.value.code] += 1
    path.write_bytes(content)
    assert _check(path, seal) == 1
    # Of text that is none any more SQLite says so itself.
    assert codes.keys() <= {"JOURNAL_TAMPERED", "JOURNAL_DAMAGED"}
    assert codes["JOURNAL_TAMPERED"] > codes.total() // 2


@pytest.mark.parametrize("place", [0, 60, 68, 100], ids=["magic", "version", "id", "page"])
def test_of_the_header_of_a_journal(folder: Path, place: int) -> None:
    path = ModuleHome(folder / "keys.vault").journal
    _checkpointed(path)
    content = path.read_bytes()
    altered = bytearray(content)
    altered[place] ^= 0x80
    path.write_bytes(altered)
    vault = Vault.open(folder / "keys.vault", UNLOCK)
    with pytest.raises(KeysError) as refusal:
        _check(path, JournalSeal(vault.journal_key()))
    path.write_bytes(content)
    assert refusal.value.code in {"JOURNAL_FORMAT", "JOURNAL_DAMAGED"}


def test_of_all_pages_of_a_journal(folder: Path) -> None:
    """Names in the schema and indexes are no entries, and must neither stop nor mislead anybody."""
    vault = Vault.open(folder / "keys.vault", UNLOCK)
    path = ModuleHome(vault.path).journal
    _checkpointed(path)
    content = path.read_bytes()
    unnoticed = set()
    for place in [each for each, byte in enumerate(content) if byte][::STRIDE]:
        altered = bytearray(content)
        altered[place] ^= 0x80
        path.write_bytes(altered)
        try:
            _check(path, JournalSeal(vault.journal_key()))
        except JournalError:
            continue
        unnoticed.add(place // PAGE)
    path.write_bytes(content)
    # Of the first page some bytes count what was written, or name what is never named again.
    assert unnoticed <= {0}


def _checkpointed(path: Path) -> None:
    """Bring everything into the file itself: SQLite does when the last reader leaves."""
    FileJournal.open(path).close()


def _check(path: Path, seal: JournalSeal) -> int:
    journal = open_journal(path)
    try:
        return journal.check(seal)
    finally:
        journal.close()
