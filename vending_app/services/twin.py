"""The twin: before anybody sees a token, a shadow of the customer's meter is asked what it says.

The shadow is the meter's own validation (``sts.meter.acceptance.validate``) over what is known of
the meter here: which service and credit it counts, the type and expiry of its key, and the token
identifiers issued to it, as if every one of them had been entered. The module's independent decode
of each token goes in; no key is involved. What is not known of a meter refuses nothing.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from sts import (
    BaseDate,
    DecoderReferenceNumber,
    EncryptionAlgorithm,
    KeyExpiryNumber,
    KeyType,
    Service,
)
from sts.key_change import PERMITTED_KEY_TYPES
from sts.meter import MeterSpec
from sts.meter.acceptance import tid_of, validate
from sts.meter.outcomes import Refused
from sts.meter.results import RESULTS, ResultCode
from sts.meter.spec import CreditKind as MeterCredit
from sts.meter.spec import PricePeriod
from sts.meter.tid_store import filled_store, with_cancelled
from sts.token_identifier import TID_STORE_SIZE
from sts.tokens import Token
from vending_app.domain.network import CreditKind
from vending_app.services.plans import Made

_NEW_STORE: Final = filled_store(0, TID_STORE_SIZE)
_ANY_METER: Final = DecoderReferenceNumber.from_serial("0000", 0)
"""Whose number stands on the label does not matter: no check of validation looks at it."""
_ANY_CURRENCY: Final = "XXX"
_ANY_PRICE: Final = PricePeriod(starts_at=BaseDate.Y1993.start, per_thousand=1)
_THREE_PHASES: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Shadow:
    """What validation looks at, as it is known without the meter.

    Attributes:
        tid_store: The token identifiers that it would hold, ascending.
        key_type: Of its key.
        key_expiry_number: Of its key.
    """

    tid_store: tuple[int, ...]
    key_type: KeyType
    key_expiry_number: KeyExpiryNumber


def twin_refusal(made: Made, *, issued: tuple[int, ...]) -> Refused | None:
    """Return how the meter would refuse one of the tokens, or None if it would take them all.

    Args:
        made: What the security module made, all of it.
        issued: The token identifiers issued to the meter before, under the base date of the key
            that the tokens are for.
    """
    meter, key = made.plan.meter, made.plan.meter.key
    spec = _spec(
        meter.encryption_algorithm,
        meter.service,
        credit_kind=meter.credit_kind,
        polyphase=meter.phases == _THREE_PHASES,
        three_tokens=meter.takes_supply_group,
    )
    shadow = Shadow(
        tid_store=_store_of(issued),
        key_type=key.key_type,
        key_expiry_number=key.key_expiry_number,
    )
    if made.change is not None:
        refusal = _refusal(spec, shadow, [part.token for part in made.change.tokens])
        if isinstance(refusal, Refused):
            return refusal
        goal = made.change.new_key.record
        if (key.key_type, goal.key_type) not in PERMITTED_KEY_TYPES:
            code = ResultCode.KEY_TYPE_ERROR
            return Refused(code=code, reason=RESULTS[code].engineer)
        shadow = Shadow(
            tid_store=shadow.tid_store,
            key_type=goal.key_type,
            key_expiry_number=goal.key_expiry_number,
        )
    after = _refusal(spec, shadow, [answer.token for answer in made.answers])
    return after if isinstance(after, Refused) else None


def _refusal(spec: MeterSpec, shadow: Shadow, tokens: list[Token]) -> Refused | None:
    """Enter tokens one after the other; each takes its place in the store."""
    store = shadow.tid_store
    for token in tokens:
        found = validate(
            spec,
            Shadow(
                tid_store=store,
                key_type=shadow.key_type,
                key_expiry_number=shadow.key_expiry_number,
            ),
            token,
        )
        if isinstance(found, Refused):
            return found
        tid = tid_of(token)
        if tid is not None:
            store = with_cancelled(store, tid)
    return None


def _store_of(issued: tuple[int, ...]) -> tuple[int, ...]:
    """Return the store of a meter that has taken all these identifiers, in any order."""
    return tuple(sorted((*_NEW_STORE, *issued))[-TID_STORE_SIZE:])


@lru_cache(maxsize=256)
def _spec(
    algorithm: EncryptionAlgorithm,
    service: Service,
    *,
    credit_kind: CreditKind,
    polyphase: bool,
    three_tokens: bool,
) -> MeterSpec:
    """Return what validation has to know of a kind of meter; of these there are few."""
    currency = credit_kind is CreditKind.CURRENCY
    return MeterSpec(
        decoder_reference_number=_ANY_METER,
        encryption_algorithm=algorithm,
        service=service,
        credit_kind=MeterCredit.CURRENCY if currency else MeterCredit.UNIT,
        currency=_ANY_CURRENCY if currency else "",
        prices=(_ANY_PRICE,) if currency else (),
        phases=3 if polyphase else 1,
        supports_three_token_set=three_tokens,
        stores_tariff_rate=True,
        stores_water_factor=service is Service.WATER,
    )
