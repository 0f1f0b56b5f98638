"""A meter on its way from one moment to a later one.

Time does not tick here. Between two things that happen, everything is constant: the walk computes
when the next one comes, counts the registers up to it, does what is to be done, and goes on.

    half hour, midnight, price, friendly hours    known from the calendar
    end of a wait, a lock, a test                 known since it began
    warning, alarm, cut                           computed from credit and the present load
    trip of a limit, tampering                    computed from when the load went beyond it

What is due at an instant is done in this order: the diary is closed, prices and hours turn, waits
end, limits trip, credit is looked at, warnings are given, the relay moves. A load that changes at
an instant counts from then on, so it has no part in what is due there.
"""

from dataclasses import replace
from datetime import datetime
from typing import Final

from sts.meter.accounts import Accounts
from sts.meter.calendars import time_zone
from sts.meter.credit_watch import NO_END, CreditWatch
from sts.meter.diary import Diary
from sts.meter.energy import price_at
from sts.meter.errors import MeterLoadError
from sts.meter.events import Advance, Event, EventKind, Written
from sts.meter.load_watch import LoadWatch
from sts.meter.loads import Load
from sts.meter.moments import (
    NEVER,
    SECOND,
    microseconds_of,
    microseconds_or_none,
    moment_of,
    moment_or_none,
)
from sts.meter.profiles import ReconnectPolicy
from sts.meter.registers import FINE_PARTS, Register
from sts.meter.spec import MeterSpec
from sts.meter.state import (
    DETECT_TAMPER_FLAG,
    DISCONNECT_ON_TAMPER_FLAG,
    MeterState,
    SupplyCause,
    TamperKind,
)

_WARNINGS: Final = {1: EventKind.LOW_CREDIT, 2: EventKind.VERY_LOW_CREDIT}


