from collections.abc import Callable

import pytest

from keys import (
    ClearTamperRequest,
    CreditRequest,
    KeysError,
    TariffRateRequest,
    WaterMeterFactorRequest,
    WriteExtendedRequest,
)
from sts import Service, StsError, encode_amount

RESERVED = 1440 * 4000 + 1


@pytest.mark.parametrize(
    ("make", "code"),
    [
        (lambda: ClearTamperRequest(tid_minutes=0), "FIELD_RANGE"),
        (lambda: ClearTamperRequest(tid_minutes=-1), "FIELD_RANGE"),
        (lambda: ClearTamperRequest(tid_minutes=1 << 24), "FIELD_RANGE"),
        (lambda: TariffRateRequest(tid_minutes=5, rate=1 << 16), "FIELD_RANGE"),
        (lambda: WaterMeterFactorRequest(tid_minutes=5, factor=-1), "FIELD_RANGE"),
        (lambda: WriteExtendedRequest(tid_minutes=5, index=64, data=0), "FIELD_RANGE"),
        (lambda: ClearTamperRequest(tid_minutes=RESERVED), "RESERVED_MINUTE"),
        (lambda: ClearTamperRequest(tid_minutes=5, special_reserved=True), "RESERVED_MINUTE"),
    ],
)
def test_a_request_that_no_token_can_carry_cannot_be_made(
    make: Callable[[], object], code: str
) -> None:
    with pytest.raises((KeysError, StsError)) as refusal:
        make()
    assert isinstance(refusal.value, KeysError | StsError)
    assert refusal.value.code == code


def test_a_special_reserved_request_has_the_reserved_minute() -> None:
    request = CreditRequest(
        service=Service.ELECTRICITY,
        tid_minutes=RESERVED,
        special_reserved=True,
        amount=encode_amount(1),
    )
    assert request.token(7) != request.token(8)
