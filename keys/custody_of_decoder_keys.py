"""Bringing a maker's decoder keys into a module, as one act that is written down."""

from datetime import datetime

from keys.audit_record import AuditEvent
from keys.custody import Custody
from keys.decoder_key_file import DecoderKeyFileError, read_decoder_keys
from keys.decoder_key_record import DecoderKeyRecord
from keys.errors import KeysError
from keys.vault import Vault


class NoPlaceForDecoderKeysError(KeysError):
    """The keys of this module do not lie in a vault."""

    code = "NO_PLACE_FOR_DECODER_KEYS"
    hint = "make a module decoder-keys:VAULT for them"

    def __init__(self) -> None:
        """Say so."""
        super().__init__("a maker's decoder keys are kept in a vault")


def take_decoder_keys(
    custody: Custody, content: bytes, *, tenant: str, now: datetime
) -> tuple[DecoderKeyRecord, ...]:
    """Take the keys of a maker's file into the vault of a module, all or none of them.

    Args:
        custody: The module.
        content: The file.
        tenant: Whose meters they are.
        now: The present time, aware.

    Raises:
        NoPlaceForDecoderKeysError: The module is not over a vault.
        DecoderKeyFileError: A line of the file is wrong, or it is not UTF-8.
        KeyAlreadyInVaultError, VaultError: As for ``Vault.add_decoder_keys``.
    """
    with custody.audit.refusals_of(AuditEvent.IMPORT, now=now):
        store = custody.store
        if not isinstance(store, Vault):
            raise NoPlaceForDecoderKeysError
        found = read_decoder_keys(_text(content), tenant)
        records = tuple(record for record, _ in found)
        custody.audit.log.append(
            *(
                custody.audit.record(
                    AuditEvent.IMPORT,
                    now=now,
                    key=record.key.name,
                    check_value=record.key.record.check_value,
                    meter_pan=record.meter_pan,
                )
                for record in records
            )
        )
        store.add_decoder_keys(found)
    return records


def _text(content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise DecoderKeyFileError(1, "not UTF-8") from None
