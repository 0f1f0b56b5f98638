"""The key change before a sale: whether the meter's key should be another, and who decides.

The advice compares the key that serves with the latest one of the supply group that the meter is to
be in (decisions 13 and 22); the policy of that group says whether a sale may change it. While a
change is on its way the meter's record keeps both keys and says which serves, see ``Meter``.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, assert_never

from sqlalchemy import Connection

from keys import NewKey, RegisteredKey, SecurityModule
from keys.key_advice import KeyAdvice, KeyInMeter, advise
from keys.register import NoServingKeyError
from sts import KeyRevisionNumber, KeyType, SupplyGroupCode, TariffIndex
from vending_app.domain.errors import (
    KeyChangeGroupError,
    KeyChangeNeededError,
    KeyChangeOfferedError,
)
from vending_app.domain.network import KeyPolicy, Meter, MeterKey, Serving, SupplyGroup
from vending_app.domain.places import Supply
from vending_app.services.plans import PlannedChange, message_id, meter_configuration
from vending_app.services.refusals import token_refusals
from vending_app.storage import network

_REVISIONS: Final = tuple(KeyRevisionNumber(number) for number in range(1, 10))


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyChangeDue:
    """A key change that a meter should have.

    Attributes:
        group: The policy of the supply group that it is to be in.
        key: The key that it is to have.
        reasons: In what the key that serves differs.
    """

    group: SupplyGroup
    key: MeterKey
    reasons: tuple[str, ...]

    @property
    def advice(self) -> str:
        """What should change, for people."""
        return ", ".join(reason.replace("-", " ") for reason in self.reasons)


def key_change_due(
    connection: Connection, module: SecurityModule, *, supply: Supply, now: datetime
) -> KeyChangeDue | None:
    """Return the key change that a meter should have, or None.

    Raises:
        KeyChangeGroupError: It is on a default group, and it is not recorded where it belongs.
        TokenRefusedError: It is on a default group, and no key of its own group can be used.
        UnknownSupplyGroupError: The group of its key is not set up here.
    """
    meter = supply.meter
    group = _group_wanted(connection, module, supply=supply)
    index = _index_wanted(supply, group)
    with token_refusals():
        advice = _advice(module, meter, group=group.code, index=index, now=now)
    if advice is None or not advice.is_needed:
        return None
    record = advice.target.record
    return KeyChangeDue(
        group=group,
        key=MeterKey(
            supply_group_code=group.code,
            tariff_index=index,
            key_revision_number=record.key_revision_number,
            key_type=record.key_type,
            base_date=record.base_date,
            key_expiry_number=record.key_expiry_number,
        ),
        reasons=tuple(str(reason) for reason in advice.reasons),
    )


def require_agreed(due: KeyChangeDue, *, accepted: bool) -> None:
    """Refuse a sale that may not change the key, or not without a word from the cashier.

    Raises:
        KeyChangeNeededError: The supply group lets no sale change a key.
        KeyChangeOfferedError: The cashier has not agreed.
    """
    match due.group.key_policy:
        case KeyPolicy.ALWAYS:
            return
        case KeyPolicy.NEVER:
            raise KeyChangeNeededError(due.advice)
        case KeyPolicy.OFFER:
            if not accepted:
                raise KeyChangeOfferedError(due.advice)
        case _ as never:
            assert_never(never)


def planned_change(due: KeyChangeDue, meter: Meter, *, request_id: str) -> PlannedChange:
    """Return the plan of a key change that comes with a request."""
    return PlannedChange(
        message_id=message_id(meter.tenant, request_id, "key"),
        new=NewKey(
            supply_group_code=due.key.supply_group_code,
            key_revision_number=due.key.key_revision_number,
            tariff_index=due.key.tariff_index,
            with_supply_group_code=meter.takes_supply_group,
            allow_algorithm_change=due.group.allow_dkga_change,
        ),
        key=due.key,
    )


def _advice(
    module: SecurityModule,
    meter: Meter,
    *,
    group: SupplyGroupCode,
    index: TariffIndex,
    now: datetime,
) -> KeyAdvice | None:
    """Return the advice; None if no key of the group can be used, and so none is better."""
    present = meter.key
    register = _known_keys(module, meter, code=present.supply_group_code, index=index)
    if group != present.supply_group_code:
        register += _known_keys(module, meter, code=group, index=index)
    try:
        return advise(
            KeyInMeter(
                tenant=meter.tenant,
                supply_group_code=present.supply_group_code,
                key_revision_number=present.key_revision_number,
                key_type=present.key_type,
                tariff_index=present.tariff_index,
                base_date=present.base_date,
                key_expiry_number=present.key_expiry_number,
            ),
            register,
            now=now,
            supply_group_code=group,
            tariff_index=index,
        )
    except NoServingKeyError:
        if present.key_type is not KeyType.DEFAULT:
            # The module says in its own words what is wrong with the key that serves.
            return None
        raise


def _known_keys(
    module: SecurityModule, meter: Meter, *, code: SupplyGroupCode, index: TariffIndex
) -> tuple[RegisteredKey, ...]:
    """Return the vending keys of a supply group that the module has for this meter."""
    key = meter.key
    if (key.supply_group_code, key.tariff_index) != (code, index):
        key = replace(key, supply_group_code=code, tariff_index=index)
    return module.revisions(meter_configuration(meter, key))


def _group_wanted(connection: Connection, module: SecurityModule, *, supply: Supply) -> SupplyGroup:
    """Return the supply group that a meter is to be in."""
    meter = supply.meter
    planned = meter.new_key if meter.serving is Serving.PRESENT else None
    code = meter.key.supply_group_code if planned is None else planned.supply_group_code
    if planned is None and meter.key.key_type is KeyType.DEFAULT:
        return _only_own_group(connection, module, meter=meter)
    if code == supply.supply_group.code:
        return supply.supply_group
    return network.find_supply_group(meter.tenant, connection, code=code)


def _only_own_group(connection: Connection, module: SecurityModule, *, meter: Meter) -> SupplyGroup:
    """Return the one supply group of the tenant that has a key for its own meters."""
    own = [
        group
        for group in network.list_supply_groups(meter.tenant, connection)
        if any(
            key.record.key_type is KeyType.UNIQUE
            for key in _known_keys(module, meter, code=group.code, index=meter.key.tariff_index)
        )
    ]
    if len(own) != 1:
        raise KeyChangeGroupError(str(meter.drn))
    return own[0]


def _index_wanted(supply: Supply, group: SupplyGroup) -> TariffIndex:
    """Return the tariff index that a meter is to have; most utilities never change it."""
    meter = supply.meter
    if group.ti_follows_tariff and supply.tariff_index is not None:
        return TariffIndex(supply.tariff_index)
    planned = meter.new_key if meter.serving is Serving.PRESENT else None
    return meter.key.tariff_index if planned is None else planned.tariff_index
