"""Reading a token as its meter would, as far as the meter's key decides the answer."""

from datetime import datetime, timedelta
from typing import Final

from keys.answers import AcceptableToken, UnacceptableToken, Verification, without_key_parts
from keys.errors import CreditUnderDefaultKeyError
from keys.registered_key import RegisteredKey
from keys.rules import require_permitted_kind
from keys.token_making import CipherSource, read_tokens
from sts import ReservedToken, StsError, Token, datetime_from_tid
from sts.errors import ReservedSubclassError
from sts.token_identifier import require_unexpired, require_utc

_MINUTE: Final = timedelta(minutes=1)


def verify_token(
    digits: str, source: CipherSource, *, key: RegisteredKey, now: datetime
) -> Verification:
    """Tell what a token says, or why the meter does not accept it.

    Raises:
        NaiveDatetimeError: ``now`` has no zone.
    """
    present = require_utc(now)
    token: Token | None = None
    try:
        (token,) = (without_key_parts(each) for each in read_tokens((digits,), source))
        _require_acceptable(token, key)
    except (StsError, CreditUnderDefaultKeyError) as error:
        return UnacceptableToken(code=error.code, reason=str(error), token=token)
    tid: int | None = getattr(token, "tid", None)
    if tid is None:
        return AcceptableToken(token=token, issued_at=None, age_minutes=None)
    issued_at = datetime_from_tid(tid, key.record.base_date)
    age_minutes = (present - issued_at) // _MINUTE
    return AcceptableToken(token=token, issued_at=issued_at, age_minutes=age_minutes)


def _require_acceptable(token: Token, key: RegisteredKey) -> None:
    """Check in the order of a meter: the kind of token, the kind of key, the expiry."""
    if isinstance(token, ReservedToken):
        raise ReservedSubclassError(token.token_class, token.subclass)
    require_permitted_kind(token, key)
    tid: int | None = getattr(token, "tid", None)
    if tid is not None:
        require_unexpired(tid, key.record.key_expiry_number, key.record.base_date)
