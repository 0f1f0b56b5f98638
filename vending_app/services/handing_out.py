"""Which tokens may be handed out again: what cannot be entered, or must not, nobody gets to see.

A token may be withheld or void. The set of a key change is handed out only while the change is on
its way. Every other token is for a key, and is handed out while the meter may hold that key: the
present one, the one on its way, and those before a set that may still have to be entered.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from sqlalchemy import Connection

from vending_app.domain.key_changes import HELD_BACK, ChangeState, HeldBack, change_states
from vending_app.domain.network import KeyName, Meter
from vending_app.domain.sales import MadeToken, Sale
from vending_app.storage import key_changes, meters

_HIDDEN: Final = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeysOfMeter:
    """What the record of a meter says about its keys.

    Attributes:
        meter: The meter.
        changes: Where its key changes stand, by the numbers of their bases.
        held: The keys that may be in it.
    """

    meter: Meter
    changes: Mapping[int, ChangeState]
    held: frozenset[KeyName]

    def held_back(self, token: MadeToken) -> HeldBack | None:
        """Return why a token of this meter is not handed out, or None if it is."""
        if token.withheld:
            return HeldBack.WITHHELD
        if token.void:
            return HeldBack.VOID
        if token.basis_number in self.changes:
            return HELD_BACK[self.changes[token.basis_number]]
        return None if token.key.called in self.held else HeldBack.OTHER_KEY

    def handed_out(self, made: Iterable[MadeToken]) -> tuple[MadeToken, ...]:
        """Return tokens of this meter; those that are not handed out come without their digits."""
        return tuple(
            token if why is None else replace(token, digits=_HIDDEN, held_back=why)
            for token in made
            for why in (self.held_back(token),)
        )


def keys_of(connection: Connection, meter: Meter) -> KeysOfMeter:
    """Return what is on record about the keys of a meter."""
    tenant, drn = meter.tenant, meter.drn
    issued = key_changes.issued_changes(tenant, connection, drn=drn)
    # Every set has its event, written in the same transaction while the meter was locked.
    states = change_states(
        key_changes.events_of(tenant, connection, drn=drn),
        made_for=[change.made_for for change in issued],
    )
    present = (meter.present_key, meter.new_key)
    return KeysOfMeter(
        meter=meter,
        changes={change.basis_number: state for change, state in zip(issued, states, strict=True)},
        held=frozenset(key.called for key in present if key is not None).union(
            change.made_for
            for change, state in zip(issued, states, strict=True)
            if state is ChangeState.ON_ITS_WAY
        ),
    )


def handed_out(connection: Connection, sale: Sale) -> tuple[Sale, Meter]:
    """Return a sale as it is handed out at this time, and its meter as it stands on record."""
    meter = meters.find_meter(sale.tenant, connection, drn=sale.drn)
    return replace(sale, tokens=keys_of(connection, meter).handed_out(sale.tokens)), meter
