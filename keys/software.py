"""The security module that runs in process, over the vending keys of a vault.

For trials, and for small utilities that accept that key bytes lie in this process's memory.
"""

import secrets
from typing import Final

from keys.answers import HeldKey
from keys.check_values import require_check_value
from keys.issuing import JournalledModule
from keys.journal import IssueJournal
from keys.randomness import RandomBytes
from keys.registered_key import PlainName, RegisteredKey
from keys.requests import MeterConfiguration
from keys.secret import Secret
from keys.vault import Vault
from sts import (
    SAMPLE_TABLES,
    DecoderKey,
    KeyAttributes,
    KeyDerivation,
    StaTables,
    VendingKey,
)

_PARITY_BITS: Final = 64


class VaultKeys:
    """Makes decoder keys from the vending keys of a vault."""

    kind = "software"

    def __init__(self, vault: Vault) -> None:
        """Use the vending keys of ``vault``; each is unsealed when it is first needed."""
        self._vault = vault
        self._derivations: dict[PlainName, KeyDerivation] = {}

    def registered(self, meter: MeterConfiguration) -> RegisteredKey:
        """Return the metadata of the vending key that made the key in a meter.

        Raises:
            UnknownKeyError, AnotherTenantsKeyError: There is none, or it is another tenant's.
        """
        return self._vault.find_for(meter)

    def revisions(self, meter: MeterConfiguration) -> tuple[RegisteredKey, ...]:
        """Return the metadata of the vending keys of all revisions of a meter's supply group."""
        return self._vault.find_group(meter.tenant, meter.supply_group_code)

    def decoder_key(self, key: RegisteredKey, attributes: KeyAttributes) -> DecoderKey:
        """Return the decoder key of a meter, derived anew each time.

        Raises:
            CheckValueMismatchError: The vending key is not the one that its record speaks of.
            StsError: The algorithm makes no such key.
        """
        derivation = self._derivations.get(key.name.plain)
        if derivation is None:
            vending_key = self.bulk_vending_key(key)
            derivation = KeyDerivation(key.record.key_generation_algorithm, vending_key)
            self._derivations[key.name.plain] = derivation
        return derivation.derive(attributes)

    def bulk_vending_key(self, key: RegisteredKey) -> VendingKey:
        """Return a vending key itself, for bulk operations.

        Raises:
            CheckValueMismatchError: The vending key is not the one that its record speaks of.
        """
        vending_key = self._vault.unsealed(key)
        require_check_value(vending_key, key.record.check_value)
        return vending_key

    def held(self) -> tuple[HeldKey, ...]:
        """Return the vending keys of every tenant, with the parity of those of 64 bits."""
        held = []
        for record in self._vault.records:
            key = self._vault.unsealed(record)
            parity = key.has_odd_parity if key.bits == _PARITY_BITS else None
            held.append(HeldKey(key=record, bits=key.bits, odd_parity=parity))
        return tuple(held)

    def journal_key(self) -> Secret:
        """Return the journal key of the vault."""
        return self._vault.journal_key()


class SoftwareModule(JournalledModule):
    """A security module over the vending keys of a vault."""

    def __init__(
        self,
        vault: Vault,
        *,
        lab_mode: bool,
        sta_tables: StaTables = SAMPLE_TABLES,
        journal: IssueJournal | None = None,
        random_bytes: RandomBytes = secrets.token_bytes,
        manufacturing: bool = False,
    ) -> None:
        """Serve the keys of ``vault``; the rest as for ``JournalledModule``."""
        super().__init__(
            VaultKeys(vault),
            lab_mode=lab_mode,
            sta_tables=sta_tables,
            journal=journal,
            random_bytes=random_bytes,
            manufacturing=manufacturing,
        )
