"""Reading the file of decoder keys that a meters' maker supplies with them.

A CSV file in UTF-8 with a header line. Makers differ in what they write, so their file is brought
into this form first; the order of the columns is free, and no other column may be there.

=========================  =====================================================
drn                        11 or 13 digits
decoder_key                hexadecimal, 16 digits for EA07, 32 for EA11
encryption_algorithm       07 or 11
supply_group_code          6 digits
key_revision_number        1 digit
tariff_index               2 digits
key_type                   1 or 2
base_date                  1993, 2014 or 2035
key_expiry_number          0 to 255
key_generation_algorithm   02 or 04, how the maker derived the key
=========================  =====================================================
"""

import csv
import io
from collections.abc import Iterator, Mapping
from typing import Final

from keys.decoder_key_record import DecoderKeyRecord
from keys.errors import KeysError, RecordError
from keys.records import VendingKeyRecord, check_value_of
from keys.registered_key import RegisteredKey
from sts import (
    BaseDate,
    DecoderKey,
    EncryptionAlgorithm,
    KeyExpiryNumber,
    KeyGenerationAlgorithm,
    KeyRevisionNumber,
    KeyType,
    MeterPan,
    StsError,
    SupplyGroupCode,
    TariffIndex,
    new_cipher,
)

COLUMNS: Final = (
    "drn",
    "decoder_key",
    "encryption_algorithm",
    "supply_group_code",
    "key_revision_number",
    "tariff_index",
    "key_type",
    "base_date",
    "key_expiry_number",
    "key_generation_algorithm",
)


class DecoderKeyFileError(KeysError):
    """A maker's file of decoder keys that cannot be read."""

    code = "DECODER_KEY_FILE"
    hint = "correct the file and import it again: nothing of it was taken"

    def __init__(self, line: int, reason: str) -> None:
        """Say which line, and why; a key that stands there is not repeated."""
        super().__init__(f"line {line}: {reason}")
        self.line = line


def read_decoder_keys(text: str, tenant: str) -> tuple[tuple[DecoderKeyRecord, DecoderKey], ...]:
    """Return the keys of a file, for ``Vault.add_decoder_keys``.

    Args:
        text: The whole file.
        tenant: Whose meters they are.

    Raises:
        DecoderKeyFileError: A line is wrong; nothing of the file is returned.
    """
    return tuple(_keys(text, tenant))


def _keys(text: str, tenant: str) -> Iterator[tuple[DecoderKeyRecord, DecoderKey]]:
    reader = csv.DictReader(io.StringIO(text), strict=True)
    try:
        if sorted(reader.fieldnames or ()) != sorted(COLUMNS):
            raise DecoderKeyFileError(1, f"the columns must be {', '.join(COLUMNS)}")
        for row in reader:
            if None in row or None in row.values():
                reason = f"a line has {len(COLUMNS)} values"
                raise DecoderKeyFileError(reader.line_num, reason)
            yield _key(row, tenant, line=reader.line_num)
    except csv.Error:
        # The reader's own message may quote the line.
        raise DecoderKeyFileError(reader.line_num, "not CSV") from None


def _key(row: Mapping[str, str], tenant: str, *, line: int) -> tuple[DecoderKeyRecord, DecoderKey]:
    try:
        key = DecoderKey.from_hex(row["decoder_key"])
        algorithm = EncryptionAlgorithm.parse(row["encryption_algorithm"])
        # Refuses a key that is too long or too short for the cipher.
        new_cipher(algorithm, key)
        record = VendingKeyRecord(
            tenant=tenant,
            supply_group_code=SupplyGroupCode.parse(row["supply_group_code"]),
            key_revision_number=KeyRevisionNumber.parse(row["key_revision_number"]),
            key_type=KeyType.parse(int(row["key_type"])),
            key_generation_algorithm=KeyGenerationAlgorithm.parse(row["key_generation_algorithm"]),
            base_date=BaseDate.parse(row["base_date"]),
            key_expiry_number=KeyExpiryNumber(int(row["key_expiry_number"])),
            check_value=check_value_of(key),
        )
        found = DecoderKeyRecord(
            meter_pan=MeterPan.from_drn(row["drn"]),
            tariff_index=TariffIndex.parse(row["tariff_index"]),
            encryption_algorithm=algorithm,
            key=RegisteredKey(record=record),
        )
    except (StsError, RecordError) as error:
        # Where columns are mixed up, the key may stand in the error's own message.
        raise DecoderKeyFileError(line, f"a value cannot be ({error.code})") from None
    except ValueError:
        reason = "key_type and key_expiry_number are whole numbers"
        raise DecoderKeyFileError(line, reason) from None
    return found, key
