"""What a sale to a meter would be: the tariff of the day, its lines, and the money due."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields, is_dataclass
from datetime import datetime
from functools import lru_cache
from typing import Final

from sqlalchemy import Connection

from vending_app.domain.errors import CreditKindError, SaleAmountError, ServiceMismatchError
from vending_app.domain.ledger import cash_due
from vending_app.domain.network import CreditKind
from vending_app.domain.parties import Tenant
from vending_app.domain.places import Supply
from vending_app.domain.purchases import parse_counters
from vending_app.domain.sales import PaymentMethod, SaleLine
from vending_app.domain.tariff import (
    NO_TABLES,
    DatedTable,
    LineKind,
    TableRate,
    Tables,
    TariffContext,
    TariffLine,
    TariffQuote,
    TariffVersion,
    parse_table,
    parse_version,
    quote,
    quote_units,
)
from vending_app.domain.tariff_errors import TariffNotEffectiveError
from vending_app.storage import pricing

CREDIT_USED: Final = "account-credit-used"
_CREDIT_USED_LABEL: Final = "Account credit used"
_CUSTOMER: Final = "customer"
_TENTHS: Final = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Amount:
    """How much is to be sold: for so much money, or so many units for what they cost.

    Attributes:
        minor: The money, in the smallest unit of the currency; None if units are asked for.
        units_tenths: Tenths of a unit; None if money is.

    Raises:
        SaleAmountError: Both, neither, or not more than nothing.
    """

    minor: int | None = None
    units_tenths: int | None = None

    def __post_init__(self) -> None:
        """Check that it is one of the two."""
        given = [each for each in (self.minor, self.units_tenths) if each is not None]
        if len(given) != 1 or given[0] <= 0:
            raise SaleAmountError


@dataclass(frozen=True, slots=True, kw_only=True)
class SupplyQuote:
    """What a sale to a meter would be.

    Attributes:
        version: The tariff on this day.
        quoted: What it says.
        lines: As they stand on the receipt; they add up to ``tendered_minor``.
        tendered_minor: The money that the sale is for.
        due_minor: What the customer pays: in cash, what there are coins for.
    """

    version: TariffVersion
    quoted: TariffQuote
    lines: tuple[SaleLine, ...]
    tendered_minor: int
    due_minor: int

    @property
    def sold_tenths(self) -> int:
        """What the tokens carry in tenths of a unit; 0 if they carry currency."""
        return self.quoted.carried if self.version.sells_units else 0


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedTariff:
    """A question for the tariff of a meter.

    Attributes:
        context: The day, and what the tariff remembers of the account.
        stored: Gives the version of that day, None if there is none.
    """

    context: TariffContext
    stored: Callable[[], pricing.StoredVersion | None]


def ask_tariff(
    connection: Connection, tenant: Tenant, supply: Supply, *, now: datetime
) -> AskedTariff:
    """Ask for the tariff that a meter buys by now, for ``quote_supply``."""
    context = TariffContext.at(
        now, time_zone=tenant.time_zone, counters=parse_counters(supply.account.counters)
    )
    stored = pricing.ask_version_on(
        supply.meter.tenant,
        connection,
        tariff_code=supply.account.tariff_code,
        day=context.day,
    )
    return AskedTariff(context=context, stored=stored)


def quote_supply(
    connection: Connection,
    tenant: Tenant,
    supply: Supply,
    *,
    tariff: AskedTariff,
    amount: Amount,
    payment_method: PaymentMethod,
    use_credit: bool,
) -> SupplyQuote:
    """Return what a sale to a meter would be.

    Args:
        connection: The transaction.
        tenant: The utility.
        supply: The meter in its place.
        tariff: What ``ask_tariff`` returned for it.
        amount: How much is asked for.
        payment_method: How the money comes; cash is rounded to what there are coins for.
        use_credit: Whether money left over from earlier sales buys as well.

    Raises:
        TariffError: The tariff sells nothing today, has no rate for today, or not for this amount.
        AmountBelowMinimumError, AmountAboveMaximumError: Outside the limits of the tariff.
        ServiceMismatchError, CreditKindError: The tariff is not for such a meter.
        SaleAmountError: Units were asked for of a meter that counts money.
    """
    context = tariff.context
    version, tables = _tariff(connection, supply, asked=tariff)
    _require_fitting(version, supply)
    maximum = supply.meter.maximum_tenths if version.sells_units else None
    credit = supply.account.credit_minor if use_credit and amount.minor is not None else 0
    if amount.minor is not None:
        quoted = quote(
            version,
            context,
            tendered_minor=amount.minor + credit,
            tables=tables,
            token_maximum=maximum,
        )
    elif amount.units_tenths is None or not version.sells_units:
        raise SaleAmountError
    else:
        quoted = quote_units(
            version, context, wanted=amount.units_tenths, tables=tables, token_maximum=maximum
        )
    tendered = quoted.tendered.minor - credit
    is_cash = payment_method is PaymentMethod.CASH
    return SupplyQuote(
        version=version,
        quoted=quoted,
        lines=(*map(_line, quoted.lines), *_credit_used(version, credit)),
        tendered_minor=tendered,
        due_minor=cash_due(tendered, step_minor=tenant.cash_step_minor) if is_cash else tendered,
    )


def _require_fitting(version: TariffVersion, supply: Supply) -> None:
    """Refuse a tariff for another service or another kind of credit than the meter's."""
    meter = supply.meter
    if version.service is not meter.service:
        raise ServiceMismatchError(meter.service.name.lower(), version.service.name.lower())
    if version.sells_units is not (meter.credit_kind is CreditKind.UNIT):
        sold = CreditKind.UNIT if version.sells_units else CreditKind.CURRENCY
        raise CreditKindError(meter=meter.credit_kind.value, tariff=sold.value)


