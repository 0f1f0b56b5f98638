"""Which tokens may be handed out again: what cannot be entered, or must not, nobody gets to see.

A token may be withheld or void. The set of a key change is handed out only while the change is on
its way. Every other token is for a key, and is handed out while the meter may hold that key, see
``vending_app.domain.key_changes``.
"""

from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from sqlalchemy import Connection

from vending_app.domain.held_back import HELD_BACK, HeldBack
from vending_app.domain.key_changes import MeterKeys, follow
from vending_app.domain.network import Meter
from vending_app.domain.sales import MadeToken, Sale
from vending_app.storage import key_changes, meters

_HIDDEN: Final = ""


def keys_of(connection: Connection, meter: Meter) -> MeterKeys:
    """Return what is known of the keys of a meter."""
    # Every set has its event, written in the same transaction while the meter was locked. Events
    # are read first, so that a set that comes meanwhile is left out.
    return follow(
        meter,
        key_changes.key_events(meter.tenant, connection, drn=meter.drn),
        sets=key_changes.key_sets(meter.tenant, connection, drn=meter.drn),
    )


def why_held_back(keys: MeterKeys, token: MadeToken) -> HeldBack | None:
    """Return why a token is not handed out, or None if it is.

    Args:
        keys: What is known of the keys of its meter.
        token: The token as it is kept.
    """
    if token.withheld:
        return HeldBack.WITHHELD
    if token.void:
        return HeldBack.VOID
    if token.basis_number in keys.changes:
        return HELD_BACK[keys.changes[token.basis_number]]
    return None if token.key.called in keys.held else HeldBack.OTHER_KEY


def tokens_handed_out(keys: MeterKeys, made: Iterable[MadeToken]) -> tuple[MadeToken, ...]:
    """Return tokens of a meter; those that are not handed out come without their digits."""
    return tuple(
        token if why is None else replace(token, digits=_HIDDEN, held_back=why)
        for token in made
        for why in (why_held_back(keys, token),)
    )


def handed_out(connection: Connection, sale: Sale) -> tuple[Sale, Meter]:
    """Return a sale as it is handed out at this time, and its meter as it stands on record."""
    meter = meters.find_meter(sale.tenant, connection, drn=sale.drn)
    keys = keys_of(connection, meter)
    return replace(sale, tokens=tokens_handed_out(keys, sale.tokens)), meter
