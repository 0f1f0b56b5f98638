"""Key changes that somebody asks for, and what becomes of those on their way.

Once the tokens of a key change have been handed out, the meter's record keeps both keys and the new
one serves. Somebody who has seen the meter may then confirm the change, or give it up: the present
key serves again, and nobody must enter the tokens of the change any more. A customer who has lost
them, or has entered a part, gets a new set if the present key is let serve again.

With several changes on their way the meter may hold more keys than two, and whoever has looked at
it says which one was seen, see ``vending_app.domain.key_changes``.
"""

from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Connection

from keys import MeterConfiguration, SecurityModule
from keys.canonical_json import JsonObject
from sts import DecoderReferenceNumber, KeyRevisionNumber, SupplyGroupCode, TariffIndex
from vending_app.domain.errors import (
    KeyChangePendingError,
    KeyChangeUnknownError,
    NoKeyChangeError,
)
from vending_app.domain.key_changes import (
    CONFIRMED,
    GIVEN_UP,
    PRESENT_SERVES,
    MeterKeys,
    confirmed_key,
    seen_key,
    with_seen,
)
from vending_app.domain.network import KeyName, Meter, MeterKey, Serving
from vending_app.domain.parties import Operator
from vending_app.domain.requests import NamedRequest
from vending_app.domain.roles import Permission
from vending_app.domain.sales import BasisKind
from vending_app.services import requests
from vending_app.services.handing_out import keys_of
from vending_app.services.issue_case import ISSUE, Issued, IssueWork
from vending_app.services.issuing import plan_tokens
from vending_app.services.key_policy import KeyChangeDue, planned_change
from vending_app.services.meters import add_history
from vending_app.services.permissions import require, require_reason
from vending_app.services.plan_documents import plans_key_change
from vending_app.services.plans import meter_configuration
from vending_app.services.refusals import audited_refusals, token_refusals
from vending_app.services.use_case import Answer, unasked
from vending_app.storage import clock, meters, network, tenants
from vending_app.storage import requests as request_statements
from vending_app.storage.engine import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyChangeRequest:
    """A key change that somebody asks for.

    Attributes:
        request_id: The client's name for the request.
        drn: The meter.
        supply_group_code: Of the new key.
        key_revision_number: Of the new key.
        tariff_index: Of the new key.
        reason: In words.
    """

    request_id: str
    drn: DecoderReferenceNumber
    supply_group_code: SupplyGroupCode
    key_revision_number: KeyRevisionNumber
    tariff_index: TariffIndex
    reason: str


def change_key(
    store: Store,
    module: SecurityModule,
    operator: Operator,
    *,
    wanted: KeyChangeRequest,
    now: datetime,
) -> Answer[Issued]:
    """Make the tokens that bring a meter to another key, once.

    Args:
        store: The database.
        module: The security module.
        operator: Who asks.
        wanted: The meter and the key that it is to have.
        now: The present time, aware.

    Raises:
        NotPermittedError: The operator's role does not allow it.
        ReasonMissingError: No reason is given.
        UnknownMeterError, UnknownSupplyGroupError: There is no such meter or group.
        KeyChangePendingError: Another change is on its way.
        KeyChangeUnknownError: It is not known yet what came of another one that was asked for.
        TokenRefusedError: The module has no such key, or refuses the change.
        LedgerClockBehindError, LedgerClockAheadError: The clock is far behind the last entry of the
            books, or further ahead than anybody believes.
        VendingError: As for every request that makes tokens, see ``requests.perform``.
    """
    tenant = operator.tenant
    content: JsonObject = {
        "supply_group_code": str(wanted.supply_group_code),
        "key_revision_number": int(wanted.key_revision_number),
        "tariff_index": int(wanted.tariff_index),
    }
    about: JsonObject = {**content, "drn": str(wanted.drn), "request_id": wanted.request_id}
    with audited_refusals(store, tenant, login=operator.login, about=about, now=now):
        require(operator, Permission.CHANGE_KEY)
        kept = replace(wanted, reason=require_reason(wanted.reason))
        named = NamedRequest(
            tenant=tenant,
            request_id=wanted.request_id,
            kind=ISSUE.kind,
            login=operator.login,
            drn=wanted.drn,
            content=content,
        )
        return requests.perform(
            store,
            module,
            ISSUE,
            named=named,
            decide=unasked(
                lambda connection: _decide(connection, module, tenant, wanted=kept, now=now)
            ),
            now=now,
        )


def confirm(
    store: Store,
    operator: Operator,
    *,
    drn: DecoderReferenceNumber,
    reason: str,
    now: datetime,
    seen: KeyName | None = None,
) -> Meter:
    """Note that a meter was seen to hold a new key; those before it are history.

    Changes that lead on from that key stay on their way.

    Args:
        store: The database.
        operator: Who has seen it.
        drn: The meter.
        reason: In words.
        now: The present time, aware.
        seen: The key; None: the one on its way, if the meter may hold no more than two.

    Raises:
        NotPermittedError: The operator's role does not allow it.
        ReasonMissingError: No reason is given.
        UnknownMeterError: There is no such meter.
        NoKeyChangeError: None is on its way.
        SeenKeyMissingError: The meter may hold more than two keys.
        SeenKeyError: It cannot hold the key that was seen, or that is the one before all changes.
    """
    require(operator, Permission.CHANGE_KEY)
    kept = require_reason(reason)
    with store.write() as connection:
        meter, keys = _lock_changing(connection, operator.tenant, drn=drn)
        key = confirmed_key(meter, keys, seen=seen)
        changed = with_seen(meter, keys, seen=key, wanted=True)
        _write(connection, changed, operator, kind=CONFIRMED, reason=kept, now=now)
    return changed


