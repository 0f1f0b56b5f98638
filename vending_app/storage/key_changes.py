"""Statements about the key changes of a meter."""

from dataclasses import dataclass

from sqlalchemy import Connection, and_, select

from sts import DecoderReferenceNumber, KeyRevisionNumber, SupplyGroupCode, TariffIndex
from vending_app.domain.network import KeyName
from vending_app.domain.sales import BasisKind
from vending_app.storage.tables import bases, meter_history, tokens


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuedChange:
    """A key change whose tokens were made.

    Attributes:
        basis_number: Their reason.
        made_for: The key that they are for, as ``MeterKey.called`` has it.
    """

    basis_number: int
    made_for: KeyName


def issued_changes(
    tenant: str, connection: Connection, *, drn: DecoderReferenceNumber
) -> tuple[IssuedChange, ...]:
    """Return the key changes made for a meter, oldest first; withheld ones are none."""
    # By way of the tokens, which have an index by meter.
    rows = connection.execute(
        select(
            tokens.c.basis_number,
            tokens.c.supply_group_code,
            tokens.c.key_revision_number,
            tokens.c.tariff_index,
        )
        .distinct()
        .join_from(
            tokens,
            bases,
            and_(tokens.c.tenant == bases.c.tenant, tokens.c.basis_number == bases.c.basis_number),
        )
        .where(
            tokens.c.tenant == tenant,
            tokens.c.drn == str(drn),
            bases.c.kind == BasisKind.KEY_CHANGE.value,
        )
        .order_by(tokens.c.basis_number)
    )
    return tuple(
        IssuedChange(
            basis_number=row.basis_number,
            made_for=(
                SupplyGroupCode.parse(row.supply_group_code),
                KeyRevisionNumber(row.key_revision_number),
                TariffIndex(row.tariff_index),
            ),
        )
        for row in rows
    )


def events_of(
    tenant: str, connection: Connection, *, drn: DecoderReferenceNumber
) -> tuple[str, ...]:
    """Return the kinds of what happened to a meter, oldest first."""
    kinds = connection.execute(
        select(meter_history.c.kind)
        .where(meter_history.c.tenant == tenant, meter_history.c.drn == str(drn))
        .order_by(meter_history.c.event_number)
    )
    return tuple(kinds.scalars())
