"""What a security module is to make for one request, and what it has made of it."""

from dataclasses import dataclass
from functools import lru_cache

from keys import KeyChangeAnswer, MeterConfiguration, NewKey, TokenRequest
from keys.answers import IssueAnswer
from sts import DecoderReferenceNumber, MeterPan
from vending_app.domain.network import Meter, MeterKey


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedChange:
    """A key change to be made.

    Attributes:
        message_id: Its name for the security module.
        new: What the module is asked for.
        key: The key that the meter has after it.
    """

    message_id: str
    new: NewKey
    key: MeterKey


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedToken:
    """A token to be made.

    Attributes:
        message_id: Its name for the security module.
        request: What the module is asked for, with its token identifier.
    """

    message_id: str
    request: TokenRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuePlan:
    """All that a security module is asked for in one request.

    Attributes:
        meter: The meter as it was when the plan was made.
        change: The key change that comes first, if there is one.
        tokens: The tokens, in the order in which they are entered.
        used: The token identifiers that counted as used before; None where the plan was read back,
            for meanwhile there may be more.
    """

    meter: Meter
    change: PlannedChange | None
    tokens: tuple[PlannedToken, ...]
    used: tuple[int, ...] | None = None

    @property
    def key(self) -> MeterKey:
        """The key that the tokens are made for."""
        return self.meter.key if self.change is None else self.change.key


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """What a security module has made of a plan.

    Attributes:
        plan: The plan.
        change: The key change set, if one was planned and made.
        answers: The tokens made; fewer than planned only after a failure.
    """

    plan: IssuePlan
    change: KeyChangeAnswer | None
    answers: tuple[IssueAnswer, ...]

    @property
    def is_complete(self) -> bool:
        """Whether everything was made."""
        changed = (self.change is None) == (self.plan.change is None)
        return changed and len(self.answers) == len(self.plan.tokens)

    @property
    def is_nothing(self) -> bool:
        """Whether nothing was made."""
        return self.change is None and not self.answers


def meter_configuration(meter: Meter, key: MeterKey | None = None) -> MeterConfiguration:
    """Return what a security module must know of a meter, with the key that serves or another."""
    held = meter.key if key is None else key
    return MeterConfiguration(
        tenant=meter.tenant,
        meter_pan=_meter_pan(meter.drn),
        supply_group_code=held.supply_group_code,
        tariff_index=held.tariff_index,
        key_revision_number=held.key_revision_number,
        key_type=held.key_type,
        encryption_algorithm=meter.encryption_algorithm,
        token_carrier_type=meter.token_carrier_type,
        key_expiry_number=held.key_expiry_number,
    )


@lru_cache(maxsize=1024)
def _meter_pan(drn: DecoderReferenceNumber) -> MeterPan:
    """Return the number of a meter as modules know it; a sale needs it several times."""
    return MeterPan.from_drn(drn)


def message_id(tenant: str, request_id: str, part: str) -> str:
    """Return the name of a part of a request: ``key``, or the number of a token from 1."""
    return f"{tenant}/{request_id}/{part}"
