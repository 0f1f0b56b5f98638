"""The demo, as data: fictional people and places, and a published key.

The vending key and the supply group are those of published test vectors (the STS 531 compliance
tests): everybody knows them, so no meter of the demo could ever be a real one.
"""

from dataclasses import dataclass
from datetime import timedelta
from fractions import Fraction
from typing import Final, Literal

from sts import (
    BaseDate,
    DecoderReferenceNumber,
    EncryptionAlgorithm,
    KeyExpiryNumber,
    KeyGenerationAlgorithm,
    KeyRevisionNumber,
    KeyType,
    SupplyGroupCode,
    TariffIndex,
    TokenCarrierType,
)
from vending_app.domain.entities import Meter, SupplyGroup, Tariff, Tenant
from vending_app.domain.money import Currency
from vending_app.domain.tariffs import FlatTariff

DEMO_PASSWORD: Final = "demo-only-2014"  # noqa: S105 - known to everybody on purpose
"""The same for every demo operator, and printed: the demo listens on this machine only."""

VENDING_KEY_HEX: Final = "ABABABABABABABAB949494949494949401234567"
"""The 160-bit vending key of the published vectors."""
SUPPLY_GROUP_CODE: Final = SupplyGroupCode(201457)
"""Both utilities sell under it, each with a record of the key of its own."""
KEY_REVISION_NUMBER: Final = KeyRevisionNumber(1)
KEY_TYPE: Final = KeyType.UNIQUE
KEY_GENERATION_ALGORITHM: Final = KeyGenerationAlgorithm.DKGA04
BASE_DATE: Final = BaseDate.Y2014
KEY_EXPIRY_NUMBER: Final = KeyExpiryNumber(255)


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoOperator:
    """Someone who works at a demo utility."""

    tenant: str
    login: str
    display_name: str
    role: str


DEMO_OPERATORS: Final = (
    DemoOperator(tenant="thabaneng", login="zanele", display_name="Zanele Khumalo", role="cashier"),
    DemoOperator(tenant="mwanga", login="rehema", display_name="Rehema Mushi", role="cashier"),
)

TENANTS: Final = (
    Tenant(
        code="thabaneng",
        name="Thabaneng Municipality",
        currency=Currency("ZAR", 2),
        time_zone="Africa/Johannesburg",
    ),
    Tenant(
        code="mwanga",
        name="Mwanga Island mini-grid",
        currency=Currency("TZS", 2),
        time_zone="Africa/Dar_es_Salaam",
    ),
)

SUPPLY_GROUPS: Final = tuple(
    SupplyGroup(
        tenant=tenant.code,
        code=SUPPLY_GROUP_CODE,
        utc_offset=timedelta(0),
        lead_cap_minutes=60,
    )
    for tenant in TENANTS
)

TARIFFS: Final = (
    Tariff(
        tenant="thabaneng",
        code="home",
        terms=FlatTariff(
            name="Home, one rate",
            currency=Currency("ZAR", 2),
            price_minor_per_kwh=Fraction(685, 2),
            tax_name="VAT",
            tax_basis_points=1500,
            minimum_minor=5_00,
            maximum_minor=5_000_00,
        ),
    ),
    Tariff(
        tenant="mwanga",
        code="household",
        terms=FlatTariff(
            name="Household",
            currency=Currency("TZS", 2),
            price_minor_per_kwh=Fraction(1_800_00),
            tax_name="VAT",
            tax_basis_points=0,
            minimum_minor=500_00,
            maximum_minor=500_000_00,
        ),
    ),
    Tariff(
        tenant="mwanga",
        code="productive",
        terms=FlatTariff(
            name="Productive use",
            currency=Currency("TZS", 2),
            price_minor_per_kwh=Fraction(1_300_00),
            tax_name="VAT",
            tax_basis_points=0,
            minimum_minor=1_000_00,
            maximum_minor=2_000_000_00,
        ),
    ),
)


def _meter(
    *,
    tenant: str,
    drn: str,
    customer: str,
    place: str,
    tariff_code: str,
    algorithm: EncryptionAlgorithm,
    phases: Literal[1, 3] = 1,
) -> Meter:
    return Meter(
        tenant=tenant,
        drn=DecoderReferenceNumber(drn),
        customer_number=f"C{drn[-6:-1]}",
        customer_name=customer,
        place=place,
        phases=phases,
        tariff_code=tariff_code,
        supply_group_code=SUPPLY_GROUP_CODE,
        tariff_index=TariffIndex(1),
        key_revision_number=KEY_REVISION_NUMBER,
        key_type=KEY_TYPE,
        encryption_algorithm=algorithm,
        token_carrier_type=TokenCarrierType.NUMERIC,
    )


METERS: Final = (
    _meter(
        tenant="thabaneng",
        drn="00100001023",
        customer="Pieter Mokoena",
        place="14 Kerk Street",
        tariff_code="home",
        algorithm=EncryptionAlgorithm.STA,
    ),
    _meter(
        tenant="mwanga",
        drn="0100200002010",
        customer="Neema Mwakyusa",
        place="Pole 12, Ziwani",
        tariff_code="household",
        algorithm=EncryptionAlgorithm.MISTY1,
    ),
    _meter(
        tenant="mwanga",
        drn="0100200002028",
        customer="Juma’s mill",
        place="Market, stall 3",
        tariff_code="productive",
        algorithm=EncryptionAlgorithm.MISTY1,
        phases=3,
    ),
)
