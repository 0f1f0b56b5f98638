"""Statements about tariffs, their versions and dated rates."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import Connection, Row, and_, bindparam, func, insert, or_, select

from sts import Service
from vending_app.domain.errors import UnknownTariffError
from vending_app.storage.prepared import Prepared
from vending_app.storage.tables import dated_tables, tariff_versions, tariffs

_VERSION_ON: Final = Prepared(
    select(
        tariff_versions.c.tariff_code,
        tariff_versions.c.tariff_version,
        tariff_versions.c.first_day,
        tariff_versions.c.last_day,
        tariff_versions.c.document,
        tariff_versions.c.document_hash,
    )
    .where(
        tariff_versions.c.tenant == bindparam("tenant"),
        tariff_versions.c.tariff_code == bindparam("tariff_code"),
        tariff_versions.c.first_day <= bindparam("day"),
        or_(tariff_versions.c.last_day.is_(None), tariff_versions.c.last_day >= bindparam("day")),
    )
    .order_by(tariff_versions.c.tariff_version.desc())
    .limit(1)
)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredTariff:
    """A tariff's name; what it says is in its versions.

    Attributes:
        code: Names it.
        name: As it stands on receipts.
        service: What it is for.
        tariff_index: Of meters under it, where the tariff index follows the tariff.
    """

    code: str
    name: str
    service: Service
    tariff_index: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredVersion:
    """A version of a tariff as it is kept.

    Attributes:
        tariff_code: Of which tariff.
        number: Its number, from 1.
        first_day: The first local day it applies on.
        last_day: The last one; None while no end is known.
        document: What it says, in the form of ``vending_app.domain.tariff``.
        document_hash: SHA-256 of that.
    """

    tariff_code: str
    number: int
    first_day: date
    last_day: date | None
    document: str
    document_hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredTable:
    """A dated table as it is kept.

    Attributes:
        code: What tariffs call it.
        revision: Counts its revisions from 1; the highest counts.
        document: What it says, in the form of ``vending_app.domain.tariff``.
        document_hash: SHA-256 of that.
    """

    code: str
    revision: int
    document: str
    document_hash: str


def find_tariff(tenant: str, connection: Connection, *, tariff_code: str) -> StoredTariff:
    """Return a tariff.

    Raises:
        UnknownTariffError: The tenant has none of this code.
    """
    row = connection.execute(
        select(tariffs).where(tariffs.c.tenant == tenant, tariffs.c.tariff_code == tariff_code)
    ).one_or_none()
    if row is None:
        raise UnknownTariffError(tariff_code)
    return StoredTariff(
        code=row.tariff_code,
        name=row.name,
        service=Service[row.service.upper()],
        tariff_index=row.tariff_index,
    )


def add_tariff(tenant: str, connection: Connection, *, tariff: StoredTariff) -> None:
    """Add a tariff."""
    connection.execute(
        insert(tariffs).values(
            tenant=tenant,
            tariff_code=tariff.code,
            name=tariff.name,
            service=tariff.service.name.lower(),
            tariff_index=tariff.tariff_index,
        )
    )


def ask_version_on(
    tenant: str, connection: Connection, *, tariff_code: str, day: date
) -> Callable[[], StoredVersion | None]:
    """Ask for the version of a tariff for a local day; what is returned gives it, or None.

    Of several it is the latest.
    """
    values = {"tenant": tenant, "tariff_code": tariff_code, "day": day.isoformat()}
    asked = _VERSION_ON.ask(connection, values)

    def version() -> StoredVersion | None:
        row = asked.one_or_none()
        return None if row is None else _version(row)

    return version


def list_versions(
    tenant: str, connection: Connection, *, tariff_code: str
) -> tuple[StoredVersion, ...]:
    """Return all versions of a tariff, in their order."""
    columns = tariff_versions.c
    rows = connection.execute(
        select(tariff_versions)
        .where(columns.tenant == tenant, columns.tariff_code == tariff_code)
        .order_by(columns.tariff_version)
    )
    return tuple(_version(row) for row in rows)


def last_version_number(tenant: str, connection: Connection, *, tariff_code: str) -> int:
    """Return the number of a tariff's latest version, 0 if it has none."""
    found = connection.execute(
        select(func.coalesce(func.max(tariff_versions.c.tariff_version), 0)).where(
            tariff_versions.c.tenant == tenant, tariff_versions.c.tariff_code == tariff_code
        )
    )
    return int(found.scalar_one())


def add_version(
    tenant: str,
    connection: Connection,
    *,
    version: StoredVersion,
    login: str,
    approved_login: str,
    now: datetime,
) -> None:
    """Add a version of a tariff."""
    connection.execute(
        insert(tariff_versions).values(
            tenant=tenant,
            tariff_code=version.tariff_code,
            tariff_version=version.number,
            first_day=version.first_day.isoformat(),
            last_day=None if version.last_day is None else version.last_day.isoformat(),
            document=version.document,
            document_hash=version.document_hash,
            login=login,
            approved_login=approved_login,
            added_at=now,
        )
    )


def find_tables(tenant: str, connection: Connection) -> tuple[StoredTable, ...]:
    """Return the dated tables of a tenant, each in its latest revision."""
    columns = dated_tables.c
    latest = (
        select(columns.table_code, func.max(columns.revision).label("revision"))
        .where(columns.tenant == tenant)
        .group_by(columns.table_code)
        .subquery()
    )
    rows = connection.execute(
        select(dated_tables)
        .join(
            latest,
            and_(columns.table_code == latest.c.table_code, columns.revision == latest.c.revision),
        )
        .where(columns.tenant == tenant)
        .order_by(columns.table_code)
    )
    return tuple(
        StoredTable(
            code=row.table_code,
            revision=row.revision,
            document=row.document,
            document_hash=row.document_hash,
        )
        for row in rows
    )


def last_table_revision(tenant: str, connection: Connection, *, table_code: str) -> int:
    """Return the number of a dated table's latest revision, 0 if there is none."""
    found = connection.execute(
        select(func.coalesce(func.max(dated_tables.c.revision), 0)).where(
            dated_tables.c.tenant == tenant, dated_tables.c.table_code == table_code
        )
    )
    return int(found.scalar_one())


def add_table(
    tenant: str,
    connection: Connection,
    *,
    table: StoredTable,
    login: str,
    approved_login: str,
    now: datetime,
) -> None:
    """Add a revision of a dated table."""
    connection.execute(
        insert(dated_tables).values(
            tenant=tenant,
            table_code=table.code,
            revision=table.revision,
            document=table.document,
            document_hash=table.document_hash,
            login=login,
            approved_login=approved_login,
            added_at=now,
        )
    )


def _version(row: Row[Any]) -> StoredVersion:
    return StoredVersion(
        tariff_code=row.tariff_code,
        number=row.tariff_version,
        first_day=date.fromisoformat(row.first_day),
        last_day=None if row.last_day is None else date.fromisoformat(row.last_day),
        document=row.document,
        document_hash=row.document_hash,
    )
