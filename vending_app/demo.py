"""The demo: two small utilities with published test keys, ready to sell.

Everything lies in one data directory, and a second run keeps what the first one made. The demo is
in lab mode, so it listens on this machine only.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Final

from keys.errors import KeyAlreadyInVaultError
from keys.files import read_key_file
from keys.records import VendingKeyRecord, check_value_of
from keys.registered_key import RegisteredKey
from keys.vault import Vault
from sts import (
    SAMPLE_TABLES,
    KeyAttributes,
    MeterPan,
    VendingKey,
    derive_decoder_key,
    load_sta_tables,
)
from vending_app import demo_story as story
from vending_app.config import Config
from vending_app.domain.entities import Tenant
from vending_app.installation import prepare
from vending_app.lab_meters import LabMeters
from vending_app.services.operators import new_operator
from vending_app.storage import meters, operators, tenants
from vending_app.storage.engine import Store

_VENDING_KEY: Final = VendingKey.from_hex(story.VENDING_KEY_HEX)


def prepare_demo(data_dir: Path, environ: Mapping[str, str], *, now: datetime) -> Config:
    """Make what is missing of the demo and return its settings.

    Raises:
        ConfigError: The directory cannot be used, or the settings make no sense.
        KeysError, StsError: Vault or virtual meters cannot be made.
    """
    installed = prepare(data_dir, environ)
    config = replace(installed, lab_mode=True, secure_cookies=False, demo_log_ins=True)
    _fill_vault(config)
    store = Store.open(config.database_url)
    try:
        fill_database(store, now=now)
    finally:
        store.close()
    _make_meters(config, now=now)
    return config


def fill_database(store: Store, *, now: datetime) -> None:
    """Add the utilities of the demo that are not there yet, with all that belongs to them."""
    for tenant in story.TENANTS:
        _fill_tenant(store, tenant, now=now)


def _fill_vault(config: Config) -> None:
    """Give each utility its record of the published vending key."""
    vault = Vault.open(config.vault, read_key_file(config.vault_key))
    for tenant in story.TENANTS:
        record = VendingKeyRecord(
            tenant=tenant.code,
            supply_group_code=story.SUPPLY_GROUP_CODE,
            key_revision_number=story.KEY_REVISION_NUMBER,
            key_type=story.KEY_TYPE,
            key_generation_algorithm=story.KEY_GENERATION_ALGORITHM,
            base_date=story.BASE_DATE,
            key_expiry_number=story.KEY_EXPIRY_NUMBER,
            check_value=check_value_of(_VENDING_KEY),
        )
        try:
            vault.add(RegisteredKey(record=record), _VENDING_KEY)
        except KeyAlreadyInVaultError:
            continue


def _fill_tenant(store: Store, tenant: Tenant, *, now: datetime) -> None:
    """Add a utility with all that belongs to it, or nothing if it is there."""
    code = tenant.code
    with store.write() as connection:
        if tenants.has_tenant(code, connection):
            return
        tenants.add_tenant(code, connection, terms=tenant, now=now)
        for group in story.SUPPLY_GROUPS:
            if group.tenant == code:
                meters.add_supply_group(code, connection, group=group)
        for tariff in story.TARIFFS:
            if tariff.tenant == code:
                meters.add_tariff(code, connection, tariff=tariff)
        for meter in story.METERS:
            if meter.tenant == code:
                meters.add_customer(
                    code,
                    connection,
                    customer_number=meter.customer_number,
                    name=meter.customer_name,
                )
                meters.add_meter(code, connection, meter=meter)
        for operator in story.DEMO_OPERATORS:
            if operator.tenant == code:
                hashed = new_operator(
                    code,
                    login=operator.login,
                    display_name=operator.display_name,
                    role=operator.role,
                    password=story.DEMO_PASSWORD,
                )
                operators.add_operator(code, connection, operator=hashed, now=now)


def _make_meters(config: Config, *, now: datetime) -> None:
    """Build the virtual meters that are not there yet.

    The demo is its own meter factory, the one place where a vending key becomes a decoder key
    outside a security module.
    """
    tables = load_sta_tables(config.sta_tables) if config.sta_tables else SAMPLE_TABLES
    lab_meters = LabMeters(config.meters_dir, sta_tables=tables)
    for meter in story.METERS:
        attributes = KeyAttributes(
            meter_pan=MeterPan.from_drn(meter.drn),
            supply_group_code=meter.supply_group_code,
            tariff_index=meter.tariff_index,
            key_revision_number=meter.key_revision_number,
            key_type=meter.key_type,
            base_date=story.BASE_DATE,
            encryption_algorithm=meter.encryption_algorithm,
        )
        key = derive_decoder_key(story.KEY_GENERATION_ALGORITHM, _VENDING_KEY, attributes)
        lab_meters.build_missing(meter, key, attributes=attributes, now=now)
