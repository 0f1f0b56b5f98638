"""The credit register: what adds to it and what clears it (IEC 62055-41, 8.2 and 8.5)."""

from dataclasses import replace

from sts.meter.emergency import repaid
from sts.meter.events import Advance
from sts.meter.outcomes import Accepted, CreditAdded, CreditCleared, Effect, Refused
from sts.meter.registers import LARGEST_REGISTER, MEASURES, Register
from sts.meter.results import ResultCode
from sts.meter.transition import Situation, Transition
from sts.tokens import ClearCredit, CreditToken, TransferCredit, TransferCurrencyCredit


def transfer_credit(situation: Situation, token: TransferCredit) -> Transition | Refused:
    """Add units of the meter's service; its tenths become whole units of the register."""
    units = token.amount.tenths * MEASURES[token.service].per_tenth
    return _add(situation, token, units)


def transfer_currency_credit(
    situation: Situation, token: TransferCurrencyCredit
) -> Transition | Refused:
    """Add currency; a negative amount takes it away."""
    return _add(situation, token, token.amount.units)


def clear_credit(situation: Situation, token: ClearCredit) -> Transition:
    """Set the register to zero; whoever calls has made sure that it is this meter's."""
    state = situation.state
    effect = CreditCleared(register=situation.spec.register, units=state.credit.whole)
    cleared = replace(
        state,
        credit=Register(),
        credit_cleared=state.credit_cleared.plus_fine(state.credit.fine),
    )
    return _settled(situation, token, effect=effect, changed=repaid(cleared, 0))


def _add(situation: Situation, token: CreditToken, units: int) -> Transition | Refused:
    spec, state = situation.spec, situation.state
    credit = state.credit.whole + units
    bought = state.credit_bought + units
    if max(credit, bought) > LARGEST_REGISTER:
        return _overflow(token, "the credit would have more than 63 bits")
    if units < 0 and credit < spec.min_credit:
        return _overflow(token, f"the credit would fall below {spec.min_credit}")
    effect = CreditAdded(register=spec.register, units=units)
    added = replace(state, credit=state.credit.plus(units), credit_bought=bought)
    return _settled(situation, token, effect=effect, changed=repaid(added, units))


def _settled(
    situation: Situation, token: CreditToken | ClearCredit, *, effect: Effect, changed: Advance
) -> Transition:
    return Transition(
        state=changed.state,
        volatile=situation.volatile,
        outcome=Accepted(token=token, effects=(effect,)),
        events=changed.events,
    )


def _overflow(token: CreditToken, reason: str) -> Refused:
    return Refused(code=ResultCode.OVERFLOW_ERROR, reason=reason, token=token)
