"""Carrying on, in the words of selling, what the library and the security module refuse."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime

from sqlalchemy.exc import DBAPIError

from keys import KeysError
from keys.canonical_json import JsonObject, canonical_bytes
from sts import DecoderReferenceNumber, MeterPan, StsError
from sts.errors import IdentifierError, WrongCheckDigitError
from vending_app.domain.errors import (
    MeterNumberError,
    OutcomeUnknownError,
    StoreBusyError,
    TokenRefusedError,
    VendingError,
)
from vending_app.storage import audit, tenants
from vending_app.storage.audit import AuditEvent
from vending_app.storage.engine import Store


@contextmanager
def token_refusals() -> Iterator[None]:
    """Turn what library and security module refuse into a ``TokenRefusedError``."""
    try:
        yield
    except (StsError, KeysError) as error:
        raise carried_on(error) from error


def carried_on(error: StsError | KeysError) -> TokenRefusedError:
    """Return a refusal of the library or the security module in the words of selling."""
    return TokenRefusedError(error.code, f"{error}.", hint=error.hint)


@contextmanager
def audited_refusals(
    store: Store, tenant: str, *, login: str, about: JsonObject, now: datetime
) -> Iterator[None]:
    """Write every refusal into the audit log: all that a refused request leaves behind.

    Args:
        store: The database.
        tenant: Whose.
        login: Who asked.
        about: What was asked for.
        now: The present time, aware.
    """
    try:
        yield
    except StoreBusyError:
        # There is no room for another row now, here and below; the same request will come again.
        raise
    except VendingError as error:
        unsaid = isinstance(error.__cause__, StoreBusyError | DBAPIError)
        if isinstance(error, OutcomeUnknownError) and unsaid:
            raise
        event = AuditEvent(
            kind="refused",
            login=login,
            code=error.code,
            message=str(error),
            document=canonical_bytes(about).decode("ascii"),
            happened_at=now,
        )
        # Whoever asked is told why in any case.
        with suppress(StoreBusyError), store.write() as connection:
            if tenants.has_tenant(tenant, connection):
                audit.add_event(tenant, connection, event=event)
        raise


def parse_meter_number(text: str) -> DecoderReferenceNumber:
    """Read a meter number that a person typed: 11, 13 or 18 digits, spaces and dashes allowed.

    Raises:
        MeterNumberError: It is none; of a wrong check digit the message says the right one.
    """
    try:
        return MeterPan.parse(text.strip()).drn
    except WrongCheckDigitError as error:
        message = (
            f"The last digit of this meter number must be {error.expected}, not {error.found}."
        )
        raise MeterNumberError(error.code, message, hint=error.hint) from error
    except IdentifierError as error:
        # The library's message begins with its own name for what is wrong.
        reason = str(error).removeprefix(f"{error.name}: ")
        message = f"This is not a meter number: {reason}."
        raise MeterNumberError(error.code, message, hint=error.hint) from error
