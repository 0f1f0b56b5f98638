"""Why a token that was made is not handed out, or not again."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from vending_app.domain.key_changes import ChangeState


class HeldBack(StrEnum):
    """Why a token that was made is not handed out, or not again."""

    WITHHELD = "withheld"
    VOID = "void"
    CHANGE_CONFIRMED = "change_confirmed"
    CHANGE_GIVEN_UP = "change_given_up"
    CHANGE_REPLACED = "change_replaced"
    OTHER_KEY = "other_key"

    @property
    def words(self) -> str:
        """The same in a sentence or two, for the cashier."""
        return _WORDS[self]


_WORDS: Final[Mapping[HeldBack, str]] = {
    HeldBack.WITHHELD: "This token was made but never handed out.",
    HeldBack.VOID: "This token is void.",
    HeldBack.CHANGE_CONFIRMED: (
        "The key change was confirmed: the meter holds its new key, and nobody needs these tokens."
    ),
    HeldBack.CHANGE_GIVEN_UP: (
        "The key change was given up: nobody must enter its tokens any more, and they are not"
        " shown again."
    ),
    HeldBack.CHANGE_REPLACED: (
        "The tokens of this key change were made again since: enter those of the later set."
    ),
    HeldBack.OTHER_KEY: (
        "This token was made for a key that the meter does not hold: it cannot be entered, and is"
        " not shown again. If it never was, open a case that takes it back: with a reading of the"
        " meter or, where a change to a key of another revision was confirmed since, as made void"
        " by that."
    ),
}

HELD_BACK: Final[Mapping[ChangeState, HeldBack | None]] = {
    ChangeState.ON_ITS_WAY: None,
    ChangeState.CONFIRMED: HeldBack.CHANGE_CONFIRMED,
    ChangeState.GIVEN_UP: HeldBack.CHANGE_GIVEN_UP,
    ChangeState.REPLACED: HeldBack.CHANGE_REPLACED,
}
"""Whether the tokens of a key change are handed out, by where it stands."""
