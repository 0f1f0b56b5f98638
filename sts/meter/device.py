"""The meter on the table: the pure machine over one file of memory.

Every method that operates the meter is one durable transaction: time passes up to ``now``, the
thing is done, and what came of it is written, or nothing is. The object holds nothing between
calls, so any number of processes may open the same meter, operate it and close it again. Whoever
comes with a ``now`` before the meter's own time finds the meter where it is.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Final, Self, TypeAlias

from sts.ciphers import SAMPLE_TABLES, StaTables, new_cipher
from sts.codec import TOKEN_DIGITS
from sts.identifiers import EncryptionAlgorithm
from sts.meter import supply
from sts.meter.acceptance import Reaction, apply
from sts.meter.display import amount_text, outcome_text
from sts.meter.errors import MeterTablesError
from sts.meter.key_change import without_stale
from sts.meter.memory import Contents, HistoryEntry, MeterMemory, Update, create_memory
from sts.meter.outcomes import Accepted, Displayed, Outcome, Refused
from sts.meter.results import ResultCode
from sts.meter.snapshot import Snapshot, snapshot_of
from sts.meter.spec import MeterSpec
from sts.meter.state import MeterState, Volatile, require_fitting
from sts.meter.supply import Advance, Event

_LONGEST_KEPT_ENTRY: Final = 2 * TOKEN_DIGITS
"""How much of an entry that is not a token the history keeps."""

_Operation: TypeAlias = Callable[[MeterSpec, MeterState], Advance]


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


def create_meter(path: str | Path, spec: MeterSpec, state: MeterState, *, now: datetime) -> None:
    """Write the file of a new meter, readable by its owner only; nothing is ever overwritten.

    Args:
        path: Where.
        spec: What is built.
        state: What it remembers, as a rule ``new_state(spec, key_register, now=now)``.
        now: The time of making; the state is advanced to it.

    Raises:
        MeterSpecError: Specification and state do not belong together.
        MeterFileExistsError: Something of this name is there.
        MeterFileAccessError: The folder cannot be written to.
        NaiveDatetimeError: ``now`` has no zone.
    """
    require_fitting(spec, state)
    made = supply.advance(spec, state, now).state
    create_memory(Path(path), Contents(spec=spec, state=made, volatile=Volatile()))


def open_meter(path: str | Path, *, sta_tables: StaTables = SAMPLE_TABLES) -> "VirtualMeter":
    """Open the meter in a file; use it in a ``with`` block, or close it.

    Args:
        path: The file.
        sta_tables: The tables that an EA07 meter was built with.

    Raises:
        MeterFileError: The file is missing, foreign, damaged, newer, inaccessible or busy; each
            has a class and a code of its own.
        MeterTablesError: The tables are others than those of the meter.
    """
    memory = MeterMemory(Path(path))
    try:
        return VirtualMeter(memory, sta_tables)
    except BaseException:
        memory.close()
        raise


class VirtualMeter:
    """One meter; open it with ``open_meter``. One object serves one thread."""

    def __init__(self, memory: MeterMemory, sta_tables: StaTables) -> None:
        """Take an open memory and make sure that it belongs to these tables.

        Raises:
            MeterTablesError: The meter was built with others.
        """
        self.spec: Final = memory.read().spec
        self._memory: Final = memory
        self._sta_tables: Final = sta_tables
        built_with = self.spec.sta_tables_fingerprint
        if self._uses_tables and sta_tables.fingerprint != built_with:
            raise MeterTablesError(built_with=built_with, found=sta_tables.fingerprint)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._memory.close()

    @property
    def uses_sample_tables(self) -> bool:
        """Whether its tokens are those of the SAMPLE tables: not for real meters."""
        return self._uses_tables and self._sta_tables.is_sample

    def enter(self, digits: str, *, now: datetime) -> Entry:
        """Key in a token.

        A refused token is an answer, not an error.

        Args:
            digits: As typed; spaces and dashes are ignored.
            now: The moment, aware.

        Raises:
            MeterFileError: The memory is busy, damaged or inaccessible; then nothing happened.
            NaiveDatetimeError: ``now`` has no zone.
        """

        def take(contents: Contents) -> _Entered:
            reaction = apply(
                self.spec,
                contents.state,
                contents.volatile,
                digits=digits,
                cipher=new_cipher(
                    self.spec.encryption_algorithm,
                    contents.state.key_register.decoder_key,
                    sta_tables=self._sta_tables,
                ),
                now=now,
            )
            entry = self._entry(digits, reaction)
            return _Entered(
                contents=replace(contents, state=reaction.state, volatile=reaction.volatile),
                events=reaction.events,
                token=_history_entry(entry),
                entry=entry,
            )

        return self._memory.change(take).entry

    def advance(self, *, now: datetime) -> Snapshot:
        """Let time pass up to ``now`` and write it down."""
        return self._operate(lambda _spec, state: Advance(state=state), now=now)

    def set_load(self, load_w: int, *, now: datetime) -> Snapshot:
        """Switch appliances on or off: from ``now`` on the load is ``load_w``.

        Raises:
            MeterLoadError: Not a whole number within the meter's rating.
        """
        return self._operate(
            lambda spec, state: Advance(state=supply.set_load(spec, state, load_w)), now=now
        )

    def tamper(self, *, now: datetime) -> Snapshot:
        """Open the cover."""
        return self._operate(supply.tamper, now=now)

    def press(self, *, now: datetime) -> Snapshot:
        """Press the button that closes the relay, where the meter waits for it."""
        return self._operate(supply.press, now=now)

    def snapshot(self, *, now: datetime) -> Snapshot:
        """Return the meter as it is at ``now``; nothing is written."""
        contents = self._memory.read()
        state = supply.advance(self.spec, contents.state, now).state
        return snapshot_of(self.spec, state, without_stale(contents.volatile, state.advanced_to))

    def events(self, limit: int = 100) -> tuple[Event, ...]:
        """Return the latest events that were written, newest first."""
        return self._memory.events(limit)

    def history(self, limit: int = 100) -> tuple[HistoryEntry, ...]:
        """Return the latest tokens that were keyed, newest first."""
        return self._memory.history(limit)

    @property
    def _uses_tables(self) -> bool:
        return self.spec.encryption_algorithm is EncryptionAlgorithm.STA

    def _operate(self, operation: _Operation, *, now: datetime) -> Snapshot:
        """Let time pass, do something to the supply, and write it down."""

        def operate(contents: Contents) -> Update:
            passed = supply.advance(self.spec, contents.state, now)
            done = operation(self.spec, passed.state)
            volatile = without_stale(contents.volatile, done.state.advanced_to)
            return Update(
                contents=replace(contents, state=done.state, volatile=volatile),
                events=(*passed.events, *done.events),
            )

        contents = self._memory.change(operate).contents
        return snapshot_of(self.spec, contents.state, contents.volatile)

    def _entry(self, digits: str, reaction: Reaction) -> Entry:
        outcome = reaction.outcome
        effects = outcome.effects if isinstance(outcome, Accepted) else ()
        return Entry(
            outcome=outcome,
            digits=_printable(digits),
            household_text=outcome_text(self.spec, outcome),
            engineer_text=outcome.reason if isinstance(outcome, Refused) else "",
            amount_text=amount_text(self.spec, outcome),
            lines=tuple(
                line for effect in effects if isinstance(effect, Displayed) for line in effect.lines
            ),
            snapshot=snapshot_of(self.spec, reaction.state, reaction.volatile),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Entered(Update):
    """An update by a token, with the answer to whoever keyed it."""

    entry: Entry


def _history_entry(entry: Entry) -> HistoryEntry:
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
