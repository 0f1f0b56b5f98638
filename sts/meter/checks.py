"""What must be true of every meter at every moment: the registers against each other."""

from collections.abc import Iterator

from sts.meter.registers import FINE_PARTS
from sts.meter.spec import CreditKind, MeterSpec
from sts.meter.state import MeterState, SupplyCause


def failures(spec: MeterSpec, state: MeterState) -> Iterator[tuple[str, str]]:
    """Give code and words for each rule that a meter breaks; none of a sound one."""
    if spec.credit_kind is CreditKind.UNIT:
        spent = state.consumed.fine + state.credit.fine + state.credit_cleared.fine
        if state.credit_bought * FINE_PARTS != spent:
            yield "ENERGY_BALANCE", "what was bought is not what was used, cleared and is left"
    lowest = _lowest_credit(spec, state)
    if state.credit.whole < lowest:
        yield "CREDIT_TOO_LOW", f"credit is below the lowest, {lowest}"
    if state.phase_energy and not _phases_add_up(state):
        yield "PHASE_BALANCE", "the registers of the phases do not add up to the totals"
    if len(state.tid_store) != spec.tid_store_size:
        yield "TID_STORE_SIZE", f"not {spec.tid_store_size} token identifiers are stored"
    if SupplyCause.TAMPER in state.causes and not state.tampered:
        yield "TAMPER_WITHOUT_STATUS", "the relay is open for a tamper that is not noted"


def _lowest_credit(spec: MeterSpec, state: MeterState) -> int:
    """Return the lowest credit that the meter may have come to."""
    lowest = spec.min_credit
    if spec.profile.friendly.exist:
        lowest = min(lowest, -spec.levels.friendly)
    return lowest if state.emergency_floor is None else min(lowest, state.emergency_floor.whole)


def _phases_add_up(state: MeterState) -> bool:
    """Tell whether what went in less what came out is the same for the phases and the total."""
    net = sum(phase.imported.fine - phase.exported.fine for phase in state.phase_energy)
    return net == state.consumed.fine - state.exported.fine
