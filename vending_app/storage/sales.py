"""Statements about sales, their lines, tokens and reprints. Rows are only ever added."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from fractions import Fraction

from sqlalchemy import Connection, Row, Select, and_, func, insert, select

from sts import (
    BaseDate,
    DecoderReferenceNumber,
    EncryptionAlgorithm,
    KeyRevisionNumber,
    KeyType,
    SupplyGroupCode,
    TariffIndex,
)
from sts.token_identifier import TID_STORE_SIZE
from vending_app.domain.entities import Sale, SoldToken
from vending_app.domain.errors import UnknownSaleError
from vending_app.domain.money import Currency, Money
from vending_app.domain.quotes import QuoteLine
from vending_app.storage.tables import reprints, sale_lines, sales, tokens


def find_sale(tenant: str, connection: Connection, *, sale_number: int) -> Sale:
    """Return a sale by its number.

    Raises:
        UnknownSaleError: The tenant has no such sale.
    """
    found = _sales(connection, _select_sales(tenant).where(sales.c.sale_number == sale_number))
    if not found:
        raise UnknownSaleError(sale_number)
    return found[0]


def find_sale_by_request(tenant: str, connection: Connection, *, request_id: str) -> Sale | None:
    """Return the sale that a client's request led to, or None if it has not been seen."""
    found = _sales(connection, _select_sales(tenant).where(sales.c.request_id == request_id))
    return found[0] if found else None


def list_recent_sales(
    tenant: str, connection: Connection, *, limit: int, drn: DecoderReferenceNumber | None = None
) -> tuple[Sale, ...]:
    """Return the latest sales, of one meter or of all, newest first."""
    query = _select_sales(tenant).order_by(sales.c.sale_number.desc()).limit(limit)
    if drn is not None:
        query = query.where(sales.c.drn == str(drn))
    return _sales(connection, query)


def add_sale(tenant: str, connection: Connection, *, sale: Sale) -> None:
    """Add a sale with its lines and its token."""
    key = {"tenant": tenant, "sale_number": sale.number}
    connection.execute(
        insert(sales).values(
            **key,
            request_id=sale.request_id,
            request_hash=sale.request_hash,
            drn=str(sale.drn),
            customer_name=sale.customer_name,
            login=sale.operator,
            tariff_code=sale.tariff_code,
            tariff_name=sale.tariff_name,
            price_numerator=sale.price_minor_per_kwh.numerator,
            price_denominator=sale.price_minor_per_kwh.denominator,
            currency=sale.tendered.currency.code,
            currency_exponent=sale.tendered.currency.exponent,
            tendered_minor=sale.tendered.minor,
            sold_at=sale.sold_at,
        )
    )
    connection.execute(
        insert(sale_lines),
        [
            key
            | {
                "line_number": number,
                "kind": line.kind,
                "label": line.label,
                "amount_minor": line.amount_minor,
            }
            for number, line in enumerate(sale.lines, start=1)
        ],
    )
    token = sale.token
    connection.execute(
        insert(tokens).values(
            **key,
            token_number=1,
            drn=str(sale.drn),
            base_date=str(token.base_date),
            tid=token.tid_minutes,
            digits=token.digits,
            energy_tenths_kwh=token.energy_tenths_kwh,
            supply_group_code=str(token.supply_group_code),
            key_revision_number=int(token.key_revision_number),
            key_type=int(token.key_type),
            tariff_index=int(token.tariff_index),
            encryption_algorithm=token.encryption_algorithm.value,
            key_expiry_number=token.key_expiry_number,
            sample_tables=token.sample_tables,
        )
    )


def lock_sale(tenant: str, connection: Connection, *, sale_number: int) -> None:
    """Keep others from printing this receipt again until this transaction ends.

    Raises:
        UnknownSaleError: The tenant has no such sale.
    """
    query = select(sales.c.sale_number).where(
        sales.c.tenant == tenant, sales.c.sale_number == sale_number
    )
    if connection.execute(query.with_for_update()).one_or_none() is None:
        raise UnknownSaleError(sale_number)


