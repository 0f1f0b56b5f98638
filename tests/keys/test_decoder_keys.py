"""Decoder keys from a maker's file: read whole or not at all, used for their meters only."""

from datetime import datetime
from pathlib import Path

import pytest

from keys import CreditRequest, FileJournal, KeysError, MeterConfiguration, Secret, Vault
from keys.decoder_key_file import COLUMNS, DecoderKeyFileError, read_decoder_keys
from keys.decoder_keys import DecoderKeysModule
from keys.errors import KeyAlreadyInVaultError, VaultFormatError
from keys.requests import NewKey
from sts import (
    BaseDate,
    EncryptionAlgorithm,
    KeyRevisionNumber,
    MeterPan,
    Service,
    SupplyGroupCode,
    TariffIndex,
    TransferCredit,
    decode,
    encode_amount,
    new_cipher,
    tid_from_datetime,
)
from tests.keys.conftest import MeterMaker

KEY_128 = "929BD3A415C9420A05EC5EE9F3CE91C3"
ROW = {
    "drn": "0100200002010",
    "decoder_key": KEY_128,
    "encryption_algorithm": "11",
    "supply_group_code": "201457",
    "key_revision_number": "1",
    "tariff_index": "01",
    "key_type": "2",
    "base_date": "2014",
    "key_expiry_number": "255",
    "key_generation_algorithm": "04",
}


def _file(*rows: dict[str, str]) -> str:
    lines = [",".join(COLUMNS), *(",".join(row[name] for name in COLUMNS) for row in rows)]
    return "\n".join(lines) + "\n"


@pytest.fixture
def supplied(vault_path: Path, vault_key: Secret) -> Vault:
    """A vault with the key of one meter, and the one it can change to."""
    vault = Vault.create(vault_path, vault_key)
    other = ROW | {"tariff_index": "02", "decoder_key": "00" * 16}
    vault.add_decoder_keys(read_decoder_keys(_file(ROW, other), "thabaneng"))
    return vault


@pytest.fixture
def module(supplied: Vault, journal: FileJournal) -> DecoderKeysModule:
    return DecoderKeysModule(supplied, lab_mode=False, journal=journal)


def test_the_makers_key_opens_the_token(
    module: DecoderKeysModule, make_meter: MeterMaker, now: datetime
) -> None:
    tid = tid_from_datetime(now, BaseDate.Y2014)
    amount = encode_amount(59)
    request = CreditRequest(service=Service.ELECTRICITY, tid_minutes=tid, amount=amount)
    answer = module.issue(make_meter(), request, message_id="m", now=now)
    ((_, key),) = read_decoder_keys(_file(ROW), "thabaneng")
    token = decode(answer.digits, new_cipher(EncryptionAlgorithm.MISTY1, key))
    assert isinstance(token, TransferCredit)
    assert (token.tid, token.amount) == (tid, amount)


def test_a_key_change_needs_the_makers_other_key(
    module: DecoderKeysModule, make_meter: MeterMaker, now: datetime
) -> None:
    new = NewKey(
        supply_group_code=SupplyGroupCode(201457),
        key_revision_number=KeyRevisionNumber(1),
        tariff_index=TariffIndex(2),
    )
    assert len(module.change_key(make_meter(), new, message_id="m", now=now).tokens) == 4
    missing = NewKey(
        supply_group_code=SupplyGroupCode(201457),
        key_revision_number=KeyRevisionNumber(2),
        tariff_index=TariffIndex(1),
    )
    with pytest.raises(KeysError) as refusal:
        module.change_key(make_meter(), missing, message_id="m2", now=now)
    assert refusal.value.code == "UNKNOWN_DECODER_KEY"


@pytest.mark.parametrize(
    "changes",
    [
        {"meter_pan": MeterPan.from_drn("00100001023")},
        {"tenant": "mwanga"},
        {"tariff_index": TariffIndex(3)},
        {"key_revision_number": KeyRevisionNumber(2)},
    ],
    ids=str,
)
def test_a_meter_without_a_key_is_not_served(
    module: DecoderKeysModule, make_meter: MeterMaker, changes: dict[str, object]
) -> None:
    meter: MeterConfiguration = make_meter(**changes)
    with pytest.raises(KeysError) as refusal:
        module.vending_key(meter)
    assert refusal.value.code == "UNKNOWN_DECODER_KEY"


def test_keys_come_back_after_closing_and_opening(supplied: Vault, vault_key: Secret) -> None:
    again = Vault.open(supplied.path, vault_key)
    assert again.decoder_keys == supplied.decoder_keys
    assert again.records == ()
    ((record, key),) = read_decoder_keys(_file(ROW), "thabaneng")
    assert again.unsealed_decoder_key(record) == key
    assert KEY_128.lower() not in supplied.path.read_text().lower()


def test_a_file_comes_in_whole_or_not_at_all(supplied: Vault) -> None:
    more = ROW | {"drn": "00100001023"}
    before = supplied.path.read_bytes()
    with pytest.raises(KeyAlreadyInVaultError):
        supplied.add_decoder_keys(read_decoder_keys(_file(more, ROW), "thabaneng"))
    assert supplied.path.read_bytes() == before


def test_an_altered_record_is_no_vault(supplied: Vault, vault_key: Secret) -> None:
    pan = MeterPan.from_drn(ROW["drn"]).digits
    wrong = pan[:-1] + str((int(pan[-1]) + 1) % 10)
    supplied.path.write_text(supplied.path.read_text().replace(pan, wrong))
    with pytest.raises(VaultFormatError):
        Vault.open(supplied.path, vault_key)


def test_the_status_counts_keys_without_parity(module: DecoderKeysModule) -> None:
    status = module.status()
    assert status.kind == "decoder-keys"
    assert [(held.bits, held.odd_parity) for held in status.keys] == [(128, None), (128, None)]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("", 1),
        ("drn,decoder_key\n", 1),
        (_file(ROW).replace(",04\n", "\n"), 2),
        (_file(ROW).replace(",04\n", ",04,5\n"), 2),
        (_file(ROW, ROW | {"drn": "0100200002011"}), 3),
        (_file(ROW | {"decoder_key": "not a key"}), 2),
        (_file(ROW | {"decoder_key": KEY_128[:16]}), 2),
        (_file(ROW | {"encryption_algorithm": "12"}), 2),
        (_file(ROW | {"encryption_algorithm": KEY_128, "decoder_key": KEY_128}), 2),
        (_file(ROW | {"supply_group_code": "1"}), 2),
        (_file(ROW | {"key_type": "two"}), 2),
        (_file(ROW | {"key_type": "0"}), 2),
        (_file(ROW | {"key_expiry_number": "256"}), 2),
        (_file(ROW | {"key_expiry_number": ""}), 2),
        (_file(ROW) + '"' + KEY_128, 2),
    ],
)
def test_a_wrong_line_is_named_and_not_repeated(text: str, line: int) -> None:
    with pytest.raises(DecoderKeyFileError) as refusal:
        read_decoder_keys(text, "thabaneng")
    assert refusal.value.code == "DECODER_KEY_FILE"
    assert refusal.value.line == line
    assert KEY_128[:8] not in str(refusal.value)
