"""Carrying on, in the words of selling, what the library and the security module refuse."""

from collections.abc import Iterator
from contextlib import contextmanager

from keys import KeysError
from sts import DecoderReferenceNumber, MeterPan, StsError
from sts.errors import IdentifierError, WrongCheckDigitError
from vending_app.domain.errors import MeterNumberError, TokenRefusedError


@contextmanager
def token_refusals() -> Iterator[None]:
    """Turn what library and security module refuse into a ``TokenRefusedError``."""
    try:
        yield
    except (StsError, KeysError) as error:
        raise TokenRefusedError(error.code, f"{error}.", hint=error.hint) from error


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
