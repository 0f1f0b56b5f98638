"""The paper that remains of a key ceremony. There is no key material on it."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Final

from keys.ceremony import CombinedKey
from keys.ceremony_errors import CeremonyRecordError, CustodianNameError
from keys.json_fields import is_name, time_text
from keys.registered_key import RegisteredKey
from keys.trusted_centres import LAB_NOTICE

_PARITY: Final = {True: "odd", False: "NOT ODD", None: "none in a key of this length"}
_LINE: Final = "_" * 40


def ceremony_record(
    combined: CombinedKey,
    key: RegisteredKey,
    *,
    led_by: str,
    now: datetime,
    notice: str = LAB_NOTICE,
) -> str:
    """Return the record of a ceremony as text, with a line for each to sign.

    Args:
        combined: What the ceremony made.
        key: What the key is to be.
        led_by: Who led the ceremony.
        now: When it ended, aware.
        notice: What is to be known of the place where the key is kept.

    Raises:
        CeremonyRecordError: ``key`` has another check value.
        CustodianNameError: ``led_by`` cannot be printed.
        NaiveDatetimeError: ``now`` has no zone.
    """
    if key.record.check_value != combined.check_value:
        raise CeremonyRecordError
    if not is_name(led_by):
        raise CustodianNameError
    facts = _facts(combined, key, led_by=led_by, now=now)
    lines = (*_lines(combined, facts), notice, *_signatures(combined, led_by))
    return "\n".join(lines) + "\n"


def _lines(combined: CombinedKey, facts: Iterable[tuple[str, str]]) -> Iterator[str]:
    yield "RECORD OF A KEY CEREMONY"
    yield ""
    for name, value in facts:
        yield f"{name:<22}{value}"
    yield ""
    yield f"{'No.':<5}{'Origin':<12}{'Check value':<13}Custodian"
    for number, component in enumerate(combined.components, start=1):
        line = f"{number:<5}{component.origin:<12}{component.check_value:<13}"
        yield f"{line}{component.custodian}"
    yield ""
    yield "The combined check value was confirmed. This record contains no key material."


def _signatures(combined: CombinedKey, led_by: str) -> Iterator[str]:
    for person in (led_by, *(component.custodian for component in combined.components)):
        yield ""
        yield _LINE
        yield person


def _facts(
    combined: CombinedKey, key: RegisteredKey, *, led_by: str, now: datetime
) -> Iterator[tuple[str, str]]:
    record, terms = key.record, key.terms
    yield "Ended", time_text(now)
    yield "Led by", led_by
    yield "Tenant", record.tenant
    yield "Supply group", str(record.supply_group_code)
    yield "Key revision", str(record.key_revision_number)
    yield "Key type", str(int(record.key_type))
    algorithm = record.key_generation_algorithm
    yield "Algorithm", f"DKGA{algorithm}, {combined.vending_key.bits} bits"
    yield "Base date", str(record.base_date)
    yield "Key expiry number", str(record.key_expiry_number)
    yield "Active from", _time(terms.activation)
    yield "Given away until", _time(terms.expiry)
    yield "Issued until", _time(terms.issued_until)
    limit = terms.credit_limit_units
    yield "Credit limit", "none" if limit is None else str(limit)
    yield "Combined check value", combined.check_value
    yield "Parity", _PARITY[combined.has_odd_parity]


def _time(when: datetime | None) -> str:
    return "not limited" if when is None else time_text(when)