def _tariff(
    connection: Connection, supply: Supply, *, asked: AskedTariff
) -> tuple[TariffVersion, Tables]:
    """Return the version of the day, and the dated tables if it refers to any."""
    stored = asked.stored()
    if stored is None:
        raise TariffNotEffectiveError(supply.account.tariff_code, day=asked.context.day)
    version, has_tables = _parsed(stored.document)
    if not has_tables:
        return version, NO_TABLES
    return version, {
        table.code: _parsed_table(table.document)
        for table in pricing.find_tables(supply.meter.tenant, connection)
    }


@lru_cache(maxsize=256)
def _parsed(document: str) -> tuple[TariffVersion, bool]:
    """Return a version, and whether it refers to dated tables; a document is read once."""
    version = parse_version(document)
    return version, _has_table(version.charges)


@lru_cache(maxsize=256)
def _parsed_table(document: str) -> DatedTable:
    return parse_table(document)


def _has_table(value: object) -> bool:
    """Tell whether a rate anywhere within is looked up in a table."""
    if isinstance(value, TableRate):
        return True
    if isinstance(value, tuple):
        return any(map(_has_table, value))
    if is_dataclass(value) and not isinstance(value, type):
        return any(_has_table(getattr(value, field.name)) for field in fields(value))
    return False


def _line(line: TariffLine) -> SaleLine:
    return SaleLine(
        code=line.code,
        kind=line.kind.value,
        label=line.label,
        amount_minor=line.amount_minor,
        beneficiary=line.beneficiary,
        ledger_account=line.ledger_account,
        units_tenths=None if line.units is None else line.units * _TENTHS,
        rate=line.rate,
    )


def _credit_used(version: TariffVersion, credit_minor: int) -> Iterable[SaleLine]:
    """Return the line by which money of earlier sales buys now."""
    if credit_minor:
        yield SaleLine(
            code=CREDIT_USED,
            kind=LineKind.ACCOUNT_CREDIT.value,
            label=_CREDIT_USED_LABEL,
            amount_minor=-credit_minor,
            beneficiary=_CUSTOMER,
            ledger_account=version.credit_account,
        )
