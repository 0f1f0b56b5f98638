"""Key change sets that may not or cannot be."""

from collections.abc import Sequence

from sts.errors.root import StsError


class KeyChangeError(StsError):
    """A key change set that cannot be joined, or that may not be issued."""

    code = "KEY_CHANGE"


class KeyChangeIncompleteError(KeyChangeError):
    """Parts of the set are missing; ``missing`` numbers them from 1."""

    code = "KEY_CHANGE_INCOMPLETE"
    hint = "enter the missing tokens of the set, in any order"

    def __init__(self, missing: Sequence[int]) -> None:
        """Say which parts are missing."""
        super().__init__(f"missing part {', '.join(str(part) for part in missing)} of the set")
        self.missing = tuple(missing)


class KeyChangeConflictError(KeyChangeError):
    """Tokens that do not belong to one set."""

    code = "KEY_CHANGE_CONFLICT"


class KeyChangeSetSizeError(KeyChangeError):
    """A set size that this key length does not have."""

    code = "KEY_CHANGE_SET_SIZE"

    def __init__(self, *, key_bits: int, allowed: Sequence[int], found: int) -> None:
        """Say how many tokens a key of this length is split over."""
        numbers = " or ".join(str(size) for size in allowed)
        super().__init__(f"a {key_bits}-bit key is split over {numbers} tokens, found {found}")


class KeyChangeSameError(KeyChangeError):
    """The new key is the old key: the set would be repeatable for ever."""

    code = "KEY_CHANGE_SAME"
    hint = "change the supply group, revision, tariff index, type, expiry or base date"

    def __init__(self) -> None:
        """Say that nothing would change."""
        super().__init__("the new key has the same attributes as the present one")


class KeyChangeTypeError(KeyChangeError):
    """A change of key type that IEC 62055-41, 6.5.2.4 does not permit."""

    code = "KEY_CHANGE_TYPE"
    hint = "type 0 may become 1 or 2; 1 and 2 may become either"


class KeyChangeRolloverError(KeyChangeError):
    """The rollover bit must be set exactly when the base date changes."""

    code = "KEY_CHANGE_ROLLOVER"
    hint = "the rollover bit goes with a new base date and a new key, never without"


class KeyChangeAlgorithmError(KeyChangeError):
    """A change of key generation or encryption algorithm that is not allowed."""

    code = "KEY_CHANGE_ALGORITHM"
    hint = "only an EA07 meter may change, from DKGA02 to DKGA04, where its group allows it"


class KeyChangeToExpiredKeyError(KeyChangeError):
    """A set that would move the meter to a key that has expired (IEC 62055-41, 6.1.10)."""

    code = "KEY_CHANGE_TO_EXPIRED_KEY"
    hint = "move the meter to a newer revision of the vending key"
