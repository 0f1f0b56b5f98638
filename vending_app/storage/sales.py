"""Statements about sales, their lines and reprints. Rows are only ever added."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, Select, and_, func, insert, select

from sts import DecoderReferenceNumber
from vending_app.domain.errors import UnknownSaleError
from vending_app.domain.sale_rows import Row, read_sale
from vending_app.domain.sales import BasisKind, MadeToken, Sale
from vending_app.storage import tokens
from vending_app.storage.locking import locked
from vending_app.storage.numbers import names_nothing
from vending_app.storage.prepared import Prepared
from vending_app.storage.tables import bases, credit_notes, reprints, sale_lines, sales

_ADD_SALE: Final = Prepared(insert(sales))
_ADD_LINES: Final = Prepared(insert(sale_lines))


def find_sale(tenant: str, connection: Connection, *, sale_number: int) -> Sale:
    """Return a sale by its number.

    Raises:
        UnknownSaleError: The tenant has no such sale.
    """
    if names_nothing(sale_number):
        raise UnknownSaleError(sale_number)
    query = _select(tenant).where(sales.c.sale_number == sale_number)
    found = _sales(tenant, connection, query=query)
    if not found:
        raise UnknownSaleError(sale_number)
    return found[0]


def find_sale_by_request(tenant: str, connection: Connection, *, request_id: str) -> Sale | None:
    """Return the sale that a client's request led to, or None."""
    query = _select(tenant).where(
        bases.c.request_id == request_id, bases.c.kind == BasisKind.SALE.value
    )
    found = _sales(tenant, connection, query=query)
    return found[0] if found else None


def find_sale_of_basis(tenant: str, connection: Connection, *, basis_number: int) -> Sale | None:
    """Return the sale whose tokens a basis explains, or None."""
    query = _select(tenant).where(sales.c.basis_number == basis_number)
    found = _sales(tenant, connection, query=query)
    return found[0] if found else None


def count_reprints(tenant: str, connection: Connection, *, basis_number: int) -> int:
    """Return how often the tokens of a basis were printed again."""
    counted = connection.execute(
        select(func.count())
        .select_from(reprints)
        .where(reprints.c.tenant == tenant, reprints.c.basis_number == basis_number)
    )
    return int(counted.scalar_one())


def list_recent_sales(
    tenant: str, connection: Connection, *, limit: int, drn: DecoderReferenceNumber | None = None
) -> tuple[Sale, ...]:
    """Return the latest sales, of one meter or of all, newest first."""
    query = _select(tenant).order_by(sales.c.sale_number.desc()).limit(limit)
    if drn is not None:
        query = query.where(sales.c.drn == str(drn))
    return _sales(tenant, connection, query=query)


def add_sale(tenant: str, connection: Connection, *, sale: Row, lines: Sequence[Row]) -> None:
    """Add a sale and its lines; its basis is there, its entry in the books has its number."""
    _ADD_SALE.run(connection, {**sale, "tenant": tenant})
    _ADD_LINES.run_all(connection, [{**line, "tenant": tenant} for line in lines])


def lock_sale(tenant: str, connection: Connection, *, sale_number: int) -> None:
    """Keep others from printing or reversing this sale until this transaction ends.

    Raises:
        UnknownSaleError: The tenant has no such sale.
    """
    if names_nothing(sale_number):
        raise UnknownSaleError(sale_number)
    query = select(sales.c.sale_number).where(
        sales.c.tenant == tenant, sales.c.sale_number == sale_number
    )
    if connection.execute(locked(query)).one_or_none() is None:
        raise UnknownSaleError(sale_number)


def add_reprint(
    tenant: str, connection: Connection, *, basis_number: int, login: str, now: datetime
) -> None:
    """Note that the tokens of a basis are printed again; what they belong to is locked."""
    printed = connection.execute(
        select(func.count())
        .select_from(reprints)
        .where(reprints.c.tenant == tenant, reprints.c.basis_number == basis_number)
    ).scalar_one()
    connection.execute(
        insert(reprints).values(
            tenant=tenant,
            basis_number=basis_number,
            reprint_number=printed + 1,
            login=login,
            reprinted_at=now,
        )
    )


def _select(tenant: str) -> Select[tuple[object, ...]]:
    printed = (
        select(func.count())
        .select_from(reprints)
        .where(reprints.c.tenant == sales.c.tenant, reprints.c.basis_number == sales.c.basis_number)
        .scalar_subquery()
    )
    taken_back = (
        select(credit_notes.c.credit_note_number)
        .where(
            credit_notes.c.tenant == sales.c.tenant,
            credit_notes.c.sale_number == sales.c.sale_number,
        )
        .scalar_subquery()
    )
    return (
        select(
            sales,
            bases.c.request_id,
            printed.label("reprints"),
            taken_back.label("reversed_by"),
        )
        .join_from(
            sales,
            bases,
            and_(sales.c.tenant == bases.c.tenant, sales.c.basis_number == bases.c.basis_number),
        )
        .where(sales.c.tenant == tenant)
    )


def _sales(
    tenant: str, connection: Connection, *, query: Select[tuple[object, ...]]
) -> tuple[Sale, ...]:
    """Return the sales of a query; lines and tokens come with a statement each for all of them."""
    rows = connection.execute(query).mappings().all()
    if not rows:
        return ()
    lines: defaultdict[int, list[Any]] = defaultdict(list)
    for line in connection.execute(
        select(sale_lines)
        .where(
            sale_lines.c.tenant == tenant,
            sale_lines.c.sale_number.in_([row["sale_number"] for row in rows]),
        )
        .order_by(sale_lines.c.line_number)
    ).mappings():
        lines[line["sale_number"]].append(line)
    made = _tokens(tenant, connection, request_ids=[row["request_id"] for row in rows])
    return tuple(
        read_sale(
            dict(row),
            lines[row["sale_number"]],
            request_id=row["request_id"],
            tokens=made[row["request_id"]],
            reprints=row["reprints"],
            reversed_by=row["reversed_by"],
        )
        for row in rows
    )


def _tokens(
    tenant: str, connection: Connection, *, request_ids: Sequence[str]
) -> defaultdict[str, tuple[MadeToken, ...]]:
    """Return the tokens of requests: those of a key change first, for they are entered first."""
    # A key change takes its number before the sale that it comes with.
    rows = connection.execute(
        select(bases.c.request_id, bases.c.basis_number)
        .where(bases.c.tenant == tenant, bases.c.request_id.in_(request_ids))
        .order_by(bases.c.basis_number)
    ).all()
    by_basis = tokens.tokens_of_bases(
        tenant, connection, basis_numbers=[row.basis_number for row in rows]
    )
    found: defaultdict[str, tuple[MadeToken, ...]] = defaultdict(tuple)
    for row in rows:
        found[row.request_id] += by_basis.get(row.basis_number, ())
    return found
