"""Every way in which key custody says no.

One tree, one stable code a class. No message ever holds key bytes, nor the text of a token. What
the library itself refuses (an expired key, SAMPLE tables outside lab mode) stays an ``StsError``.

    KeysError
    ├── RecordError                    KEY_RECORD
    ├── RequestError                   a request that may not be carried out
    │   ├── UnknownKeyError            UNKNOWN_VENDING_KEY
    │   ├── AnotherTenantsKeyError     ANOTHER_TENANTS_KEY
    │   ├── KeyTypeMismatchError       KEY_TYPE_MISMATCH
    │   ├── CreditUnderDefaultKeyError CREDIT_UNDER_DEFAULT_KEY
    │   ├── CommonKeyError             COMMON_KEY_NOT_FOR_CARRIER
    │   ├── UnknownDecoderKeyError     UNKNOWN_DECODER_KEY
    │   ├── KeyNotActiveError          KEY_NOT_ACTIVE
    │   ├── IssuedUntilPassedError     ISSUED_UNTIL_PASSED
    │   ├── CreditLimitError           CREDIT_LIMIT
    │   ├── ReservedMinuteError        RESERVED_MINUTE
    │   ├── MessageIdError             MESSAGE_ID
    │   ├── MessageIdReusedError       MESSAGE_ID_REUSED
    │   ├── NotCommissioningError      NOT_A_COMMISSIONING_MODULE
    │   ├── NotInitialisationKeyError  NOT_AN_INITIALISATION_KEY
    │   └── TokenMismatchError         TOKEN_MISMATCH
    └── VaultError                     a vault or key file that cannot be used
        ├── FileExistsRefusedError     FILE_EXISTS
        ├── FileUnreadableError        FILE_UNREADABLE
        ├── UnsafeFileModeError        UNSAFE_FILE_MODE
        ├── KeyFileError               KEY_FILE
        ├── VaultFormatError           VAULT_FORMAT
        ├── VaultProtectionError       VAULT_PROTECTION
        ├── VaultHeaderError           WRONG_PASSPHRASE_OR_DAMAGED_HEADER
        ├── VaultTamperedError         VAULT_TAMPERED
        ├── VaultChangedError          VAULT_CHANGED
        ├── UnsafeFolderModeError      UNSAFE_FOLDER_MODE
        ├── WeakPassphraseError        WEAK_PASSPHRASE
        └── KeyAlreadyInVaultError     KEY_ALREADY_IN_VAULT
"""

from datetime import datetime
from pathlib import Path
from typing import ClassVar


class KeysError(Exception):
    """Key custody refused something; ``code`` says what, in a form that does not change."""

    code: ClassVar[str] = "KEYS_ERROR"
    hint: ClassVar[str] = ""
    """What a person can do about it, where the same advice always fits."""


class RecordError(KeysError):
    """Metadata that cannot belong to a vending key."""

    code = "KEY_RECORD"


# --- requests ---------------------------------------------------------------------------------


class RequestError(KeysError):
    """A request that the module may not carry out."""

    code = "REQUEST"


class UnknownKeyError(RequestError):
    """The module holds no vending key of this supply group and revision."""

    code = "UNKNOWN_VENDING_KEY"
    hint = "load the vending key of this supply group and revision into the security module"

    def __init__(self, supply_group_code: str, key_revision_number: str) -> None:
        """Say which vending key was named."""
        super().__init__(
            f"no vending key for supply group {supply_group_code}, "
            f"key revision {key_revision_number}"
        )


class AnotherTenantsKeyError(RequestError):
    """The vending key exists, but belongs to another tenant."""

    code = "ANOTHER_TENANTS_KEY"
    hint = "name the tenant that the key was loaded for, or load a key of this tenant"

    def __init__(self, supply_group_code: str, key_revision_number: str) -> None:
        """Say which vending key was named, not whose it is."""
        super().__init__(
            f"the vending key of supply group {supply_group_code}, key revision "
            f"{key_revision_number} belongs to another tenant"
        )


class KeyTypeMismatchError(RequestError):
    """The meter is said to hold another type of key than this vending key makes."""

    code = "KEY_TYPE_MISMATCH"
    hint = "compare the meter's record with its display: key type and supply group do not fit"

    def __init__(self, *, meter: int, vending_key: int) -> None:
        """Say which type the meter holds and which the vending key makes."""
        super().__init__(f"the meter holds key type {meter}, the vending key makes {vending_key}")