def give_up(
    store: Store,
    operator: Operator,
    *,
    drn: DecoderReferenceNumber,
    reason: str,
    now: datetime,
    seen: KeyName | None = None,
) -> Meter:
    """Note which key a meter was seen to hold, and that no change from there on is wanted.

    Args:
        store: The database.
        operator: Who has seen it.
        drn: The meter.
        reason: In words.
        now: The present time, aware.
        seen: The key; None: the present one on record, if the meter may hold no more than two.

    Raises:
        NotPermittedError, ReasonMissingError, UnknownMeterError, NoKeyChangeError: As for
            ``confirm``.
        SeenKeyMissingError: The meter may hold more than two keys.
        SeenKeyError: It cannot hold the key that was seen.
    """
    require(operator, Permission.CHANGE_KEY)
    kept = require_reason(reason)
    with store.write() as connection:
        meter, keys = _lock_changing(connection, operator.tenant, drn=drn)
        key = seen_key(meter, keys, seen=seen)
        changed = with_seen(meter, keys, seen=key, wanted=False)
        _write(connection, changed, operator, kind=GIVEN_UP, reason=kept, now=now)
    return changed


def let_present_key_serve(
    store: Store,
    operator: Operator,
    *,
    drn: DecoderReferenceNumber,
    reason: str,
    now: datetime,
    seen: KeyName | None = None,
) -> Meter:
    """Make the next tokens for the present key again; the change stays on its way.

    For a customer who has lost the set or entered a part of it: the next sale brings a new one.

    Args:
        store: The database.
        operator: Who has spoken with the customer, or has seen the meter.
        drn: The meter.
        reason: In words.
        now: The present time, aware.
        seen: The key in the meter; None: the present one on record, if the meter may hold no more
            than two.

    Raises:
        NotPermittedError, ReasonMissingError, UnknownMeterError, NoKeyChangeError: As for
            ``confirm``; or none leads on from the key that was seen.
        SeenKeyMissingError: The meter may hold more than two keys.
        SeenKeyError: It cannot hold the key that was seen.
    """
    require(operator, Permission.CHANGE_KEY)
    kept = require_reason(reason)
    with store.write() as connection:
        meter, keys = _lock_changing(connection, operator.tenant, drn=drn)
        key = seen_key(meter, keys, seen=seen)
        if meter.new_key in {None, key}:
            raise NoKeyChangeError(str(drn))
        changed = replace(meter, present_key=key, serving=Serving.PRESENT)
        _write(connection, changed, operator, kind=PRESENT_SERVES, reason=kept, now=now)
    return changed


def _decide(
    connection: Connection,
    module: SecurityModule,
    tenant: str,
    *,
    wanted: KeyChangeRequest,
    now: datetime,
) -> IssueWork:
    clock.require_clock(tenant, connection, now=now)
    meter = meters.lock_meter(tenant, connection, drn=wanted.drn)
    _require_none_on_its_way(connection, meter, wanted)
    group = network.find_supply_group(tenant, connection, code=wanted.supply_group_code)
    with token_refusals():
        record = module.vending_key(_after(meter, wanted)).record
    due = KeyChangeDue(
        group=group,
        key=MeterKey(
            supply_group_code=wanted.supply_group_code,
            tariff_index=wanted.tariff_index,
            key_revision_number=wanted.key_revision_number,
            key_type=record.key_type,
            base_date=record.base_date,
            key_expiry_number=record.key_expiry_number,
        ),
        reasons=(),
    )
    plan = plan_tokens(
        connection,
        module,
        meter=meter,
        group=group,
        request_id=wanted.request_id,
        wanted=(),
        now=now,
        change=planned_change(due, meter, request_id=wanted.request_id),
    )
    return IssueWork(
        issue=plan,
        basis_kind=BasisKind.KEY_CHANGE,
        case_number=None,
        reason=wanted.reason,
        time_zone=tenants.find_tenant(tenant, connection).time_zone,
    )


def _require_none_on_its_way(
    connection: Connection, meter: Meter, wanted: KeyChangeRequest
) -> None:
    """Refuse what would leave a key that may be in the meter in its history only.

    A set for the key that is on its way anyway may be made again, once the present key serves.
    """
    new = meter.new_key
    asked = (wanted.supply_group_code, wanted.key_revision_number, wanted.tariff_index)
    is_again = meter.serving is Serving.PRESENT and new is not None and new.called == asked
    if new is not None and not is_again:
        raise KeyChangePendingError(str(meter.drn))
    planned = request_statements.open_plans(meter.tenant, connection, drn=meter.drn)
    if plans_key_change(planned):
        raise KeyChangeUnknownError(str(meter.drn))


def _after(meter: Meter, wanted: KeyChangeRequest) -> MeterConfiguration:
    return replace(
        meter_configuration(meter),
        supply_group_code=wanted.supply_group_code,
        key_revision_number=wanted.key_revision_number,
        tariff_index=wanted.tariff_index,
        key_expiry_number=None,
    )


def _lock_changing(
    connection: Connection, tenant: str, *, drn: DecoderReferenceNumber
) -> tuple[Meter, MeterKeys]:
    meter = meters.lock_meter(tenant, connection, drn=drn)
    keys = keys_of(connection, meter)
    if meter.new_key is None and not keys.steps:
        raise NoKeyChangeError(str(drn))
    return meter, keys


def _write(
    connection: Connection,
    meter: Meter,
    operator: Operator,
    *,
    kind: str,
    reason: str,
    now: datetime,
) -> None:
    meters.change_meter(meter.tenant, connection, meter=meter)
    add_history(connection, meter, kind=kind, login=operator.login, now=now, reason=reason)
