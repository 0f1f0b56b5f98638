"""Keys, algorithms and tables that do not fit."""

from collections.abc import Sequence

from sts.errors.root import StsError


class CryptoError(StsError):
    """Keys, algorithms and tables that do not fit together."""

    code = "CRYPTO"


class KeyLengthError(CryptoError):
    """A key of the wrong length for its use."""

    code = "KEY_LENGTH"

    def __init__(self, use: str, *, allowed_bits: Sequence[int], found_bits: int) -> None:
        """Say how long the key must be for this use and how long it is."""
        numbers = " or ".join(str(bits) for bits in allowed_bits)
        super().__init__(f"{use} takes a key of {numbers} bits, found {found_bits}")
        self.allowed_bits = tuple(allowed_bits)
        self.found_bits = found_bits


class KeyFormatError(CryptoError):
    """A key that is not written in hexadecimal."""

    code = "KEY_FORMAT"
    hint = "write the key as hexadecimal digits, two for each byte"

    def __init__(self, use: str) -> None:
        """Say which key is not hexadecimal; what it is instead is never shown."""
        super().__init__(f"{use}: not an even number of hexadecimal digits")


class UnsupportedAlgorithmError(CryptoError):
    """An algorithm that is known but not implemented, or a pair that does not exist."""

    code = "UNSUPPORTED_ALGORITHM"
    hint = "EA07 takes keys of DKGA02 or DKGA04, EA11 of DKGA04"


class UnsupportedKeyTypeError(CryptoError):
    """A key type that this operation never makes."""

    code = "UNSUPPORTED_KEY_TYPE"
    hint = "keys of type 1 and of type 2 can be derived"


class StaTablesError(CryptoError):
    """A file of STA tables that is not three permutations."""

    code = "STA_TABLES"
    hint = (
        'the file is JSON: {"name", "substitution_1": [16], "substitution_2": [16], '
        '"permutation": [64]}'
    )


class SampleTablesInProductionError(CryptoError):
    """The printed SAMPLE tables were about to make a token for a real meter."""

    code = "SAMPLE_TABLES_IN_PRODUCTION"
    hint = "load the licensed tables that the STS Association gives to its members"

    def __init__(self) -> None:
        """Say that tokens made with the SAMPLE tables open no real meter."""
        super().__init__("the SAMPLE STA tables are not for real meters: refused outside lab mode")
