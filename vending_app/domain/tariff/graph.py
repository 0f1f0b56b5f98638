"""The graph of charges: which percentages rest on which lines, and what that makes of a price.

Every line that is no percentage has a price: money that the purchase, the calendar or the energy
decides. Percentages follow from the prices, directly or over other percentages. Two factors tell
how:

- ``inclusion`` of a line: its price is that many times what stands on its line, because the price
  contains taxes that are lines of their own. Several such taxes all count from the line.
- ``load`` of a line: what a price of 1 costs in all, with every percentage that rests on it.

So the total of a sale is the sum of price × load, a linear function of each price.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from vending_app.domain.tariff.charges import WHOLE, Charge, PercentCharge
from vending_app.domain.tariff.rates import ONE, ZERO, total
from vending_app.domain.tariff_errors import TariffBasisError, TariffLoopError


def require_sound_basis(charges: Sequence[Charge]) -> None:
    """Refuse percentages of nothing and of unknown lines.

    Raises:
        TariffBasisError: A basis is empty, names a line twice or one that does not exist, or a
            price would include a percentage of a line that has no price.
    """
    by_code = {charge.code: charge for charge in charges}
    for number, charge in enumerate(charges):
        if not isinstance(charge, PercentCharge):
            continue
        path = f"/charges/{number}/basis"
        if not charge.basis or len(set(charge.basis)) != len(charge.basis):
            raise TariffBasisError("A percentage names its lines, each once.", path=path)
        for position, code in enumerate(charge.basis):
            if code not in by_code:
                raise TariffBasisError(f"There is no line {code}.", path=f"{path}/{position}")
            if charge.included and isinstance(by_code[code], PercentCharge):
                raise TariffBasisError(
                    f"{code} has no price that could include a percentage.",
                    path=f"{path}/{position}",
                )


def order_of_percentages(charges: Sequence[Charge]) -> tuple[PercentCharge, ...]:
    """Return the percentages, each after those it rests on.

    Raises:
        TariffLoopError: One rests on itself.
    """
    percentages = {charge.code: charge for charge in charges if isinstance(charge, PercentCharge)}
    ordered: dict[str, PercentCharge] = {}

    def place(charge: PercentCharge, above: tuple[str, ...]) -> None:
        if charge.code in above:
            number = [each.code for each in charges].index(charge.code)
            loop = (*above[above.index(charge.code) :], charge.code)
            raise TariffLoopError(loop, path=f"/charges/{number}/basis")
        if charge.code in ordered:
            return
        for code in charge.basis:
            if code in percentages:
                place(percentages[code], (*above, charge.code))
        ordered[charge.code] = charge

    for charge in percentages.values():
        place(charge, ())
    return tuple(ordered.values())


@dataclass(frozen=True, slots=True)
class Graph:
    """The percentages that apply to one purchase, each after those it rests on.

    Attributes:
        percentages: The charges, with what they take as a fraction of their basis.
        inclusions: What a price is divided by, to get what stands on its line; of the lines whose
            price includes nothing there is none.
    """

    percentages: tuple[tuple[PercentCharge, Fraction], ...]
    inclusions: Mapping[str, Fraction] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Add up what each price includes."""
        inclusions: dict[str, Fraction] = {}
        for charge, fraction in self.percentages:
            if charge.included:
                for code in charge.basis:
                    inclusions[code] = inclusions.get(code, ONE) + fraction
        object.__setattr__(self, "inclusions", inclusions)

    def without_inclusion(self, code: str, price: Fraction) -> Fraction:
        """Return what stands on a line for a price: without what it includes."""
        inclusion = self.inclusions.get(code)
        return price if inclusion is None else price / inclusion

    def loads(self, codes: Sequence[str]) -> dict[str, Fraction]:
        """Return what a price of 1 on each of these lines costs in all."""
        # From the percentages that nothing rests on down to the prices.
        on_line: dict[str, Fraction] = {}
        for charge, fraction in reversed(self.percentages):
            weight = fraction * on_line.get(charge.code, ONE)
            for code in charge.basis:
                on_line[code] = on_line.get(code, ONE) + weight
        return {code: self.without_inclusion(code, on_line.get(code, ONE)) for code in codes}

    def lines(self, prices: Mapping[str, Fraction]) -> dict[str, Fraction]:
        """Return what stands on each line: prices without what they include, and percentages."""
        lines = {code: self.without_inclusion(code, price) for code, price in prices.items()}
        for charge, fraction in self.percentages:
            basis = total(lines.get(code, ZERO) for code in charge.basis)
            lines[charge.code] = fraction * basis
        return lines


def percentage(percent: Fraction) -> Fraction:
    """Return per cent as a fraction of one."""
    return percent / WHOLE
