"""The story of a token: what it says to its meter, and how it came to be.

Somebody brings 20 digits and a meter number. The security module reads them under the keys that the
meter may hold; the books tell whether we made them, for what, and what became of them.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from keys import SecurityModule
from keys.answers import AcceptableToken, Verification
from sts import DecoderReferenceNumber, StsError
from sts.codec import parse_digits
from vending_app.domain.cases import Case
from vending_app.domain.key_changes import MeterKeys
from vending_app.domain.network import Meter, MeterKey
from vending_app.domain.parties import Operator
from vending_app.domain.roles import Permission
from vending_app.domain.sales import Basis, MadeToken, Sale
from vending_app.services.handing_out import handed_out, keys_of, tokens_handed_out
from vending_app.services.permissions import require
from vending_app.services.plans import meter_configuration
from vending_app.services.refusals import carried_on, token_refusals
from vending_app.storage import cases, meters, sales, tokens
from vending_app.storage.engine import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What a token says under one of the keys that a meter may hold.

    Attributes:
        key: The key.
        serves: Whether it is the one that tokens are made for now.
        verification: What the security module says.
    """

    key: MeterKey
    serves: bool
    verification: Verification


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """How a token came to be.

    Attributes:
        token: The token as it is handed out: with why, and without its digits, if it is not.
        basis: Why it was made.
        sale: The sale, if it was one, as it is handed out.
        case: The case, if it was one.
        reprints: How often it was printed again.
    """

    token: MadeToken
    basis: Basis
    sale: Sale | None
    case: Case | None
    reprints: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenStory:
    """All that is known of a token.

    Attributes:
        meter: The meter.
        digits: The 20 digits.
        readings: What it says, under the key that serves first.
        origin: How it came to be; None if it was not made here for this meter.
    """

    meter: Meter
    digits: str
    readings: tuple[Reading, ...]
    origin: Origin | None

    @property
    def best(self) -> Reading:
        """The reading under which the meter accepts it, or that of the key that serves."""
        accepted = [
            reading
            for reading in self.readings
            if isinstance(reading.verification, AcceptableToken)
        ]
        return accepted[0] if accepted else self.readings[0]


def tell_story(
    store: Store,
    module: SecurityModule,
    operator: Operator,
    *,
    drn: DecoderReferenceNumber,
    digits: str,
    now: datetime,
) -> TokenStory:
    """Return what is known of a token; nothing is written.

    Args:
        store: The database.
        module: The security module.
        operator: Who asks.
        drn: The meter that it is said to be for.
        digits: 20 digits; spaces and dashes are ignored.
        now: The present time, aware.

    Raises:
        NotPermittedError: The operator's role does not allow it.
        UnknownMeterError: There is no such meter.
        TokenRefusedError: These are no 20 digits of a token, or the module has no key for it.
    """
    require(operator, Permission.VERIFY)
    try:
        plain = f"{parse_digits(digits):020d}"
    except StsError as error:
        raise carried_on(error) from error
    tenant = operator.tenant
    with store.read() as connection:
        meter = meters.find_meter(tenant, connection, drn=drn)
        keys = keys_of(connection, meter)
        origin = _origin(connection, meter, keys, digits=plain)
    return TokenStory(
        meter=meter,
        digits=plain,
        readings=_readings(module, meter, keys, digits=plain, now=now),
        origin=origin,
    )


def _readings(
    module: SecurityModule, meter: Meter, keys: MeterKeys, *, digits: str, now: datetime
) -> tuple[Reading, ...]:
    recorded = (meter.key, meter.present_key, meter.new_key or meter.key)
    held = dict.fromkeys((*recorded, *keys.held.values()))
    with token_refusals():
        return tuple(
            Reading(
                key=key,
                serves=key == meter.key,
                verification=module.verify(meter_configuration(meter, key), digits, now=now),
            )
            for key in held
        )


def _origin(connection: Connection, meter: Meter, keys: MeterKeys, *, digits: str) -> Origin | None:
    tenant = meter.tenant
    token = tokens.find_by_digits(tenant, connection, drn=meter.drn, digits=digits)
    if token is None:
        return None
    number = token.basis_number
    basis = tokens.find_basis(tenant, connection, basis_number=number)
    case, sale = (
        basis.case_number,
        sales.find_sale_of_basis(tenant, connection, basis_number=number),
    )
    (shown,) = tokens_handed_out(keys, [token])
    return Origin(
        token=shown,
        basis=basis,
        sale=None if sale is None else handed_out(connection, sale)[0],
        case=None if case is None else cases.find_case(tenant, connection, case_number=case),
        reprints=sales.count_reprints(tenant, connection, basis_number=number),
    )
