"""Tariffs: added once, then only continued by versions that a second person has approved."""

import hashlib
from datetime import datetime

from sqlalchemy import Connection

from sts import Service
from vending_app.domain.errors import ServiceMismatchError, TariffCodeError, TariffOddError
from vending_app.domain.parties import Operator
from vending_app.domain.roles import Permission
from vending_app.domain.tariff import (
    DatedTable,
    Finding,
    TariffVersion,
    format_table,
    format_version,
    lint_document,
    parse_table,
    parse_version,
    version_hash,
)
from vending_app.domain.tariff_errors import TariffDefinitionError
from vending_app.services.adding import LONGEST_NAME, refusing_doubles, require_code
from vending_app.services.permissions import require, require_second_person
from vending_app.storage import pricing, tenants
from vending_app.storage.engine import Store


def add_tariff(
    store: Store,
    operator: Operator,
    *,
    code: str,
    name: str,
    service: Service,
    tariff_index: int | None = None,
) -> None:
    """Add a tariff; it sells nothing before it has a version.

    Raises:
        NotPermittedError: The operator's role does not allow it.
        CodeFormError: Code or name cannot be one.
        AlreadyThereError: The code is taken.
    """
    require(operator, Permission.MANAGE_TARIFFS)
    require_code("A tariff code", code)
    require_code("A name", name, longest=LONGEST_NAME)
    tariff = pricing.StoredTariff(code=code, name=name, service=service, tariff_index=tariff_index)
    with refusing_doubles(f"a tariff {code}"), store.write() as connection:
        pricing.add_tariff(operator.tenant, connection, tariff=tariff)


def review_version(store: Store, operator: Operator, *, document: str) -> tuple[Finding, ...]:
    """Return what an approver should see before a version is added, worst first; see ``lint``.

    Raises:
        NotPermittedError: The operator's role does not allow it.
    """
    require(operator, Permission.APPROVE_TARIFFS)
    with store.read() as connection:
        return _findings(connection, operator.tenant, document=document)


def add_version(
    store: Store,
    operator: Operator,
    *,
    document: str,
    approver: Operator,
    now: datetime,
    accepted: bool = False,
) -> TariffVersion:
    """Add a version of a tariff. It is never changed; a later one may take its days over.

    Args:
        store: The database.
        operator: Who made the version.
        document: The version, see ``vending_app.domain.tariff``.
        approver: The second person.
        now: The present time, aware.
        accepted: Whether the approver has seen what ``review_version`` finds, and accepts it.

    Raises:
        NotPermittedError: A role does not allow it.
        SecondPersonError: Both are the same person.
        TariffDefinitionError: The document is no tariff.
        UnknownTariffError: There is no such tariff.
        ServiceMismatchError: The tariff sells something else.
        TariffCodeError: Its number is not the next one, or its currency not the utility's.
        TariffOddError: Something about it is odd, and the approver has not accepted that.
    """
    require(operator, Permission.MANAGE_TARIFFS)
    require(approver, Permission.APPROVE_TARIFFS)
    require_second_person(operator.login, approver)
    version = parse_version(document)
    with store.write() as connection:
        tenants.lock_tenant(operator.tenant, connection)
        _require_next(connection, operator.tenant, version=version)
        findings = _findings(connection, operator.tenant, document=document)
        if findings and not accepted:
            raise TariffOddError([finding.message for finding in findings])
        pricing.add_version(
            operator.tenant,
            connection,
            version=pricing.StoredVersion(
                tariff_code=version.code,
                number=version.number,
                first_day=version.first_day,
                last_day=version.last_day,
                document=format_version(version),
                document_hash=version_hash(version),
            ),
            login=operator.login,
            approved_login=approver.login,
            now=now,
        )
    return version


def add_table(
    store: Store, operator: Operator, *, document: str, approver: Operator, now: datetime
) -> DatedTable:
    """Add a dated table, or another revision of it.

    Raises:
        NotPermittedError: A role does not allow it.
        SecondPersonError: Both are the same person.
        TariffDefinitionError: The document is no table.
    """
    require(operator, Permission.MANAGE_TARIFFS)
    require(approver, Permission.APPROVE_TARIFFS)
    require_second_person(operator.login, approver)
    table = parse_table(document)
    canonical = format_table(table)
    tenant = operator.tenant
    with store.write() as connection:
        tenants.lock_tenant(tenant, connection)
        revision = pricing.last_table_revision(tenant, connection, table_code=table.code) + 1
        pricing.add_table(
            tenant,
            connection,
            table=pricing.StoredTable(
                code=table.code,
                revision=revision,
                document=canonical,
                document_hash=hashlib.sha256(canonical.encode("ascii")).hexdigest(),
            ),
            login=operator.login,
            approved_login=approver.login,
            now=now,
        )
    return table


def _findings(connection: Connection, tenant: str, *, document: str) -> tuple[Finding, ...]:
    tables = {
        table.code: parse_table(table.document) for table in pricing.find_tables(tenant, connection)
    }
    try:
        code = parse_version(document).code
    except TariffDefinitionError:
        return lint_document(document, tables=tables)
    others = [
        parse_version(version.document)
        for version in pricing.list_versions(tenant, connection, tariff_code=code)
    ]
    return lint_document(document, tables=tables, others=others)


def _require_next(connection: Connection, tenant: str, *, version: TariffVersion) -> None:
    tariff = pricing.find_tariff(tenant, connection, tariff_code=version.code)
    if tariff.service is not version.service:
        raise ServiceMismatchError(tariff.service.name.lower(), version.service.name.lower())
    expected = pricing.last_version_number(tenant, connection, tariff_code=version.code) + 1
    if version.number != expected:
        raise TariffCodeError(f"The next version of {version.code} is number {expected}.")
    if version.currency != tenants.find_tenant(tenant, connection).currency:
        raise TariffCodeError("The currency of a tariff is that of its utility.")