class CreditUnderDefaultKeyError(RequestError):
    """Credit may not be loaded under a default key (IEC 62055-41, 6.5.2.3.3)."""

    code = "CREDIT_UNDER_DEFAULT_KEY"
    hint = "move the meter to the utility's own supply group first (key change)"

    def __init__(self) -> None:
        """Say that the meter is still on a maker's default group."""
        super().__init__("the meter is on a default supply group, which takes no credit")


class CommonKeyError(RequestError):
    """A common key serves magnetic-card meters only (IEC 62055-41, 6.5.2.3.5)."""

    code = "COMMON_KEY_NOT_FOR_CARRIER"

    def __init__(self, carrier: str) -> None:
        """Say which token carrier the meter has."""
        super().__init__(f"a common key makes no tokens for token carrier type {carrier}")


class TokenMismatchError(RequestError):
    """The token, decoded afresh, does not say what was asked for: it never leaves."""

    code = "TOKEN_MISMATCH"
    hint = "do not retry: stop the module and call support"

    def __init__(self, field: str) -> None:
        """Say which field differs, and neither of its values."""
        super().__init__(f"the token made decodes to another {field} than was requested")


class UnknownDecoderKeyError(RequestError):
    """The module holds no decoder key of this meter with these attributes."""

    code = "UNKNOWN_DECODER_KEY"
    hint = "import the decoder keys that the maker of the meter supplied for it"

    def __init__(self, meter_pan: str) -> None:
        """Say which meter."""
        super().__init__(f"no decoder key with these attributes for meter {meter_pan}")


class KeyNotActiveError(RequestError):
    """The vending key may not be used yet."""

    code = "KEY_NOT_ACTIVE"
    hint = "use the present key revision until then"

    def __init__(self, activation: datetime) -> None:
        """Say from when it may be used."""
        super().__init__(f"the vending key is not active before {activation.isoformat()}")


class IssuedUntilPassedError(RequestError):
    """The key centre allowed the module to use the vending key until a moment that has passed."""

    code = "ISSUED_UNTIL_PASSED"
    hint = "load a fresh key load file of this supply group"

    def __init__(self, issued_until: datetime) -> None:
        """Say until when it might be used."""
        super().__init__(f"the vending key makes no tokens from {issued_until.isoformat()} on")


class CreditLimitError(RequestError):
    """The module has sold as much credit in currency under this key as it may."""

    code = "CREDIT_LIMIT"
    hint = "load a key load file with a higher credit limit"

    def __init__(self, limit_units: int) -> None:
        """Say how much it may sell."""
        super().__init__(f"the credit limit of the vending key is {limit_units} currency units")


class ReservedMinuteError(RequestError):
    """The minute 00:01 is for special tokens, and special tokens are for that minute."""

    code = "RESERVED_MINUTE"

    def __init__(self, tid_minutes: int) -> None:
        """Say which token identifier does not go with the request."""
        super().__init__(
            f"token identifier {tid_minutes}: the minute 00:01 of a day belongs to special "
            "reserved tokens, and to them only"
        )


class MessageIdError(RequestError):
    """A message id that is empty, long, or not printable."""

    code = "MESSAGE_ID"

    def __init__(self, longest: int) -> None:
        """Say what a message id looks like."""
        super().__init__(f"a message id is 1 to {longest} printable characters")


class MessageIdReusedError(RequestError):
    """The message id came before with another request."""

    code = "MESSAGE_ID_REUSED"
    hint = "give each new request an id of its own, and repeat a request without changing it"

    def __init__(self) -> None:
        """Say so."""
        super().__init__("the message id has been used for another request")


class NotCommissioningError(RequestError):
    """Only modules of laboratories and meter factories work with initialisation keys."""

    code = "NOT_A_COMMISSIONING_MODULE"

    def __init__(self) -> None:
        """Say so."""
        super().__init__("this module does not commission meters")


class NotInitialisationKeyError(RequestError):
    """Commissioning begins with the maker's own key, of type 0, and nothing else does."""

    code = "NOT_AN_INITIALISATION_KEY"

    def __init__(self, key_type: int) -> None:
        """Say which type of key the meter is said to hold."""
        super().__init__(f"commissioning needs a meter with a key of type 0, not {key_type}")


