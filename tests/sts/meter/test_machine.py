"""Any sequence of tokens, time, keys, loads, power cuts and tampering: what must always be true.

* What was bought is what was used, is left, or was cleared; to the last fine part of a register.
* The relay is closed only if nothing keeps it open.
* No token identifier is accepted twice under one key.
* A refused token changes nothing but the last result, the lock-out and the log.
* A meter that is saved and read again is the same.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import time, timedelta
from functools import partial
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from sts.identifiers import EncryptionAlgorithm, KeyRevisionNumber, TariffIndex
from sts.meter.acceptance import Reaction
from sts.meter.calendars import FriendlyHours, FriendlyWindow
from sts.meter.checks import failures
from sts.meter.device import create_meter, open_meter
from sts.meter.errors import EmergencyRefusedError, MeterPowerError
from sts.meter.events import Event, EventKind
from sts.meter.household import HouseholdLoad
from sts.meter.outcomes import Accepted, Outcome, Refused
from sts.meter.profiles import (
    PROFILES,
    CreditLevels,
    MeterProfile,
    ReconnectPolicy,
    ReverseEnergy,
)
from sts.meter.records import (
    spec_from_rows,
    spec_to_rows,
    state_from_rows,
    state_to_rows,
    volatile_from_rows,
    volatile_to_rows,
)
from sts.meter.registers import FINE_PARTS, PER_THOUSAND
from sts.meter.spec import CreditKind
from sts.meter.state import MeterState, SupplyCause, TamperKind, Volatile
from tests.pair import PRICES, VendAndMeter

METERS: Final = st.sampled_from(
    [("0100200002010", EncryptionAlgorithm.MISTY1), ("00100001023", EncryptionAlgorithm.STA)]
)
PRICE: Final = PRICES[0].per_thousand
DIGITS: Final = st.integers(0, 10**20 - 1).map("{:020d}".format)
HABITS: Final = st.builds(
    replace,
    st.sampled_from([PROFILES[name] for name in ("plain", "standard", "friendly")]),
    reconnect=st.sampled_from(ReconnectPolicy),
    reverse_energy=st.sampled_from(ReverseEnergy),
)
FRIENDLY: Final = FriendlyHours(
    windows=(FriendlyWindow(weekdays=frozenset(range(7)), starts=time(16), ends=time(8)),)
)
LEVELS: Final = CreditLevels(
    low=50_000, very_low=10_000, emergency=5_000, emergency_from=5_000, friendly=10_000
)
POWERS: Final = st.integers(-15_000, 15_000)
CHANGED_BY_A_REFUSAL: Final = {"last_result": None, "lockout": None}


class MeterMachine(RuleBasedStateMachine):
    """A meter in use, and what must always be true of it."""

    pair: VendAndMeter

    @initialize(
        meter=METERS,
        kind=st.sampled_from(CreditKind),
        habits=HABITS,
        floor=st.sampled_from([0, -1000]),
        phases=st.sampled_from([1, 3]),
    )
    def build(
        self,
        meter: tuple[str, EncryptionAlgorithm],
        kind: CreditKind,
        habits: MeterProfile,
        floor: int,
        phases: int,
    ) -> None:
        if habits.name == "friendly":
            habits = replace(habits, friendly=FRIENDLY, unit_levels=LEVELS, currency_levels=LEVELS)
        self.pair = VendAndMeter(
            *meter, credit_kind=kind, profile=habits, min_credit=floor, phases=phases
        )
        self.entered: list[str] = []
        self.accepted: list[int] = []
        self.seen: int = 0

    # --- tokens -------------------------------------------------------------------------------

    def _enter(self, vend: Callable[[], Outcome]) -> Outcome | None:
        """Enter a token, and hold the meter to its word; None if it has no power."""
        self.pair.wait(timedelta())
        before, volatile = self.pair.state, self.pair.volatile
        events = len(self.pair.events)
        try:
            outcome = vend()
        except MeterPowerError:
            assert not before.powered
            assert (self.pair.state, self.pair.volatile) == (before, volatile)
            return None
        self.entered.append(self.pair.digits)
        if isinstance(outcome, Refused):
            self._unchanged(before, volatile, self.pair.events[events:])
        self._took(outcome)
        return outcome

    def _took(self, outcome: Outcome) -> None:
        tid = getattr(outcome.token, "tid", None)
        if isinstance(outcome, Accepted) and tid is not None:
            assert tid not in self.accepted
            self.accepted.append(tid)

    def _unchanged(self, before: MeterState, volatile: Volatile, events: list[Event]) -> None:
        after = self.pair.state
        written, found = state_to_rows(before), state_to_rows(after)
        assert {**found, **CHANGED_BY_A_REFUSAL} == {**written, **CHANGED_BY_A_REFUSAL}
        assert after.tid_store == before.tid_store
        forgotten = replace(volatile, pending=(), last_part_at=None)
        assert self.pair.volatile in (volatile, forgotten)
        assert {event.kind for event in events} <= {EventKind.LOCKED_OUT}

    @rule(tenths=st.integers(0, 3000))
    def sell_units(self, tenths: int) -> None:
        self._enter(lambda: self.pair.credit(tenths))

    @rule(units=st.integers(-(10**6), 10**8))
    def sell_currency(self, units: int) -> None:
        self._enter(lambda: self.pair.currency_credit(units))

    @rule(minutes=st.integers(1, 200))
    def sell_out_of_order(self, minutes: int) -> None:
        self._enter(lambda: self.pair.credit(1, tid=self.pair.tid() - minutes))

    @rule(data=st.data())
    def enter_again(self, data: st.DataObject) -> None:
        if self.entered:
            digits = data.draw(st.sampled_from(self.entered))
            self._enter(lambda: self.pair.enter(digits))

    @rule(digits=DIGITS)
    def enter_anything(self, digits: str) -> None:
        self._enter(lambda: self.pair.enter(digits))

    @rule(tenths=st.integers(0, 3000))
    def sell_to_another_meter(self, tenths: int) -> None:
        stranger = VendAndMeter("0100200001012")
        stranger.credit(tenths)
        outcome = self._enter(lambda: self.pair.enter(stranger.digits))
        assert outcome is None or isinstance(outcome, Refused)

    @rule(number=st.sampled_from([0, 1, 3, 9]))
    def ask_for_a_test(self, number: int) -> None:
        self._enter(lambda: self.pair.test(number))

    @rule()
    def clear_credit(self) -> None:
        self._enter(self.pair.clear_credit)

    @rule()
    def clear_tamper(self) -> None:
        self._enter(self.pair.clear_tamper)

    @rule(watts=st.sampled_from([500, 5000, 18_201_624]))
    def limit_power(self, watts: int) -> None:
        self._enter(lambda: self.pair.power_limit(watts))

    @rule(watts=st.sampled_from([500, 5000, 18_201_624]))
    def limit_unbalance(self, watts: int) -> None:
        self._enter(lambda: self.pair.unbalance_limit(watts))

    @rule(number=st.integers(0, 4), value=st.booleans())
    def write_a_flag(self, number: int, *, value: bool) -> None:
        self._enter(lambda: self.pair.write_flag(number, value=value))

    @rule(index=st.integers(0, 99), revision=st.integers(1, 9), part=st.integers(1, 5))
    def change_key(self, index: int, revision: int, part: int) -> None:
        """Enter a set as far as ``part``, which may be the end of it."""
        new: dict[str, Any] = {
            "tariff_index": TariffIndex(index),
            "key_revision_number": KeyRevisionNumber(revision),
        }
        outcome = None
        for digits in self.pair.key_change_digits(new)[:part]:
            outcome = self._enter(partial(self.pair.enter, digits))
        if isinstance(outcome, Accepted):
            self.pair.attributes = replace(self.pair.attributes, **new)
            assert not self.pair.volatile.pending

    # --- the house, and time ------------------------------------------------------------------

    @rule(powers=st.tuples(POWERS, POWERS, POWERS))
    def load(self, powers: tuple[int, int, int]) -> None:
        self.pair.set_load(powers[: self.pair.spec.phases])

    @rule(length=st.timedeltas(timedelta(), timedelta(days=3)))
    def wait(self, length: timedelta) -> None:
        self.pair.wait(length)

    @rule(minutes=st.integers(1, 12))
    def wait_for_minutes(self, minutes: int) -> None:
        self.pair.wait(timedelta(minutes=minutes))

    @rule(seed=st.integers(0, 9), hours=st.integers(1, 30))
    def live(self, seed: int, hours: int) -> None:
        phases = self.pair.spec.phases
        self.pair.wait(
            timedelta(hours=hours), HouseholdLoad(seed=seed, phases=phases, panels_w=4000)
        )

    @rule(kind=st.sampled_from([TamperKind.COVER, TamperKind.MAGNETIC]), lasting=st.booleans())
    def tamper(self, kind: TamperKind, *, lasting: bool) -> None:
        self.pair.tamper(kind, lasting=lasting)

    @rule(kind=st.sampled_from([TamperKind.COVER, TamperKind.MAGNETIC]))
    def end_tamper(self, kind: TamperKind) -> None:
        self.pair.end_tamper(kind)

    @rule(on=st.booleans())
    def switch_supply(self, *, on: bool) -> None:
        self.pair.supervise(on=on)

    @rule()
    def press(self) -> None:
        self.pair.press()

    @rule()
    def take_emergency(self) -> None:
        with suppress(EmergencyRefusedError):
            self.pair.take_emergency()

    @rule()
    def lose_power(self) -> None:
        self.pair.lose_power()
        assert self.pair.volatile == Volatile()

    @rule()
    def return_power(self) -> None:
        self.pair.return_power()

    # --- the front ----------------------------------------------------------------------------

    @rule(symbols=st.text(alphabet="0123456789#*C", min_size=1, max_size=30))
    def press_keys(self, symbols: str) -> None:
        with suppress(MeterPowerError):
            self.pair.keys(symbols, pause=timedelta(seconds=1))

    @rule()
    def press_the_keys_of_a_token(self) -> None:
        if self.entered and self.pair.state.powered:
            answer = self.pair.keys(f"C{self.entered[-1]}")
            assert isinstance(answer.reaction, Reaction)
            self._took(answer.reaction.outcome)

    # --- what must always be true -------------------------------------------------------------

    @invariant()
    def nothing_is_lost(self) -> None:
        state, spec = self.pair.state, self.pair.spec
        price = PER_THOUSAND if spec.credit_kind is CreditKind.UNIT else PRICE
        charged = state.consumed.fine * price // PER_THOUSAND
        bought = state.credit_bought * FINE_PARTS
        assert bought == charged + state.credit.fine + state.credit_cleared.fine
        assert list(failures(spec, state)) == []

    @invariant()
    def supply_flows_only_without_a_cause(self) -> None:
        state = self.pair.state
        assert not (state.relay_closed and state.causes)
        assert state.tampered or SupplyCause.TAMPER not in state.causes

    @invariant()
    def nothing_flows_without_supply(self) -> None:
        """Between an opening and the closing after it, and without power, registers stand still."""
        events = self.pair.events[self.seen :]
        self.seen = max(len(self.pair.events) - 1, 0)
        for earlier, later in pairwise(events):
            assert earlier.at <= later.at
            assert earlier.consumed <= later.consumed
            if earlier.kind in {EventKind.RELAY_OPENED, EventKind.POWER_LOST}:
                assert earlier.consumed == later.consumed

    @invariant()
    def a_saved_meter_is_the_same(self) -> None:
        pair = self.pair
        assert spec_from_rows(spec_to_rows(pair.spec)) == pair.spec
        rows = state_to_rows(pair.state)
        assert state_from_rows(pair.spec, rows, tid_store=pair.state.tid_store) == pair.state
        volatile = volatile_to_rows(pair.spec, pair.volatile)
        assert volatile_from_rows(pair.spec, volatile) == pair.volatile

    def teardown(self) -> None:
        """Save it for good, and read it again from the file."""
        if not hasattr(self, "pair"):
            return
        pair = self.pair
        with TemporaryDirectory() as folder:
            path = Path(folder) / "house.meter"
            create_meter(path, pair.spec, pair.state, now=pair.state.advanced_to)
            with open_meter(path) as meter:
                found = meter.memory.read()
        assert (found.spec, found.state) == (pair.spec, pair.state)


TestMeter = MeterMachine.TestCase
# A life is long: fewer of them in the gate, as many as asked for in the long profile.
TestMeter.settings = settings(max_examples=settings().max_examples * 2 // 5)
