"""Selling electricity: a quote, and a sale that happens exactly once.

A sale is one transaction: the meter is locked, the request looked up, the money quoted, the token
identifier allocated, the token made and decoded, everything written. Only after the commit does
anybody see the token. So a sale is wholly there or not at all, and a request that comes again gets
the first answer.
"""

import hashlib
import json
import string
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from keys import CreditRequest, MeterConfiguration, SecurityModule
from keys.errors import MessageIdReusedError
from sts import DecoderReferenceNumber, MeterPan, Service, UnitAmount, next_token_identifier
from vending_app.domain.entities import Meter, Sale, SoldToken, Tariff
from vending_app.domain.errors import RequestIdError, RequestIdReusedError, TokenRefusedError
from vending_app.domain.quotes import Quote, quote
from vending_app.services.refusals import token_refusals
from vending_app.storage import meters, sales, tenants
from vending_app.storage.engine import Store
from vending_app.storage.issue_journal import DatabaseJournal

_REQUEST_ID_LENGTH: Final = 64
_REQUEST_ID_CHARACTERS: Final = frozenset(string.ascii_letters + string.digits + "-_")
_ATTEMPTS: Final = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class SellRequest:
    """What a client asks for.

    Attributes:
        tenant: Who sells.
        request_id: The client's name for the request: the same again for the same request.
        drn: The meter.
        amount_minor: The money, in the smallest unit of the tenant's currency.
        operator: The log-in of who sells.
    """

    tenant: str
    request_id: str
    drn: DecoderReferenceNumber
    amount_minor: int
    operator: str

    def __post_init__(self) -> None:
        """Check the form of the request id."""
        if not 0 < len(self.request_id) <= _REQUEST_ID_LENGTH:
            raise RequestIdError
        if not _REQUEST_ID_CHARACTERS.issuperset(self.request_id):
            raise RequestIdError

    @property
    def content_hash(self) -> str:
        """SHA-256 of what is asked for, by which a request with other content is noticed."""
        content = {"drn": str(self.drn), "amount_minor": self.amount_minor}
        canonical = json.dumps(content, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(canonical.encode("ascii")).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class SaleResult:
    """A sale, and whether it had been made before this request."""

    sale: Sale
    replay: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class MeterQuote:
    """What an amount buys for one meter."""

    meter: Meter
    tariff: Tariff
    quote: Quote


def quote_for_meter(
    store: Store, tenant: str, *, drn: DecoderReferenceNumber, amount_minor: int
) -> MeterQuote:
    """Return what an amount of money buys for a meter; nothing is written.

    Raises:
        UnknownMeterError: The tenant has no such meter.
        AmountBelowMinimumError, AmountAboveMaximumError: Outside the limits of the tariff.
        TokenRefusedError: More energy than one token can carry.
    """
    with store.read() as connection:
        meter = meters.find_meter(tenant, connection, drn=drn)
        tariff = meters.find_tariff(tenant, connection, tariff_code=meter.tariff_code)
    with token_refusals():
        return MeterQuote(meter=meter, tariff=tariff, quote=quote(tariff.terms, amount_minor))


def sell(
    store: Store, module: SecurityModule, *, now: datetime, request: SellRequest
) -> SaleResult:
    """Sell electricity and return the sale with its token.

    Args:
        store: Where sales are kept.
        module: Who makes the token.
        now: The present time, aware.
        request: What is asked for.

    Raises:
        UnknownMeterError: The tenant has no such meter.
        RequestIdReusedError: The request id came before with another meter or amount.
        AmountBelowMinimumError, AmountAboveMaximumError: Outside the limits of the tariff.
        TokenRefusedError: The library or the security module makes no such token.
        StoreBusyError: The database was not to be had; nothing was sold.
    """
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            with store.write() as connection:
                return _sell(connection, module, now=now, request=request)
        except (IntegrityError, TokenRefusedError) as error:
            # The same request id was taken for another meter, whose lock we do not hold, while we
            # were at it. The next attempt finds what it took; a second time it is something else.
            if attempt == _ATTEMPTS or not _met_another_request(error):
                raise
    raise AssertionError  # pragma: no cover - the last attempt returns or raises


def _met_another_request(error: IntegrityError | TokenRefusedError) -> bool:
    """Tell whether the database or the issue journal had the request id already."""
    return isinstance(error, IntegrityError) or error.code == MessageIdReusedError.code


def _sell(
    connection: Connection, module: SecurityModule, *, now: datetime, request: SellRequest
) -> SaleResult:
    tenant = request.tenant
    # The lock comes first: who waited for it sees what the one before has sold.
    meter = meters.lock_meter(tenant, connection, drn=request.drn)
    earlier = sales.find_sale_by_request(tenant, connection, request_id=request.request_id)
    if earlier is not None:
        if earlier.request_hash != request.content_hash:
            raise RequestIdReusedError
        return SaleResult(sale=earlier, replay=True)
    tariff = meters.find_tariff(tenant, connection, tariff_code=meter.tariff_code)
    with token_refusals():
        quoted = quote(tariff.terms, request.amount_minor)
    token = _issue(connection, module, meter=meter, energy=quoted.energy, now=now, request=request)
    sale = Sale(
        tenant=tenant,
        number=tenants.next_number(tenant, connection, counter=tenants.SALE_COUNTER),
        request_id=request.request_id,
        request_hash=request.content_hash,
        drn=meter.drn,
        customer_name=meter.customer_name,
        operator=request.operator,
        tariff_code=tariff.code,
        tariff_name=tariff.terms.name,
        price_minor_per_kwh=tariff.terms.price_minor_per_kwh,
        tendered=quoted.tendered,
        lines=quoted.lines,
        token=token,
        sold_at=now,
    )
    sales.add_sale(tenant, connection, sale=sale)
    return SaleResult(sale=sale, replay=False)


def _issue(
    connection: Connection,
    module: SecurityModule,
    *,
    meter: Meter,
    energy: UnitAmount,
    now: datetime,
    request: SellRequest,
) -> SoldToken:
    """Allocate the next token identifier of a meter and have its token made."""
    group = meters.find_supply_group(meter.tenant, connection, code=meter.supply_group_code)
    configuration = meter_configuration(meter)
    with token_refusals():
        vending_key = module.vending_key(configuration).record
        issued = sales.last_token_identifiers(
            meter.tenant, connection, drn=meter.drn, base_date=vending_key.base_date
        )
        tid_minutes = next_token_identifier(
            issued,
            now,
            base_date=vending_key.base_date,
            key_expiry_number=vending_key.key_expiry_number,
            lead_cap_minutes=group.lead_cap_minutes,
            utc_offset=group.utc_offset,
        )
        answer = module.issue(
            configuration,
            CreditRequest(service=Service.ELECTRICITY, tid_minutes=tid_minutes, amount=energy),
            message_id=f"{meter.tenant}/{request.request_id}",
            now=now,
            journal=DatabaseJournal(connection),
        )
    return SoldToken(
        digits=answer.digits,
        tid_minutes=tid_minutes,
        base_date=vending_key.base_date,
        energy_tenths_kwh=energy.tenths,
        supply_group_code=meter.supply_group_code,
        key_revision_number=meter.key_revision_number,
        key_type=meter.key_type,
        tariff_index=meter.tariff_index,
        encryption_algorithm=meter.encryption_algorithm,
        key_expiry_number=vending_key.key_expiry_number.number,
        sample_tables=answer.sample_tables,
    )


def meter_configuration(meter: Meter) -> MeterConfiguration:
    """Return what a security module must know of a meter."""
    return MeterConfiguration(
        tenant=meter.tenant,
        meter_pan=MeterPan.from_drn(meter.drn),
        supply_group_code=meter.supply_group_code,
        tariff_index=meter.tariff_index,
        key_revision_number=meter.key_revision_number,
        key_type=meter.key_type,
        encryption_algorithm=meter.encryption_algorithm,
        token_carrier_type=meter.token_carrier_type,
    )
