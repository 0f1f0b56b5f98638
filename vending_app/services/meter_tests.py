"""Tokens that every meter takes: tests and displays of class 1, not encrypted, without a key.

They give nothing away, so they need no basis and nobody's approval; that they were made is written
into the audit log.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from keys.canonical_json import canonical_bytes
from sts import InitiateMeterTest, StsError, encode
from vending_app.domain.parties import Operator
from vending_app.domain.roles import Permission
from vending_app.services.permissions import require
from vending_app.services.refusals import carried_on
from vending_app.storage import audit
from vending_app.storage.audit import AuditEvent
from vending_app.storage.engine import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class MeterTestToken:
    """A token that makes any meter test or show something.

    Attributes:
        digits: The 20 digits.
        token: What they say.
    """

    digits: str
    token: InitiateMeterTest


def meter_test_token(
    store: Store,
    operator: Operator,
    *,
    tests: Sequence[int],
    manufacturer_digits: Literal[2, 4] = 2,
    now: datetime,
) -> MeterTestToken:
    """Return the token for some tests; test 0 alone means all of them.

    Args:
        store: The database.
        operator: Who asks.
        tests: Their numbers.
        manufacturer_digits: How long the manufacturer codes of such meters are.
        now: The present time, aware.

    Raises:
        NotPermittedError: The operator's role does not allow it.
        TokenRefusedError: There is no such test.
    """
    require(operator, Permission.VERIFY)
    try:
        token = InitiateMeterTest.for_tests(tests, manufacturer_digits=manufacturer_digits)
    except StsError as error:
        raise carried_on(error) from error
    event = AuditEvent(
        kind="meter test",
        login=operator.login,
        code="METER_TEST",
        message=f"Token for the tests {', '.join(str(test) for test in token.tests)}.",
        document=canonical_bytes({"tests": list(token.tests)}).decode("ascii"),
        happened_at=now,
    )
    with store.write() as connection:
        audit.add_event(operator.tenant, connection, event=event)
    return MeterTestToken(digits=encode(token), token=token)
