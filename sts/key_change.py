"""Key change sets: a new decoder key spread over two, three or four tokens (IEC 62055-41, 6.2.7).

=====  ==========  ==================================  ==================
set    key         key parts in token order            supply group code
=====  ==========  ==================================  ==================
2      64 bits     bytes 0–3, 4–7                      not sent
3      64 bits     bytes 0–3, 4–7                      third token
4      128 bits    bytes 0–3, 12–15, 4–7, 8–11         third and fourth
=====  ==========  ==================================  ==================

Building a set and deciding whether it may be issued are two things: ``build`` makes the tokens of
any well-formed change, ``check`` holds the refusals. ``join`` is what the meter does: it puts the
parts together, whatever their order, and says which are still missing.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final, Literal

from sts.derivation import KeyAttributes
from sts.errors import (
    KeyChangeAlgorithmError,
    KeyChangeConflictError,
    KeyChangeIncompleteError,
    KeyChangeRolloverError,
    KeyChangeSameError,
    KeyChangeSetSizeError,
    KeyChangeToExpiredKeyError,
    KeyChangeTypeError,
)
from sts.identifiers import (
    EncryptionAlgorithm,
    KeyExpiryNumber,
    KeyGenerationAlgorithm,
    KeyRevisionNumber,
    KeyType,
    SupplyGroupCode,
    TariffIndex,
)
from sts.key_material import DecoderKey
from sts.tokens import (
    KeyChangeToken,
    Set1stSectionDecoderKey,
    Set2ndSectionDecoderKey,
    Set3rdSectionDecoderKey,
    Set3rdSectionSupplyGroup,
    Set4thSectionDecoderKey,
)

SetSize = Literal[2, 3, 4]

SET_SIZES: Final[dict[int, tuple[SetSize, ...]]] = {64: (2, 3), 128: (4,)}
"""Length of the new key in bits to the sizes of set that can carry it."""

PERMITTED_KEY_TYPES: Final = frozenset(
    {
        (KeyType.INITIALISATION, KeyType.DEFAULT),
        (KeyType.INITIALISATION, KeyType.UNIQUE),
        (KeyType.DEFAULT, KeyType.DEFAULT),
        (KeyType.DEFAULT, KeyType.UNIQUE),
        (KeyType.UNIQUE, KeyType.UNIQUE),
        (KeyType.UNIQUE, KeyType.DEFAULT),
    }
)
"""Changes of key type, present to new, that are permitted (IEC 62055-41, 6.5.2.4)."""

_NO_EXPIRY: Final = KeyExpiryNumber(255)

_PART_NUMBER: Final[dict[type, int]] = {
    Set1stSectionDecoderKey: 1,
    Set2ndSectionDecoderKey: 2,
    Set3rdSectionSupplyGroup: 3,
    Set3rdSectionDecoderKey: 3,
    Set4thSectionDecoderKey: 4,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyChange:
    """What a complete set tells the meter.

    Attributes:
        new_key: The decoder key that takes the place of the present one.
        key_expiry_number: Of the new key.
        key_revision_number: Of the new key.
        key_type: Of the new key.
        tariff_index: Of the new key.
        rollover: Whether token identifiers start anew.
        supply_group_code: Of the new key; None if the set does not carry it.
    """

    new_key: DecoderKey
    key_expiry_number: KeyExpiryNumber
    key_revision_number: KeyRevisionNumber
    key_type: KeyType
    tariff_index: TariffIndex
    rollover: bool
    supply_group_code: SupplyGroupCode | None = None


def part_number(token: KeyChangeToken) -> int:
    """Return which part of its set a token is, 1 to 4."""
    return _PART_NUMBER[type(token)]


def build(change: KeyChange, *, set_size: SetSize | None = None) -> tuple[KeyChangeToken, ...]:
    """Return the tokens of a set in the order 1st, 2nd, 3rd, 4th.

    Args:
        change: The change. Whether it may be issued is not looked at, see ``check``.
        set_size: 2, 3 or 4; None takes 4 for a 128-bit key and 2 for a 64-bit one.

    Raises:
        KeyChangeSetSizeError: A size that does not go with the length of the key.
        KeyChangeConflictError: A set of 3 or 4 without a supply group code.
    """
    allowed = SET_SIZES[change.new_key.bits]
    size = allowed[0] if set_size is None else set_size
    if size not in allowed:
        raise KeyChangeSetSizeError(key_bits=change.new_key.bits, allowed=allowed, found=size)
    expiry = change.key_expiry_number.number
    words = _words(change.new_key)
    first_two: tuple[KeyChangeToken, ...] = (
        Set1stSectionDecoderKey(
            key_expiry_high=expiry >> 4,
            key_revision_number=change.key_revision_number,
            rollover=change.rollover,
            three_token_set=size == 3,  # noqa: PLR2004 - the size it is named after
            key_type=change.key_type,
            new_key_high=words[0],
        ),
        Set2ndSectionDecoderKey(
            key_expiry_low=expiry & 0xF,
            tariff_index=change.tariff_index,
            new_key_low=words[-1],
        ),
    )
    if size == 2:  # noqa: PLR2004 - as above
        return first_two
    group = change.supply_group_code
    if group is None:
        message = f"a set of {size} tokens carries a supply group code, none was given"
        raise KeyChangeConflictError(message)
    if size == 3:  # noqa: PLR2004 - as above
        return (*first_two, Set3rdSectionSupplyGroup(supply_group_code=group))
    return (
        *first_two,
        Set3rdSectionDecoderKey(supply_group_low=group.number & 0xFFF, new_key_middle_2=words[1]),
        Set4thSectionDecoderKey(supply_group_high=group.number >> 12, new_key_middle_1=words[2]),
    )


def missing_parts(tokens: Iterable[KeyChangeToken], *, key_bits: int) -> tuple[int, ...]:
    """Return the numbers of the parts that a meter still waits for.

    With a 64-bit key only the first part tells whether there are two or three, so part 3 is not
    waited for until part 1 has announced it.

    Args:
        tokens: The parts entered so far.
        key_bits: Length of the meter's key: 128 means four parts.
    """
    parts = {part_number(token): token for token in tokens}
    first = parts.get(1)
    announced = isinstance(first, Set1stSectionDecoderKey) and first.three_token_set
    # A long key takes four parts whatever the first one announces: with three, half would be lost.
    expected = 4 if key_bits == EncryptionAlgorithm.MISTY1.key_bits else 2 + announced
    return tuple(number for number in range(1, expected + 1) if number not in parts)


def join(tokens: Iterable[KeyChangeToken], *, key_bits: int) -> KeyChange:
    """Put the parts of one set together, whatever their order.

    The same part twice is harmless. A supply group part beside a first part that announces only
    two tokens belongs to another set and is refused.

    Args:
        tokens: The parts.
        key_bits: Length of the meter's key in bits, 64 or 128.

    Raises:
        KeyChangeIncompleteError: Parts are missing; the error numbers them.
        KeyChangeConflictError: Two different parts of one number, parts for the other key length,
            or a third part that the first one does not announce.
        OutOfRangeError: The two halves make a supply group code above 999999.
    """
    parts = _distinct(tokens, key_bits)
    missing = missing_parts(parts.values(), key_bits=key_bits)
    if missing:
        raise KeyChangeIncompleteError(missing)
    first, second = parts[1], parts[2]
    assert isinstance(first, Set1stSectionDecoderKey)
    assert isinstance(second, Set2ndSectionDecoderKey)
    middle, group = _third_and_fourth(first, parts)
    words = (first.new_key_high, *middle, second.new_key_low)
    return KeyChange(
        new_key=DecoderKey(b"".join(word.to_bytes(4, "big") for word in words)),
        key_expiry_number=KeyExpiryNumber(first.key_expiry_high << 4 | second.key_expiry_low),
        key_revision_number=first.key_revision_number,
        key_type=first.key_type,
        tariff_index=second.tariff_index,
        rollover=first.rollover,
        supply_group_code=group,
    )


def _words(key: DecoderKey) -> tuple[int, ...]:
    data = key.expose()
    return tuple(int.from_bytes(data[at : at + 4], "big") for at in range(0, len(data), 4))


def _distinct(tokens: Iterable[KeyChangeToken], key_bits: int) -> dict[int, KeyChangeToken]:
    """Number the parts and refuse those that cannot stand in one set."""
    # The third and fourth parts of one key length have no meaning under the other.
    foreign: tuple[type, ...] = (
        (Set3rdSectionSupplyGroup,)
        if key_bits == EncryptionAlgorithm.MISTY1.key_bits
        else (Set3rdSectionDecoderKey, Set4thSectionDecoderKey)
    )
    parts: dict[int, KeyChangeToken] = {}
    for token in tokens:
        number = part_number(token)
        if isinstance(token, foreign):
            message = f"part {number} does not belong to a {key_bits}-bit key"
            raise KeyChangeConflictError(message)
        if parts.setdefault(number, token) != token:
            message = f"two different parts {number}: they belong to different sets"
            raise KeyChangeConflictError(message)
    return parts


def _third_and_fourth(
    first: Set1stSectionDecoderKey, parts: dict[int, KeyChangeToken]
) -> tuple[tuple[int, ...], SupplyGroupCode | None]:
    """Return the middle words of the key and the supply group code, where the set has them."""
    third, fourth = parts.get(3), parts.get(4)
    if isinstance(third, Set3rdSectionDecoderKey) and isinstance(fourth, Set4thSectionDecoderKey):
        number = fourth.supply_group_high << 12 | third.supply_group_low
        return (third.new_key_middle_2, fourth.new_key_middle_1), SupplyGroupCode(number)
    if isinstance(third, Set3rdSectionSupplyGroup):
        if not first.three_token_set:
            message = "part 3 was given, but part 1 announces a set of two"
            raise KeyChangeConflictError(message)
        return (), third.supply_group_code
    return (), None


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyState:
    """A key as the issuing side knows it, without its bytes.

    Attributes:
        attributes: What decides the key.
        algorithm: How it was derived; None for a manufacturer's key of type 0.
        key_expiry_number: Its expiry.
    """

    attributes: KeyAttributes
    algorithm: KeyGenerationAlgorithm | None
    key_expiry_number: KeyExpiryNumber = _NO_EXPIRY


def check(
    present: KeyState,
    new: KeyState,
    *,
    rollover: bool,
    tid_now: int,
    allow_dkga_change: bool = True,
) -> None:
    """Refuse a key change that may not be issued (IEC 62055-41, 6.5.2.4 and 6.1.10).

    The present key may have expired: moving away from it is what the set is for.

    Args:
        present: The key in the meter.
        new: The key it is to have.
        rollover: The rollover bit of the set.
        tid_now: This minute as a token identifier of the new key's base date.
        allow_dkga_change: Whether the supply group lets EA07 meters go from DKGA02 to DKGA04.

    Raises:
        KeyChangeTypeError: A key type that may not follow the present one.
        KeyChangeConflictError: The keys belong to different meters.
        KeyChangeAlgorithmError: Another cipher, a way back from DKGA04, or a change of algorithm
            that the group does not allow.
        KeyChangeSameError: Nothing would change, so the set would work for ever.
        KeyChangeRolloverError: The bit is not set exactly when the base date changes, or the
            change of base date does not make another key.
        KeyChangeToExpiredKeyError: The new key has expired.
    """
    old, goal = present.attributes, new.attributes
    if (old.key_type, goal.key_type) not in PERMITTED_KEY_TYPES:
        message = f"key type {old.key_type:d} may not become {goal.key_type:d}"
        raise KeyChangeTypeError(message)
    _check_algorithms(present, new, allow_dkga_change=allow_dkga_change)
    # The same key with another expiry number is a change: the meter has no other way to learn it.
    if present == new:
        raise KeyChangeSameError
    base_date_changes = old.base_date is not goal.base_date
    if rollover != base_date_changes:
        message = (
            "the base date changes, so the rollover bit must be set"
            if base_date_changes
            else "the base date stays, so the rollover bit must not be set: it would let the "
            "meter accept every token of this base date again"
        )
        raise KeyChangeRolloverError(message)
    if rollover and _is_same_key(present, new):
        message = "the base date alone does not change a key of this algorithm: another is needed"
        raise KeyChangeRolloverError(message)
    if not new.key_expiry_number.covers(tid_now):
        message = f"the new key expired with key expiry number {new.key_expiry_number}"
        raise KeyChangeToExpiredKeyError(message)


def _is_same_key(present: KeyState, new: KeyState) -> bool:
    """Tell whether nothing but the base date differs where it does not enter the key.

    A rollover without a new key would open the meter to every token of the old base date again.
    """
    if present.algorithm is not new.algorithm or new.algorithm is KeyGenerationAlgorithm.DKGA04:
        return False
    return replace(present.attributes, base_date=new.attributes.base_date) == new.attributes


def _check_algorithms(present: KeyState, new: KeyState, *, allow_dkga_change: bool) -> None:
    old, goal = present.attributes, new.attributes
    if old.meter_pan != goal.meter_pan:
        message = "the two keys belong to different meters"
        raise KeyChangeConflictError(message)
    if old.encryption_algorithm is not goal.encryption_algorithm:
        message = "the cipher is built into the meter, a key change cannot replace it"
        raise KeyChangeAlgorithmError(message)
    if present.algorithm is None or present.algorithm is new.algorithm:
        return
    upgrade = (KeyGenerationAlgorithm.DKGA02, KeyGenerationAlgorithm.DKGA04)
    is_sta = goal.encryption_algorithm is EncryptionAlgorithm.STA
    if (present.algorithm, new.algorithm) != upgrade or not is_sta:
        message = f"no change from DKGA{present.algorithm} to DKGA{new.algorithm}"
        raise KeyChangeAlgorithmError(message)
    if not allow_dkga_change:
        message = "the supply group does not allow a change from DKGA02 to DKGA04"
        raise KeyChangeAlgorithmError(message)
