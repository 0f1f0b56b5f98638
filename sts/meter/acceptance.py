"""A token's way into the meter, in the standard's order (IEC 62055-41, 7.3 and 8).

    digits ─ format ─ class ─ locked out?                             apply
           ─ decrypt ─ CRC ─ manufacturer code                        authenticate   7.3.6
           ─ old? used? ─ key expired? ─ default key? ─ function?     validate       7.3.7
           ─ range? overflow? ─ do it                                 functions      8
           ─ cancel the identifier                                    apply          7.3.8

The first check that fails is the answer. A refused token changes nothing but the last result and
the lock-out: its identifier is not cancelled, so a credit that would overflow can be entered again
later. During a lock-out a token for one meter is not even decrypted.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, Protocol, assert_never

from sts.codec import decode, parse_digits, split_class
from sts.errors import (
    CipherMismatchError,
    CrcMismatchError,
    Exceeds66BitsError,
    NonCanonicalTokenError,
    NotTwentyDigitsError,
    ReservedClassError,
    TokenError,
)
from sts.identifiers import KeyExpiryNumber, KeyType
from sts.meter.errors import MeterPowerError
from sts.meter.events import (
    NOTHING_WRITTEN,
    Advance,
    Event,
    EventKind,
    Written,
    event,
)
from sts.meter.functions import execute, lack_of
from sts.meter.key_change import without_stale
from sts.meter.lockout import NO_LOCKOUT, after_refusal
from sts.meter.outcomes import (
    Authentic,
    Authentication,
    Malformed,
    Outcome,
    Refused,
    Valid,
    Validation,
)
from sts.meter.results import RESULTS, ResultCode
from sts.meter.spec import MeterSpec
from sts.meter.state import MeterState, Volatile
from sts.meter.supply import advance, settle
from sts.meter.tid_store import refusal_of, with_cancelled
from sts.meter.transition import Situation, Transition
from sts.tokens import (
    BlockCipher,
    CreditToken,
    InitiateMeterTest,
    ManagementToken,
    ProprietaryTest,
    ReadExtended,
    Token,
)

REFUSED_UNREAD: Final[Mapping[type[TokenError], ResultCode]] = {
    NotTwentyDigitsError: ResultCode.FORMAT_ERROR,
    Exceeds66BitsError: ResultCode.FORMAT_ERROR,
    ReservedClassError: ResultCode.FUNCTION_ERROR,
    CrcMismatchError: ResultCode.CRC_ERROR,
    CipherMismatchError: ResultCode.FUNCTION_ERROR,
}
"""How the meter answers where the codec cannot read a token at all."""

_FAULTS: Final = {"format": ResultCode.FORMAT_ERROR, "range": ResultCode.RANGE_ERROR}
_UNIVERSAL_CODE: Final = 0
_ENCRYPTED_CLASSES: Final = frozenset({0, 2})


class ValidationState(Protocol):
    """What validation looks at: a meter's state, or what vending knows of it (no key)."""

    @property
    def tid_store(self) -> tuple[int, ...]:
        """Accepted token identifiers, ascending."""
        ...

    @property
    def key_type(self) -> KeyType:
        """The type of the present key."""
        ...

    @property
    def key_expiry_number(self) -> KeyExpiryNumber:
        """The expiry of the present key; 255 in a meter that does not keep one."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Reaction:
    """What a token made of the meter.

    Attributes:
        state: The state after it; also advanced to the moment of entry.
        volatile: Volatile memory after it.
        outcome: The answer.
        events: What happened up to and with the entry, oldest first.
        written: Half hours and days that were completed before it.
    """

    state: MeterState
    volatile: Volatile
    outcome: Outcome
    events: tuple[Event, ...]
    written: Written = NOTHING_WRITTEN


def authenticate(digits: str, cipher: BlockCipher, *, manufacturer_code: str) -> Authentication:
    """Read 20 digits and check that they are meant for this meter (7.3.6).

    Args:
        digits: As keyed; spaces and dashes are ignored.
        cipher: The meter's cipher under its present key.
        manufacturer_code: The meter's, 2 or 4 digits, for class 1.
    """
    try:
        token = decode(digits, cipher)
    except NonCanonicalTokenError as error:
        return Malformed(
            code=_FAULTS[error.fault],
            reason=str(error),
            tid=error.fields.get("tid"),
            is_credit=error.token_class == 0,
        )
    except tuple(REFUSED_UNREAD) as error:
        return Refused(code=REFUSED_UNREAD[type(error)], reason=str(error))
    if _is_for_another_make(token, manufacturer_code):
        return _refused(ResultCode.MANUFACTURER_CODE_ERROR, token)
    return Authentic(token=token)


def validate(spec: MeterSpec, state: ValidationState, token: Token) -> Validation:
    """Check a token's identifier against the meter, and that the meter has the function (7.3.7).

    No key is needed, so vending can ask the same of what it knows of a customer's meter.
    """
    code = _identifier_refusal(
        spec, state, tid=tid_of(token), is_credit=isinstance(token, CreditToken)
    )
    if code is not None:
        return _refused(code, token)
    lack = lack_of(spec, token)
    if lack:
        return Refused(code=ResultCode.FUNCTION_ERROR, reason=lack, token=token)
    return Valid(token=token)


def apply(
    spec: MeterSpec,
    state: MeterState,
    volatile: Volatile,
    *,
    digits: str,
    cipher: BlockCipher,
    now: datetime,
) -> Reaction:
    """Let time pass until ``now``, then take the token: the whole way, one atomic step.

    Args:
        spec: What the meter was built as.
        state: Its state.
        volatile: Its volatile memory.
        digits: As keyed.
        cipher: Its cipher under its present key, which a key change may replace.
        now: The moment of entry. If it is before the state's own time, that is the moment.

    Raises:
        MeterPowerError: The meter has no power.
        NaiveDatetimeError: ``now`` has no zone.
    """
    if not state.powered:
        raise MeterPowerError
    passed = advance(spec, state, now)
    kept = without_stale(volatile, passed.state.advanced_to)
    situation = Situation(spec=spec, state=passed.state, volatile=kept)
    reacted = _turned_away(passed.state, digits) or _react(situation, digits, cipher)
    if isinstance(reacted, Refused):
        counted = _after_refusal(passed.state, digits, reacted)
        return Reaction(
            state=replace(counted.state, last_result=reacted.code),
            volatile=kept,
            outcome=reacted,
            events=(*passed.events, *counted.events),
            written=passed.written,
        )
    lockout = NO_LOCKOUT if is_for_one_meter(digits) else passed.state.lockout
    taken = replace(reacted.state, last_result=reacted.outcome.code, lockout=lockout)
    settled = settle(spec, taken)
    return Reaction(
        state=settled.state,
        volatile=reacted.volatile,
        outcome=reacted.outcome,
        events=(*passed.events, *reacted.events, *settled.events),
        written=passed.written,
    )


def tid_of(token: Token) -> int | None:
    """Return the token identifier; None for tests, key changes and undefined tokens."""
    return token.tid if isinstance(token, CreditToken | ManagementToken) else None


def is_for_one_meter(digits: str) -> bool:
    """Tell whether digits are a token under a meter's own key: of class 0 or 2.

    Digits that are no token at all and the reserved class 3 are not.
    """
    try:
        token_class, _ = split_class(parse_digits(digits))
    except (NotTwentyDigitsError, Exceeds66BitsError):
        return False
    return token_class in _ENCRYPTED_CLASSES


def _turned_away(state: MeterState, digits: str) -> Refused | None:
    lockout = state.lockout
    if not lockout.is_active(state.advanced_to) or not is_for_one_meter(digits):
        return None
    return Refused(
        code=ResultCode.TOKEN_LOCKOUT,
        reason=f"locked out until {lockout.until} after {lockout.refusals} refused tokens",
    )


def _after_refusal(state: MeterState, digits: str, refused: Refused) -> Advance:
    """Count a refused token; what the lock-out itself turned away does not count."""
    if refused.code is ResultCode.TOKEN_LOCKOUT or not is_for_one_meter(digits):
        return Advance(state=state)
    counted = replace(state, lockout=after_refusal(state.lockout, state.advanced_to))
    if not counted.lockout.is_active(state.advanced_to):
        return Advance(state=counted)
    return Advance(state=counted, events=(event(counted, EventKind.LOCKED_OUT),))


def _react(situation: Situation, digits: str, cipher: BlockCipher) -> Transition | Refused:
    spec, state = situation.spec, situation.state
    code = spec.decoder_reference_number.manufacturer_code
    read = authenticate(digits, cipher, manufacturer_code=code)
    match read:
        case Refused():
            return read
        case Malformed():
            # Old and used come first: the identifier of such a token can be read.
            refusal = _identifier_refusal(spec, state, tid=read.tid, is_credit=read.is_credit)
            if refusal is not None:
                return Refused(code=refusal, reason=RESULTS[refusal].engineer)
            return Refused(code=read.code, reason=read.reason)
        case Authentic():
            valid = validate(spec, state, read.token)
            return valid if isinstance(valid, Refused) else _execute(situation, read.token)
        case _ as never:
            assert_never(never)


def _execute(situation: Situation, token: Token) -> Transition | Refused:
    """Do what the token asks for and, if that succeeds, cancel its identifier (7.3.8)."""
    done = execute(situation, token)
    tid = tid_of(token)
    if isinstance(done, Refused) or tid is None:
        return done
    store = with_cancelled(done.state.tid_store, tid)
    return replace(done, state=replace(done.state, tid_store=store))


def _identifier_refusal(
    spec: MeterSpec, state: ValidationState, *, tid: int | None, is_credit: bool
) -> ResultCode | None:
    """Return the first of 7.3.7's reasons against a token, or None."""
    if tid is None:
        return None
    refusal = refusal_of(state.tid_store, tid)
    if refusal is not None:
        return refusal
    # A manufacturer's key has no expiry (6.1.10).
    expires = spec.supports_key_expiry and state.key_type is not KeyType.INITIALISATION
    if expires and not state.key_expiry_number.covers(tid):
        return ResultCode.KEY_EXPIRED_ERROR
    if is_credit and state.key_type is KeyType.DEFAULT:
        return ResultCode.DDTK_ERROR
    return None


def _is_for_another_make(token: Token, own_code: str) -> bool:
    """Tell whether a class 1 token names another maker; 0 is for every make.

    Whether a code is in binary or in BCD the sources do not say, so both are taken.
    """
    match token:
        case InitiateMeterTest() | ProprietaryTest():
            digits = token.manufacturer_digits
        case ReadExtended():
            digits = 2
        case _:
            return False
    own = {int(own_code), int(own_code, 16)} if int(own_code) < 10**digits else set()
    return token.manufacturer_code not in {_UNIVERSAL_CODE, *own}


def _refused(code: ResultCode, token: Token) -> Refused:
    return Refused(code=code, reason=RESULTS[code].engineer, token=token)
