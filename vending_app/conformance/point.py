"""The point of sale under test: one utility, one vault, meters as the test steps want them."""

import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Final

from keys import SoftwareModule, Vault
from keys.records import VendingKeyRecord, check_value_of
from keys.registered_key import RegisteredKey
from keys.secret import Secret
from sts import (
    BaseDate,
    DecoderReferenceNumber,
    EncryptionAlgorithm,
    KeyExpiryNumber,
    KeyGenerationAlgorithm,
    KeyRevisionNumber,
    KeyType,
    MeterPan,
    Service,
    SupplyGroupCode,
    TariffIndex,
    TokenCarrierType,
    VendingKey,
)
from vending_app.domain.cases import CaseContent, CaseKind, CaseToken
from vending_app.domain.money import Currency
from vending_app.domain.network import (
    CreditKind,
    KeyPolicy,
    Life,
    Meter,
    MeterKey,
    ServicePoint,
    SupplyGroup,
)
from vending_app.domain.parties import Account, AccountState, Customer, Operator, Tenant
from vending_app.domain.roles import Role
from vending_app.domain.sales import MadeToken, Sale
from vending_app.domain.tariff import (
    Block,
    Rounding,
    Schedule,
    TariffVersion,
    UnitCharge,
    format_version,
    version_hash,
)
from vending_app.services import cases
from vending_app.services.case_tokens import CaseTokens, issue_case_tokens
from vending_app.services.key_changes import KeyChangeRequest, change_key
from vending_app.services.operators import new_operator
from vending_app.services.quoting import Amount
from vending_app.services.vending import VendRequest, vend
from vending_app.storage import meters, network, operators, parties, pricing, tenants
from vending_app.storage.engine import Store
from vending_app.storage.migrate import upgrade

