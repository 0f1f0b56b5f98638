"""The modules that the contract suite runs over, and the keys it gives them.

A module of another kind is a row of ``MODULES``.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from keys import MeterConfiguration, RegisteredKey, Secret, SoftwareModule, Vault
from keys.decoder_key_record import DecoderKeyRecord
from keys.decoder_keys import DecoderKeysModule
from keys.issuing import JournalledModule
from sts import VendingKey, derive_decoder_key
from tests.journals import new_journal

if TYPE_CHECKING:  # The driver of the HSM may be missing.
    from tests.soft_hsm import SoftHsm

VAULT_KEY: Final = Secret(bytes(range(32)))


@dataclass
class FixedBits:
    """Random bits that the test chooses."""

    value: int = 5

    def __call__(self, size: int) -> bytes:
        return bytes([self.value]) * size


@dataclass(frozen=True, kw_only=True)
class Held:
    """A vending key, and the meters that a module without vending keys must know."""

    key: RegisteredKey
    vending_key: VendingKey
    meters: tuple[MeterConfiguration, ...]


@dataclass(frozen=True, kw_only=True)
class Setup:
    """What a module is made with."""

    folder: Path
    held: Sequence[Held]
    bits: FixedBits = field(default_factory=FixedBits)
    lab_mode: bool = True


def _software(setup: Setup) -> JournalledModule:
    vault = Vault.create(setup.folder / "software.vault", VAULT_KEY)
    vault.add_all([(held.key, held.vending_key) for held in setup.held])
    journal = new_journal(setup.folder / "software.db")
    return SoftwareModule(vault, lab_mode=setup.lab_mode, journal=journal, random_bytes=setup.bits)


def _decoder_keys(setup: Setup) -> JournalledModule:
    vault = Vault.create(setup.folder / "decoder.vault", VAULT_KEY)
    vault.add_decoder_keys(
        [
            (
                DecoderKeyRecord(
                    meter_pan=meter.meter_pan,
                    tariff_index=meter.tariff_index,
                    encryption_algorithm=meter.encryption_algorithm,
                    key=held.key,
                ),
                derive_decoder_key(
                    held.key.record.key_generation_algorithm,
                    held.vending_key,
                    meter.key_attributes(held.key.record.base_date),
                ),
            )
            for held in setup.held
            for meter in held.meters
        ]
    )
    journal = new_journal(setup.folder / "decoder.db")
    return DecoderKeysModule(
        vault, lab_mode=setup.lab_mode, journal=journal, random_bytes=setup.bits
    )


_TOKENS: Final[dict[int, tuple[Sequence[Held], "SoftHsm"]]] = {}
"""Tokens with keys in them, which take long to make; the keys are never changed."""


def _pkcs11(setup: Setup) -> JournalledModule:
    from keys.pkcs11.module import Pkcs11Module  # noqa: PLC0415 - the driver may be missing
    from tests.soft_hsm import SoftHsm, quick_folder  # noqa: PLC0415 - as above

    known = _TOKENS.get(id(setup.held))
    if known is None:
        hsm = SoftHsm.prepared(quick_folder())
        hsm.keys().add_all([(held.key, held.vending_key) for held in setup.held])
        _TOKENS[id(setup.held)] = known = (setup.held, hsm)
    _, hsm = known
    hsm.plug_in()
    return Pkcs11Module(
        hsm.keys(allow_unwrapped_dkga02="true"),
        lab_mode=setup.lab_mode,
        journal=new_journal(setup.folder / "pkcs11.db"),
        random_bytes=setup.bits,
    )


MODULES: Final[Mapping[str, Callable[[Setup], JournalledModule]]] = {
    "software": _software,
    "decoder-keys": _decoder_keys,
    "pkcs11": _pkcs11,
}
