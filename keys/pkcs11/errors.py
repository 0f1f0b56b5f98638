"""Why a hardware security module cannot be used.

HsmError                     HSM
├── HsmSettingsError         HSM_SETTINGS
├── HsmDriverError           HSM_DRIVER
├── HsmTokenError            HSM_TOKEN
├── HsmPinError              HSM_PIN
├── HsmProcessError          HSM_OTHER_PROCESS
├── HsmLostError             HSM_LOST
├── HsmRefusedError          HSM_REFUSED
├── HsmNotPreparedError      HSM_NOT_PREPARED
├── HsmPreparedError         HSM_ALREADY_PREPARED
├── HsmRecordError           HSM_RECORD_TAMPERED
├── HsmKeyMissingError       HSM_KEY_MISSING
├── HsmKeyExposedError       HSM_KEY_EXPOSED
├── HsmKeyPresentError       KEY_ALREADY_IN_HSM
└── Dkga02NotInHsmError      DKGA02_NOT_IN_HSM
"""

from keys.errors import KeysError


class HsmError(KeysError):
    """A hardware security module cannot be used."""

    code = "HSM"


class HsmSettingsError(HsmError):
    """The settings file is not one, or is not safe."""

    code = "HSM_SETTINGS"
    hint = "docs/hsm.md lists the settings"


class HsmDriverError(HsmError):
    """The driver or the manufacturer's library cannot be loaded."""

    code = "HSM_DRIVER"
    hint = "install sts-vending[hsm], and the library of the HSM's manufacturer"


class HsmTokenError(HsmError):
    """There is no token of this name, or more than one."""

    code = "HSM_TOKEN"
    hint = "list the tokens with the manufacturer's tool and correct token_label in the settings"

    def __init__(self, label: str) -> None:
        """Say which token was looked for."""
        super().__init__(f"not exactly one token is called {label}")


class HsmPinError(HsmError):
    """The token refuses the PIN, or there is none."""

    code = "HSM_PIN"
    hint = "correct the PIN; one that was refused is not tried again, so that nothing locks"


class HsmProcessError(HsmError):
    """The session belongs to the process that opened it, and a fork is another one."""

    code = "HSM_OTHER_PROCESS"
    hint = "open the module after the fork, in each worker (no preloading)"

    def __init__(self) -> None:
        """Say so."""
        super().__init__("the HSM was opened by another process than this one")


class HsmLostError(HsmError):
    """The token was there and is not there now; the next request tries again by itself."""

    code = "HSM_LOST"
    hint = "bring the HSM back, or point the settings at the second one and open the module again"

    def __init__(self) -> None:
        """Say so."""
        super().__init__("the HSM, or the token in it that was opened, does not answer any more")


class HsmRefusedError(HsmError):
    """The token refuses an operation."""

    code = "HSM_REFUSED"

    def __init__(self, operation: str, reason: str) -> None:
        """Say what was tried, and the name that PKCS#11 has for the reason."""
        super().__init__(f"the HSM refuses to {operation}: {reason}")


class HsmNotPreparedError(HsmError):
    """The token does not have the keys under which others are kept."""

    code = "HSM_NOT_PREPARED"
    hint = "prepare the token once, before the first key is brought in"

    def __init__(self) -> None:
        """Say so."""
        super().__init__("the token has not been prepared for vending keys")


class HsmPreparedError(HsmError):
    """The token is prepared already, and to do it again would lose what it keeps."""

    code = "HSM_ALREADY_PREPARED"
    hint = "go on with it; to begin anew, have the token initialised, which ends its keys"

    def __init__(self) -> None:
        """Say so."""
        super().__init__("the token has been prepared before")


class HsmRecordError(HsmError):
    """What the token says of a vending key was not written by this program, or is not whole."""

    code = "HSM_RECORD_TAMPERED"
    hint = "stop using this token, find out who changed it, restore it from a backup"

    def __init__(self) -> None:
        """Say what was found."""
        super().__init__("the record of a vending key in the HSM is not as it was written")


class HsmKeyMissingError(HsmError):
    """There is a record of the vending key, but not the key."""

    code = "HSM_KEY_MISSING"
    hint = "restore the token from a backup, or load the key again"

    def __init__(self, name: str) -> None:
        """Say which vending key."""
        super().__init__(f"the HSM does not hold the key that it has a record of: {name}")


class HsmKeyExposedError(HsmError):
    """The object could be read out of the token, so it may be known elsewhere."""

    code = "HSM_KEY_EXPOSED"
    hint = "treat the key as known to others and find out who put it there"

    def __init__(self, name: str) -> None:
        """Say which vending key."""
        super().__init__(f"the key could be taken out of the HSM, so it is not used: {name}")


class HsmKeyPresentError(HsmError):
    """The tenant has a key of this supply group and revision in the token already."""

    code = "KEY_ALREADY_IN_HSM"
    hint = "a key is not replaced: list the keys, and compare check values with whoever gave this"

    def __init__(self, name: str) -> None:
        """Say which vending key."""
        super().__init__(f"the HSM already holds {name}")


class Dkga02NotInHsmError(HsmError):
    """A derivation that ends with the vending key itself cannot be made inside."""

    code = "DKGA02_NOT_IN_HSM"
    hint = (
        "move the meters to a 160-bit key (DKGA04), or accept that the vending key is in memory "
        "for each derivation: allow_unwrapped_dkga02 = true in the settings"
    )

    def __init__(self, algorithm: str) -> None:
        """Say which derivation."""
        super().__init__(f"DKGA{algorithm} cannot be derived without taking the key out of the HSM")
