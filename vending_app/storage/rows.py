"""Rows of the database as values, for the statements that find them."""

from collections.abc import Callable
from enum import StrEnum
from functools import lru_cache
from operator import attrgetter
from typing import Final, TypeVar

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
from vending_app.storage.prepared import Found

_KEY_COLUMNS: Final = (
    "supply_group_code",
    "tariff_index",
    "key_revision_number",
    "key_type",
    "base_date",
    "key_expiry_number",
)
_Word = TypeVar("_Word", bound=StrEnum)


class Words(dict[str, _Word]):
    """The words that a column may hold, each with what it means.

    To ask the class takes several times as long; a sale reads ten such columns.
    """

    def __init__(self, kind: type[_Word], read: Callable[[str], _Word] | None = None) -> None:
        """List the members of ``kind``; ``read`` says what is wrong with a word that is none."""
        super().__init__({each.value: each for each in kind})
        self._read: Final = read or kind

    def __missing__(self, word: str) -> _Word:
        """Refuse a word that is none of them, as their class does."""
        return self._read(word)


_LIVES: Final = Words(Life)
_CREDIT_KINDS: Final = Words(CreditKind)
_SERVINGS: Final = Words(Serving)
_ROLES: Final = Words(Role)
_ALGORITHMS: Final = Words(EncryptionAlgorithm, EncryptionAlgorithm.parse)
_CARRIERS: Final = Words(TokenCarrierType, TokenCarrierType.parse)
SERVICES: Final = {each.name.lower(): each for each in Service}
_PRESENT_KEY: Final = attrgetter(*_KEY_COLUMNS)
_NEW_KEY: Final = attrgetter(*(f"new_{column}" for column in _KEY_COLUMNS))


def meter_of(row: Found) -> Meter:
    """Return the meter of a row that has all columns of its table."""
    return Meter(
        tenant=row.tenant,
        drn=DecoderReferenceNumber(row.drn),
        life=_LIVES[row.life],
        service_point_code=row.service_point_code,
        service=SERVICES[row.service],
        credit_kind=_CREDIT_KINDS[row.credit_kind],
        phases=row.phases,
        model=row.model,
        maximum_tenths=row.maximum_tenths,
        takes_supply_group=row.takes_supply_group,
        encryption_algorithm=_ALGORITHMS[row.encryption_algorithm],
        token_carrier_type=_CARRIERS[row.token_carrier_type],
        present_key=_key_of(_PRESENT_KEY(row)),
        new_key=None if row.new_key_revision_number is None else _key_of(_NEW_KEY(row)),
        serving=_SERVINGS[row.serving],
        blocked=row.blocked,
        block_reason=row.block_reason,
    )


def operator_of(row: Found) -> Operator:
    """Return the operator of a row that has all columns of the table."""
    return Operator(
        tenant=row.tenant,
        login=row.login,
        display_name=row.display_name,
        role=_ROLES[row.role],
        password_hash=row.password_hash,
        active=row.active,
        vendor_code=row.vendor_code,
    )


def tenant_of(row: Found) -> Tenant:
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


@lru_cache(maxsize=4096)
def _key_of(columns: tuple[str, int, int, int, str, int]) -> MeterKey:
    """Return the name of a key; there are few, and thousands of meters have the same."""
    group, tariff_index, revision, key_type, base_date, expiry = columns
    return MeterKey(
        supply_group_code=SupplyGroupCode.parse(group),
        tariff_index=TariffIndex(tariff_index),
        key_revision_number=KeyRevisionNumber(revision),
        key_type=KeyType.parse(key_type),
        base_date=BaseDate.parse(base_date),
        key_expiry_number=KeyExpiryNumber(expiry),
    )