# --- files ------------------------------------------------------------------------------------


class VaultError(KeysError):
    """A vault or a key file that cannot be made, read or trusted."""

    code = "VAULT"


class FileExistsRefusedError(VaultError):
    """A file is in the way; nothing here overwrites one."""

    code = "FILE_EXISTS"
    hint = "move the old file away yourself if it is really not needed any more"

    def __init__(self, path: Path) -> None:
        """Say which file."""
        super().__init__(f"{path} exists and is not overwritten")


class FileUnreadableError(VaultError):
    """A file cannot be read or written."""

    code = "FILE_UNREADABLE"

    def __init__(self, path: Path, reason: str | None) -> None:
        """Say which file, and why in the words of the operating system."""
        super().__init__(f"{path}: {reason}")


class UnsafeFileModeError(VaultError):
    """Others than the owner may open a file with key material."""

    code = "UNSAFE_FILE_MODE"
    hint = "chmod 600"

    def __init__(self, path: Path, mode: int) -> None:
        """Say which file and its mode."""
        super().__init__(f"{path} has mode {mode:o}: only its owner may have access")


class KeyFileError(VaultError):
    """A key file that does not hold 32 bytes."""

    code = "KEY_FILE"
    hint = "give the file that --new-key-file made"

    def __init__(self, path: Path) -> None:
        """Say which file."""
        super().__init__(f"{path} is not a key file: it must hold 32 bytes in hexadecimal")


class VaultFormatError(VaultError):
    """Not a vault, or one of a version that this program does not know."""

    code = "VAULT_FORMAT"
    hint = "check the name of the file, or restore the vault from a backup"


class VaultHeaderError(VaultError):
    """The header does not authenticate under this key."""

    code = "WRONG_PASSPHRASE_OR_DAMAGED_HEADER"
    hint = (
        "use the passphrase or key file that the vault was made with, or restore the vault from "
        "a backup"
    )

    def __init__(self) -> None:
        """Say both things that it can be; the two look the same."""
        super().__init__("wrong passphrase or key file, or the vault's header is damaged")


class VaultProtectionError(VaultError):
    """A passphrase in the place of a key file, or the reverse."""

    code = "VAULT_PROTECTION"

    def __init__(self, protection: str) -> None:
        """Say what opens the vault."""
        super().__init__(f"this vault is opened by a {protection}")


class VaultTamperedError(VaultError):
    """A record was altered, added or removed outside this program."""

    code = "VAULT_TAMPERED"
    hint = "stop using this vault, find out who changed it, restore it from a backup"

    def __init__(self) -> None:
        """Say what was found; which record it is would help nobody but the author."""
        super().__init__("the records of the vault are not as they were written")


class VaultChangedError(VaultError):
    """Another program wrote the vault since it was opened."""

    code = "VAULT_CHANGED"
    hint = "open the vault again and repeat what you were doing"

    def __init__(self) -> None:
        """Say that nothing was written."""
        super().__init__("another program has written the vault meanwhile; nothing was changed")


class UnsafeFolderModeError(VaultError):
    """Others than the owner may replace files beside the vault."""

    code = "UNSAFE_FOLDER_MODE"
    hint = "chmod go-w"

    def __init__(self, path: Path, mode: int) -> None:
        """Say which folder and its mode."""
        super().__init__(f"{path} has mode {mode:o}: only its owner may write there")


class WeakPassphraseError(VaultError):
    """The passphrase can be guessed, or is made too quick to try."""

    code = "WEAK_PASSPHRASE"
    hint = "make a new vault with a key file, or with a longer passphrase"

    def __init__(self, least_characters: int) -> None:
        """Say what is asked for outside a lab."""
        super().__init__(
            f"outside lab mode a passphrase has at least {least_characters} characters, and "
            "scrypt at least its default cost"
        )


class KeyAlreadyInVaultError(VaultError):
    """The tenant has a key of this supply group and revision in the vault already."""

    code = "KEY_ALREADY_IN_VAULT"
    hint = "a key is not replaced: list the keys, and compare check values with whoever gave this"

    def __init__(self, of: str) -> None:
        """Say which key."""
        super().__init__(f"the vault already holds {of}")
