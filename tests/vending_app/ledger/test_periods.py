"""A closed month stays as it is; what belongs to it is put right in the open one."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.vending_app.ledger.world import AUDITOR, SUPERVISOR, TENANT, World
from vending_app.domain.errors import NotPermittedError
from vending_app.domain.ledger_errors import (
    NothingToCloseError,
    PeriodClosedError,
    PeriodFormatError,
    PeriodNotOverError,
)
from vending_app.ledger_check import verify
from vending_app.services.periods import close_period
from vending_app.storage import ledger_reading

MARCH = datetime(2026, 2, 28, 22, 0, tzinfo=UTC)
"""The first moment of March in Johannesburg."""


def _record(world: World, number: int) -> dict[str, object]:
    with world.store.read() as connection:
        (link,) = ledger_reading.chain_entries(TENANT, connection, after=number - 1)
    return dict(link.record)


def test_a_month_is_closed_by_its_last_entry(world: World) -> None:
    world.sell()
    closed = close_period(world.store, "2026-02", operator=SUPERVISOR, now=MARCH)
    assert (closed.period, closed.length, closed.login) == ("2026-02", 2, "botha")
    assert world.entry(2).period == "2026-02"
    assert world.entry(2).kind == "period close"


def test_what_comes_late_is_booked_in_the_open_month_and_says_where_it_belongs(
    world: World,
) -> None:
    world.sell()
    close_period(world.store, "2026-02", operator=SUPERVISOR, now=MARCH)
    world.now = MARCH + timedelta(minutes=1)
    # In UTC it is still February: a caller that took the wrong calendar books nothing there.
    assert world.sell().period == "2026-03"
    assert _record(world, 3)["original_period"] == "2026-02"


def test_a_credit_note_for_a_closed_month_is_booked_in_the_open_one(world: World) -> None:
    sold = world.sell()
    close_period(world.store, "2026-02", operator=SUPERVISOR, now=MARCH)
    world.now = datetime(2026, 3, 1, 9, tzinfo=UTC)
    assert world.reverse(sold).period == "2026-03"
    assert _record(world, 3)["original_period"] == "2026-02"
    (report,) = verify(world.store.engine.url.render_as_string(hide_password=False))
    assert report.findings == ()


def test_closing_a_month_closes_those_before_it(world: World) -> None:
    world.sell()
    now = datetime(2026, 4, 1, 9, tzinfo=UTC)
    close_period(world.store, "2026-03", operator=SUPERVISOR, now=now)
    with pytest.raises(PeriodClosedError) as refusal:
        close_period(world.store, "2026-02", operator=SUPERVISOR, now=now)
    assert refusal.value.code == "PERIOD_CLOSED"


@pytest.mark.parametrize(
    ("period", "now", "refused", "code"),
    [
        ("2026-02", MARCH - timedelta(microseconds=1), PeriodNotOverError, "PERIOD_NOT_OVER"),
        ("2026-03", MARCH, PeriodNotOverError, "PERIOD_NOT_OVER"),
        ("March", MARCH, PeriodFormatError, "PERIOD_FORMAT"),
        ("2026-02", MARCH, NothingToCloseError, "PERIOD_EMPTY"),
    ],
)
def test_what_cannot_be_closed_is_refused(
    world: World, period: str, now: datetime, refused: type[Exception], code: str
) -> None:
    with pytest.raises(refused) as refusal:
        close_period(world.store, period, operator=SUPERVISOR, now=now)
    assert vars(type(refusal.value))["code"] == code


def test_an_auditor_closes_nothing(world: World) -> None:
    world.sell()
    with pytest.raises(NotPermittedError):
        close_period(world.store, "2026-02", operator=AUDITOR, now=MARCH)
