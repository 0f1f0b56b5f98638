"""The registers while time passes: whole numbers of fine parts that are counted up and down.

A quantity is a rate (units an hour) times microseconds: the smallest thing that a whole load can
pass in the smallest time that there is. 3 600 000 000 of them are a unit of a register; times the
price of a thousand units they are fine parts of credit. Nothing is rounded.
"""

from dataclasses import replace

from sts.meter.flow import Rates
from sts.meter.registers import FINE_PARTS, PER_THOUSAND, Register
from sts.meter.state import MeterState, PhaseEnergy


class Accounts:
    """The registers of one meter.

    Attributes:
        credit: What is left, in fine parts.
        imported: What was ever consumed, in fine parts.
        exported: What ever flowed back, in fine parts.
    """

    __slots__ = ("_phases_exported", "_phases_imported", "credit", "exported", "imported")

    def __init__(self, state: MeterState) -> None:
        """Take over the registers of a state."""
        self.credit = state.credit.fine
        self.imported = state.consumed.fine
        self.exported = state.exported.fine
        self._phases_imported = [phase.imported.fine for phase in state.phase_energy]
        self._phases_exported = [phase.exported.fine for phase in state.phase_energy]

    def flow(self, rates: Rates, microseconds: int, *, price: int, most: int) -> int:
        """Let energy flow and be paid for; return the quantity that did.

        Args:
            rates: How fast.
            microseconds: For how long.
            price: Of a thousand units, in credit units.
            most: The quantity at which the relay opens. It may come within the last microsecond;
                what would flow in the rest of it does not.
        """
        quantity = rates.imported * microseconds
        excess = quantity - most
        if excess > 0:
            quantity = most
        self.credit -= quantity * price
        self.imported += quantity * PER_THOUSAND
        if rates.exported:
            self.exported += rates.exported * microseconds * PER_THOUSAND
        if rates.phases_imported:
            self._flow_in_phases(rates, microseconds * PER_THOUSAND)
            if excess > 0:
                self._keep_out(rates, microseconds * PER_THOUSAND, excess * PER_THOUSAND)
        return quantity

    def _flow_in_phases(self, rates: Rates, thousandths: int) -> None:
        for number, rate in enumerate(rates.phases_imported):
            self._phases_imported[number] += rate * thousandths
        for number, rate in enumerate(rates.phases_exported):
            self._phases_exported[number] += rate * thousandths

    def _keep_out(self, rates: Rates, thousandths: int, excess: int) -> None:
        """Take back what the phases would have drawn after the relay had opened.

        It opens all of them at once; the excess is taken where there is any.
        """
        for number, rate in enumerate(rates.phases_imported):
            kept_out = min(excess, rate * thousandths)
            self._phases_imported[number] -= kept_out
            excess -= kept_out

    @property
    def credit_units(self) -> int:
        """The credit register in whole units."""
        return self.credit // FINE_PARTS

    @property
    def imported_units(self) -> int:
        """The consumption register in whole units."""
        return self.imported // FINE_PARTS

    @property
    def exported_units(self) -> int:
        """The export register in whole units."""
        return self.exported // FINE_PARTS

    def into(self, state: MeterState) -> MeterState:
        """Return the state with these registers.

        Raises:
            MeterStateError: One has more than 63 bits.
        """
        return replace(
            state,
            credit=Register.from_fine(self.credit),
            consumed=Register.from_fine(self.imported),
            exported=Register.from_fine(self.exported),
            phase_energy=tuple(
                PhaseEnergy(Register.from_fine(imported), Register.from_fine(exported))
                for imported, exported in zip(
                    self._phases_imported, self._phases_exported, strict=True
                )
            ),
        )
