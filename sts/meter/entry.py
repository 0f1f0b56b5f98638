"""What came of a token or a key, for whoever asks the device: in codes and in words."""

from dataclasses import dataclass
from typing import Final

from sts.codec import TOKEN_DIGITS
from sts.meter.acceptance import Reaction
from sts.meter.display import amount_text, outcome_text
from sts.meter.keypad import KeypadResult
from sts.meter.log_rows import HistoryEntry
from sts.meter.outcomes import Accepted, Displayed, Outcome, Refused
from sts.meter.panel import Face
from sts.meter.readouts import CodeRefused, Shown
from sts.meter.results import ResultCode
from sts.meter.snapshot import Snapshot, snapshot_of
from sts.meter.spec import MeterSpec

_LONGEST_KEPT_ENTRY: Final = 2 * TOKEN_DIGITS
"""How much of an entry that is not a token the history keeps."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What came of 20 digits.

    Attributes:
        outcome: Accepted, PartStored or Refused, with all that belongs to it.
        digits: As the history keeps them.
        household_text: The answer for the person at the keypad.
        engineer_text: Why the token was refused; empty if it was not.
        amount_text: The amount that was added, for example ``5.9 kWh``; empty without one.
        lines: What a test or read token put on the display.
        snapshot: The meter afterwards.
    """

    outcome: Outcome
    digits: str
    household_text: str
    engineer_text: str
    amount_text: str
    lines: tuple[str, ...]
    snapshot: Snapshot

    @property
    def code(self) -> ResultCode:
        """The number in the meter's result register."""
        return self.outcome.code

    @property
    def refused(self) -> bool:
        """Whether the token was refused; a stored part of a key change set was not."""
        return isinstance(self.outcome, Refused)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What came of something that was done at the front of the meter.

    Attributes:
        results: What the keypad made of a key; none if a code or a token came as a whole.
        entry: What came of a token; None if none was complete.
        short_code: The answer to a short code; None if none was complete.
        face: What one sees and hears.
        snapshot: The meter afterwards.
    """

    results: tuple[KeypadResult, ...]
    entry: Entry | None
    short_code: Shown | CodeRefused | None
    face: Face
    snapshot: Snapshot


def entry_of(spec: MeterSpec, digits: str, reaction: Reaction) -> Entry:
    """Return what the device tells of a token."""
    outcome = reaction.outcome
    effects = outcome.effects if isinstance(outcome, Accepted) else ()
    return Entry(
        outcome=outcome,
        digits=_printable(digits),
        household_text=outcome_text(spec, outcome),
        engineer_text=outcome.reason if isinstance(outcome, Refused) else "",
        amount_text=amount_text(spec, outcome),
        lines=tuple(
            line for effect in effects if isinstance(effect, Displayed) for line in effect.lines
        ),
        snapshot=snapshot_of(spec, reaction.state, reaction.volatile),
    )


def history_entry_of(entry: Entry) -> HistoryEntry:
    """Return the line of the history."""
    return HistoryEntry(
        at=entry.snapshot.at,
        digits=entry.digits,
        result=entry.code,
        amount=entry.amount_text,
        text=entry.household_text,
        reason=entry.engineer_text,
    )


def _printable(digits: str) -> str:
    """Return an entry without separators, short and harmless, whatever was typed."""
    kept = digits.replace(" ", "").replace("-", "")[:_LONGEST_KEPT_ENTRY]
    return "".join(letter if letter.isprintable() else "?" for letter in kept)
