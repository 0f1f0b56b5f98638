"""Rows of the database as values, for the statements that find them."""

from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import Row

from sts import (
    BaseDate,
    DecoderReferenceNumber,
    EncryptionAlgorithm,
    KeyExpiryNumber,
    KeyRevisionNumber,
    KeyType,
    Service,
    SupplyGroupCode,
    TariffIndex,
    TokenCarrierType,
)
from vending_app.domain.money import Currency
from vending_app.domain.network import CreditKind, Life, Meter, MeterKey, Serving
from vending_app.domain.parties import Operator, Tenant
from vending_app.domain.roles import Role
from vending_app.storage.tables import meters

_NEW: Final = "new_"


def meter_of(row: Row[Any]) -> Meter:
    """Return the meter of a row that has all columns of its table."""
    values = row._mapping  # noqa: SLF001 - the documented name of a row's columns
    return Meter(
        tenant=row.tenant,
        drn=DecoderReferenceNumber(row.drn),
        life=Life(row.life),
        service_point_code=row.service_point_code,
        service=Service[values[meters.c.service].upper()],
        credit_kind=CreditKind(row.credit_kind),
        phases=row.phases,
        model=row.model,
        maximum_tenths=row.maximum_tenths,
        takes_supply_group=row.takes_supply_group,
        encryption_algorithm=EncryptionAlgorithm.parse(row.encryption_algorithm),
        token_carrier_type=TokenCarrierType.parse(row.token_carrier_type),
        present_key=_key(values, ""),
        new_key=None if row.new_key_revision_number is None else _key(values, _NEW),
        serving=Serving(row.serving),
        blocked=row.blocked,
        block_reason=values[meters.c.block_reason],
    )


def operator_of(row: Row[Any]) -> Operator:
    """Return the operator of a row that has all columns of the table."""
    return Operator(
        tenant=row.tenant,
        login=row.login,
        display_name=row.display_name,
        role=Role(row.role),
        password_hash=row.password_hash,
        active=row.active,
        vendor_code=row.vendor_code,
    )


def tenant_of(row: Row[Any]) -> Tenant:
    """Return the tenant of a row that has all columns of the table."""
    return Tenant(
        code=row.tenant,
        name=row.name,
        currency=Currency(row.currency, row.currency_exponent),
        time_zone=row.time_zone,
        address=row.address,
        tax_reference=row.tax_reference,
        cash_step_minor=row.cash_step_minor,
        word_limit_minor=row.word_limit_minor,
    )


def _key(values: Mapping[Any, Any], prefix: str) -> MeterKey:
    return MeterKey(
        supply_group_code=SupplyGroupCode.parse(values[meters.c[f"{prefix}supply_group_code"]]),
        tariff_index=TariffIndex(values[f"{prefix}tariff_index"]),
        key_revision_number=KeyRevisionNumber(values[f"{prefix}key_revision_number"]),
        key_type=KeyType.parse(values[f"{prefix}key_type"]),
        base_date=BaseDate.parse(values[f"{prefix}base_date"]),
        key_expiry_number=KeyExpiryNumber(values[f"{prefix}key_expiry_number"]),
    )
