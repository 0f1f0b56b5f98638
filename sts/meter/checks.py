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
    if state.credit.whole < spec.min_credit:
        yield "CREDIT_TOO_LOW", f"credit is below the lowest, {spec.min_credit}"
    if len(state.tid_store) != spec.tid_store_size:
        yield "TID_STORE_SIZE", f"not {spec.tid_store_size} token identifiers are stored"
    if SupplyCause.TAMPER in state.causes and not state.tampered:
        yield "TAMPER_WITHOUT_STATUS", "the relay is open for a tamper that is not noted"
