"""The kinds of charges: what stands on each line of a tariff.

    UnitCharge      per unit, in blocks over the local month; by season, lifeline, …
    CreditCharge    the money that a currency-credit token carries
    PeriodCharge    per local day or month, with what was left unpaid caught up
    PurchaseCharge  per purchase, perhaps by the size of the purchase
    ShareCharge     a percentage of the money tendered, an instalment for one
    PercentCharge   a percentage of other lines, a tax for one

Each line says who it is for and to which ledger account it goes. A price may include percentages
(VAT) that are lines of their own: the line then shows what is left without them.
"""

from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from itertools import pairwise
from typing import Final, TypeAlias

from vending_app.domain.tariff.conditions import ALWAYS, Condition
from vending_app.domain.tariff.names import require_code, require_label
from vending_app.domain.tariff.rates import Rate, require_rate, require_whole
from vending_app.domain.tariff_errors import TariffBlocksError

WHOLE: Final = Fraction(100)
"""All of it, in per cent."""
LARGEST_PERCENT: Final = 1000
MOST_DAYS: Final = 3_660
MOST_MONTHS: Final = 120

ACCOUNT_CREDIT: Final = "account-credit"
"""The code of the line for money that is kept for the next purchase; no charge may have it."""


class Period(StrEnum):
    """What a period charge is counted by."""

    DAY = "day"
    MONTH = "month"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Charge:
    """What every line of a tariff has.

    Attributes:
        code: Its name in the tariff.
        label: As it stands on receipts.
        beneficiary: Who gets the money: a code of the utility's own.
        ledger_account: Where it is booked.

    Raises:
        TariffNameError: One of them has not the form.
    """

    code: str
    label: str
    beneficiary: str
    ledger_account: str

    def __post_init__(self) -> None:
        """Check the names."""
        require_code(self.code, path="/code")
        require_label(self.label, path="/label")
        require_code(self.beneficiary, path="/beneficiary")
        require_code(self.ledger_account, path="/ledger_account")


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A stretch of the month's consumption at one rate.

    Attributes:
        up_to_tenths: Where it ends, in tenths of a unit from the beginning of the month; the last
            block has no end.
        rate: What a unit costs there, in the smallest unit of the currency.

    Raises:
        TariffFigureError: A figure out of range.
    """

    up_to_tenths: int | None = None
    rate: Rate

    def __post_init__(self) -> None:
        """Check the figures."""
        if self.up_to_tenths is not None:
            require_whole(self.up_to_tenths, path="/up_to_tenths", smallest=1)
        require_rate(self.rate, path="/rate")


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """The blocks that apply under a condition.

    Attributes:
        blocks: In rising order; the last one has no end.
        when: The condition.

    Raises:
        TariffBlocksError: Blocks in disorder.
    """

    blocks: tuple[Block, ...]
    when: Condition = ALWAYS

    def __post_init__(self) -> None:
        """Check that the blocks cover every amount, each once."""
        if not self.blocks or self.blocks[-1].up_to_tenths is not None:
            raise TariffBlocksError("The last block has no end.", path="/blocks")
        ends = [0, *(block.up_to_tenths or 0 for block in self.blocks[:-1])]
        for number, (start, end) in enumerate(pairwise(ends)):
            if end <= start:
                raise TariffBlocksError(
                    "Each block ends above where it begins.", path=f"/blocks/{number}/up_to_tenths"
                )


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitCharge(_Charge):
    """A charge per unit.

    Attributes:
        schedules: The first one whose condition holds applies; if none does, there is no charge.

    Raises:
        TariffBlocksError: No schedule.
    """

    schedules: tuple[Schedule, ...]

    def __post_init__(self) -> None:
        """Check that there is a schedule."""
        _Charge.__post_init__(self)
        if not self.schedules:
            raise TariffBlocksError("A charge per unit needs a schedule.", path="/schedules")


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditCharge(_Charge):
    """The money that the token of a currency meter carries: what is left after all else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PeriodCharge(_Charge):
    """A charge per local day or month, the present one included.

    What a purchase cannot pay stays due. Days or months beyond ``catch_up`` are forgiven.

    Attributes:
        period: Day or month.
        rate: For each of them; a past one at the rate of its own first day.
        catch_up: How many days or months may be due at most, the present one included.
        largest_percent: How much of the money tendered it may take at most, in per cent.

    Raises:
        TariffFigureError: A figure out of range.
    """

    period: Period
    rate: Rate
    catch_up: int
    largest_percent: Fraction = WHOLE

    def __post_init__(self) -> None:
        """Check the figures."""
        _Charge.__post_init__(self)
        require_rate(self.rate, path="/rate")
        most = MOST_DAYS if self.period is Period.DAY else MOST_MONTHS
        require_whole(self.catch_up, path="/catch_up", smallest=1, largest=most)
        require_rate(self.largest_percent, path="/largest_percent", largest=int(WHOLE))


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """The charge for purchases of at least an amount of money.

    Raises:
        TariffFigureError: A figure out of range.
    """

    from_minor: int = 0
    amount_minor: Rate

    def __post_init__(self) -> None:
        """Check the figures."""
        require_whole(self.from_minor, path="/from_minor")
        require_rate(self.amount_minor, path="/amount_minor")