TENANT: Final = "conformance"
START: Final = datetime(2014, 3, 1, tzinfo=UTC)
KEN_EXPIRED: Final = 85
KEN_OTHER: Final = 170
KEN_LAST: Final = 255
VENDING_KEY_HEX: Final = "ABABABABABABABAB949494949494949401234567"
"""The vending key of the published test steps."""
RANDOM_BITS: Final = 5
"""Those of the published test steps, so that tokens can be compared."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PointKey:
    """A vending key of the test steps.

    Attributes:
        group: Its supply group.
        revision: Its revision.
        expiry: Its key expiry number.
    """

    group: int
    revision: int
    expiry: int = KEN_LAST


KEYS: Final = (
    PointKey(group=201457, revision=1),
    PointKey(group=203557, revision=1),
    PointKey(group=203557, revision=2),
    PointKey(group=203558, revision=1, expiry=KEN_OTHER),
    PointKey(group=201460, revision=7, expiry=KEN_EXPIRED),
    PointKey(group=201461, revision=8),
)


@dataclass(slots=True, kw_only=True)
class PointOfSale:
    """A point of sale whose clock is set by hand.

    Attributes:
        store: Its database.
        module: Its security module.
        now: The time; steps set it.
    """

    store: Store
    module: SoftwareModule
    seller: Operator
    engineer: Operator
    supervisor: Operator
    now: datetime = START
    _count: int = field(default=0)

    def add_meter(
        self,
        pan: str,
        *,
        group: int,
        revision: int,
        tariff_index: int = 1,
        expiry: int = KEN_LAST,
        tariff_code: str = "units",
    ) -> Meter:
        """Register a meter that holds such a key, with a customer and an account of its own."""
        drn = MeterPan.parse(pan).drn
        number = str(drn)
        meter = Meter(
            tenant=TENANT,
            drn=drn,
            life=Life.ACTIVE,
            service_point_code=number,
            service=Service.ELECTRICITY,
            credit_kind=CreditKind.UNIT,
            phases=1,
            encryption_algorithm=EncryptionAlgorithm.MISTY1,
            token_carrier_type=TokenCarrierType.NUMERIC,
            present_key=meter_key(group, revision, tariff_index=tariff_index, expiry=expiry),
        )
        with self.store.write() as connection:
            customer = Customer(tenant=TENANT, number=number, name="Customer")
            account = Account(
                tenant=TENANT,
                number=number,
                customer_number=number,
                tariff_code=tariff_code,
                state=AccountState.OPEN,
                opened_at=self.now,
            )
            point = ServicePoint(
                tenant=TENANT,
                code=number,
                account_number=number,
                place="Test bench",
                service=Service.ELECTRICITY,
            )
            parties.add_customer(TENANT, connection, customer=customer)
            parties.add_account(TENANT, connection, account=account)
            network.add_service_point(TENANT, connection, point=point)
            meters.add_meter(TENANT, connection, meter=meter, now=self.now)
        return meter

    def change_record(self, meter: Meter) -> None:
        """Change what is on record of a meter."""
        with self.store.write() as connection:
            meters.change_meter(TENANT, connection, meter=meter)

    def sell(self, drn: DecoderReferenceNumber, *, special_reserved: bool = False) -> Sale:
        """Sell 0.1 units.

        Raises:
            VendingError: It is refused.
        """
        request = VendRequest(
            tenant=TENANT,
            request_id=self._name(),
            drn=drn,
            amount=Amount(units_tenths=1),
            login=self.seller.login,
            accept_key_change=True,
            special_reserved=special_reserved,
        )
        return vend(self.store, self.module, now=self.now, request=request).result

    def engineer_tokens(
        self, drn: DecoderReferenceNumber, tokens: Sequence[CaseToken]
    ) -> tuple[MadeToken, ...]:
        """Have the tokens of a job card made.

        Raises:
            VendingError: It is refused.
        """
        content = CaseContent(
            kind=CaseKind.JOB_CARD, drn=drn, reason="Test step", tokens=tuple(tokens)
        )
        case = cases.open_case(self.store, self.engineer, content=content, now=self.now)
        cases.approve_case(self.store, self.supervisor, case_number=case.number, now=self.now)
        wanted = CaseTokens(request_id=self._name(), case_number=case.number)
        issued = issue_case_tokens(
            self.store, self.module, self.engineer, wanted=wanted, now=self.now
        )
        return issued.result.tokens

    def change_key(
        self, drn: DecoderReferenceNumber, *, group: int, revision: int
    ) -> tuple[MadeToken, ...]:
        """Have a key change set made.

        Raises:
            VendingError: It is refused.
        """
        wanted = KeyChangeRequest(
            request_id=self._name(),
            drn=drn,
            supply_group_code=SupplyGroupCode(group),
            key_revision_number=KeyRevisionNumber(revision),
            tariff_index=TariffIndex(1),
            reason="Test step",
        )
        changed = change_key(self.store, self.module, self.engineer, wanted=wanted, now=self.now)
        return changed.result.tokens

    def _name(self) -> str:
        self._count += 1
        return f"step-{self._count}"


def meter_key(
    group: int, revision: int, *, tariff_index: int = 1, expiry: int = KEN_LAST
) -> MeterKey:
    """Return a key as it is on record of a meter."""
    return MeterKey(
        supply_group_code=SupplyGroupCode(group),
        tariff_index=TariffIndex(tariff_index),
        key_revision_number=KeyRevisionNumber(revision),
        key_type=KeyType.UNIQUE,
        base_date=BaseDate.Y2014,
        key_expiry_number=KeyExpiryNumber(expiry),
    )


@contextmanager
def open_point(folder: Path, *, database_url: str | None = None) -> Iterator[PointOfSale]:
    """Set up a point of sale in an empty folder, and close it again.

    Args:
        folder: Where its vault lies, and its database if it has no other.
        database_url: An empty database.
    """
    store = Store.open(database_url or f"sqlite:///{folder / 'point.db'}")
    try:
        upgrade(store)
        module = SoftwareModule(
            _vault(folder / "point.vault"),
            lab_mode=True,
            random_bytes=lambda length: bytes([RANDOM_BITS]) * length,
        )
        yield _filled(store, module)
    finally:
        store.close()


def _vault(path: Path) -> Vault:
    key = VendingKey.from_hex(VENDING_KEY_HEX)
    vault = Vault.create(path, Secret(secrets.token_bytes(32)))
    for each in KEYS:
        record = VendingKeyRecord(
            tenant=TENANT,
            supply_group_code=SupplyGroupCode(each.group),
            key_revision_number=KeyRevisionNumber(each.revision),
            key_type=KeyType.UNIQUE,
            key_generation_algorithm=KeyGenerationAlgorithm.DKGA04,
            base_date=BaseDate.Y2014,
            key_expiry_number=KeyExpiryNumber(each.expiry),
            check_value=check_value_of(key),
        )
        vault.add(RegisteredKey(record=record), key)
    return vault


def _filled(store: Store, module: SoftwareModule) -> PointOfSale:
    currency = Currency("ZAR", 2)
    staff = {
        role: new_operator(
            TENANT,
            login=role.value,
            display_name=role.value,
            role=role,
            password=secrets.token_urlsafe(16),
        )
        for role in (Role.CASHIER, Role.ENGINEER, Role.SUPERVISOR)
    }
    with store.write() as connection:
        terms = Tenant(code=TENANT, name="Test bench", currency=currency, time_zone="Etc/UTC")
        tenants.add_tenant(TENANT, connection, terms=terms, now=START)
        for operator in staff.values():
            operators.add_operator(TENANT, connection, operator=operator, now=START)
        for group in {each.group for each in KEYS}:
            policy = SupplyGroup(
                tenant=TENANT,
                code=SupplyGroupCode(group),
                utc_offset=timedelta(0),
                lead_cap_minutes=60,
                key_policy=KeyPolicy.ALWAYS,
                ti_follows_tariff=True,
            )
            network.add_supply_group(TENANT, connection, group=policy)
        for code, tariff_index in (("units", None), ("index-2", 2)):
            stored = pricing.StoredTariff(
                code=code, name=code, service=Service.ELECTRICITY, tariff_index=tariff_index
            )
            pricing.add_tariff(TENANT, connection, tariff=stored)
            version = _version(code, currency)
            pricing.add_version(
                TENANT,
                connection,
                version=pricing.StoredVersion(
                    tariff_code=code,
                    number=1,
                    first_day=version.first_day,
                    last_day=None,
                    document=format_version(version),
                    document_hash=version_hash(version),
                ),
                login=Role.SUPERVISOR.value,
                approved_login=Role.SUPERVISOR.value,
                now=START,
            )
    return PointOfSale(
        store=store,
        module=module,
        seller=staff[Role.CASHIER],
        engineer=staff[Role.ENGINEER],
        supervisor=staff[Role.SUPERVISOR],
    )


def _version(code: str, currency: Currency) -> TariffVersion:
    """Return a tariff of one unit of money a unit, without any limit that could be in the way."""
    charge = UnitCharge(
        code="energy",
        label="Electricity",
        beneficiary="utility",
        ledger_account="sales:energy",
        schedules=(Schedule(blocks=(Block(rate=Fraction(100)),)),),
    )
    return TariffVersion(
        code=code,
        number=1,
        name=code,
        service=Service.ELECTRICITY,
        currency=currency,
        first_day=START.date(),
        minimum_minor=1,
        maximum_minor=10**9,
        rounding=Rounding.UP,
        credit_account="account-credit",
        charges=(charge,),
    )
