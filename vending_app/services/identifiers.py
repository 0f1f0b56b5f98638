"""Which token identifiers of a meter are used, and which one its next token has (decision 8)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from sts import BaseDate, KeyExpiryNumber, next_token_identifier
from sts.token_identifier import special_reserved_token_identifier
from vending_app.domain.network import Meter, SupplyGroup
from vending_app.services.plan_documents import planned_identifiers
from vending_app.storage import tokens


def used_identifiers(
    connection: Connection, meter: Meter, *, base_date: BaseDate, without: str = ""
) -> tuple[int, ...]:
    """Return the token identifiers that count as used for a meter under a base date.

    Those of tokens whose making is under way, or came to an unknown end, count too.

    Args:
        connection: The transaction; the meter is locked.
        meter: The meter.
        base_date: What they count from.
        without: The request whose own plan does not count.
    """
    return _asked(connection, meter, base_date=base_date, without=without)()


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedIdentifiers:
    """A question which token identifiers of a meter are used.

    Attributes:
        base_date: What they count from.
        used: Gives them.
    """

    base_date: BaseDate
    used: Callable[[], tuple[int, ...]]


def ask_identifiers(connection: Connection, meter: Meter) -> AskedIdentifiers:
    """Ask for the identifiers that ``plan_tokens`` will most likely need; the meter is locked."""
    base_date = meter.key.base_date
    return AskedIdentifiers(
        base_date=base_date, used=_asked(connection, meter, base_date=base_date)
    )


def _asked(
    connection: Connection, meter: Meter, *, base_date: BaseDate, without: str = ""
) -> Callable[[], tuple[int, ...]]:
    asked = tokens.ask_identifiers(
        meter.tenant, connection, drn=meter.drn, base_date=base_date, without=without
    )

    def used() -> tuple[int, ...]:
        issued, plans = asked()
        return (*issued, *planned_identifiers(plans, base_date))

    return used


def next_identifier(
    used: Sequence[int],
    now: datetime,
    *,
    base_date: BaseDate,
    key_expiry_number: KeyExpiryNumber,
    group: SupplyGroup,
    special_reserved: bool,
) -> int:
    """Return the identifier of the next token of a meter.

    Args:
        used: Those that count as used.
        now: The present time, aware.
        base_date: What they count from.
        key_expiry_number: Of the key that the token is for.
        group: The policy of that key's supply group.
        special_reserved: Whether it is to be the special identifier of the day, 00:01.

    Raises:
        StsError: The key has expired, or the identifiers would run ahead of the clock.
    """
    if special_reserved:
        return special_reserved_token_identifier(
            used,
            now,
            base_date=base_date,
            key_expiry_number=key_expiry_number,
            utc_offset=group.utc_offset,
        )
    return next_token_identifier(
        used,
        now,
        base_date=base_date,
        key_expiry_number=key_expiry_number,
        lead_cap_minutes=group.lead_cap_minutes,
        utc_offset=group.utc_offset,
    )
