"""Statements about the bases of tokens and the tokens themselves. Rows are only ever added."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import (
    Connection,
    Integer,
    Label,
    Text,
    and_,
    bindparam,
    cast,
    exists,
    insert,
    literal,
    null,
    select,
    union_all,
)
from sqlalchemy import Row as ResultRow

from sts import (
    BaseDate,
    DecoderReferenceNumber,
    EncryptionAlgorithm,
    KeyExpiryNumber,
    KeyRevisionNumber,
    KeyType,
    SupplyGroupCode,
    TariffIndex,
)
from sts.token_identifier import TID_STORE_SIZE
from vending_app.domain.errors import UnknownBasisError
from vending_app.domain.network import MeterKey
from vending_app.domain.requests import RequestState
from vending_app.domain.sale_rows import Row
from vending_app.domain.sales import Basis, BasisKind, MadeToken
from vending_app.storage.locking import locked
from vending_app.storage.numbers import names_nothing
from vending_app.storage.prepared import Prepared
from vending_app.storage.tables import NOT_DONE, bases, requests, token_marks, tokens

WITHHELD: Final = "withheld"
VOID: Final = "void"

_ADD_BASES: Final = Prepared(insert(bases))
_ADD_TOKENS: Final = Prepared(insert(tokens))
_ADD_MARKS: Final = Prepared(insert(token_marks))
_DONE: Final = RequestState.DONE
_LAST: Final = (
    select(tokens.c.tid)
    .where(
        tokens.c.tenant == bindparam("tenant"),
        tokens.c.drn == bindparam("drn"),
        tokens.c.base_date == bindparam("base_date"),
        tokens.c.tid.is_not(None),
    )
    .order_by(tokens.c.tid.desc())
    .limit(TID_STORE_SIZE)
    .subquery()
)
_USED: Final = Prepared(
    union_all(
        select(_LAST.c.tid, cast(null(), Text).label("plan")),
        select(cast(null(), Integer), requests.c.plan).where(
            requests.c.tenant == bindparam("tenant"),
            requests.c.drn == bindparam("drn"),
            requests.c.request_id != bindparam("without"),
            # Of those that failed, too: the module may have made some of their tokens. Each state
            # by its name, or the index would be searched through all requests of the tenant in it.
            NOT_DONE,
            requests.c.state.in_(
                [literal(state.value) for state in RequestState if state is not _DONE]
            ),
            requests.c.plan.is_not(None),
        ),
    )
)


def add_bases(tenant: str, connection: Connection, *, rows: Sequence[Row]) -> None:
    """Add bases; their request is there."""
    _add(tenant, connection, into=_ADD_BASES, rows=rows)


def add_tokens(tenant: str, connection: Connection, *, rows: Sequence[Row]) -> None:
    """Add tokens; their bases are there."""
    _add(tenant, connection, into=_ADD_TOKENS, rows=rows)


def add_marks(tenant: str, connection: Connection, *, rows: Sequence[Row]) -> None:
    """Mark tokens as withheld or void; they are there."""
    _add(tenant, connection, into=_ADD_MARKS, rows=rows)


def ask_identifiers(
    tenant: str,
    connection: Connection,
    *,
    drn: DecoderReferenceNumber,
    base_date: BaseDate,
    without: str,
) -> Callable[[], tuple[tuple[int, ...], tuple[str, ...]]]:
    """Ask for what says which token identifiers of a meter are used; what is returned gives it.

    Args:
        tenant: Whose meter.
        connection: The transaction; the meter is locked.
        drn: The meter.
        base_date: What the identifiers count from.
        without: The request that does not count.

    Returns:
        What gives the largest identifiers issued, as many as a meter remembers; and the plans of
        requests whose tokens may have been made unseen.
    """
    values = {
        "tenant": tenant,
        "drn": str(drn),
        "base_date": str(base_date),
        "without": without,
    }
    asked = _USED.ask(connection, values)

    def used() -> tuple[tuple[int, ...], tuple[str, ...]]:
        rows = asked.rows()
        return (
            tuple(row.tid for row in rows if row.tid is not None),
            tuple(row.plan for row in rows if row.plan is not None),
        )

    return used


def bases_of_request(tenant: str, connection: Connection, *, request_id: str) -> tuple[Basis, ...]:
    """Return the bases that a request led to, in the order of their numbers."""
    rows = connection.execute(
        select(bases)
        .where(bases.c.tenant == tenant, bases.c.request_id == request_id)
        .order_by(bases.c.basis_number)
    )
    return tuple(_basis(row) for row in rows)


def find_basis(tenant: str, connection: Connection, *, basis_number: int) -> Basis:
    """Return a basis; whoever has a token of it knows that it is there."""
    row = connection.execute(
        select(bases).where(bases.c.tenant == tenant, bases.c.basis_number == basis_number)
    ).one()
    return _basis(row)


def lock_basis(tenant: str, connection: Connection, *, basis_number: int) -> Basis:
    """Return a basis, and keep others from printing its tokens until this transaction ends.

    Raises:
        UnknownBasisError: The tenant has none of this number.
    """
    if names_nothing(basis_number):
        raise UnknownBasisError(basis_number)
    query = select(bases).where(bases.c.tenant == tenant, bases.c.basis_number == basis_number)
    row = connection.execute(locked(query)).one_or_none()
    if row is None:
        raise UnknownBasisError(basis_number)
    return _basis(row)


def find_by_digits(
    tenant: str, connection: Connection, *, drn: DecoderReferenceNumber, digits: str
) -> MadeToken | None:
    """Return the token of a meter that has these 20 digits, or None; of several, the latest."""
    row = connection.execute(
        select(tokens, _marked(WITHHELD), _marked(VOID))
        .where(tokens.c.tenant == tenant, tokens.c.drn == str(drn), tokens.c.digits == digits)
        .order_by(tokens.c.basis_number.desc())
        .limit(1)
    ).one_or_none()
    return None if row is None else _token(row)


def tokens_of_bases(
    tenant: str, connection: Connection, *, basis_numbers: Iterable[int]
) -> Mapping[int, tuple[MadeToken, ...]]:
    """Return the tokens of bases, in their order."""
    rows = connection.execute(
        select(tokens, _marked(WITHHELD), _marked(VOID))
        .where(tokens.c.tenant == tenant, tokens.c.basis_number.in_(tuple(basis_numbers)))
        .order_by(tokens.c.basis_number, tokens.c.token_number)
    )
    found: defaultdict[int, tuple[MadeToken, ...]] = defaultdict(tuple)
    for row in rows:
        found[row.basis_number] += (_token(row),)
    return found


def _marked(mark: str) -> Label[bool]:
    """Return whether a token has a mark, as a column of that name."""
    marks = token_marks.c
    return (
        exists()
        .where(
            and_(
                marks.tenant == tokens.c.tenant,
                marks.basis_number == tokens.c.basis_number,
                marks.token_number == tokens.c.token_number,
                marks.mark == mark,
            )
        )
        .label(mark)
    )


def _add(tenant: str, connection: Connection, *, into: Prepared, rows: Sequence[Row]) -> None:
    into.run_all(connection, [{**row, "tenant": tenant} for row in rows])


def _basis(row: ResultRow[Any]) -> Basis:
    return Basis(
        number=row.basis_number,
        kind=BasisKind(row.kind),
        maximum_tokens=row.maximum_tokens,
        request_id=row.request_id,
        drn=DecoderReferenceNumber(row.drn),
        login=row.login,
        made_at=row.made_at,
        case_number=row.case_number,
        reason=row.reason,
    )


def _token(row: ResultRow[Any]) -> MadeToken:
    units = row.currency_units
    return MadeToken(
        basis_number=row.basis_number,
        number=row.token_number,
        drn=DecoderReferenceNumber(row.drn),
        kind=row.kind,
        token_class=row.token_class,
        subclass=row.subclass,
        digits=row.digits,
        tid_minutes=row.tid,
        key=MeterKey(
            supply_group_code=SupplyGroupCode.parse(row.supply_group_code),
            tariff_index=TariffIndex(row.tariff_index),
            key_revision_number=KeyRevisionNumber(row.key_revision_number),
            key_type=KeyType.parse(row.key_type),
            base_date=BaseDate.parse(row.base_date),
            key_expiry_number=KeyExpiryNumber(row.key_expiry_number),
        ),
        encryption_algorithm=EncryptionAlgorithm.parse(row.encryption_algorithm),
        sample_tables=row.sample_tables,
        description=row.description,
        made_at=row.made_at,
        amount_tenths=row.amount_tenths,
        currency_units=None if units is None else int(units),
        withheld=row.withheld,
        void=row.void,
    )
