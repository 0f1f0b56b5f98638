"""What becomes of the key changes of a meter, and which tokens may be handed out because of it.

The history of a meter says in which order its key changes were issued, confirmed and given up.
``change_states`` goes through it and tells of each where it stands now.
"""

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Final

from vending_app.domain.network import KeyName

ISSUED: Final = "key change issued"
"""The event in a meter's history when the tokens of a key change were made."""
CONFIRMED: Final = "key change confirmed"
"""The event when somebody has seen the meter hold its new key."""
GIVEN_UP: Final = "key change given up"
"""The event when the change is not wanted any more."""


class ChangeState(StrEnum):
    """Where a key change stands."""

    ON_ITS_WAY = "on_its_way"
    """Its tokens may still have to be entered."""
    CONFIRMED = "confirmed"
    """The meter was seen to hold its key."""
    GIVEN_UP = "given_up"
    """Its tokens must not be entered any more."""
    REPLACED = "replaced"
    """Another set for the same key was made since."""


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
        " meter or, where a change to another key was confirmed since, as made void by that."
    ),
}

HELD_BACK: Final[Mapping[ChangeState, HeldBack | None]] = {
    ChangeState.ON_ITS_WAY: None,
    ChangeState.CONFIRMED: HeldBack.CHANGE_CONFIRMED,
    ChangeState.GIVEN_UP: HeldBack.CHANGE_GIVEN_UP,
    ChangeState.REPLACED: HeldBack.CHANGE_REPLACED,
}
"""Whether the tokens of a key change are handed out, by where it stands."""


def change_states(events: Iterable[str], *, made_for: Sequence[KeyName]) -> tuple[ChangeState, ...]:
    """Return where the key changes of a meter stand, in the order in which they were issued.

    A set for the same key as the one before takes its place: that one was lost. A set for the key
    that the one before brings builds on it: the customer enters both, in their order. Whoever then
    gives the change up has seen the meter hold the key between the two.

    Args:
        events: What happened to the meter, oldest first; events of other kinds change nothing.
        made_for: The key that each of the sets is for.
    """
    states: list[ChangeState] = []
    begins = 0

    def move(before: ChangeState, after: ChangeState, *, only: KeyName | None = None) -> None:
        """Let the sets since the last end that stand in one place stand in another."""
        for place in range(begins, len(states)):
            if states[place] is before and only in {None, made_for[place]}:
                states[place] = after

    for event in events:
        if event == ISSUED:
            move(ChangeState.ON_ITS_WAY, ChangeState.REPLACED, only=made_for[len(states)])
            states.append(ChangeState.ON_ITS_WAY)
        elif event == CONFIRMED:
            move(ChangeState.ON_ITS_WAY, ChangeState.CONFIRMED)
            begins = len(states)
        elif event == GIVEN_UP:
            for each in (ChangeState.ON_ITS_WAY, ChangeState.REPLACED) if states else ():
                move(each, ChangeState.GIVEN_UP, only=made_for[len(states) - 1])
            move(ChangeState.ON_ITS_WAY, ChangeState.CONFIRMED)
            begins = len(states)
    return tuple(states)
