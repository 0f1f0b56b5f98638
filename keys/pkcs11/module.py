"""The security module whose vending keys are in a PKCS#11 token.

It is the module of ``keys.issuing`` over another source of keys; journal, rules and the check of
every token by decoding it are the same. What is inside the hardware is the derivation of decoder
keys. The ciphers EA07 and EA11 are not: no such device has them, so the decoder key of one meter is
in memory while its token is made.
"""

import secrets

from keys.answers import HeldKey
from keys.issuing import JournalledModule
from keys.journal import IssueJournal
from keys.pkcs11.errors import Dkga02NotInHsmError
from keys.pkcs11.store import HsmKeys
from keys.randomness import RandomBytes
from keys.registered_key import RegisteredKey
from keys.requests import MeterConfiguration
from keys.secret import Secret
from sts import SAMPLE_TABLES, DecoderKey, KeyAttributes, KeyDerivation, StaTables
from sts import KeyGenerationAlgorithm as Algorithm
from sts.derivation import derive_with_mac


class TokenKeys:
    """Makes decoder keys from the vending keys of a token."""

    kind = "pkcs11"

    def __init__(self, keys: HsmKeys) -> None:
        """Use the vending keys of an open token."""
        self._keys = keys

    def registered(self, meter: MeterConfiguration) -> RegisteredKey:
        """Return the metadata of the vending key that made the key in a meter.

        Raises:
            UnknownKeyError, AnotherTenantsKeyError: There is none, or it is another tenant's.
        """
        return self._keys.find(meter.key_name)

    def revisions(self, meter: MeterConfiguration) -> tuple[RegisteredKey, ...]:
        """Return the metadata of the vending keys of all revisions of a meter's supply group."""
        return tuple(
            key
            for key in self._keys.records
            if key.name.tenant == meter.tenant
            and key.name.supply_group_code == meter.supply_group_code
        )

    def decoder_key(self, key: RegisteredKey, attributes: KeyAttributes) -> DecoderKey:
        """Return the decoder key of a meter, derived anew each time.

        Raises:
            Dkga02NotInHsmError: It can only be derived outside, and the settings forbid that.
            HsmError, CheckValueMismatchError: The token cannot be used, or not this key.
            StsError: The algorithm makes no such key.
        """
        algorithm = key.record.key_generation_algorithm
        if algorithm is Algorithm.DKGA04:
            return derive_with_mac(attributes, lambda message: self._keys.mac(key, message))
        if not self._keys.settings.allow_unwrapped_dkga02:
            raise Dkga02NotInHsmError(algorithm)
        return KeyDerivation(algorithm, self._keys.taken_out(key)).derive(attributes)

    def held(self) -> tuple[HeldKey, ...]:
        """Return the vending keys of every tenant, with the parity of those of 64 bits."""
        return tuple(
            HeldKey(key=record.key, bits=record.bits, odd_parity=record.odd_parity)
            for record in self._keys.described
        )

    def journal_key(self) -> Secret:
        """Return the journal key of the token."""
        return self._keys.journal_key()


class Pkcs11Module(JournalledModule):
    """A security module over the vending keys of a PKCS#11 token."""

    def __init__(
        self,
        keys: HsmKeys,
        *,
        lab_mode: bool,
        sta_tables: StaTables = SAMPLE_TABLES,
        journal: IssueJournal | None = None,
        random_bytes: RandomBytes = secrets.token_bytes,
        manufacturing: bool = False,
    ) -> None:
        """Serve the keys of an open token; the rest as for ``JournalledModule``."""
        super().__init__(
            TokenKeys(keys),
            lab_mode=lab_mode,
            sta_tables=sta_tables,
            journal=journal,
            random_bytes=random_bytes,
            manufacturing=manufacturing,
        )