def last_token_identifiers(
    tenant: str, connection: Connection, *, drn: DecoderReferenceNumber, base_date: BaseDate
) -> tuple[int, ...]:
    """Return the largest token identifiers issued to a meter, as many as a meter remembers."""
    rows = connection.execute(
        select(tokens.c.tid)
        .where(
            tokens.c.tenant == tenant,
            tokens.c.drn == str(drn),
            tokens.c.base_date == str(base_date),
        )
        .order_by(tokens.c.tid.desc())
        .limit(TID_STORE_SIZE)
    )
    return tuple(rows.scalars())


def add_reprint(
    tenant: str, connection: Connection, *, sale_number: int, login: str, now: datetime
) -> None:
    """Note that a receipt is printed again; the sale is locked."""
    printed = connection.execute(
        select(func.count())
        .select_from(reprints)
        .where(reprints.c.tenant == tenant, reprints.c.sale_number == sale_number)
    ).scalar_one()
    connection.execute(
        insert(reprints).values(
            tenant=tenant,
            sale_number=sale_number,
            reprint_number=printed + 1,
            login=login,
            reprinted_at=now,
        )
    )


def _select_sales(tenant: str) -> Select[tuple[object, ...]]:
    printed = (
        select(func.count())
        .select_from(reprints)
        .where(reprints.c.tenant == sales.c.tenant, reprints.c.sale_number == sales.c.sale_number)
        .scalar_subquery()
    )
    token_columns = [
        column
        for column in tokens.c
        if column.name not in {"tenant", "sale_number", "token_number", "drn"}
    ]
    return (
        select(sales, *token_columns, printed.label("reprints"))
        .join_from(
            sales,
            tokens,
            and_(sales.c.tenant == tokens.c.tenant, sales.c.sale_number == tokens.c.sale_number),
        )
        .where(sales.c.tenant == tenant)
    )


def _sales(connection: Connection, query: Select[tuple[object, ...]]) -> tuple[Sale, ...]:
    """Return the sales of a query; their lines come with one more statement for all of them."""
    rows = connection.execute(query).all()
    if not rows:
        return ()
    line_rows = connection.execute(
        select(sale_lines)
        .where(
            sale_lines.c.tenant == rows[0].tenant,
            sale_lines.c.sale_number.in_([row.sale_number for row in rows]),
        )
        .order_by(sale_lines.c.line_number)
    )
    lines = defaultdict(list)
    for row in line_rows:
        lines[row.sale_number].append(
            QuoteLine(kind=row.kind, label=row.label, amount_minor=row.amount_minor)
        )
    return tuple(_sale(row, lines[row.sale_number]) for row in rows)


def _sale(row: Row[tuple[object, ...]], lines: Sequence[QuoteLine]) -> Sale:
    return Sale(
        tenant=row.tenant,
        number=row.sale_number,
        request_id=row.request_id,
        request_hash=row.request_hash,
        drn=DecoderReferenceNumber(row.drn),
        customer_name=row.customer_name,
        operator=row.login,
        tariff_code=row.tariff_code,
        tariff_name=row.tariff_name,
        price_minor_per_kwh=Fraction(row.price_numerator, row.price_denominator),
        tendered=Money(row.tendered_minor, Currency(row.currency, row.currency_exponent)),
        lines=tuple(lines),
        token=_token(row),
        sold_at=row.sold_at,
        reprints=row.reprints,
    )


def _token(row: Row[tuple[object, ...]]) -> SoldToken:
    return SoldToken(
        digits=row.digits,
        tid_minutes=row.tid,
        base_date=BaseDate.parse(row.base_date),
        energy_tenths_kwh=row.energy_tenths_kwh,
        supply_group_code=SupplyGroupCode.parse(row.supply_group_code),
        key_revision_number=KeyRevisionNumber(row.key_revision_number),
        key_type=KeyType.parse(row.key_type),
        tariff_index=TariffIndex(row.tariff_index),
        encryption_algorithm=EncryptionAlgorithm.parse(row.encryption_algorithm),
        key_expiry_number=row.key_expiry_number,
        sample_tables=row.sample_tables,
    )