@dataclass(frozen=True, slots=True, kw_only=True)
class PurchaseCharge(_Charge):
    """A charge for each purchase; a purchase that cannot pay it in full is refused.

    Attributes:
        bands: In rising order from nothing; the last one that the money reaches applies.
        when: The condition.

    Raises:
        TariffBlocksError: Bands in disorder.
    """

    bands: tuple[Band, ...]
    when: Condition = ALWAYS

    def __post_init__(self) -> None:
        """Check that the bands cover every amount, each once."""
        _Charge.__post_init__(self)
        if not self.bands or self.bands[0].from_minor != 0:
            raise TariffBlocksError("The first band begins at nothing.", path="/bands")
        for number, (lower, upper) in enumerate(pairwise(self.bands), start=1):
            if upper.from_minor <= lower.from_minor:
                raise TariffBlocksError(
                    "Each band begins above the one before.", path=f"/bands/{number}/from_minor"
                )


@dataclass(frozen=True, slots=True, kw_only=True)
class ShareCharge(_Charge):
    """A percentage of the money tendered: an instalment, or the fee of a payment service.

    Attributes:
        percent: Of the money tendered.
        largest_minor: At most this much, the balance of a debt for one.
        when: The condition.

    Raises:
        TariffFigureError: A figure out of range.
    """

    percent: Rate
    largest_minor: int | None = None
    when: Condition = ALWAYS

    def __post_init__(self) -> None:
        """Check the figures."""
        _Charge.__post_init__(self)
        require_rate(self.percent, path="/percent", largest=int(WHOLE))
        if self.largest_minor is not None:
            require_whole(self.largest_minor, path="/largest_minor")


@dataclass(frozen=True, slots=True, kw_only=True)
class PercentCharge(_Charge):
    """A percentage of other lines: a tax or a levy.

    Attributes:
        percent: Of the sum of the lines of ``basis``, each as it stands on the receipt.
        basis: The codes of the lines. They may be percentages themselves, but never in a circle.
        included: Whether the prices of those lines contain it; such lines must have a price.
        tax: Whether it is a tax, which is rounded first.
        when: The condition.

    Raises:
        TariffFigureError: A percentage out of range.
    """

    percent: Rate
    basis: tuple[str, ...]
    included: bool = False
    tax: bool = False
    when: Condition = ALWAYS

    def __post_init__(self) -> None:
        """Check the percentage; the version checks the basis."""
        _Charge.__post_init__(self)
        require_rate(self.percent, path="/percent", largest=LARGEST_PERCENT)


Charge: TypeAlias = (
    UnitCharge | CreditCharge | PeriodCharge | PurchaseCharge | ShareCharge | PercentCharge
)
