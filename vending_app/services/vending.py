"""Selling: a quote, and a sale that happens exactly once.

A sale locks the meter and its account, applies the rules, quotes the tariff, changes the meter's
key if it must, takes token identifiers, has the tokens made, asks the twin, and writes tokens, sale
and books. With a security module in this process that is one transaction, and only after its commit
does anybody see the tokens; ``vending_app.services.requests`` tells the rest.

Another tenant's meter, operator or vendor is like one that does not exist.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from sqlalchemy import Connection

from keys import CreditRequest, CurrencyCreditRequest, SecurityModule
from keys.canonical_json import JsonObject
from sts import DecoderReferenceNumber, UnitAmount
from vending_app.domain.errors import (
    AccountBlockedError,
    AccountClosedError,
    MeterBlockedError,
    MeterNotInServiceError,
)
from vending_app.domain.money import Money
from vending_app.domain.network import SELLABLE, SupplyGroup
from vending_app.domain.parties import AccountState, Operator, Tenant
from vending_app.domain.places import Supply
from vending_app.domain.purchases import format_counters
from vending_app.domain.requests import NamedRequest, exact_number
from vending_app.domain.sales import PaymentMethod, Sale
from vending_app.services.identifiers import ask_identifiers
from vending_app.services.issuing import Wanted, plan_tokens
from vending_app.services.key_policy import (
    KeyChangeDue,
    key_change_due,
    planned_change,
    require_agreed,
)
from vending_app.services.plans import PlannedChange
from vending_app.services.quoting import Amount, SupplyQuote, ask_tariff, quote_supply
from vending_app.services.refusals import audited_refusals
from vending_app.services.requests import capabilities, perform
from vending_app.services.sale_case import SALE, SaleWork, pending_sales_minor
from vending_app.services.sellers import lock_vendor, require_float, require_seller
from vending_app.services.use_case import Answer
from vending_app.storage import clock, network, operators, parties, selling, tenants
from vending_app.storage.engine import Store
from vending_app.storage.operators import Seller


@dataclass(frozen=True, slots=True, kw_only=True)
class QuoteRequest:
    """What somebody wants to know the price of.

    Attributes:
        tenant: Who sells.
        drn: The meter.
        amount: How much.
        payment_method: How the money would come.
    """

    tenant: str
    drn: DecoderReferenceNumber
    amount: Amount
    payment_method: PaymentMethod = PaymentMethod.CASH


@dataclass(frozen=True, slots=True, kw_only=True)
class VendRequest:
    """What a client wants to buy.

    Attributes:
        tenant: Who sells.
        request_id: The client's name for the request: the same again for the same request.
        drn: The meter.
        amount: How much.
        login: The operator who sells.
        payment_method: How the money comes.
        accept_key_change: Whether the cashier has agreed to a key change before the credit.
        special_reserved: Whether the token has the special identifier of the day, 00:01, as only a
            token agreed with the utility has (IEC 62055-41, 6.3.5.2).
        instead_of: The sale whose money this one is for, where an approved case has it made. The
            case allows it, whoever of those named may still sell; and if a vendor has the money, it
            is that vendor's float that pays.
    """

    tenant: str
    request_id: str
    drn: DecoderReferenceNumber
    amount: Amount
    login: str
    payment_method: PaymentMethod = PaymentMethod.CASH
    accept_key_change: bool = False
    special_reserved: bool = False
    instead_of: Sale | None = None

    @property
    def named(self) -> NamedRequest:
        """The request as requests are kept.

        Whether the cashier has agreed to a key change is no part of it: a sale that was refused for
        want of that may come again with it.
        """
        content: JsonObject = {
            "minor": exact_number(self.amount.minor),
            "units_tenths": exact_number(self.amount.units_tenths),
            "payment_method": self.payment_method.value,
            "special_reserved": self.special_reserved,
        }
        return NamedRequest(
            tenant=self.tenant,
            request_id=self.request_id,
            kind=SALE.kind,
            login=self.login,
            drn=self.drn,
            content=content,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class MeterQuote:
    """What a sale would be.

    Attributes:
        tenant: The utility.
        supply: The meter in its place.
        offer: What it would cost and carry.
        key_change: The key change that would come first; None if none is due.
    """

    tenant: Tenant
    supply: Supply
    offer: SupplyQuote
    key_change: KeyChangeDue | None


def quote(
    store: Store, module: SecurityModule, *, now: datetime, request: QuoteRequest
) -> MeterQuote:
    """Return what a sale would be; nothing is written.

    Raises:
        VendingError: As for ``vend``, what concerns the operator and the making of tokens apart.
    """
    with store.read() as connection:
        supply = selling.find_supply(request.tenant, connection, drn=request.drn)
        require_sellable(supply)
        tenant = tenants.find_tenant(request.tenant, connection)
        return MeterQuote(
            tenant=tenant,
            supply=supply,
            offer=quote_supply(
                connection,
                tenant,
                supply,
                tariff=ask_tariff(connection, tenant, supply, now=now),
                amount=request.amount,
                payment_method=request.payment_method,
                use_credit=capabilities(module).shared_journal,
            ),
            key_change=key_change_due(connection, module, supply=supply, now=now),
        )


def vend(
    store: Store, module: SecurityModule, *, now: datetime, request: VendRequest
) -> Answer[Sale]:
    """Sell, and return the sale with its tokens.

    Args:
        store: The database.
        module: The security module.
        now: The present time, aware.
        request: What is asked for.

    Raises:
        RequestIdError, RequestIdReusedError: The name of the request is none, or came before with
            other content.
        UnknownOperatorError, NotPermittedError: The operator does not exist, or may not sell.
        UnknownMeterError, MeterWithoutPlaceError, MeterNotInServiceError, MeterBlockedError: The
            meter does not exist here, or takes no credit at this time.
        AccountBlockedError, AccountClosedError: The account may not buy.
        VendorInactiveError, VendorLimitError: The vendor may not sell, or not for so much.
        TariffError, AmountBelowMinimumError, AmountAboveMaximumError: The tariff does not sell
            this.
        ServiceMismatchError, CreditKindError, SaleAmountError: Meter, tariff and amount do not fit.
        KeyChangeNeededError, KeyChangeOfferedError, KeyChangeGroupError: The meter's key should
            change first.
        SpecialReservedError: More than one token for the special identifier.
        TokenRefusedError, TwinRefusedError: The security module or the meter's twin refuses.
        LedgerClockBehindError, LedgerClockAheadError: The clock is far behind the last entry of the
            books, or further ahead than anybody believes.
        RequestFailedError, OutcomeUnknownError: What came of the same request before.
        StoreBusyError: The database was not to be had; this time nothing was done.
    """
    about: JsonObject = {
        "request": "sale",
        "request_id": request.request_id[:64],
        "drn": str(request.drn),
        "minor": exact_number(request.amount.minor),
        "units_tenths": exact_number(request.amount.units_tenths),
    }
    with audited_refusals(store, request.tenant, login=request.login, about=about, now=now):
        answer = perform(
            store,
            module,
            SALE,
            named=request.named,
            decide=partial(_ask, store, module, request=request, now=now),
            now=now,
        )
        if answer.replay:
            # Nobody has looked yet whether this operator may see what was sold.
            with store.read() as connection:
                seller = operators.ask_seller(request.tenant, connection, login=request.login)
                require_seller(seller(), login=request.login, instead_of=request.instead_of)
        return answer


def require_sellable(supply: Supply) -> None:
    """Refuse a meter or account that takes no credit at this time.

    Raises:
        MeterNotInServiceError, MeterBlockedError, AccountBlockedError, AccountClosedError: As said.
    """
    meter, account = supply.meter, supply.account
    if meter.life not in SELLABLE:
        raise MeterNotInServiceError(str(meter.drn), meter.life.value)
    if meter.blocked:
        raise MeterBlockedError(meter.block_reason)
    if account.state is AccountState.BLOCKED:
        raise AccountBlockedError(account.block_reason)
    if account.state is AccountState.CLOSED:
        raise AccountClosedError(account.number)


def _ask(
    store: Store,
    module: SecurityModule,
    connection: Connection,
    *,
    request: VendRequest,
    now: datetime,
) -> Callable[[], SaleWork]:
    """Ask who sells; the rest is decided if the request is a new one."""
    seller = operators.ask_seller(request.tenant, connection, login=request.login)
    return partial(_decide, store, module, connection, seller=seller, request=request, now=now)


def _decide(
    store: Store,
    module: SecurityModule,
    connection: Connection,
    *,
    seller: Callable[[], Seller | None],
    request: VendRequest,
    now: datetime,
) -> SaleWork:
    """Lock what the sale is about, apply the rules, and plan it."""
    tenant_code, at_once = request.tenant, capabilities(module).shared_journal
    found = require_seller(seller(), login=request.login, instead_of=request.instead_of)
    tenant = found.tenant
    # The books would refuse it only when the tokens are made, and nobody could account for those.
    clock.require_clock_after(tenant_code, connection, last=found.booked_at, now=now)
    # Who waited for this lock sees what the one before has sold.
    supply = selling.lock_supply(tenant_code, connection, drn=request.drn)
    store.fail_point("sale.locked")
    require_sellable(supply)
    tariff = ask_tariff(connection, tenant, supply, now=now)
    identifiers = ask_identifiers(connection, supply.meter)
    vendor = lock_vendor(connection, found.operator, instead_of=request.instead_of)
    offer = quote_supply(
        connection,
        tenant,
        supply,
        tariff=tariff,
        amount=request.amount,
        payment_method=request.payment_method,
        # While a module elsewhere is asked, another sale might use the same credit.
        use_credit=at_once,
    )
    if vendor is not None:
        pending = pending_sales_minor(connection, vendor)
        require_float(vendor, offer.tendered_minor, pending_minor=pending, tenant=tenant)
    store.fail_point("sale.quoted")
    due = _agreed_change(connection, module, supply, offer=offer, request=request, now=now)
    plan = plan_tokens(
        connection,
        module,
        meter=supply.meter,
        group=_group_of_key(connection, supply) if due is None else due.group,
        request_id=request.request_id,
        wanted=_wanted(offer),
        change=_planned(due, supply, request_id=request.request_id),
        special_reserved=request.special_reserved,
        asked=identifiers,
        now=now,
    )
    after = format_counters(offer.quoted.after)
    parties.set_account_counters(
        tenant_code, connection, account_number=supply.account.number, counters=after
    )
    return SaleWork(
        issue=plan,
        sale=_draft(request, supply, offer, operator=found.operator, counters=after, now=now),
        time_zone=tenant.time_zone,
        cash_rounding_minor=0 if vendor is not None else offer.due_minor - offer.tendered_minor,
        reason="" if due is None else due.advice,
    )


def _agreed_change(
    connection: Connection,
    module: SecurityModule,
    supply: Supply,
    *,
    offer: SupplyQuote,
    request: VendRequest,
    now: datetime,
) -> KeyChangeDue | None:
    """Return the key change that comes before the credit, if there is to be one."""
    if not offer.quoted.tokens:
        return None
    due = key_change_due(connection, module, supply=supply, now=now)
    if due is not None:
        require_agreed(due, accepted=request.accept_key_change)
    return due


def _planned(due: KeyChangeDue | None, supply: Supply, *, request_id: str) -> PlannedChange | None:
    return None if due is None else planned_change(due, supply.meter, request_id=request_id)


def _group_of_key(connection: Connection, supply: Supply) -> SupplyGroup:
    """Return the policy of the supply group of the key that serves."""
    code = supply.meter.key.supply_group_code
    if code == supply.supply_group.code:
        return supply.supply_group
    return network.find_supply_group(supply.meter.tenant, connection, code=code)


def _wanted(offer: SupplyQuote) -> list[Wanted]:
    service = offer.version.service
    return [
        partial(CreditRequest, service=service, amount=amount)
        if isinstance(amount, UnitAmount)
        else partial(CurrencyCreditRequest, service=service, amount=amount)
        for amount in offer.quoted.tokens
    ]


def _draft(
    request: VendRequest,
    supply: Supply,
    offer: SupplyQuote,
    *,
    operator: Operator,
    counters: str,
    now: datetime,
) -> Sale:
    """Return the sale as far as it is known before its tokens are made."""
    return Sale(
        tenant=request.tenant,
        number=0,
        basis_number=0,
        request_id=request.request_id,
        drn=supply.meter.drn,
        account_number=supply.account.number,
        customer_number=supply.customer.number,
        customer_name=supply.customer.name,
        service=supply.meter.service,
        tariff_code=offer.version.code,
        tariff_version=offer.version.number,
        tariff_name=supply.tariff_name,
        vendor_code=operator.vendor_code,
        login=operator.login,
        payment_method=request.payment_method,
        tendered=Money(offer.tendered_minor, offer.version.currency),
        lines=offer.lines,
        sold_tenths=offer.sold_tenths,
        rounding=offer.quoted.rounding,
        tokens=(),
        counters_before=supply.account.counters,
        counters_after=counters,
        ledger_entry=0,
        sold_at=now,
    )
