"""The demo, as data: fictional people and places, and a published key.

The vending key and the supply groups are those of published test vectors (the STS 531 compliance
tests): everybody knows them, so no meter of the demo could ever be a real one.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from sts import (
    BaseDate,
    DecoderReferenceNumber,
    EncryptionAlgorithm,
    KeyExpiryNumber,
    KeyGenerationAlgorithm,
    KeyRevisionNumber,
    KeyType,
    Service,
    SupplyGroupCode,
    TariffIndex,
    TokenCarrierType,
)
from vending_app.domain.money import Currency
from vending_app.domain.network import CreditKind, KeyPolicy, Life, Meter, MeterKey, SupplyGroup
from vending_app.domain.parties import Tenant, Vendor
from vending_app.domain.roles import Role

DEMO_PASSWORD: Final = "demo-only-2014"  # noqa: S105 - known to everybody on purpose
"""The same for every demo operator, and printed: the demo listens on this machine only."""

VENDING_KEY_HEX: Final = "ABABABABABABABAB949494949494949401234567"
"""The 160-bit vending key of the published vectors."""
SUPPLY_GROUP_CODE: Final = SupplyGroupCode(201457)
"""All utilities sell under it, each with a record of the key of its own."""
DEFAULT_GROUP_CODE: Final = SupplyGroupCode(201460)
"""The group of meters that come from the maker with a default key."""
KEY_REVISION_NUMBER: Final = KeyRevisionNumber(1)
KEY_GENERATION_ALGORITHM: Final = KeyGenerationAlgorithm.DKGA04
BASE_DATE: Final = BaseDate.Y2014
KEY_EXPIRY_NUMBER: Final = KeyExpiryNumber(255)

THABANENG: Final = "thabaneng"
MWANGA: Final = "mwanga"
BAOBAB: Final = "baobab"


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoOperator:
    """Someone who works at a demo utility."""

    tenant: str
    login: str
    display_name: str
    role: Role
    vendor_code: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoSupply:
    """A meter with whom and where it serves; in stock there is neither.

    Attributes:
        meter: The meter.
        customer: Who buys.
        place: Where it hangs.
        tariff_code: By which tariff.
        absent_days: For how many days daily charges are unpaid.
    """

    meter: Meter
    customer: str = ""
    place: str = ""
    tariff_code: str = ""
    absent_days: int = 0

    @property
    def number(self) -> str:
        """What the customer, the account and the place are all called."""
        return f"C{str(self.meter.drn)[-6:-1]}"


DEMO_OPERATORS: Final = (
    DemoOperator(
        tenant=THABANENG, login="zanele", display_name="Zanele Khumalo", role=Role.CASHIER
    ),
    DemoOperator(
        tenant=THABANENG, login="botha", display_name="Hendrik Botha", role=Role.SUPERVISOR
    ),
    DemoOperator(tenant=THABANENG, login="farai", display_name="Farai Moyo", role=Role.ENGINEER),
    DemoOperator(
        tenant=THABANENG, login="thandi", display_name="Thandi Nkosi", role=Role.CALL_CENTRE
    ),
    DemoOperator(tenant=THABANENG, login="okafor", display_name="Adaeze Okafor", role=Role.AUDITOR),
    DemoOperator(
        tenant=THABANENG, login="admin", display_name="Lerato Molefe", role=Role.ADMINISTRATOR
    ),
    DemoOperator(
        tenant=THABANENG,
        login="tshepo",
        display_name="Tshepo Sithole",
        role=Role.CASHIER,
        vendor_code="tshepo",
    ),
    DemoOperator(tenant=MWANGA, login="rehema", display_name="Rehema Mushi", role=Role.CASHIER),
    DemoOperator(tenant=MWANGA, login="mshana", display_name="Asha Mshana", role=Role.SUPERVISOR),
    DemoOperator(tenant=MWANGA, login="admin", display_name="Baraka Lema", role=Role.ADMINISTRATOR),
    DemoOperator(tenant=BAOBAB, login="naledi", display_name="Naledi Phiri", role=Role.CASHIER),
    DemoOperator(tenant=BAOBAB, login="venter", display_name="Karin Venter", role=Role.SUPERVISOR),
    DemoOperator(tenant=BAOBAB, login="admin", display_name="Imran Desai", role=Role.ADMINISTRATOR),
)

TENANTS: Final = (
    Tenant(
        code=THABANENG,
        name="Thabaneng Municipality",
        currency=Currency("ZAR", 2),
        time_zone="Africa/Johannesburg",
        address="1 Civic Square, Thabaneng",
        tax_reference="4990000011",
        cash_step_minor=10,
        word_limit_minor=200_00,
    ),
    Tenant(
        code=MWANGA,
        name="Mwanga Island mini-grid",
        currency=Currency("TZS", 2),
        time_zone="Africa/Dar_es_Salaam",
        address="Jetty Road, Mwanga Island",
        tax_reference="100-000-017",
        cash_step_minor=50_00,
        word_limit_minor=10_000_00,
    ),
    Tenant(
        code=BAOBAB,
        name="Baobab Junction shopping centre",
        currency=Currency("ZAR", 2),
        time_zone="Africa/Johannesburg",
        address="Ring Road, Thabaneng",
        tax_reference="4990000029",
        cash_step_minor=10,
        word_limit_minor=200_00,
    ),
)

VENDORS: Final = (
    Vendor(
        tenant=THABANENG,
        code="tshepo",
        name="Tshepo’s Spaza",
        limit_minor=0,
        float_minor=0,
        active=True,
    ),
)
FIRST_DEPOSIT_MINOR: Final = 250_00
"""What a vendor of the demo has paid in: nearly nothing."""


def _groups(tenant: str) -> tuple[SupplyGroup, ...]:
    return tuple(
        SupplyGroup(
            tenant=tenant,
            code=code,
            utc_offset=timedelta(0),
            lead_cap_minutes=60,
            key_policy=KeyPolicy.OFFER,
        )
        for code in (SUPPLY_GROUP_CODE, DEFAULT_GROUP_CODE)
    )


SUPPLY_GROUPS: Final = tuple(group for tenant in TENANTS for group in _groups(tenant.code))


def _key(code: SupplyGroupCode, key_type: KeyType) -> MeterKey:
    return MeterKey(
        supply_group_code=code,
        tariff_index=TariffIndex(1),
        key_revision_number=KEY_REVISION_NUMBER,
        key_type=key_type,
        base_date=BASE_DATE,
        key_expiry_number=KEY_EXPIRY_NUMBER,
    )


_UNIQUE_KEY: Final = _key(SUPPLY_GROUP_CODE, KeyType.UNIQUE)
_DEFAULT_KEY: Final = _key(DEFAULT_GROUP_CODE, KeyType.DEFAULT)
_STA: Final = EncryptionAlgorithm.STA
_MISTY1: Final = EncryptionAlgorithm.MISTY1


def _meter(
    tenant: str,
    drn: str,
    *,
    algorithm: EncryptionAlgorithm,
    phases: int = 1,
    service: Service = Service.ELECTRICITY,
) -> Meter:
    return Meter(
        tenant=tenant,
        drn=DecoderReferenceNumber(drn),
        life=Life.ACTIVE,
        service_point_code=f"C{drn[-6:-1]}",
        service=service,
        credit_kind=CreditKind.UNIT,
        phases=phases,
        encryption_algorithm=algorithm,
        token_carrier_type=TokenCarrierType.NUMERIC,
        present_key=_UNIQUE_KEY,
    )


STOCK_METER: Final = Meter(
    tenant=THABANENG,
    drn=DecoderReferenceNumber("00100001056"),
    life=Life.STOCK,
    service_point_code=None,
    service=Service.ELECTRICITY,
    credit_kind=CreditKind.UNIT,
    phases=1,
    encryption_algorithm=_MISTY1,
    token_carrier_type=TokenCarrierType.NUMERIC,
    present_key=_DEFAULT_KEY,
)
"""A new meter: its first sale brings it from the default key to one of its own."""

SUPPLIES: Final = (
    DemoSupply(
        meter=_meter(THABANENG, "00100001015", algorithm=_STA),
        customer="Nomsa Dlamini",
        place="3 Acacia Street",
        tariff_code="indigent",
    ),
    DemoSupply(
        meter=_meter(THABANENG, "00100001023", algorithm=_STA),
        customer="Pieter Mokoena",
        place="14 Kerk Street",
        tariff_code="home",
    ),
    DemoSupply(
        meter=_meter(THABANENG, "00100001031", algorithm=_STA),
        customer="Aisha Patel",
        place="27 Hill Road",
        tariff_code="home",
    ),
    DemoSupply(
        meter=_meter(THABANENG, "00100001049", algorithm=_STA),
        customer="Sizwe Ndlovu",
        place="9 Station Road",
        tariff_code="home",
    ),
    DemoSupply(meter=STOCK_METER),
    DemoSupply(
        meter=_meter(MWANGA, "0100200002010", algorithm=_MISTY1),
        customer="Neema Mwakyusa",
        place="Pole 12, Ziwani",
        tariff_code="household",
        absent_days=45,
    ),
    DemoSupply(
        meter=_meter(MWANGA, "0100200002028", algorithm=_MISTY1, phases=3),
        customer="Juma’s mill",
        place="Market, stall 3",
        tariff_code="productive",
    ),
    DemoSupply(
        meter=_meter(BAOBAB, "0100300003017", algorithm=_MISTY1, phases=3),
        customer="Anchor Grocer",
        place="Unit 1",
        tariff_code="shop",
    ),
    DemoSupply(
        meter=_meter(BAOBAB, "0100300003025", algorithm=_MISTY1),
        customer="Salon Thandeka",
        place="Unit 14",
        tariff_code="shop",
    ),
    DemoSupply(
        meter=_meter(BAOBAB, "0100300003033", algorithm=_MISTY1, service=Service.WATER),
        customer="Salon Thandeka, water",
        place="Unit 14, basin",
        tariff_code="shop-water",
    ),
)
"""The meters of the demo and whom they serve."""
METERS: Final = tuple(supply.meter for supply in SUPPLIES)
