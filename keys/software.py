"""The security module that runs in process, over a vault.

For trials, and for small utilities that accept that key bytes lie in this process's memory. It
keeps no journal: who retries a request after a crash asks his own store for the message id first.
"""

import secrets
from datetime import datetime
from typing import Final

from keys.errors import (
    CommonKeyError,
    CreditUnderDefaultKeyError,
    KeyTypeMismatchError,
    TokenMismatchError,
)
from keys.records import VendingKeyRecord
from keys.security_module import IssueAnswer, MeterConfiguration, ModuleStatus, TokenRequest
from keys.vault import Vault
from sts import (
    SAMPLE_TABLES,
    BlockCipher,
    DecoderKey,
    EncryptionAlgorithm,
    KeyAttributes,
    KeyDerivation,
    KeyType,
    StaTables,
    Token,
    TokenCarrierType,
    TransferCredit,
    decode,
    encode,
    new_cipher,
    tid_from_datetime,
)
from sts.errors import SampleTablesInProductionError
from sts.token_identifier import require_unexpired

_RND_VALUES: Final = 16
"""Random bits of a token: 4 (IEC 62055-41, 6.3.4), so all values from 0 to 15."""


class SoftwareModule:
    """A security module over the vending keys of a vault."""

    def __init__(
        self, vault: Vault, *, lab_mode: bool, sta_tables: StaTables = SAMPLE_TABLES
    ) -> None:
        """Serve the keys of ``vault``.

        Args:
            vault: Where the keys are.
            lab_mode: Whether tokens of the SAMPLE tables are made; a real meter refuses them.
            sta_tables: The tables for EA07.
        """
        self._vault = vault
        self._lab_mode = lab_mode
        self._sta_tables = sta_tables

    def issue(
        self, meter: MeterConfiguration, request: TokenRequest, *, message_id: str, now: datetime
    ) -> IssueAnswer:
        """Make one token, see ``SecurityModule.issue``.

        What is wrong is looked for in this order: key unknown, another tenant's, of another type,
        not for credit, not for this carrier; SAMPLE tables; clock or token identifier expired.
        """
        record = self.vending_key(meter)
        _require_credit_allowed(meter, record)
        sample_tables = self._uses_sample_tables(meter)
        if sample_tables and not self._lab_mode:
            raise SampleTablesInProductionError
        present = tid_from_datetime(now, record.base_date)
        require_unexpired(
            max(present, request.tid_minutes), record.key_expiry_number, record.base_date
        )
        token = TransferCredit(
            service=request.service,
            rnd=secrets.randbelow(_RND_VALUES),
            tid=request.tid_minutes,
            amount=request.amount,
        )
        digits = encode(token, self._cipher(meter, record))
        # Made anew from the vault on: a key, a schedule or a bit that went wrong shows here.
        decoded = decode(digits, self._cipher(meter, record))
        _require_same(token, decoded)
        return IssueAnswer(
            message_id=message_id,
            digits=digits,
            token=decoded,
            vending_key=record,
            sample_tables=sample_tables,
        )

    def vending_key(self, meter: MeterConfiguration) -> VendingKeyRecord:
        """Return the metadata of the vending key that serves a meter."""
        return self._vault.find(
            meter.tenant,
            meter.supply_group_code,
            key_revision_number=meter.key_revision_number,
        )

    def status(self) -> ModuleStatus:
        """Return what the module says of itself."""
        return ModuleStatus(
            kind="software",
            lab_mode=self._lab_mode,
            sta_tables_name=self._sta_tables.name,
            sta_tables_fingerprint=self._sta_tables.fingerprint,
            sample_tables=self._sta_tables.is_sample,
            vending_keys=len(self._vault.records),
        )

    def _uses_sample_tables(self, meter: MeterConfiguration) -> bool:
        return meter.encryption_algorithm is EncryptionAlgorithm.STA and self._sta_tables.is_sample

    def _cipher(self, meter: MeterConfiguration, record: VendingKeyRecord) -> BlockCipher:
        key = self._decoder_key(meter, record)
        return new_cipher(meter.encryption_algorithm, key, sta_tables=self._sta_tables)

    def _decoder_key(self, meter: MeterConfiguration, record: VendingKeyRecord) -> DecoderKey:
        derivation = KeyDerivation(record.key_generation_algorithm, self._vault.unsealed(record))
        return derivation.derive(
            KeyAttributes(
                meter_pan=meter.meter_pan,
                supply_group_code=meter.supply_group_code,
                tariff_index=meter.tariff_index,
                key_revision_number=meter.key_revision_number,
                key_type=meter.key_type,
                base_date=record.base_date,
                encryption_algorithm=meter.encryption_algorithm,
            )
        )


def _require_credit_allowed(meter: MeterConfiguration, record: VendingKeyRecord) -> None:
    """Refuse a vending key that may not make credit for this meter (IEC 62055-41, 6.5.2.3)."""
    if meter.key_type is not record.key_type:
        raise KeyTypeMismatchError(meter=meter.key_type, vending_key=record.key_type)
    if record.key_type is KeyType.DEFAULT:
        raise CreditUnderDefaultKeyError
    if (
        record.key_type is KeyType.COMMON
        and meter.token_carrier_type is not TokenCarrierType.MAGNETIC_CARD
    ):
        raise CommonKeyError(meter.token_carrier_type)


def _require_same(made: TransferCredit, decoded: Token) -> None:
    """Compare field by field what was made with what the digits say."""
    if not isinstance(decoded, TransferCredit):
        raise TokenMismatchError("kind of token")
    for field in ("service", "rnd", "tid", "amount"):
        if getattr(made, field) != getattr(decoded, field):
            raise TokenMismatchError(field)
