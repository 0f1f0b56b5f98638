"""The steps, one function each; what a step finds wrong is what it yields."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from sts import BaseDate, CreditRegister, datetime_from_tid
from vending_app.conformance.point import (
    KEN_EXPIRED,
    KEN_LAST,
    KEN_OTHER,
    START,
    PointOfSale,
    meter_key,
    open_point,
)
from vending_app.domain.cases import CaseToken, CaseTokenKind
from vending_app.domain.errors import MeterNumberError, VendingError
from vending_app.domain.network import Meter, Serving
from vending_app.domain.sales import MadeToken
from vending_app.services.refusals import parse_meter_number

_PAN: Final = "600727000000000009"
_SECOND_PAN: Final = "600727111111111153"
_AFTER_KEN_85: Final = datetime(2025, 1, 1, tzinfo=UTC)
"""Long after the last minute of key expiry number 85 under the base date of 2014."""
_CLEAR_CREDIT: Final = CaseToken(kind=CaseTokenKind.CLEAR_CREDIT, value=CreditRegister.ALL.value)
_KEY_CHANGE_OF_16_4: Final = (
    "42459678114844702446",
    "69527545380820046989",
    "04734524228726387550",
    "33434270821941461228",
)
"""The published tokens of CTSA16, step 4."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step.

    Attributes:
        test: The test of STS 531 that it belongs to.
        title: What it shows.
        check: Yields what is wrong.
    """

    test: str
    title: str
    check: Callable[[PointOfSale], Iterator[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class StepResult:
    """What a step came to.

    Attributes:
        step: The step.
        problems: What was wrong; none if it passed.
    """

    step: Step
    problems: tuple[str, ...]

    @property
    def passed(self) -> bool:
        """Whether nothing was wrong."""
        return not self.problems


def run() -> tuple[StepResult, ...]:
    """Run every step, each at a point of sale of its own."""
    return tuple(StepResult(step=step, problems=tuple(_problems(step))) for step in STEPS)


def _problems(step: Step) -> Iterator[str]:
    with TemporaryDirectory(prefix="sts-conformance-") as folder, open_point(Path(folder)) as point:
        try:
            yield from step.check(point)
        except VendingError as error:
            yield f"refused with {error.code}: {error}"


def _expect(what: str, found: object, expected: object) -> Iterator[str]:
    if found != expected:
        yield f"{what}: {found}, expected {expected}"


def _refused(what: str, code: str, attempt: Callable[[], object]) -> Iterator[str]:
    try:
        attempt()
    except VendingError as error:
        yield from _expect(f"{what}: code of the refusal", error.code, code)
    else:
        yield f"{what}: was not refused"


def _minute(token: MadeToken) -> str:
    assert token.tid_minutes is not None
    return datetime_from_tid(token.tid_minutes, BaseDate.Y2014).strftime("%H:%M")


def _meter(point: PointOfSale) -> Meter:
    return point.add_meter(_PAN, group=201457, revision=1)


# --- CTSA09: token identifiers ------------------------------------------------------------------


def _midnight(point: PointOfSale) -> Iterator[str]:
    sale = point.sell(_meter(point).drn)
    yield from _expect("identifier", _minute(sale.tokens[0]), "00:00")


def _reserved_minute(point: PointOfSale) -> Iterator[str]:
    meter = _meter(point)
    point.now = START + timedelta(minutes=1)
    sale = point.sell(meter.drn)
    yield from _expect("identifier", _minute(sale.tokens[0]), "00:02")


def _special_token(point: PointOfSale) -> Iterator[str]:
    meter = _meter(point)
    point.now = START + timedelta(hours=9)
    special = point.sell(meter.drn, special_reserved=True)
    yield from _expect("identifier", _minute(special.tokens[0]), "00:01")
    yield from _refused(
        "a second special token of the day",
        "TID_ALREADY_USED",
        lambda: point.sell(meter.drn, special_reserved=True),
    )


def _three_credits(point: PointOfSale) -> Iterator[str]:
    meter = _meter(point)
    point.now = START + timedelta(minutes=3)
    found = [_minute(point.sell(meter.drn).tokens[0]) for _ in range(3)]
    yield from _expect("identifiers", found, ["00:03", "00:04", "00:05"])


def _three_clearings(point: PointOfSale) -> Iterator[str]:
    meter = _meter(point)
    point.now = START + timedelta(minutes=3)
    made = point.engineer_tokens(meter.drn, [_CLEAR_CREDIT] * 3)
    yield from _expect("identifiers", [_minute(each) for each in made], ["00:03", "00:04", "00:05"])


# --- CTSA16: expired keys -----------------------------------------------------------------------


def _expired(point: PointOfSale) -> Meter:
    point.now = _AFTER_KEN_85
    return point.add_meter(_SECOND_PAN, group=201460, revision=7, expiry=KEN_EXPIRED)


def _no_credit(point: PointOfSale) -> Iterator[str]:
    meter = _expired(point)
    yield from _refused("credit", "KEY_EXPIRED", lambda: point.sell(meter.drn))


def _no_clearing(point: PointOfSale) -> Iterator[str]:
    meter = _expired(point)
    yield from _refused(
        "ClearCredit",
        "KEY_EXPIRED",
        lambda: point.engineer_tokens(meter.drn, [_CLEAR_CREDIT]),
    )


def _no_change_to(point: PointOfSale) -> Iterator[str]:
    point.now = _AFTER_KEN_85
    meter = _meter(point)
    yield from _refused(
        "a key change to it",
        "KEY_CHANGE_TO_EXPIRED_KEY",
        lambda: point.change_key(meter.drn, group=201460, revision=7),
    )


def _change_from(point: PointOfSale) -> Iterator[str]:
    meter = _expired(point)
    made = point.change_key(meter.drn, group=201461, revision=8)
    yield from _expect("tokens", tuple(each.digits for each in made), _KEY_CHANGE_OF_16_4)


# --- CTSA17: check digits -----------------------------------------------------------------------


def _check_digits(point: PointOfSale) -> Iterator[str]:
    del point
    for text in ("12345678904", "11111111113"):
        try:
            parse_meter_number(text)
        except MeterNumberError as error:
            yield from _expect(f"{text}: code", error.code, "WRONG_CHECK_DIGIT")
        else:
            yield f"{text}: was taken for a meter number"


# --- CTSA19: the automatic key change -----------------------------------------------------------


def _changed(point: PointOfSale, meter: Meter, *, what: str) -> Iterator[str]:
    """Sell twice: first the set comes before the credit, then the credit alone."""
    first = point.sell(meter.drn)
    kinds = [token.kind for token in first.tokens]
    wanted = [
        "Set1stSectionDecoderKey",
        "Set2ndSectionDecoderKey",
        "Set3rdSectionDecoderKey",
        "Set4thSectionDecoderKey",
        "TransferCredit",
    ]
    yield from _expect(f"tokens after another {what}", sorted(kinds), sorted(wanted))
    yield from _expect("the credit comes", kinds[-1], "TransferCredit")
    again = [token.kind for token in point.sell(meter.drn).tokens]
    yield from _expect("tokens of the next sale", again, ["TransferCredit"])


def _another_index(point: PointOfSale) -> Iterator[str]:
    meter = point.add_meter(_PAN, group=201457, revision=1, tariff_code="index-2")
    yield from _changed(point, meter, what="tariff index")


def _another_revision(point: PointOfSale) -> Iterator[str]:
    meter = point.add_meter(_PAN, group=203557, revision=1)
    yield from _changed(point, meter, what="key revision")


def _another_expiry(point: PointOfSale) -> Iterator[str]:
    meter = point.add_meter(_PAN, group=203558, revision=1, expiry=KEN_LAST)
    yield from _changed(point, meter, what="key expiry number")


def _another_group(point: PointOfSale) -> Iterator[str]:
    meter = _meter(point)
    planned = replace(
        meter,
        new_key=meter_key(203558, 1, expiry=KEN_OTHER),
        serving=Serving.PRESENT,
    )
    point.change_record(planned)
    yield from _changed(point, planned, what="supply group")


STEPS: Final = (
    Step(test="CTSA09", title="a token of midnight has the identifier 00:00", check=_midnight),
    Step(test="CTSA09", title="a token of 00:01 is shifted to 00:02", check=_reserved_minute),
    Step(test="CTSA09", title="a special token has 00:01, once a day", check=_special_token),
    Step(test="CTSA09", title="three credits of one minute differ", check=_three_credits),
    Step(test="CTSA09", title="three ClearCredits of one minute differ", check=_three_clearings),
    Step(test="CTSA16", title="no credit under an expired key", check=_no_credit),
    Step(test="CTSA16", title="no ClearCredit under an expired key", check=_no_clearing),
    Step(test="CTSA16", title="no key change to an expired key", check=_no_change_to),
    Step(test="CTSA16", title="a key change from an expired key", check=_change_from),
    Step(test="CTSA17", title="wrong check digits are refused", check=_check_digits),
    Step(test="CTSA19", title="another tariff index changes the key", check=_another_index),
    Step(test="CTSA19", title="another key revision changes the key", check=_another_revision),
    Step(test="CTSA19", title="another key expiry changes the key", check=_another_expiry),
    Step(test="CTSA19", title="another supply group changes the key", check=_another_group),
)
"""Every step; a new one is a row here."""
