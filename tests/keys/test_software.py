from datetime import datetime, timedelta
from pathlib import Path

import pytest

from keys import CreditRequest, KeysError, MeterConfiguration, Secret, SoftwareModule, Vault
from keys.errors import TokenMismatchError
from keys.files import create_key_file
from keys.open import open_software_module
from sts import (
    BaseDate,
    EncryptionAlgorithm,
    KeyAttributes,
    KeyExpiryNumber,
    KeyGenerationAlgorithm,
    KeyRevisionNumber,
    KeyType,
    MeterPan,
    Service,
    SetMaximumPowerLimit,
    StsError,
    TokenCarrierType,
    TransferCredit,
    VendingKey,
    decode,
    derive_decoder_key,
    encode_amount,
    encode_power_limit,
    new_cipher,
    tid_from_datetime,
)
from tests.keys.conftest import MeterMaker, RecordMaker


def _request(now: datetime, *, tenths: int = 59) -> CreditRequest:
    return CreditRequest(
        service=Service.ELECTRICITY,
        tid_minutes=tid_from_datetime(now, BaseDate.Y2014),
        amount=encode_amount(tenths),
    )


def _decode_with_key(digits: str, meter: MeterConfiguration, key: VendingKey) -> object:
    attributes = KeyAttributes(
        meter_pan=meter.meter_pan,
        supply_group_code=meter.supply_group_code,
        tariff_index=meter.tariff_index,
        key_revision_number=meter.key_revision_number,
        key_type=meter.key_type,
        base_date=BaseDate.Y2014,
        encryption_algorithm=meter.encryption_algorithm,
    )
    decoder_key = derive_decoder_key(KeyGenerationAlgorithm.DKGA04, key, attributes)
    return decode(digits, new_cipher(meter.encryption_algorithm, decoder_key))


@pytest.mark.parametrize(
    ("drn", "algorithm", "sample_tables"),
    [
        ("00100001023", EncryptionAlgorithm.STA, True),
        ("0100200002010", EncryptionAlgorithm.MISTY1, False),
    ],
)
def test_the_meters_key_opens_the_token(
    module: SoftwareModule,
    make_meter: MeterMaker,
    vending_key: VendingKey,
    now: datetime,
    drn: str,
    algorithm: EncryptionAlgorithm,
    sample_tables: bool,  # noqa: FBT001 - a column of the table above
) -> None:
    meter = make_meter(meter_pan=MeterPan.from_drn(drn), encryption_algorithm=algorithm)
    request = _request(now)
    answer = module.issue(meter, request, message_id="m-1", now=now)
    token = _decode_with_key(answer.digits, meter, vending_key)
    assert answer.token == token
    assert isinstance(token, TransferCredit)
    assert (token.service, token.tid, token.amount) == (
        request.service,
        request.tid_minutes,
        request.amount,
    )
    assert answer.message_id == "m-1"
    assert answer.sample_tables is sample_tables
    assert answer.vending_key.check_value == module.vending_key(meter).check_value


def test_the_four_random_bits_take_all_sixteen_values(
    module: SoftwareModule, make_meter: MeterMaker, now: datetime
) -> None:
    """300 tokens miss one of the values with a chance of 6 in 100 million."""
    found = set()
    for _ in range(300):
        token = module.issue(make_meter(), _request(now), message_id="m", now=now).token
        assert isinstance(token, TransferCredit)
        found.add(token.rnd)
    assert found == set(range(16))


@pytest.mark.parametrize(
    ("meter_changes", "code"),
    [
        ({"key_revision_number": KeyRevisionNumber(2)}, "UNKNOWN_VENDING_KEY"),
        ({"tenant": "mwanga"}, "ANOTHER_TENANTS_KEY"),
        ({"key_type": KeyType.DEFAULT}, "KEY_TYPE_MISMATCH"),
        ({"encryption_algorithm": EncryptionAlgorithm.DEA}, "UNSUPPORTED_ALGORITHM"),
    ],
    ids=str,
)
def test_a_meter_that_does_not_fit_gets_no_token(
    module: SoftwareModule,
    make_meter: MeterMaker,
    now: datetime,
    meter_changes: dict[str, object],
    code: str,
) -> None:
    with pytest.raises((KeysError, StsError)) as refusal:
        module.issue(make_meter(**meter_changes), _request(now), message_id="m", now=now)
    assert isinstance(refusal.value, KeysError | StsError)
    assert refusal.value.code == code