class Walk:
    """One meter that changes; it begins with a state and ends with one.

    Attributes:
        now: The moment, in microseconds.
        causes: What keeps the relay open.
        closed: Whether supply flows.
    """

    def __init__(self, spec: MeterSpec, state: MeterState) -> None:
        """Begin where a state is."""
        self._spec, self._before = spec, state
        self.now = microseconds_of(state.advanced_to)
        self._zone = time_zone(spec.time_zone)
        self._accounts = Accounts(state)
        self._diary = Diary(state, self._zone)
        self._credit = CreditWatch(spec, state)
        self._load = LoadWatch(spec, state)
        self._events: list[Event] = []
        self._price = 0
        self._next_at = self._turns_at = self._waits_until = NEVER
        self._most = NO_END
        # What the relay and the tamper status are made of.
        self.causes = set(state.causes)
        self.closed = state.relay_closed
        self._powered = state.powered
        self._last_cause = state.last_cause
        self._test_until = microseconds_or_none(state.test_until)
        self._tamper_kinds, self._tampering = set(state.tamper_kinds), set(state.tampering)
        self._turn_calendar()
        self._find_waits()
        if not self._powered:
            self._rest()

    # --- time passes ------------------------------------------------------------------------------

    def follow(self, load: Load, until: datetime) -> None:
        """Let time pass until ``until`` under a load.

        Raises:
            MeterLoadError: A load that the meter cannot have, or one that does not fill the time.
        """
        now_flowing = self._load
        for ends_at, watts, volts in load.segments(moment_of(self.now), until):
            end = microseconds_of(ends_at)
            if end < self.now:
                raise MeterLoadError("the segments of a load go back in time")
            if watts != now_flowing.watts or volts != now_flowing.volts:
                now_flowing.take(watts, volts)
            self._pass(end)
        if self.now != microseconds_of(until):
            raise MeterLoadError("the segments of a load do not fill the time")

    def _pass(self, end: int) -> None:
        """Let time pass under the present load."""
        self._look_ahead(end)
        while True:
            stop = min(end, self._next_at, self._diary.closes_at)
            if self.closed and self._powered:
                self._most -= self._accounts.flow(
                    self._load.rates, stop - self.now, price=self._price, most=self._most
                )
            self.now = stop
            if stop == self._diary.closes_at:
                self._close_page()
            if stop >= self._next_at:
                self._act()
                if stop < end:
                    self._look_ahead(end)
            if stop == end:
                return

    def _look_ahead(self, end: int) -> None:
        """Find when something happens next, or know that nothing does before ``end``."""
        next_at = self._turns_at
        self._most = NO_END
        if self._powered:
            # A wait may have ended while there was no power.
            next_at = max(min(next_at, self._waits_until), self.now)
        if self.closed and self._powered:
            if self._load.beyond:
                next_at = min(next_at, self._load.next_trip(self.now))
            credit, cost = self._accounts.credit, self._load.rates.imported * self._price
            if not self._credit.nothing_within(end - self.now, credit=credit, cost=cost):
                next_at = min(next_at, self._look_at_credit())
            else:
                self._credit.alarm = False
        self._next_at = next_at

    def _look_at_credit(self) -> int:
        """Return when credit warns, alarms or ends."""
        credit, rate, price = self._accounts.credit, self._load.rates.imported, self._price
        self._most = self._credit.payable(credit, price)
        return min(
            self._credit.next_warning(self.now, credit=credit, cost=rate * price),
            self._credit.exhausted_at(self.now, credit=credit, rate=rate, price=price),
            self._look_for_cut(),
        )

    def _look_for_cut(self) -> int:
        """Sound or still the alarm; return when it will begin."""
        begins_now, begins_at = self._credit.look_for_cut(
            self.now,
            credit=self._accounts.credit,
            rate=self._load.rates.imported,
            price=self._price,
        )
        if begins_now:
            self._note(EventKind.CUT_AHEAD)
        return begins_at

    # --- something happens ------------------------------------------------------------------------

    def _close_page(self) -> None:
        """Complete a half hour and perhaps a day."""
        if self.now == self._diary.day_ends and self._spec.profile.friendly.exist:
            # Friendly hours are known for some days only: each midnight they are asked again.
            self._turns_at = self._next_at = self.now
        self._diary.close(self.now, self._accounts)

    def _act(self) -> None:
        """Do all that is due now."""
        if self.now >= self._turns_at:
            self._turn_calendar()
        if not self._powered:
            return
        if self.now >= self._waits_until:
            self._end_waits()
        if self.closed and self._load.beyond:
            self._trip()
        self.settle()
        if self.closed:
            self._look_for_cut()

    def _turn_calendar(self) -> None:
        """Take the price and the hours that hold from now on."""
        moment = moment_of(self.now)
        self._price = price_at(self._spec, moment)
        turns = [
            microseconds_of(period.starts_at)
            for period in self._spec.prices
            if period.starts_at > moment
        ]
        friendly = self._spec.profile.friendly
        if friendly.exist:
            period = friendly.period_at(self._zone, moment)
            until = NEVER if period.until is None else microseconds_of(period.until)
            self._credit.friendly, self._credit.friendly_until = period.friendly, until
            turns.append(until)
        self._turns_at = min(turns, default=NEVER)

    def _end_waits(self) -> None:
        for limit in self._load.limits:
            if limit.open_until is not None and self.now >= limit.open_until:
                limit.open_until = None
                self.causes.discard(limit.cause)
        if self._test_until is not None and self.now >= self._test_until:
            self._test_until = None
            self.causes.discard(SupplyCause.LOAD_SWITCH_TEST)
        self._find_waits()

    def _find_waits(self) -> None:
        """Find when the first wait ends."""
        ends = (self._test_until, *(limit.open_until for limit in self._load.limits))
        self._waits_until = min((end for end in ends if end is not None), default=NEVER)

    def _trip(self) -> None:
        """Open the relay for limits that have been passed for too long."""
        for limit in self._load.limits:
            if limit.is_due(self.now):
                if limit.trip(self.now):
                    self._note(EventKind.LIMIT_LOCKED, limit.cause)
                self.add_cause(limit.cause)
        if self._load.reverse.is_due(self.now):
            self._detect(TamperKind.REVERSE)
        self._find_waits()

    # --- the relay --------------------------------------------------------------------------------

    def settle(self) -> None:
        """Look at credit, warn, and put the relay where the causes ask for it.

        Without power the relay may still open, but it does not close.
        """
        for kind in sorted(self._tampering):
            self._detect(kind)
        if self._powered:
            self._settle_credit()
            warning = self._credit.settle(self._accounts.credit)
            if warning:
                self._note(_WARNINGS[warning])
        if self.closed and self.causes:
            self._open()
        elif not self.causes and self._closes_by_itself():
            self._close()

    def add_cause(self, cause: SupplyCause) -> None:
        """Keep the relay open from the next ``settle`` on."""
        if cause not in self.causes:
            self.causes.add(cause)
            self._last_cause = cause

    def press(self) -> None:
        """Close the relay if nothing keeps it open."""
        self.settle()
        if not self.causes:
            self._close()

    def begin_test(self) -> None:
        """Open the relay for a moment, if it is closed."""
        if self.closed:
            self._test_until = self.now + self._spec.profile.load_switch_test_s * SECOND
            self._find_waits()
            self.add_cause(SupplyCause.LOAD_SWITCH_TEST)

    def reset_limit(self, cause: SupplyCause) -> None:
        """Begin anew with a limit that has been changed."""
        self._load.reset_limit(cause)
        self.causes.discard(cause)
        self._find_waits()

    def _settle_credit(self) -> None:
        credit, exhausted = self._accounts.credit, SupplyCause.CREDIT_EXHAUSTED
        if exhausted not in self.causes:
            if not self._credit.payable(credit, self._price):
                self.add_cause(exhausted)
            return
        # A customer who owes pays the debt off first, unless they borrow on purpose: friendly
        # hours keep supply on, but do not bring it back.
        lent = self._credit.emergency is not None
        if credit >= FINE_PARTS or (lent and self._credit.payable_at_any_hour(credit, self._price)):
            self.causes.discard(exhausted)

    def _closes_by_itself(self) -> bool:
        # After its own test the meter always puts the relay back.
        automatic = self._spec.reconnect is ReconnectPolicy.AUTOMATIC
        return automatic or self._last_cause is SupplyCause.LOAD_SWITCH_TEST

    def _open(self) -> None:
        self.closed = False
        self._rest()
        self._note(EventKind.RELAY_OPENED, self._last_cause)

    def _rest(self) -> None:
        """Cease to watch what flows, for nothing does."""
        self._credit.alarm = False
        self._load.rest()

    def _close(self) -> None:
        if self._powered and not self.closed:
            self.closed = True
            self._note(EventKind.RELAY_CLOSED, self._last_cause)

    # --- tampering and loans ----------------------------------------------------------------------

    def tamper(self, kind: TamperKind, *, lasting: bool) -> None:
        """Let somebody do something to the meter."""
        if lasting:
            self._tampering.add(kind)
        self._detect(kind)

    def end_tamper(self, kind: TamperKind) -> None:
        """Let somebody stop doing it; the tamper status stays."""
        self._tampering.discard(kind)

    def clear_tamper(self) -> None:
        """Clear the status and cancel what it caused; what still goes on is noticed anew (8.7)."""
        if self._tamper_kinds:
            self._note(EventKind.TAMPER_CLEARED)
        self._tamper_kinds.clear()
        self._load.notice_reverse(noticed=False)
        self.causes.discard(SupplyCause.TAMPER)

    def cut_is_ahead(self) -> bool:
        """Tell whether the relay will open within seconds because credit ends."""
        if self.closed and self._powered:
            self._look_for_cut()
        return self._credit.alarm

    def take_emergency(self) -> None:
        """Lend the customer emergency credit; whoever calls has made sure that they may have it."""
        self._credit.lend(self._accounts.credit, self._spec.levels.emergency * FINE_PARTS)
        self._note(EventKind.EMERGENCY_TAKEN)

    def _detect(self, kind: TamperKind) -> None:
        """Notice tampering; the flags of the extended set say what the meter makes of it."""
        if DETECT_TAMPER_FLAG not in self._before.flags or kind in self._tamper_kinds:
            return
        self._tamper_kinds.add(kind)
        if kind is TamperKind.REVERSE:
            self._load.notice_reverse(noticed=True)
        self._note(EventKind.TAMPER_DETECTED, tamper=kind)
        if DISCONNECT_ON_TAMPER_FLAG in self._before.flags:
            self.add_cause(SupplyCause.TAMPER)

    # --- what comes of it -------------------------------------------------------------------------

    def done(self) -> Advance:
        """Return the state that the meter is in now, and what happened.

        Raises:
            MeterStateError: A register has more than 63 bits.
        """
        emergency = self._credit.emergency
        state = replace(
            self._load.into(self._diary.into(self._accounts.into(self._before))),
            emergency_floor=None if emergency is None else Register.from_fine(emergency),
            low_credit_grade=self._credit.grade,
            cut_alarm=self._credit.alarm,
            tamper_kinds=frozenset(self._tamper_kinds),
            tampering=frozenset(self._tampering),
            causes=frozenset(self.causes),
            last_cause=self._last_cause,
            test_until=moment_or_none(self._test_until),
            relay_closed=self.closed,
            advanced_to=moment_of(self.now),
        )
        return Advance(
            state=state,
            events=tuple(self._events),
            written=Written(intervals=tuple(self._diary.intervals), days=tuple(self._diary.days)),
        )

    def _note(
        self,
        kind: EventKind,
        cause: SupplyCause | None = None,
        *,
        tamper: TamperKind | None = None,
    ) -> None:
        self._events.append(
            Event(
                at=moment_of(self.now),
                kind=kind,
                cause=cause,
                tamper=tamper,
                credit=self._accounts.credit_units,
                consumed=self._accounts.imported_units,
            )
        )
