"""Tariffs and dated tables as JSON documents: one text for each, so that it can be kept and hashed.

``format_version`` writes the canonical form (see ``keys.canonical_json``); ``parse_version`` reads
it however it is laid out, but with every field in its one spelling, so that the same tariff always
has the same hash. Amounts of money and tenths of units are whole numbers, rates are text
(``"342.5"``, ``"1000/3"``, or ``{"table": "fuel"}``), percentages too; what is not set is left out.
"""

import hashlib
from enum import StrEnum

from keys.canonical_json import JsonObject, JsonValue, canonical_bytes
from sts import Service
from vending_app.domain.errors import CurrencyError
from vending_app.domain.money import Currency
from vending_app.domain.tariff.charge_documents import charge_json, rate_json, read_charge
from vending_app.domain.tariff.rates import DatedRate, DatedTable
from vending_app.domain.tariff.reading import Fields, read_text
from vending_app.domain.tariff.version import Rounding, TariffVersion
from vending_app.domain.tariff_errors import TariffFigureError


class _ServiceName(StrEnum):
    """What the field ``service`` may say."""

    ELECTRICITY = "electricity"
    WATER = "water"
    GAS = "gas"
    TIME = "time"


def parse_version(text: str) -> TariffVersion:
    """Read a version of a tariff.

    Raises:
        TariffJsonError: Not JSON.
        TariffDefinitionError: JSON that is no tariff; the class says why and ``path`` where.
    """
    return read_text(text, _read_version)


def format_version(version: TariffVersion) -> str:
    """Return the canonical document of a version."""
    return canonical_bytes(_version_json(version)).decode("ascii")


def version_hash(version: TariffVersion) -> str:
    """Return the SHA-256 of the canonical document of a version, in hexadecimal."""
    return hashlib.sha256(format_version(version).encode("ascii")).hexdigest()


def parse_table(text: str) -> DatedTable:
    """Read a dated table.

    Raises:
        TariffJsonError: Not JSON.
        TariffDefinitionError: JSON that is no table; the class says why and ``path`` where.
    """
    return read_text(text, _read_table)


def format_table(table: DatedTable) -> str:
    """Return the canonical document of a dated table."""
    return canonical_bytes(_table_json(table)).decode("ascii")


def _read_version(fields: Fields) -> TariffVersion:
    return TariffVersion(
        code=fields.text("code"),
        number=fields.whole("number"),
        name=fields.text("name"),
        service=Service[fields.word("service", _ServiceName).name],
        currency=fields.made("currency", _read_currency),
        first_day=fields.day("first_day"),
        last_day=fields.day("last_day") if fields.has("last_day") else None,
        minimum_minor=fields.whole("minimum_minor"),
        maximum_minor=fields.whole("maximum_minor"),
        rounding=fields.word("rounding", Rounding),
        credit_account=fields.text("credit_account"),
        charges=fields.all_made("charges", read_charge),
    )


def _read_currency(fields: Fields) -> Currency:
    code, decimals = fields.text("code"), fields.whole("decimals")
    try:
        return Currency(code, decimals)
    except CurrencyError as error:
        raise TariffFigureError(str(error)) from None


def _version_json(version: TariffVersion) -> JsonObject:
    charges: list[JsonValue] = [charge_json(charge) for charge in version.charges]
    fields: dict[str, JsonValue] = {
        "code": version.code,
        "number": version.number,
        "name": version.name,
        "service": _ServiceName[version.service.name].value,
        "currency": {"code": version.currency.code, "decimals": version.currency.exponent},
        "first_day": version.first_day.isoformat(),
        "minimum_minor": version.minimum_minor,
        "maximum_minor": version.maximum_minor,
        "rounding": version.rounding.value,
        "credit_account": version.credit_account,
        "charges": charges,
    }
    return (
        fields if version.last_day is None else fields | {"last_day": version.last_day.isoformat()}
    )


def _read_table(fields: Fields) -> DatedTable:
    return DatedTable(
        code=fields.text("code"),
        rates=fields.all_made("rates", _read_dated_rate),
        last_day=fields.day("last_day") if fields.has("last_day") else None,
    )


def _read_dated_rate(fields: Fields) -> DatedRate:
    return DatedRate(first_day=fields.day("first_day"), rate=fields.figure("rate"))


def _table_json(table: DatedTable) -> JsonObject:
    rates: list[JsonValue] = [
        {"first_day": dated.first_day.isoformat(), "rate": rate_json(dated.rate)}
        for dated in table.rates
    ]
    fields: dict[str, JsonValue] = {"code": table.code, "rates": rates}
    return fields if table.last_day is None else fields | {"last_day": table.last_day.isoformat()}
