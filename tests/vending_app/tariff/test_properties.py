"""What holds for every tariff, and what holds within the energy blocks of one local month."""

from collections.abc import Callable
from datetime import date
from fractions import Fraction
from itertools import accumulate

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tests.vending_app.tariff.making import (
    DAY,
    FIRST,
    credit,
    daily,
    fee,
    monthly,
    names,
    percent,
    share,
    tariff,
    vat,
)
from vending_app.domain.errors import AmountBelowMinimumError
from vending_app.domain.tariff import (
    Block,
    Charge,
    Counters,
    PaidTo,
    PercentCharge,
    Rounding,
    Schedule,
    TariffContext,
    TariffVersion,
    UnitCharge,
    format_version,
    parse_version,
    quote,
    quote_units,
)
from vending_app.domain.tariff.solve import lines_for, solve
from vending_app.domain.tariff_errors import (
    AmountBelowChargesError,
    TooManyTokensError,
    UnitsNotForSaleError,
)

# Drawing whole numbers and dividing is quicker than drawing fractions; no rate is so low that a
# purchase would take more than 50 tokens.
RATES = st.integers(400, 16_000).map(lambda rate: Fraction(rate, 21))
# Drawing a whole tariff takes its time.
FEWER = settings(max_examples=settings().max_examples // 2)
MONEY = st.integers(1, 200_000)
ROUNDINGS = st.sampled_from(Rounding)

Order = Callable[[list[Fraction]], list[Fraction]]


def _energy(code: str, rates: list[Fraction], sizes: list[int]) -> UnitCharge:
    ends = [*accumulate(sizes[: len(rates) - 1]), None]
    made = tuple(Block(up_to_tenths=end, rate=rate) for end, rate in zip(ends, rates, strict=True))
    return UnitCharge(**names(code), schedules=(Schedule(blocks=made),))


def unit_charges(code: str, order: Order = list) -> st.SearchStrategy[UnitCharge]:
    """Draw a charge per unit of up to four blocks, its rates put into order."""
    sizes = st.lists(st.integers(1, 3_000), min_size=3, max_size=3)
    rates = st.lists(RATES, min_size=1, max_size=4).map(order)
    return st.builds(_energy, st.just(code), rates, sizes)


@st.composite
def versions(draw: st.DrawFn) -> TariffVersion:
    """Draw a tariff with any of the kinds of charges, in any order."""
    percents = st.integers(0, 40)
    goods: Charge = draw(st.one_of(unit_charges("goods"), st.just(credit("goods"))))
    charges: list[Charge] = [goods]
    if draw(st.booleans()):
        charges.append(fee("fee", (0, draw(st.integers(0, 500)))))
    if draw(st.booleans()):
        cap = Fraction(draw(st.integers(0, 300)), 3)
        charges.append(daily("daily", draw(RATES), largest_percent=cap))
    if draw(st.booleans()):
        charges.append(monthly("monthly", draw(RATES)))
    if draw(st.booleans()):
        charges.append(share("share", draw(percents), largest_minor=draw(st.integers(0, 9_000))))
    if isinstance(goods, UnitCharge) and draw(st.booleans()):
        charges.append(draw(unit_charges("levy")))
    priced = tuple(charge.code for charge in charges)
    basis = draw(st.lists(st.sampled_from(priced), min_size=1, unique=True).map(tuple))
    charges.append(vat(*basis, rate=draw(percents), included=draw(st.booleans())))
    basis = draw(st.lists(st.sampled_from((*priced, "vat")), min_size=1, unique=True).map(tuple))
    charges.append(percent("duty", basis, Fraction(draw(percents)), tax=draw(st.booleans())))
    return tariff(
        *draw(st.permutations(charges)), rounding=draw(ROUNDINGS), maximum_minor=1_000_000
    )


CONTEXTS = st.builds(
    lambda tenths, days, part: TariffContext.on(
        DAY,
        counters=Counters(
            month=date(2026, 3, 1),
            month_tenths=tenths,
            month_purchases=1,
            paid_to={"daily": PaidTo(date.fromordinal(DAY.toordinal() - days), part)},
        ),
    ),
    st.integers(0, 8_000),
    st.integers(0, 50),
    st.integers(0, 150).map(lambda part: Fraction(part, 3)),
)


@FEWER
@given(versions(), CONTEXTS, MONEY)
def test_the_lines_add_up_to_the_money(
    version: TariffVersion, context: TariffContext, money: int
) -> None:
    try:
        found = quote(version, context, tendered_minor=money)
    except AmountBelowChargesError:
        assume(False)  # noqa: FBT003 - Hypothesis takes it by position
        raise
    assert sum(line.amount_minor for line in found.lines) == money
    assert all(line.amount_minor >= 0 for line in found.lines)
    tenths = [line.tenths for line in found.lines if line.code == "goods" and line.tenths]
    assert sum(tenths) == (found.carried if version.sells_units else 0)
    assert found.rounding >= 0
    if version.rounding is Rounding.CARRY:
        assert found.rounding == 0
    if version.sells_units:
        assert found.rounding < 1


@FEWER
@given(versions(), CONTEXTS, MONEY)
def test_exact_lines_solve_the_equation_of_the_sale(
    version: TariffVersion, context: TariffContext, money: int
) -> None:
    """Checked line by line, without the factors by which the engine solves it."""
    try:
        solution = solve(version, context, tendered_minor=money, tables={})
    except AmountBelowChargesError:
        assume(False)  # noqa: FBT003 - Hypothesis takes it by position
        raise
    lines = lines_for(solution, version, goods=solution.goods)
    assert sum(lines.values()) == money
    for charge in version.charges:
        if isinstance(charge, PercentCharge) and isinstance(charge.percent, Fraction):
            basis = sum(lines[code] for code in charge.basis)
            assert lines[charge.code] == charge.percent / 100 * basis


def _sell(version: TariffVersion, context: TariffContext, amounts: list[int]) -> int:
    """What purchases one after the other carry together."""
    carried = 0
    for amount in amounts:
        found = quote(version, context, tendered_minor=amount)
        context = TariffContext.on(DAY, counters=found.after)
        carried += found.carried
    return carried


@given(unit_charges("energy"), ROUNDINGS, CONTEXTS, MONEY, MONEY)
def test_more_money_never_buys_less(
    energy: UnitCharge, rounding: Rounding, context: TariffContext, less: int, more: int
) -> None:
    version = tariff(energy, vat("energy", included=True), rounding=rounding)
    less, more = sorted((less, more))
    assert _sell(version, context, [less]) <= _sell(version, context, [more])


@given(unit_charges("energy", sorted), CONTEXTS, st.lists(MONEY, min_size=2, max_size=4))
def test_in_inclining_blocks_splitting_gains_less_than_a_tenth_each(
    energy: UnitCharge, context: TariffContext, amounts: list[int]
) -> None:
    version = tariff(energy)
    gain = _sell(version, context, amounts) - _sell(version, context, [sum(amounts)])
    assert gain <= len(amounts) - 1


@given(unit_charges("energy"), CONTEXTS, st.lists(MONEY, min_size=2, max_size=4))
def test_in_any_blocks_splitting_gains_no_more_than_the_rounding_is_worth(
    energy: UnitCharge, context: TariffContext, amounts: list[int]
) -> None:
    """A tenth that rounding gives may be one of a dear block, and save as much in a cheap one."""
    version = tariff(energy)
    gain = _sell(version, context, amounts) - _sell(version, context, [sum(amounts)])
    rates = [block.rate for block in energy.schedules[0].blocks if isinstance(block.rate, Fraction)]
    assert gain < (len(amounts) - 1) * (max(rates) / min(rates)) + 1


@given(unit_charges("energy"), CONTEXTS, st.lists(MONEY, min_size=2, max_size=4))
def test_where_the_rest_is_carried_over_splitting_gains_nothing(
    energy: UnitCharge, context: TariffContext, amounts: list[int]
) -> None:
    version = tariff(energy, rounding=Rounding.CARRY)
    assert _sell(version, context, amounts) <= _sell(version, context, [sum(amounts)])


@FEWER
@given(versions(), CONTEXTS, st.integers(1, 9_000))
def test_the_inverse_is_the_least_money(
    version: TariffVersion, context: TariffContext, wanted: int
) -> None:
    try:
        found = quote_units(version, context, wanted=wanted)
    except (TooManyTokensError, UnitsNotForSaleError):
        assume(False)  # noqa: FBT003 - Hypothesis takes it by position
        raise
    assert found.carried >= wanted
    assert found == quote(version, context, tendered_minor=found.tendered.minor)
    try:
        less = quote(version, context, tendered_minor=found.tendered.minor - 1)
    except (AmountBelowChargesError, AmountBelowMinimumError):
        return
    assert less.carried < wanted


@FEWER
@given(versions())
def test_every_tariff_is_read_as_it_was_written(version: TariffVersion) -> None:
    assert parse_version(format_version(version)) == version


@FEWER
@given(versions(), MONEY)
def test_a_new_month_begins_anew(version: TariffVersion, money: int) -> None:
    """What was bought in March does not matter in April, but for what is paid of charges."""
    kept = Counters(month=date(2026, 3, 1), month_tenths=5_000, month_purchases=9)
    april = TariffContext.on(date(2026, 4, 1), counters=kept)
    other = TariffContext.on(date(2026, 4, 1), counters=Counters(month=date(2026, 2, 1)))
    try:
        found = quote(version, april, tendered_minor=money)
    except AmountBelowChargesError:
        assume(False)  # noqa: FBT003 - Hypothesis takes it by position
        raise
    assert found == quote(version, other, tendered_minor=money)
    assert found.after.month == date(2026, 4, 1)


def test_the_context_of_a_first_purchase_is_used() -> None:
    """A guard on the helpers above: they do sell in blocks."""
    version = tariff(_energy("energy", [Fraction(100), Fraction(200)], [10, 1, 1]))
    assert _sell(version, FIRST, [100, 200]) == 20
