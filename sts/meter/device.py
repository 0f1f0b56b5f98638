"""The meter on the table: the pure machine over one file of memory.

Every method that operates the meter is one durable transaction: time passes up to ``now``, the
thing is done, and what came of it is written, or nothing is. The object holds nothing between
calls, so any number of processes may open the same meter, operate it and close it again. Whoever
comes with a ``now`` before the meter's own time finds the meter where it is.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Final, Self, TypeAlias

from sts.ciphers import SAMPLE_TABLES, StaTables, new_cipher
from sts.identifiers import EncryptionAlgorithm
from sts.meter import panel, supply
from sts.meter.entry import Entry, Reply, entry_of, history_entry_of
from sts.meter.errors import MeterTablesError
from sts.meter.events import Advance, DayRecord, Event, IntervalRecord
from sts.meter.key_change import without_stale
from sts.meter.loads import Load
from sts.meter.lockout import NO_LOCKOUT
from sts.meter.log_rows import HistoryEntry
from sts.meter.memory import KEPT_INTERVALS, Contents, MeterMemory, Update, create_memory
from sts.meter.panel import Answer, Face, Panel
from sts.meter.power import PowerChange, lose_power, return_power
from sts.meter.readouts import DAYS_OF_MEAN, TOKENS_SHOWN
from sts.meter.snapshot import Snapshot, snapshot_of
from sts.meter.spec import MeterSpec
from sts.meter.state import MeterState, SupplyCause, TamperKind, Volatile, require_fitting

_Operation: TypeAlias = Callable[[MeterSpec, MeterState], Advance]


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
        self.memory: Final = memory
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
        self.memory.close()

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
            MeterPowerError: The meter has no power.
            MeterFileError: The memory is busy, damaged or inaccessible; then nothing happened.
            NaiveDatetimeError: ``now`` has no zone.
        """
        reply = self._at_panel(lambda front: panel.enter(front, digits, now=now))
        assert reply.entry is not None, "an entry is what became of the digits"
        return reply.entry

    def key(self, symbol: str, *, now: datetime) -> Reply:
        """Press one key: 0 to 9, ``#``, ``*`` for backspace, ``C`` for clear.

        Raises:
            MeterKeyError: There is no such key.
            MeterPowerError: The meter has no power.
            MeterFileError, NaiveDatetimeError: As for ``enter``.
        """
        return self._at_panel(lambda front: panel.key(front, symbol, now=now))

    def short_code(self, code: str, *, now: datetime) -> Reply:
        """Key in a short code: the digits between the two ``#``.

        A code that the meter does not know is an answer, not an error.

        Raises:
            MeterPowerError: The meter has no power.
            MeterFileError, NaiveDatetimeError: As for ``enter``.
        """
        return self._at_panel(lambda front: panel.short_code(front, code, now=now))

    def display(self, *, now: datetime) -> Face:
        """Return what one sees and hears of the meter at ``now``; nothing is written."""
        contents = self.memory.read()
        state = supply.advance(self.spec, contents.state, now).state
        volatile = without_stale(contents.volatile, state.advanced_to)
        return panel.face_of(self.spec, state, volatile)

    def advance(self, *, now: datetime, load: Load | None = None) -> Snapshot:
        """Let time pass up to ``now`` and write it down.

        Args:
            now: The moment, aware.
            load: What is drawn until then; the load that was set last, if it is not given.

        Raises:
            MeterLoadError: The meter cannot have such a load.
        """
        return self._operate(lambda _spec, state: Advance(state=state), now=now, load=load)

    def set_load(self, load_w: int | tuple[int, ...], *, now: datetime) -> Snapshot:
        """Switch appliances on or off: from ``now`` on the load is ``load_w``.

        It is one number for each phase, or one that is spread evenly over them; negative power
        flows back.

        Raises:
            MeterLoadError: Not a load that the meter can have, not even for a moment.
        """
        return self._operate(
            lambda spec, state: Advance(state=supply.set_load(spec, state, load_w)), now=now
        )

    def tamper(
        self, kind: TamperKind = TamperKind.COVER, *, now: datetime, lasting: bool = False
    ) -> Snapshot:
        """Open the cover, or hold a magnet to the meter; ``lasting`` until ``end_tamper``."""
        return self._operate(partial(supply.tamper, kind=kind, lasting=lasting), now=now)

    def end_tamper(self, kind: TamperKind, *, now: datetime) -> Snapshot:
        """Close the cover, or take the magnet away."""
        return self._operate(partial(supply.end_tamper, kind=kind), now=now)

    def supervise(self, *, on: bool, now: datetime) -> Snapshot:
        """Switch the supply off, or let it return, as a technician at the meter would."""
        switch = supply.switch_on if on else supply.switch_off
        return self._operate(partial(switch, cause=SupplyCause.SUPERVISOR), now=now)

    def press(self, *, now: datetime) -> Snapshot:
        """Press the button that closes the relay, where the meter waits for it."""
        return self._operate(supply.press, now=now)

    def power_off(self, *, now: datetime) -> Snapshot:
        """Let the network fail: nothing flows, and what is volatile is forgotten."""
        return self._switch(lambda meter: lose_power(meter.spec, meter.state), now=now)

    def power_on(self, *, now: datetime) -> Snapshot:
        """Let the network return."""
        return self._switch(
            lambda meter: return_power(meter.spec, meter.state, meter.volatile), now=now
        )

    def reset_lockout(self, *, now: datetime) -> Snapshot:
        """Forget the refused tokens, as only somebody with a bench can."""
        return self._operate(
            lambda _spec, state: Advance(state=replace(state, lockout=NO_LOCKOUT)), now=now
        )

    def snapshot(self, *, now: datetime) -> Snapshot:
        """Return the meter as it is at ``now``; nothing is written."""
        contents = self.memory.read()
        state = supply.advance(self.spec, contents.state, now).state
        return snapshot_of(self.spec, state, without_stale(contents.volatile, state.advanced_to))

    def events(self, limit: int = 100) -> tuple[Event, ...]:
        """Return the latest events that were written, newest first."""
        return self.memory.events(limit)

    def load_profile(self, limit: int = KEPT_INTERVALS) -> tuple[IntervalRecord, ...]:
        """Return the latest half hours that were written, newest first."""
        return self.memory.intervals(limit)

    def daily_totals(self, limit: int = 100) -> tuple[DayRecord, ...]:
        """Return the latest local days that were written, newest first."""
        return self.memory.days(limit)

    def history(self, limit: int = 100) -> tuple[HistoryEntry, ...]:
        """Return the latest tokens that were keyed, newest first."""
        return self.memory.history(limit)

    @property
    def _uses_tables(self) -> bool:
        return self.spec.encryption_algorithm is EncryptionAlgorithm.STA

    def _panel(self, contents: Contents) -> Panel:
        return Panel(
            spec=self.spec,
            state=contents.state,
            volatile=contents.volatile,
            cipher=new_cipher(
                self.spec.encryption_algorithm,
                contents.state.key_register.decoder_key,
                sta_tables=self._sta_tables,
            ),
            tokens=self.memory.history(TOKENS_SHOWN),
            daily_use=tuple(day.imported for day in self.memory.days(DAYS_OF_MEAN)),
        )

    def _at_panel(self, do: Callable[[Panel], Answer]) -> Reply:
        """Do something at the front of the meter, and write down what came of it."""

        def operate(contents: Contents) -> _Replied:
            answer = do(self._panel(contents))
            entry = (
                None
                if answer.reaction is None
                else entry_of(self.spec, answer.digits, answer.reaction)
            )
            reply = Reply(
                results=answer.results,
                entry=entry,
                short_code=answer.short_code,
                face=panel.face_of(self.spec, answer.state, answer.volatile),
                snapshot=snapshot_of(self.spec, answer.state, answer.volatile),
            )
            return _Replied(
                contents=replace(contents, state=answer.state, volatile=answer.volatile),
                events=answer.events,
                written=answer.written,
                token=None if entry is None else history_entry_of(entry),
                reply=reply,
            )

        return self.memory.change(operate).reply

    def _switch(self, change: Callable[[Contents], PowerChange], *, now: datetime) -> Snapshot:
        """Let time pass, and the power go or come."""

        def operate(contents: Contents) -> Update:
            passed = supply.advance(self.spec, contents.state, now)
            changed = change(replace(contents, state=passed.state))
            return Update(
                contents=replace(contents, state=changed.state, volatile=changed.volatile),
                events=(*passed.events, *changed.events),
                written=passed.written,
            )

        contents = self.memory.change(operate).contents
        return snapshot_of(self.spec, contents.state, contents.volatile)

    def _operate(
        self, operation: _Operation, *, now: datetime, load: Load | None = None
    ) -> Snapshot:
        """Let time pass, do something to the supply, and write it down."""

        def operate(contents: Contents) -> Update:
            passed = supply.advance(self.spec, contents.state, now, load=load)
            done = operation(self.spec, passed.state)
            volatile = without_stale(contents.volatile, done.state.advanced_to)
            return Update(
                contents=replace(contents, state=done.state, volatile=volatile),
                events=(*passed.events, *done.events),
                written=passed.written,
            )

        contents = self.memory.change(operate).contents
        return snapshot_of(self.spec, contents.state, contents.volatile)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Replied(Update):
    """An update from the front of the meter, with the answer to whoever stands there."""

    reply: Reply
