"""A vault with the published vending key, and a module over it."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import pytest

from keys import (
    FileJournal,
    KeyTerms,
    MeterConfiguration,
    RegisteredKey,
    Secret,
    SoftwareModule,
    Vault,
    VendingKeyRecord,
)
from keys.records import check_value_of
from sts import (
    BaseDate,
    EncryptionAlgorithm,
    KeyExpiryNumber,
    KeyGenerationAlgorithm,
    KeyRevisionNumber,
    KeyType,
    MeterPan,
    SupplyGroupCode,
    TariffIndex,
    VendingKey,
)
from tests.conftest import Require
from tests.soft_hsm import SoftHsm, missing

NOW: Final = datetime(2026, 3, 2, 8, 15, tzinfo=UTC)
VAULT_KEY: Final = Secret(bytes(range(32)))
NO_TERMS: Final = KeyTerms()
VENDING_KEY: Final = VendingKey.from_hex("ABABABABABABABAB949494949494949401234567")

RecordMaker = Callable[..., RegisteredKey]
MeterMaker = Callable[..., MeterConfiguration]


@pytest.fixture(scope="session")
def now() -> datetime:
    return NOW


@pytest.fixture(scope="session")
def vault_key() -> Secret:
    return VAULT_KEY


@pytest.fixture(scope="session")
def vending_key() -> VendingKey:
    return VENDING_KEY


@pytest.fixture(scope="session")
def make_record() -> RecordMaker:
    """Give a function that makes the record of the published key, changed where asked for."""

    def make(terms: KeyTerms = NO_TERMS, **changes: object) -> RegisteredKey:
        fields: dict[str, object] = {
            "tenant": "thabaneng",
            "supply_group_code": SupplyGroupCode(201457),
            "key_revision_number": KeyRevisionNumber(1),
            "key_type": KeyType.UNIQUE,
            "key_generation_algorithm": KeyGenerationAlgorithm.DKGA04,
            "base_date": BaseDate.Y2014,
            "key_expiry_number": KeyExpiryNumber(255),
            "check_value": check_value_of(VENDING_KEY),
        }
        record = VendingKeyRecord(**fields | changes)  # type: ignore[arg-type]  # checked by the class
        return RegisteredKey(record=record, terms=terms)

    return make


def sample_meter(**changes: object) -> MeterConfiguration:
    """Return an EA11 meter of the published group, changed where asked for."""
    fields: dict[str, object] = {
        "tenant": "thabaneng",
        "meter_pan": MeterPan.from_drn("0100200002010"),
        "supply_group_code": SupplyGroupCode(201457),
        "tariff_index": TariffIndex(1),
        "key_revision_number": KeyRevisionNumber(1),
        "key_type": KeyType.UNIQUE,
        "encryption_algorithm": EncryptionAlgorithm.MISTY1,
    }
    return MeterConfiguration(**fields | changes)  # type: ignore[arg-type]  # checked by the class


@pytest.fixture(scope="session")
def make_meter() -> MeterMaker:
    """Give a function that makes an EA11 meter of the published group, changed where asked for."""
    return sample_meter


@pytest.fixture
def vault_path(tmp_path: Path) -> Path:
    return tmp_path / "keys.vault"


@pytest.fixture
def vault(vault_path: Path, make_record: RecordMaker) -> Vault:
    """A vault on disk that holds the published key."""
    made = Vault.create(vault_path, VAULT_KEY)
    made.add(make_record(), VENDING_KEY)
    return made


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[FileJournal]:
    """A new journal on disk."""
    made = FileJournal.create(tmp_path / "issued.db")
    yield made
    made.close()


@pytest.fixture
def module(vault: Vault, journal: FileJournal) -> SoftwareModule:
    return SoftwareModule(vault, lab_mode=True, journal=journal)


@pytest.fixture
def hsm(tmp_path: Path, require: Require, monkeypatch: pytest.MonkeyPatch) -> SoftHsm:
    """A SoftHSM of this test, with a prepared token and no vending keys."""
    reason = missing()
    if reason:
        require("hsm", reason)
    monkeypatch.setenv("SOFTHSM2_CONF", "")  # So that it is put back after the test.
    return SoftHsm.prepared(tmp_path / "hsm")
