"""A vending key as a register keeps it: its name, its record, and the terms it was given on."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, TypeAlias

from keys.canonical_json import JsonValue
from keys.errors import KeysError, RecordError
from keys.json_fields import Fields, is_name, time_text
from keys.records import VendingKeyRecord
from sts import (
    BaseDate,
    KeyExpiryNumber,
    KeyGenerationAlgorithm,
    KeyRevisionNumber,
    KeyType,
    StsError,
    SupplyGroupCode,
)
from sts.token_identifier import last_minute_of, require_utc

LARGEST_CREDIT_LIMIT: Final = 0xFFFF_FFFF
_MINUTE: Final = timedelta(minutes=1)
_FIELDS: Final = (
    "tenant",
    "supply_group_code",
    "key_revision_number",
    "key_type",
    "key_generation_algorithm",
    "base_date",
    "key_expiry_number",
    "activation",
    "expiry",
    "issued_until",
    "credit_limit_units",
    "check_value",
)


PlainName: TypeAlias = tuple[str, int, int]
"""A ``KeyName`` as plain values: tenant, supply group code, key revision number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyName:
    """What names a vending key everywhere: whose it is, its supply group and its revision.

    Attributes:
        tenant: Whose it is.
        supply_group_code: Of the group that it serves.
        key_revision_number: Which of the group's keys.
        plain: The same as plain values, which are much faster to look up.
    """

    tenant: str
    supply_group_code: SupplyGroupCode
    key_revision_number: KeyRevisionNumber
    plain: PlainName = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Make the plain values once."""
        plain = self.tenant, self.supply_group_code.number, self.key_revision_number.number
        object.__setattr__(self, "plain", plain)

    def __hash__(self) -> int:
        """Hash the plain values; the hashes of the classes around them would cost two calls."""
        return hash(self.plain)

    def __str__(self) -> str:
        """Return the name as people say it."""
        return (
            f"supply group {self.supply_group_code}, key revision {self.key_revision_number}, "
            f"of {self.tenant}"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyTerms:
    """On which terms a key centre gives a vending key away. What is None is not limited.

    Attributes:
        activation: From when tokens may be made with it.
        expiry: From when the centre issues no key load file with it any more.
        issued_until: From when a module makes no tokens with it any more.
        credit_limit_units: How many currency units of credit a module may sell with it.

    Raises:
        RecordError: A time with fractions of a second, an end that is not after the activation,
            or a limit beyond 32 bits.
        NaiveDatetimeError: A time without a zone.
    """

    activation: datetime | None = None
    expiry: datetime | None = None
    issued_until: datetime | None = None
    credit_limit_units: int | None = None

    def __post_init__(self) -> None:
        """Check what the types leave open."""
        for name in ("activation", "expiry", "issued_until"):
            when: datetime | None = getattr(self, name)
            if when is None:
                continue
            if require_utc(when).microsecond:
                raise RecordError(f"the {name} of a vending key is a whole second")
            if name != "activation" and self.activation and when <= self.activation:
                raise RecordError(f"the {name} of a vending key comes after its activation")
        limit = self.credit_limit_units
        if limit is not None and not 0 <= limit <= LARGEST_CREDIT_LIMIT:
            raise RecordError("a credit limit is a whole number of at most 32 bits")


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisteredKey:
    """A vending key without its bytes: what it is, and on which terms.

    Attributes:
        record: What it is.
        terms: The terms.
        name: What names the key.
        first_moment: From when it may make tokens: its base date, or a later activation. Aware, in
            the zone that it was given in.
        end: From when it may not: after its key expiry number, or from ``issued_until`` on,
            whichever is earlier. Aware, as above.

    Raises:
        RecordError: The tenant is no name that can be printed.
    """

    record: VendingKeyRecord
    terms: KeyTerms = field(default_factory=KeyTerms)
    # Made once: every token that is issued asks for them, for some several times.
    name: KeyName = field(init=False, repr=False, compare=False)
    first_moment: datetime = field(init=False, repr=False, compare=False)
    end: datetime = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Check that the tenant can stand in a file that people read; work out what follows."""
        if not is_name(self.record.tenant):
            raise RecordError("the tenant of a vending key must be a name that can be printed")
        name = KeyName(
            tenant=self.record.tenant,
            supply_group_code=self.record.supply_group_code,
            key_revision_number=self.record.key_revision_number,
        )
        object.__setattr__(self, "name", name)
        base_date, terms = self.record.base_date, self.terms
        first_moment = max(base_date.start, terms.activation or base_date.start)
        expires = expires_at(self.record.key_expiry_number, base_date)
        object.__setattr__(self, "first_moment", first_moment)
        object.__setattr__(self, "end", min(expires, terms.issued_until or expires))


def expires_at(key_expiry_number: KeyExpiryNumber, base_date: BaseDate) -> datetime:
    """Return the first minute (UTC) that a key with this expiry number does not cover."""
    return last_minute_of(key_expiry_number, base_date) + _MINUTE


def key_body(key: RegisteredKey) -> dict[str, JsonValue]:
    """Return a registered key as plain JSON values."""
    record, terms = key.record, key.terms
    return {
        "tenant": record.tenant,
        "supply_group_code": str(record.supply_group_code),
        "key_revision_number": int(record.key_revision_number),
        "key_type": int(record.key_type),
        "key_generation_algorithm": str(record.key_generation_algorithm),
        "base_date": str(record.base_date),
        "key_expiry_number": int(record.key_expiry_number),
        "activation": _optional_time_text(terms.activation),
        "expiry": _optional_time_text(terms.expiry),
        "issued_until": _optional_time_text(terms.issued_until),
        "credit_limit_units": terms.credit_limit_units,
        "check_value": record.check_value,
    }


def parse_key(where: str, value: JsonValue, *, refuse: Callable[[str], KeysError]) -> RegisteredKey:
    """Read what ``key_body`` returned.

    Args:
        where: What the key belongs to, for messages.
        value: The JSON value.
        refuse: Makes the error to raise from a message.
    """
    fields = Fields(where, value, names=_FIELDS, refuse=refuse)
    unlimited = fields.is_null("credit_limit_units")
    try:
        return RegisteredKey(
            record=VendingKeyRecord(
                tenant=fields.text("tenant"),
                supply_group_code=SupplyGroupCode.parse(fields.text("supply_group_code")),
                key_revision_number=KeyRevisionNumber(fields.number("key_revision_number")),
                key_type=KeyType.parse(fields.number("key_type")),
                key_generation_algorithm=KeyGenerationAlgorithm.parse(
                    fields.text("key_generation_algorithm")
                ),
                base_date=BaseDate.parse(fields.text("base_date")),
                key_expiry_number=KeyExpiryNumber(fields.number("key_expiry_number")),
                check_value=fields.text("check_value"),
            ),
            terms=KeyTerms(
                activation=fields.optional_time("activation"),
                expiry=fields.optional_time("expiry"),
                issued_until=fields.optional_time("issued_until"),
                credit_limit_units=None if unlimited else fields.number("credit_limit_units"),
            ),
        )
    except (StsError, RecordError) as error:
        raise refuse(f"{where}: {error}") from None


def _optional_time_text(when: datetime | None) -> str | None:
    return None if when is None else time_text(when)
