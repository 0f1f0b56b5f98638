"""The key of a lab meter in a sealed file, from which the virtual meter is made.

A decoder key leaves the module here, so this is for lab modules, whose meters are nobody's. It is
sealed under a passphrase before it is anywhere but in memory (``sts.meter.key_file``), and that it
went out is in the audit log before the file is there.
"""

from datetime import datetime
from pathlib import Path
from typing import Final

from keys.audit_record import AuditEvent
from keys.audited_module import AuditedModule, meter_facts
from keys.errors import FileExistsRefusedError, KeysError
from keys.files import write_new
from keys.randomness import RandomBytes
from keys.registered_key import RegisteredKey
from keys.requests import MeterConfiguration
from sts.meter.key_file import NONCE_BYTES, SALT_BYTES, MeterKey, seal_meter_key
from sts.meter.state import DecoderKeyRegister

LONGEST_PASSPHRASE: Final = 1000


class MeterFilePassphraseError(KeysError):
    """A passphrase that could not be typed at the meter again."""

    code = "METER_FILE_PASSPHRASE"

    def __init__(self) -> None:
        """Say what a passphrase looks like."""
        super().__init__(
            f"the passphrase of a meter key file is one line, 1 to {LONGEST_PASSPHRASE} "
            "printable characters"
        )


def write_meter_file(
    module: AuditedModule,
    meter: MeterConfiguration,
    *,
    path: Path,
    passphrase: str,
    now: datetime,
    random_bytes: RandomBytes,
) -> RegisteredKey:
    """Write the key of a meter to a new file and return the metadata of its vending key.

    What is wrong is looked for in this order: passphrase; a file in the way; then as for
    ``SecurityModule.lab_decoder_key``.

    Args:
        module: A lab module.
        meter: The meter and the key that it is to hold.
        path: The file; it must not exist.
        passphrase: What opens it at the meter.
        now: The present time, aware.
        random_bytes: Where random bytes come from.

    Raises:
        MeterFilePassphraseError: Empty, too long, or not one line of text.
        FileExistsRefusedError, FileUnreadableError: The file cannot be made.
        LabModuleOnlyError: The module serves real meters.
        KeysError, StsError: There is no such key, or it may not be used now.
    """
    facts = meter_facts(meter)
    with module.audit.refusals_of(AuditEvent.METER_FILE, now=now, **facts):
        if len(passphrase) > LONGEST_PASSPHRASE or not (passphrase and passphrase.isprintable()):
            raise MeterFilePassphraseError
        if path.exists():
            # `write_new` refuses as well; here no key has been used yet.
            raise FileExistsRefusedError(path)
        key, decoder_key = module.lab_decoder_key(meter, now=now)
        record, told = key.record, meter.key_expiry_number
        text = seal_meter_key(
            MeterKey(
                decoder_reference_number=meter.meter_pan.drn,
                encryption_algorithm=meter.encryption_algorithm,
                register=DecoderKeyRegister.from_attributes(
                    decoder_key,
                    meter.key_attributes(record.base_date),
                    key_expiry_number=record.key_expiry_number if told is None else told,
                ),
            ),
            passphrase,
            salt=random_bytes(SALT_BYTES),
            nonce=random_bytes(NONCE_BYTES),
        )
        module.audit.write(AuditEvent.METER_FILE, now=now, check_value=record.check_value, **facts)
        write_new(path, text.encode("ascii"))
    return key
