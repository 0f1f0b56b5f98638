"""The meter at one moment, for pages and programs: readings in numbers and in words, no key."""

from dataclasses import dataclass, fields
from datetime import datetime
from enum import Enum

from sts.identifiers import KeyType
from sts.meter.display import credit_text, quantity_text, supply_text
from sts.meter.emergency import emergency_left, owed
from sts.meter.energy import cut_at
from sts.meter.key_change import waiting_for
from sts.meter.registers import MEASURES
from sts.meter.results import ResultCode
from sts.meter.spec import CreditKind, MeterSpec
from sts.meter.state import MeterState, SupplyCause, Volatile
from sts.tokens import Service


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """What one sees of a meter.

    Attributes:
        at: The moment, UTC. Never before an earlier snapshot's.
        drn: The number on the label.
        encryption_algorithm: EA code, ``07`` or ``11``.
        phases: 1 or 3.
        service: What it meters.
        credit_kind: Whether credit is in units or in currency.
        credit: The credit register, in ``credit_unit``, rounded down.
        credit_unit: ``Wh``, ``litre``, ``second``, or ``0.00001 ZAR``.
        credit_text: The same for people, for example ``12.345 kWh``.
        emergency_taken: Whether emergency credit is taken and not repaid yet.
        emergency_left: How much of it can still be used, in ``credit_unit``.
        owed: What the next token pays off first, in ``credit_unit``.
        emergency_text: Both for people; empty if none is taken.
        total: All that ever flowed, in Wh, litres or seconds, rounded down.
        total_text: The same for people.
        exported: All that ever flowed back, likewise.
        exported_text: The same for people.
        bought: All credit ever accepted, in ``credit_unit``.
        relay_closed: Whether supply flows.
        causes: What keeps the relay open, sorted.
        supply_text: Whether supply is on and, if not, why, in words for the household.
        load_w: The load in W (litres an hour for water and gas); drawn if the relay is closed.
        phase_loads_w: The same of each phase.
        power_limit_w: The maximum power limit; None for none.
        unbalance_limit_w: The maximum phase power unbalance limit; None for none.
        tampered: Whether the tamper status is set.
        credit_ends_at: When credit will be used up at this load; None if not in ten years.
        supply_group_code: 6 digits; ``000000`` is unknown.
        key_revision_number: None for an initialisation key.
        tariff_index: 2 digits.
        key_type: 0 to 2.
        key_expiry_number: 0 to 255.
        missing_parts: Key change tokens that the meter waits for.
        last_result: The answer to the last token; None before the first.
        locked_until: Until when tokens for this meter are turned away; None if they are not.
        powered: Whether the meter has power.
    """

    at: datetime
    drn: str
    encryption_algorithm: str
    phases: int
    service: Service
    credit_kind: CreditKind
    credit: int
    credit_unit: str
    credit_text: str
    emergency_taken: bool
    emergency_left: int
    owed: int
    emergency_text: str
    total: int
    total_text: str
    exported: int
    exported_text: str
    bought: int
    relay_closed: bool
    causes: tuple[SupplyCause, ...]
    supply_text: str
    load_w: int
    phase_loads_w: tuple[int, ...]
    power_limit_w: int | None
    unbalance_limit_w: int | None
    tampered: bool
    credit_ends_at: datetime | None
    supply_group_code: str
    key_revision_number: int | None
    tariff_index: str
    key_type: KeyType
    key_expiry_number: int
    missing_parts: tuple[int, ...]
    last_result: ResultCode | None
    locked_until: datetime | None
    powered: bool

    @property
    def measures_power(self) -> bool:
        """Whether the load is a power in watts."""
        return self.service is Service.ELECTRICITY

    @property
    def credit_wh(self) -> int:
        """The credit register of a meter that counts electricity in units."""
        return self.credit

    @property
    def total_wh(self) -> int:
        """The consumption register of an electricity meter."""
        return self.total

    def as_json(self) -> dict[str, object]:
        """Return the readings in types that JSON has; of enumerations the name."""
        return {field.name: _plain(getattr(self, field.name)) for field in fields(self)}


def snapshot_of(spec: MeterSpec, state: MeterState, volatile: Volatile) -> Snapshot:
    """Return the meter as ``state`` says; time does not pass."""
    register = state.key_register
    revision = register.key_revision_number
    return Snapshot(
        at=state.advanced_to,
        drn=str(spec.decoder_reference_number),
        encryption_algorithm=str(spec.encryption_algorithm),
        phases=spec.phases,
        service=spec.service,
        credit_kind=spec.credit_kind,
        credit=state.credit.whole,
        credit_unit=_credit_unit(spec),
        credit_text=credit_text(spec, state.credit.whole),
        emergency_taken=state.emergency_floor is not None,
        emergency_left=emergency_left(spec, state),
        owed=owed(state),
        emergency_text=_emergency_text(spec, state),
        total=state.consumed.whole,
        total_text=quantity_text(spec.service, state.consumed.whole),
        exported=state.exported.whole,
        exported_text=quantity_text(spec.service, state.exported.whole),
        bought=state.credit_bought,
        relay_closed=state.relay_closed,
        causes=tuple(sorted(state.causes)),
        supply_text=supply_text(state),
        load_w=state.load_w,
        phase_loads_w=state.watts,
        power_limit_w=state.power_limit_w,
        unbalance_limit_w=state.unbalance_limit_w,
        tampered=state.tampered,
        credit_ends_at=cut_at(spec, state),
        supply_group_code=str(register.supply_group_code),
        key_revision_number=None if revision is None else revision.number,
        tariff_index=str(register.tariff_index),
        key_type=register.key_type,
        key_expiry_number=register.key_expiry_number.number,
        missing_parts=waiting_for(spec, volatile),
        last_result=state.last_result,
        locked_until=state.lockout.until if state.lockout.is_active(state.advanced_to) else None,
        powered=state.powered,
    )


def _emergency_text(spec: MeterSpec, state: MeterState) -> str:
    if state.emergency_floor is None:
        return ""
    left, due = credit_text(spec, emergency_left(spec, state)), credit_text(spec, owed(state))
    return f"{left} left, {due} to pay off"


def _credit_unit(spec: MeterSpec) -> str:
    if spec.credit_kind is CreditKind.CURRENCY:
        return f"0.00001 {spec.currency}"
    return MEASURES[spec.service].unit


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Enum):
        return value.name
    if isinstance(value, tuple):
        return [_plain(part) for part in value]
    return value
