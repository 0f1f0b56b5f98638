"""Any sequence of tokens, time, loads and tampers: what was bought is consumed, left or cleared."""

from dataclasses import replace
from datetime import timedelta
from typing import Final

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from sts.identifiers import EncryptionAlgorithm, KeyRevisionNumber, TariffIndex
from sts.meter.acceptance import Reaction
from sts.meter.outcomes import Accepted, Outcome, Refused
from sts.meter.profiles import ReconnectPolicy
from sts.meter.records import (
    spec_from_rows,
    spec_to_rows,
    state_from_rows,
    state_to_rows,
    volatile_from_rows,
    volatile_to_rows,
)
from sts.meter.registers import FINE_PARTS
from sts.meter.spec import CreditKind
from sts.meter.state import MeterState, SupplyCause, Volatile
from tests.pair import PRICES, VendAndMeter

METERS: Final = st.sampled_from(
    [("0100200002010", EncryptionAlgorithm.MISTY1), ("00100001023", EncryptionAlgorithm.STA)]
)
PRICE: Final = PRICES[0].per_thousand
DIGITS: Final = st.integers(0, 10**20 - 1).map("{:020d}".format)


class MeterMachine(RuleBasedStateMachine):
    """A meter in use, and what must always be true of it."""

    pair: VendAndMeter

    @initialize(
        meter=METERS,
        kind=st.sampled_from(CreditKind),
        reconnect=st.sampled_from(ReconnectPolicy),
        floor=st.sampled_from([0, -1000]),
    )
    def build(
        self,
        meter: tuple[str, EncryptionAlgorithm],
        kind: CreditKind,
        reconnect: ReconnectPolicy,
        floor: int,
    ) -> None:
        self.pair = VendAndMeter(
            *meter, credit_kind=kind, reconnect=reconnect, min_credit=floor, phases=3
        )
        self.entered: list[str] = []
        self.accepted: list[int] = []

    def _took(self, outcome: Outcome) -> None:
        self.entered.append(self.pair.digits)
        tid = getattr(getattr(outcome, "token", None), "tid", None)
        if isinstance(outcome, Accepted) and tid is not None:
            assert tid not in self.accepted
            self.accepted.append(tid)

    @rule(tenths=st.integers(0, 3000))
    def sell_units(self, tenths: int) -> None:
        self._took(self.pair.credit(tenths))

    @rule(units=st.integers(-(10**6), 10**8))
    def sell_currency(self, units: int) -> None:
        self._took(self.pair.currency_credit(units))

    @rule(minutes=st.integers(1, 200))
    def sell_out_of_order(self, minutes: int) -> None:
        tid = self.pair.tid() - minutes
        self._took(self.pair.credit(1, tid=tid))

    @rule(data=st.data())
    def enter_again(self, data: st.DataObject) -> None:
        if self.entered:
            self._took(self.pair.enter(data.draw(st.sampled_from(self.entered))))

    @rule(digits=DIGITS)
    def enter_anything(self, digits: str) -> None:
        before, volatile = self.pair.state, self.pair.volatile
        outcome = self.pair.enter(digits)
        if isinstance(outcome, Refused):
            self._unchanged(before, volatile)

    def _unchanged(self, before: MeterState, volatile: Volatile) -> None:
        after = self.pair.state
        may_change = {"last_result": None, "lockout": None}
        assert {**state_to_rows(after), **may_change} == {**state_to_rows(before), **may_change}
        assert after.tid_store == before.tid_store
        forgotten = replace(volatile, pending=(), last_part_at=None)
        assert self.pair.volatile in (volatile, forgotten)

    @rule()
    def clear_credit(self) -> None:
        self._took(self.pair.clear_credit())

    @rule()
    def clear_tamper(self) -> None:
        self._took(self.pair.clear_tamper())

    @rule(value=st.booleans())
    def switch_remotely(self, *, value: bool) -> None:
        self._took(self.pair.write_flag(2, value=value))

    @rule(index=st.integers(0, 99), revision=st.integers(1, 9))
    def change_key(self, index: int, revision: int) -> None:
        new = {
            "tariff_index": TariffIndex(index),
            "key_revision_number": KeyRevisionNumber(revision),
        }
        self.pair.wait(self.pair.state.lockout.remaining(self.pair.now))
        assert isinstance(self.pair.change_key(new)[-1], Accepted)
        assert not self.pair.volatile.pending

    @rule(load_w=st.integers(0, 13_800))
    def load(self, load_w: int) -> None:
        self.pair.set_load(load_w)

    @rule(length=st.timedeltas(timedelta(), timedelta(days=3)))
    def wait(self, length: timedelta) -> None:
        before = self.pair.state
        self.pair.wait(length)
        if not before.relay_closed:
            assert self.pair.state.consumed == before.consumed

    @rule()
    def tamper(self) -> None:
        self.pair.tamper()

    @rule()
    def press(self) -> None:
        self.pair.press()

    @rule()
    def switch_power_off_and_on(self) -> None:
        before = self.pair.state
        self.pair.lose_power()
        self.pair.wait(timedelta(hours=1))
        self.pair.return_power()
        assert self.pair.state.consumed == before.consumed
        assert self.pair.volatile == Volatile()

    @rule(symbols=st.text(alphabet="0123456789#*C", min_size=1, max_size=30))
    def press_keys(self, symbols: str) -> None:
        self.pair.keys(symbols, pause=timedelta(seconds=1))

    @rule()
    def press_the_keys_of_a_token(self) -> None:
        if self.entered:
            answer = self.pair.keys(f"C{self.entered[-1]}")
            assert isinstance(answer.reaction, Reaction)

    @invariant()
    def nothing_is_lost(self) -> None:
        state, spec = self.pair.state, self.pair.spec
        price = 1000 if spec.credit_kind is CreditKind.UNIT else PRICE
        charged = state.consumed.fine * price // 1000
        bought = state.credit_bought * FINE_PARTS
        assert bought == charged + state.credit.fine + state.credit_cleared.fine
        assert state.credit.whole >= spec.min_credit

    @invariant()
    def supply_flows_only_without_a_cause(self) -> None:
        state = self.pair.state
        assert not (state.relay_closed and state.causes)
        assert state.tampered == (SupplyCause.TAMPER in state.causes)

    @invariant()
    def a_saved_meter_is_the_same(self) -> None:
        pair = self.pair
        assert spec_from_rows(spec_to_rows(pair.spec)) == pair.spec
        rows = state_to_rows(pair.state)
        assert state_from_rows(pair.spec, rows, tid_store=pair.state.tid_store) == pair.state
        volatile = volatile_to_rows(pair.spec, pair.volatile)
        assert volatile_from_rows(pair.spec, volatile) == pair.volatile


TestMeter = MeterMachine.TestCase
