"""A module elsewhere, beside the fixtures of all of vending's tests."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from keys import FileJournal, Vault
from keys.files import read_key_file
from keys.software import SoftwareModule
from tests.vending_app.vend.shop import Elsewhere
from vending_app.config import Config


@pytest.fixture
def elsewhere(config: Config, tmp_path: Path) -> Iterator[Elsewhere]:
    """A security module with a journal of its own."""
    journal = FileJournal.create(tmp_path / "elsewhere.db")
    vault = Vault.open(config.module_place, read_key_file(config.module_key))
    yield Elsewhere(SoftwareModule(vault, lab_mode=True, journal=journal))
    journal.close()
