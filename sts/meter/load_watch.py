"""The present load of a meter, and everything that may be too much about it.

limit             what is compared                       with
----------------  -------------------------------------  -----------------------------
power             total import, as it is charged         the maximum power limit
phase unbalance   largest less smallest power, signed    the limit of unbalance
over-current      current of each phase, either way      the meter's maximum current
reverse           energy flowing backward in any phase   nothing, where it is tampering
"""

from dataclasses import replace
from typing import Final, NamedTuple

from sts.meter.energy import present_rates
from sts.meter.flow import NOTHING, Rates, rates_of
from sts.meter.limits import LimitWatch, Watch
from sts.meter.moments import microseconds_or_none, moment_or_none
from sts.meter.profiles import ReverseEnergy
from sts.meter.spec import MeterSpec, require_bearable
from sts.meter.state import DETECT_TAMPER_FLAG, MeterState, SupplyCause, TamperKind

_MOST_KNOWN: Final = 10_000
_NOTHING_OVER: Final = (False, False, False)


class LoadWatch:
    """The load, the rates of the registers under it, and the four watches.

    Attributes:
        watts: Power of each phase.
        volts: Voltage of each phase; None is nominal.
        rates: How fast the registers run while the relay is closed.
        beyond: Whether any of the four is too much.
        limits: The watches that open the relay for a time.
        reverse: The watch that ends in tampering.
    """

    __slots__ = (
        "_current",
        "_detects_reverse",
        "_electric",
        "_known",
        "_power",
        "_power_limit_w",
        "_rated_w",
        "_reverse_noticed",
        "_spec",
        "_unbalance",
        "_unbalance_limit_w",
        "beyond",
        "limits",
        "rates",
        "reverse",
        "volts",
        "watts",
    )

    def __init__(self, spec: MeterSpec, state: MeterState) -> None:
        """Take over where a state left the load."""
        profile = spec.profile
        self._spec = spec
        self._electric = spec.measures_power
        self._rated_w = spec.nominal_voltage_v * spec.maximum_current_a
        # The same loads come again and again; what they mean depends on nothing that changes here.
        self._known: dict[tuple[tuple[int, ...], tuple[int, ...] | None], _Judged] = {}
        self._power_limit_w = state.power_limit_w
        self._unbalance_limit_w = state.unbalance_limit_w
        self._detects_reverse = (
            profile.reverse_energy is ReverseEnergy.TAMPER and DETECT_TAMPER_FLAG in state.flags
        )
        self._reverse_noticed = TamperKind.REVERSE in state.tamper_kinds
        self._power = LimitWatch(SupplyCause.POWER_LIMIT, profile.power_limit, state.power_limit)
        self._unbalance = LimitWatch(
            SupplyCause.PHASE_UNBALANCE, profile.phase_unbalance, state.phase_unbalance
        )
        self._current = LimitWatch(
            SupplyCause.OVER_CURRENT, profile.over_current, state.over_current
        )
        self.limits = (self._power, self._unbalance, self._current)
        self.reverse = Watch(profile.reverse_tamper_s, microseconds_or_none(state.reverse_since))
        self.beyond = True
        self.rates = NOTHING
        self.take(state.watts or (0,) * spec.phases, state.volts)

    def take(self, watts: tuple[int, ...], volts: tuple[int, ...] | None) -> None:
        """Let the house draw something else from now on.

        Raises:
            MeterLoadError: The meter cannot have such a load.
        """
        judged = self._known.get((watts, volts))
        if judged is None:
            judged = self._judge(watts, volts)
            if len(self._known) == _MOST_KNOWN:
                self._known.clear()
            self._known[watts, volts] = judged
        self.watts, self.volts = watts, volts
        self.rates = judged.rates
        if judged.any_over or self.beyond:
            self._compare(judged)

    def notice_reverse(self, *, noticed: bool) -> None:
        """Say whether energy flowing backward is known as tampering already."""
        self._reverse_noticed = noticed
        self._compare(self._known[self.watts, self.volts])

    def next_trip(self, now: int) -> int:
        """Return when the first of the watches will have lasted too long; something is beyond."""
        return min(self.reverse.look(now), *[limit.look(now) for limit in self.limits])

    def rest(self) -> None:
        """Cease to count: the relay is open and nothing flows."""
        self.reverse.since = None
        for limit in self.limits:
            limit.since = None

    def reset_limit(self, cause: SupplyCause) -> None:
        """Begin anew with a limit that has been changed."""
        for limit in self.limits:
            if limit.cause is cause:
                limit.forget()

    def into(self, state: MeterState) -> MeterState:
        """Return the state with this load, and how its limits stand."""
        return replace(
            state,
            watts=self.watts,
            volts=self.volts,
            power_limit=self._power.state(),
            phase_unbalance=self._unbalance.state(),
            over_current=self._current.state(),
            reverse_since=moment_or_none(self.reverse.since),
        )

    def _compare(self, judged: "_Judged") -> None:
        """Begin or cease to watch what is too much now."""
        self._power.over, self._unbalance.over, self._current.over = judged.limits_over
        self.reverse.over = judged.reverse and not self._reverse_noticed
        self.beyond = judged.any_over
        for watch in (*self.limits, self.reverse):
            if not watch.over:
                watch.since = None

    def _judge(self, watts: tuple[int, ...], volts: tuple[int, ...] | None) -> "_Judged":
        """Compare a load with everything that it may be too much for."""
        spec = self._spec
        lowest, highest = min(watts, default=0), max(watts, default=0)
        ordinary = -self._rated_w <= lowest and highest <= self._rated_w and volts is None
        if not ordinary or len(watts) != spec.phases or not self._electric:
            require_bearable(spec, watts, volts)
        if not self._electric:
            rates = present_rates(spec, watts)
            return _Judged(rates, _NOTHING_OVER, reverse=False, any_over=False)
        rates = rates_of(spec.profile.reverse_energy, watts)
        limit, spread = self._power_limit_w, self._unbalance_limit_w
        power = limit is not None and rates.imported > limit
        unbalance = spread is not None and highest - lowest > spread
        current = not ordinary and self._is_over_current(watts, volts)
        reverse = lowest < 0 and self._detects_reverse
        any_over = power or unbalance or current or reverse
        return _Judged(rates, (power, unbalance, current), reverse, any_over)

    def _is_over_current(self, watts: tuple[int, ...], volts: tuple[int, ...] | None) -> bool:
        """Compare the current of each phase with the largest, without dividing."""
        spec = self._spec
        known = volts or (spec.nominal_voltage_v,) * len(watts)
        return any(
            abs(power) > voltage * spec.maximum_current_a
            for power, voltage in zip(watts, known, strict=True)
        )


class _Judged(NamedTuple):
    """What a load means for a meter.

    Attributes:
        rates: How fast the registers run.
        limits_over: Which of the three limits it is beyond.
        reverse: Whether it feeds back where that is tampering.
        any_over: Whether it is any of these.
    """

    rates: Rates
    limits_over: tuple[bool, bool, bool]
    reverse: bool
    any_over: bool
