"""The demo: three small utilities with published test keys, ready to sell.

Everything lies in one data directory, and a second run keeps what the first one made. The demo is
in lab mode, so it listens on this machine only.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from keys.audit_record import AuditEvent
from keys.custody import Origin
from keys.files import read_key_file
from keys.open import open_custody
from keys.records import VendingKeyRecord, check_value_of
from keys.registered_key import RegisteredKey
from sts import (
    KeyAttributes,
    KeyType,
    MeterPan,
    VendingKey,
    derive_decoder_key,
)
from vending_app import demo_story as story
from vending_app.config import Config
from vending_app.demo_history import history_start, sell_history
from vending_app.demo_tariffs import TARIFFS
from vending_app.domain.ledger import deposit_entry
from vending_app.domain.network import ServicePoint
from vending_app.domain.parties import Account, AccountState, Customer, Tenant, Vendor
from vending_app.domain.periods import ClockTerms, period_of
from vending_app.domain.purchases import format_counters
from vending_app.domain.tariff import (
    Counters,
    PaidTo,
    Period,
    PeriodCharge,
    format_version,
    local_day,
    version_hash,
)
from vending_app.installation import prepare
from vending_app.lab_meters import LabMeters
from vending_app.module import ACTOR, installed_tables, open_installed_module
from vending_app.services.meters import add_history
from vending_app.services.operators import new_operator
from vending_app.storage import (
    clock,
    ledger,
    meters,
    network,
    operators,
    parties,
    pricing,
    tenants,
)
from vending_app.storage.engine import Store

_ADMINISTRATOR: Final = "admin"
_DAYS_UNUSED: Final = 366
_APPROVERS: Final = {"thabaneng": "botha", "mwanga": "mshana", "baobab": "venter"}
_VENDING_KEY: Final = VendingKey.from_hex(story.VENDING_KEY_HEX)


def prepare_demo(
    data_dir: Path, environ: Mapping[str, str], *, now: datetime, months: int = 0
) -> Config:
    """Make what is missing of the demo and return its settings.

    Args:
        data_dir: Where it lies.
        environ: The environment.
        now: The present time, aware.
        months: How many months of sales it has behind it when it is made.

    Raises:
        ConfigError: The directory cannot be used, or the settings make no sense.
        KeysError, StsError: Vault or virtual meters cannot be made.
    """
    begun = history_start(months, now)
    installed = prepare(data_dir, environ, lab=True, clock=lambda: begun)
    config = replace(installed, secure_cookies=False, demo_log_ins=True)
    _take_keys(config, now=begun)
    store = Store.open(config.database_url)
    try:
        made = fill_database(store, now=begun)
        if made:
            _believe_clock(store)
        if made and months:
            module = open_installed_module(config, now=begun)
            sell_history(store, module, months=months, now=now)
    finally:
        store.close()
    _make_meters(config, now=now)
    return config


def _believe_clock(store: Store) -> None:
    """Let a demo be taken up again after months, without a word from a supervisor."""
    with store.write() as connection:
        for tenant in story.TENANTS:
            terms = ClockTerms(days_ahead=_DAYS_UNUSED)
            clock.set_terms(tenant.code, connection, terms=terms)


def fill_database(store: Store, *, now: datetime) -> bool:
    """Add the utilities of the demo that are not there yet, with all that belongs to them.

    Returns:
        Whether there was none of them.
    """
    made = [_fill_tenant(store, tenant, now=now) for tenant in story.TENANTS]
    return all(made)


def _take_keys(config: Config, *, now: datetime) -> None:
    """Give each utility its records of the published vending key, unless they are there."""
    unlock = read_key_file(config.module_key) if config.module_key.exists() else None
    custody = open_custody(config.module, unlock, actor=ACTOR)
    held = {key.name for key in custody.store.records}
    origin = Origin(event=AuditEvent.IMPORT, note="published test key")
    for tenant in story.TENANTS:
        for code, key_type in (
            (story.SUPPLY_GROUP_CODE, KeyType.UNIQUE),
            (story.DEFAULT_GROUP_CODE, KeyType.DEFAULT),
        ):
            key = RegisteredKey(
                record=VendingKeyRecord(
                    tenant=tenant.code,
                    supply_group_code=code,
                    key_revision_number=story.KEY_REVISION_NUMBER,
                    key_type=key_type,
                    key_generation_algorithm=story.KEY_GENERATION_ALGORITHM,
                    base_date=story.BASE_DATE,
                    key_expiry_number=story.KEY_EXPIRY_NUMBER,
                    check_value=check_value_of(_VENDING_KEY),
                )
            )
            if key.name not in held:
                custody.take(key, _VENDING_KEY, origin=origin, now=now)


def _fill_tenant(store: Store, tenant: Tenant, *, now: datetime) -> bool:
    """Add a utility with all that belongs to it, or nothing if it is there."""
    with store.write() as connection:
        if tenants.has_tenant(tenant.code, connection):
            return False
        tenants.add_tenant(tenant.code, connection, terms=tenant, now=now)
        _fill_parties(connection, tenant.code, now=now)
        _fill_tariffs(connection, tenant.code, now=now)
        for supply in story.SUPPLIES:
            if supply.meter.tenant == tenant.code:
                _fill_supply(connection, supply, now=now)
    return True


def _fill_parties(connection: Connection, tenant: str, *, now: datetime) -> None:
    for vendor in story.VENDORS:
        if vendor.tenant == tenant:
            parties.add_vendor(tenant, connection, vendor=vendor, now=now)
    for operator in story.DEMO_OPERATORS:
        if operator.tenant == tenant:
            hashed = new_operator(
                tenant,
                login=operator.login,
                display_name=operator.display_name,
                role=operator.role,
                password=story.DEMO_PASSWORD,
                vendor_code=operator.vendor_code,
            )
            operators.add_operator(tenant, connection, operator=hashed, now=now)
    for group in story.SUPPLY_GROUPS:
        if group.tenant == tenant:
            network.add_supply_group(tenant, connection, group=group)
    for vendor in story.VENDORS:
        if vendor.tenant == tenant:
            _deposit(connection, vendor, now=now)


def _deposit(connection: Connection, vendor: Vendor, *, now: datetime) -> None:
    terms = tenants.find_tenant(vendor.tenant, connection)
    entry = deposit_entry(
        reference="deposit 1",
        period=period_of(now, ZoneInfo(terms.time_zone)),
        login=_ADMINISTRATOR,
        vendor_code=vendor.code,
        amount_minor=story.FIRST_DEPOSIT_MINOR,
        currency=terms.currency.code,
    )
    ledger.post(vendor.tenant, connection, entry=entry, now=now)


def _fill_tariffs(connection: Connection, tenant: str, *, now: datetime) -> None:
    for version in TARIFFS[tenant]:
        pricing.add_tariff(
            tenant,
            connection,
            tariff=pricing.StoredTariff(
                code=version.code, name=version.name, service=version.service
            ),
        )
        pricing.add_version(
            tenant,
            connection,
            version=pricing.StoredVersion(
                tariff_code=version.code,
                number=version.number,
                first_day=version.first_day,
                last_day=version.last_day,
                document=format_version(version),
                document_hash=version_hash(version),
            ),
            login=_ADMINISTRATOR,
            approved_login=_APPROVERS[tenant],
            now=now,
        )


def _fill_supply(connection: Connection, supply: story.DemoSupply, *, now: datetime) -> None:
    meter, number = supply.meter, supply.number
    tenant = meter.tenant
    if meter.service_point_code is not None:
        customer = Customer(tenant=tenant, number=number, name=supply.customer)
        account = Account(
            tenant=tenant,
            number=number,
            customer_number=number,
            tariff_code=supply.tariff_code,
            state=AccountState.OPEN,
            counters=_opening_counters(tenant, supply, now=now),
            opened_at=now,
        )
        point = ServicePoint(
            tenant=tenant,
            code=number,
            account_number=number,
            place=supply.place,
            service=meter.service,
        )
        parties.add_customer(tenant, connection, customer=customer)
        parties.add_account(tenant, connection, account=account)
        network.add_service_point(tenant, connection, point=point)
    meters.add_meter(tenant, connection, meter=meter, now=now)
    add_history(connection, meter, kind="registered", login=_ADMINISTRATOR, now=now)


def _opening_counters(tenant: str, supply: story.DemoSupply, *, now: datetime) -> str | None:
    """Return what was paid before this system came, as it is brought over from an old one."""
    charges = {
        charge.code: charge
        for version in TARIFFS[tenant]
        for charge in version.charges
        if version.code == supply.tariff_code and isinstance(charge, PeriodCharge)
    }
    if not charges:
        return None
    zone = next(each.time_zone for each in story.TENANTS if each.code == tenant)
    today = local_day(now, zone)
    month_end = (today.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)
    paid = {
        code: PaidTo(month_end)
        if charge.period is Period.MONTH
        else PaidTo(today - timedelta(days=supply.absent_days))
        for code, charge in charges.items()
    }
    return format_counters(Counters(paid_to=paid))


def _make_meters(config: Config, *, now: datetime) -> None:
    """Build the virtual meters that are not there yet.

    The demo is its own meter factory, the one place where a vending key becomes a decoder key
    outside a security module.
    """
    lab_meters = LabMeters(config.meters_dir, sta_tables=installed_tables(config))
    for meter in story.METERS:
        attributes = KeyAttributes(
            meter_pan=MeterPan.from_drn(meter.drn),
            supply_group_code=meter.present_key.supply_group_code,
            tariff_index=meter.present_key.tariff_index,
            key_revision_number=meter.present_key.key_revision_number,
            key_type=meter.present_key.key_type,
            base_date=story.BASE_DATE,
            encryption_algorithm=meter.encryption_algorithm,
        )
        key = derive_decoder_key(story.KEY_GENERATION_ALGORITHM, _VENDING_KEY, attributes)
        lab_meters.build_missing(meter, key, attributes=attributes, now=now)
