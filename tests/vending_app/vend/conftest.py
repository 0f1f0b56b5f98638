"""Modules elsewhere and with further keys, beside the fixtures of all of vending's tests."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from keys import FileJournal, KeyTerms, Secret, Vault
from keys.files import read_key_file
from keys.records import VendingKeyRecord, check_value_of
from keys.registered_key import RegisteredKey
from keys.software import SoftwareModule
from sts import KeyType
from tests.vending_app.vend.shop import KEY, THABANENG, Elsewhere
from vending_app import demo_story as story
from vending_app.config import Config

ModuleMaker: TypeAlias = Callable[..., SoftwareModule]


@pytest.fixture
def elsewhere(config: Config, tmp_path: Path) -> Iterator[Elsewhere]:
    """A security module with a journal of its own."""
    journal = FileJournal.create(tmp_path / "elsewhere.db")
    vault = Vault.open(config.module_place, read_key_file(config.module_key))
    yield Elsewhere(SoftwareModule(vault, lab_mode=True, journal=journal))
    journal.close()


@pytest.fixture
def make_module(tmp_path: Path) -> ModuleMaker:
    """Give a function that makes a module with the demo's keys and further ones."""

    def made(*further: dict[str, Any]) -> SoftwareModule:
        vault = Vault.create(tmp_path / "further.vault", Secret(bytes(32)))
        for fields in (
            {},
            {"key_type": KeyType.DEFAULT, "supply_group_code": story.DEFAULT_GROUP_CODE},
            *further,
        ):
            terms = fields.pop("terms", KeyTerms())
            whole: dict[str, Any] = {
                "tenant": THABANENG,
                "supply_group_code": story.SUPPLY_GROUP_CODE,
                "key_revision_number": story.KEY_REVISION_NUMBER,
                "key_type": KeyType.UNIQUE,
                "key_generation_algorithm": story.KEY_GENERATION_ALGORITHM,
                "base_date": story.BASE_DATE,
                "key_expiry_number": story.KEY_EXPIRY_NUMBER,
                "check_value": check_value_of(KEY),
            }
            record = VendingKeyRecord(**whole | fields)
            vault.add(RegisteredKey(record=record, terms=terms), KEY)
        return SoftwareModule(vault, lab_mode=True)

    return made
