"""A module over decoder keys that the meters' maker supplied, one a meter; no vending key at all.

This is how operators of mini-grids often get their keys. A meter is found by its number and the
attributes of its key. The meter can be brought to another key if the maker has supplied that one,
too; else there is no key change.
"""

import secrets

from keys.answers import HeldKey
from keys.issuing import JournalledModule
from keys.journal import IssueJournal
from keys.randomness import RandomBytes
from keys.registered_key import RegisteredKey
from keys.requests import MeterConfiguration
from keys.secret import Secret
from keys.vault import Vault
from sts import SAMPLE_TABLES, DecoderKey, KeyAttributes, StaTables


class SuppliedKeys:
    """Gives out the decoder keys of a vault."""

    kind = "decoder-keys"

    def __init__(self, vault: Vault) -> None:
        """Use the decoder keys of ``vault``."""
        self._vault = vault

    def registered(self, meter: MeterConfiguration) -> RegisteredKey:
        """Return what is known of the vending key that made the key in a meter.

        Raises:
            UnknownDecoderKeyError: The maker has supplied no such key for this meter.
        """
        return self._vault.find_decoder_key(meter).key

    def revisions(self, meter: MeterConfiguration) -> tuple[RegisteredKey, ...]:
        """Return what is known of the vending keys of all revisions that this meter has keys of."""
        return tuple(
            record.key
            for record in self._vault.decoder_keys
            if record.meter_pan == meter.meter_pan
            and record.tariff_index == meter.tariff_index
            and record.key.name.tenant == meter.tenant
            and record.key.name.supply_group_code == meter.supply_group_code
        )

    def decoder_key(self, key: RegisteredKey, attributes: KeyAttributes) -> DecoderKey:
        """Return the decoder key of a meter, unsealed anew each time."""
        record = self._vault.find_decoder_key(
            MeterConfiguration(
                tenant=key.record.tenant,
                meter_pan=attributes.meter_pan,
                supply_group_code=attributes.supply_group_code,
                tariff_index=attributes.tariff_index,
                key_revision_number=attributes.key_revision_number,
                key_type=attributes.key_type,
                encryption_algorithm=attributes.encryption_algorithm,
            )
        )
        return self._vault.unsealed_decoder_key(record)

    def held(self) -> tuple[HeldKey, ...]:
        """Return the decoder keys of every tenant; they have no parity."""
        return tuple(
            HeldKey(key=record.key, bits=record.encryption_algorithm.key_bits, odd_parity=None)
            for record in self._vault.decoder_keys
        )

    def journal_key(self) -> Secret:
        """Return the journal key of the vault."""
        return self._vault.journal_key()


class DecoderKeysModule(JournalledModule):
    """A security module over decoder keys from the meters' maker."""

    def __init__(
        self,
        vault: Vault,
        *,
        lab_mode: bool,
        sta_tables: StaTables = SAMPLE_TABLES,
        journal: IssueJournal | None = None,
        random_bytes: RandomBytes = secrets.token_bytes,
    ) -> None:
        """Serve the decoder keys of ``vault``; the rest as for ``JournalledModule``."""
        super().__init__(
            SuppliedKeys(vault),
            lab_mode=lab_mode,
            sta_tables=sta_tables,
            journal=journal,
            random_bytes=random_bytes,
        )
