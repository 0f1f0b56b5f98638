"""Statements about the key changes of a meter."""

import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, and_, exists, select

from sts import DecoderReferenceNumber, KeyRevisionNumber, SupplyGroupCode, TariffIndex
from vending_app.domain.key_changes import CONFIRMED, GIVEN_UP, ISSUED, KeyEvent, KeySet
from vending_app.domain.network import MeterKey
from vending_app.domain.sales import BasisKind
from vending_app.storage.tables import bases, meter_history, token_marks, tokens
from vending_app.storage.tokens import VOID


def key_sets(
    tenant: str, connection: Connection, *, drn: DecoderReferenceNumber
) -> tuple[KeySet, ...]:
    """Return the sets of key change tokens made for a meter, oldest first; withheld ones are none.

    The tokens of a sale become void together, those of its set among them.
    """
    marks = token_marks.c
    void = (
        exists()
        .where(
            and_(
                marks.tenant == tokens.c.tenant,
                marks.basis_number == tokens.c.basis_number,
                marks.mark == VOID,
            )
        )
        .label("void")
    )
    # By way of the tokens, which have an index by meter.
    rows = connection.execute(
        select(
            tokens.c.basis_number,
            tokens.c.supply_group_code,
            tokens.c.key_revision_number,
            tokens.c.tariff_index,
            void,
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
        KeySet(
            basis_number=row.basis_number,
            made_for=(
                SupplyGroupCode.parse(row.supply_group_code),
                KeyRevisionNumber(row.key_revision_number),
                TariffIndex(row.tariff_index),
            ),
            void=bool(row.void),
        )
        for row in rows
    )


def key_events(
    tenant: str, connection: Connection, *, drn: DecoderReferenceNumber
) -> tuple[KeyEvent, ...]:
    """Return what happened to a meter that tells of its keys, oldest first."""
    rows = connection.execute(
        select(meter_history.c.kind, meter_history.c.document)
        .where(
            meter_history.c.tenant == tenant,
            meter_history.c.drn == str(drn),
            meter_history.c.kind.in_((ISSUED, CONFIRMED, GIVEN_UP)),
        )
        .order_by(meter_history.c.event_number)
    )
    return tuple(_event(row.kind, json.loads(row.document)) for row in rows)


def _event(kind: str, document: Mapping[str, Any]) -> KeyEvent:
    # An event without a key of its own that is brought put that key on record.
    brings = document.get("brings", document["new_key"]) if kind == ISSUED else None
    return KeyEvent(
        kind=kind,
        present=MeterKey.read(document["present_key"]),
        brings=None if brings is None else MeterKey.read(brings),
    )
