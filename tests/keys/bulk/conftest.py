"""A lab module with the keys of a supply group that goes through the rollover of 2024."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import pytest

from keys.audited_module import AuditedModule
from keys.bulk.fleet import Summary, run
from keys.bulk.job import Job, Operation
from keys.bulk.local import ThisProcess
from keys.custody import Custody
from keys.files import create_key_file, read_key_file
from keys.open import Caller, ModuleOptions, open_module
from keys.records import VendingKeyRecord, check_value_of
from keys.registered_key import KeyTerms, RegisteredKey
from keys.secret import Secret
from keys.vault import Vault
from sts import (
    BaseDate,
    KeyExpiryNumber,
    KeyGenerationAlgorithm,
    KeyRevisionNumber,
    KeyType,
    SupplyGroupCode,
    VendingKey,
)

NOW: Final = datetime(2026, 3, 2, 8, 15, tzinfo=UTC)
DES_KEY: Final = VendingKey.from_hex("ABABABABABABABAB")
LONG_KEY: Final = VendingKey.from_hex("ABABABABABABABAB949494949494949401234567")
METERS: Final = ("01000000008", "01000000016", "01000000024", "0100200002010")
SHARED: Final = {"sgc": "201457", "krn": "1", "ti": "01", "kt": "2", "ea": "07"}

_KEYS: Final[tuple[tuple[int, VendingKey, BaseDate, dict[str, Any], dict[str, Any]], ...]] = (
    # Revision, key, base date, and what else is not as usual.
    (1, DES_KEY, BaseDate.Y1993, {}, {}),
    (2, LONG_KEY, BaseDate.Y2014, {}, {}),
    (3, LONG_KEY, BaseDate.Y2014, {"key_expiry_number": KeyExpiryNumber(10)}, {}),
    (4, LONG_KEY, BaseDate.Y2014, {}, {"issued_until": datetime(2026, 1, 1, tzinfo=UTC)}),
    (5, LONG_KEY, BaseDate.Y2014, {}, {"activation": datetime(2027, 1, 1, tzinfo=UTC)}),
    (6, LONG_KEY, BaseDate.Y2014, {"key_type": KeyType.DEFAULT}, {}),
    (7, LONG_KEY, BaseDate.Y2014, {"tenant": "mokhotlong"}, {}),
    (8, LONG_KEY, BaseDate.Y2035, {}, {}),
    (9, DES_KEY, BaseDate.Y2014, {}, {}),
)


@dataclass(frozen=True)
class Depot:
    """A module on the disk, and what jobs need to be done with it."""

    folder: Path
    key_file: Path
    name: str

    def opened(self, **options: object) -> AuditedModule:
        made = ModuleOptions(lab_mode=True, unlock=read_key_file(self.key_file), **options)  # type: ignore[arg-type]  # what a test changes
        return open_module(self.name, made, caller=Caller(actor="ada", now=NOW))

    def job(
        self,
        source: Path,
        output: str = "out.csv",
        operation: Operation = Operation.KEY_CHANGE,
        **changes: object,
    ) -> Job:
        fields: dict[str, object] = {
            "operation": operation,
            "source": source,
            "output": self.folder / output,
            "tenant": "thabaneng",
            "module": self.name,
            "at": NOW,
        }
        return Job(**fields | changes)  # type: ignore[arg-type]  # what a test changes

    def done(self, job: Job) -> Summary:
        module = self.opened()
        return run(job, module, ThisProcess(module.bulk_access()), now=NOW, purpose="a test")

    def table(self, text: str, name: str = "fleet.csv") -> Path:
        path = self.folder / name
        path.write_text(text, encoding="utf-8")
        return path


def _registered(
    revision: int, key: VendingKey, *, base: BaseDate, changes: dict[str, Any]
) -> VendingKeyRecord:
    fields: dict[str, Any] = {
        "tenant": "thabaneng",
        "supply_group_code": SupplyGroupCode(201457),
        "key_revision_number": KeyRevisionNumber(revision),
        "key_type": KeyType.UNIQUE,
        "key_generation_algorithm": (
            KeyGenerationAlgorithm.DKGA02 if key.bits == 64 else KeyGenerationAlgorithm.DKGA04
        ),
        "base_date": base,
        "key_expiry_number": KeyExpiryNumber(255),
        "check_value": check_value_of(key),
    }
    return VendingKeyRecord(**{**fields, **changes})


@pytest.fixture
def depot(tmp_path: Path) -> Depot:
    """Make the module."""
    key_file = tmp_path / "vault.key"
    unlock: Secret = create_key_file(key_file)
    vault = Vault.create(tmp_path / "keys.vault", unlock)
    vault.add_all(
        [
            (
                RegisteredKey(
                    record=_registered(revision, key, base=base, changes=changes),
                    terms=KeyTerms(**terms),
                ),
                key,
            )
            for revision, key, base, changes, terms in _KEYS
        ]
    )
    Custody.begin(
        tmp_path / "keys.vault",
        vault,
        name="Depot",
        is_lab=True,
        actor="ada",
        now=NOW,
        random_bytes=bytes,
    )
    return Depot(tmp_path, key_file, f"software:{tmp_path / 'keys.vault'}")


@pytest.fixture
def csv_text() -> Callable[..., str]:
    """Give a function that writes rows as CSV; every row has what is usual, and its own cells."""

    def written(*rows: Mapping[str, str], common: Mapping[str, str] = SHARED) -> str:
        names = list(dict.fromkeys(["meter", *common, *(name for row in rows for name in row)]))
        lines = [",".join({**common, **row}.get(name, "") for name in names) for row in rows]
        return "\n".join([",".join(names), *lines]) + "\n"

    return written