@pytest.mark.parametrize(
    ("record_changes", "meter_changes", "code"),
    [
        ({"key_type": KeyType.DEFAULT}, {"key_type": KeyType.DEFAULT}, "CREDIT_UNDER_DEFAULT_KEY"),
        ({"key_type": KeyType.COMMON}, {"key_type": KeyType.COMMON}, "COMMON_KEY_NOT_FOR_CARRIER"),
        (
            {"key_type": KeyType.COMMON},
            {"key_type": KeyType.COMMON, "token_carrier_type": TokenCarrierType.MAGNETIC_CARD},
            "UNSUPPORTED_KEY_TYPE",
        ),
        ({"key_expiry_number": KeyExpiryNumber(90)}, {}, "KEY_EXPIRED"),
    ],
    ids=str,
)
def test_a_key_that_is_not_for_this_makes_no_token(
    vault_path: Path,
    vault_key: Secret,
    vending_key: VendingKey,
    make_record: RecordMaker,
    make_meter: MeterMaker,
    now: datetime,
    record_changes: dict[str, object],
    meter_changes: dict[str, object],
    code: str,
) -> None:
    vault = Vault.create(vault_path, vault_key)
    vault.add(make_record(**record_changes), vending_key)
    module = SoftwareModule(vault, lab_mode=True)
    with pytest.raises((KeysError, StsError)) as refusal:
        module.issue(make_meter(**meter_changes), _request(now), message_id="m", now=now)
    assert isinstance(refusal.value, KeysError | StsError)
    assert refusal.value.code == code


def test_an_old_token_identifier_does_not_revive_an_expired_key(
    vault_path: Path,
    vault_key: Secret,
    vending_key: VendingKey,
    make_record: RecordMaker,
    make_meter: MeterMaker,
    now: datetime,
) -> None:
    vault = Vault.create(vault_path, vault_key)
    vault.add(make_record(key_expiry_number=KeyExpiryNumber(90)), vending_key)
    earlier = now - timedelta(days=365 * 3)
    module = SoftwareModule(vault, lab_mode=True)
    module.issue(make_meter(), _request(earlier), message_id="m", now=earlier)
    with pytest.raises(StsError) as refusal:
        module.issue(make_meter(), _request(earlier), message_id="m", now=now)
    assert refusal.value.code == "KEY_EXPIRED"


def test_outside_lab_mode_the_sample_tables_make_no_token(
    vault: Vault, make_meter: MeterMaker, now: datetime
) -> None:
    module = SoftwareModule(vault, lab_mode=False)
    sta = make_meter(encryption_algorithm=EncryptionAlgorithm.STA)
    with pytest.raises(StsError) as refusal:
        module.issue(sta, _request(now), message_id="m", now=now)
    assert refusal.value.code == "SAMPLE_TABLES_IN_PRODUCTION"
    assert not module.issue(make_meter(), _request(now), message_id="m", now=now).sample_tables


@pytest.mark.parametrize(
    "decoded",
    [
        TransferCredit(service=Service.WATER, rnd=0, tid=1, amount=encode_amount(1)),
        SetMaximumPowerLimit(rnd=0, tid=1, limit=encode_power_limit(1)),
    ],
)
def test_a_token_that_decodes_to_something_else_never_leaves(
    module: SoftwareModule,
    make_meter: MeterMaker,
    now: datetime,
    monkeypatch: pytest.MonkeyPatch,
    decoded: object,
) -> None:
    monkeypatch.setattr("keys.software.decode", lambda _digits, _cipher: decoded)
    with pytest.raises(TokenMismatchError) as refusal:
        module.issue(make_meter(), _request(now), message_id="m", now=now)
    assert refusal.value.code == "TOKEN_MISMATCH"


def test_a_module_says_what_it_is(module: SoftwareModule) -> None:
    status = module.status()
    assert status.kind == "software"
    assert status.lab_mode
    assert status.sample_tables
    assert status.sta_tables_name == "SAMPLE"
    assert len(status.sta_tables_fingerprint) == 64
    assert status.vending_keys == 1


def test_a_module_opens_from_its_files(tmp_path: Path) -> None:
    key = create_key_file(tmp_path / "vault.key")
    Vault.create(tmp_path / "keys.vault", key)
    module = open_software_module(tmp_path / "keys.vault", tmp_path / "vault.key", lab_mode=False)
    assert module.status().vending_keys == 0


def test_time_is_aware(module: SoftwareModule, make_meter: MeterMaker, now: datetime) -> None:
    with pytest.raises(StsError) as refusal:
        module.issue(
            make_meter(),
            _request(now),
            message_id="m",
            now=datetime(2026, 1, 1),  # noqa: DTZ001 - refused
        )
    assert refusal.value.code == "NAIVE_DATETIME"
