"""`sts-vend clock`: say that the clock is right when the books do not believe it."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any, Final, TypeVar

import click

from vending_app.cli.options import configured, data_dir_option, opened_store, refusals
from vending_app.clock import utc_now
from vending_app.domain.errors import UnknownOperatorError
from vending_app.domain.parties import Operator
from vending_app.domain.periods import LEAST_DAYS_AHEAD, MOST_DAYS_AHEAD
from vending_app.services import clock as service
from vending_app.services.operators import find_active_operator
from vending_app.storage.engine import Store

_Command = TypeVar("_Command", bound=Callable[..., Any])
_today: Final = click.option(
    "--today",
    type=click.DateTime(["%Y-%m-%d"]),
    required=True,
    help="The day by another calendar than this machine's.",
)


@click.group()
def clock() -> None:
    """Say that the clock is right when the books do not believe it.

    The books refuse a clock that is behind their last entry, or many days ahead of it.
    """


def _options(command: _Command) -> _Command:
    for option in (
        data_dir_option,
        click.option("--tenant", required=True, help="The utility or landlord."),
        click.option("--operator", "login", required=True, help="Who has compared the clock."),
        click.option("--reason", required=True, help="In words that an auditor understands."),
    ):
        command = option(command)
    return command


@clock.command()
@_options
@_today
@refusals
def accept(data_dir: Path | None, *, tenant: str, login: str, reason: str, today: datetime) -> None:
    """Believe the clock, however far it is ahead of the books: after a long break, for one.

    Whatever is booked within a week makes the books follow.
    """
    with opened_store(configured(data_dir)) as store:
        operator = _operator(store, tenant, login)
        terms = service.accept(store, operator, today=today.date(), reason=reason, now=utc_now())
    click.echo(f"The clock is believed until {terms.accepted_until:%Y-%m-%d %H:%M} UTC.")


@clock.command("set-back")
@_options
@_today
@click.option(
    "--now",
    "time_of_day",
    type=click.DateTime(["%H:%M"]),
    required=True,
    help="The time, where the utility is, by another clock than this machine's.",
)
@refusals
def set_back(
    data_dir: Path | None,
    *,
    tenant: str,
    login: str,
    reason: str,
    today: datetime,
    time_of_day: datetime,
) -> None:
    """Let the books go by the clock again, after a sale that a wrong clock has put ahead of it.

    What was sold by the wrong clock stays in the books; take it back by cases, then sell it again.
    """
    with opened_store(configured(data_dir)) as store:
        operator, now = _operator(store, tenant, login), utc_now()
        last = service.last_entry_at(store, tenant)
        if last is not None:
            click.echo(f"The last entry was made at {last:%Y-%m-%d %H:%M} UTC.")
        click.echo(f"The clock says {now:%Y-%m-%d %H:%M} UTC.")
        entry = service.set_back(
            store,
            operator,
            today=today.date(),
            time_of_day=time_of_day.time(),
            reason=reason,
            now=now,
        )
    click.echo(
        f"Entry {entry.entry_number} sets the clock back to {entry.posted_at:%Y-%m-%d %H:%M} UTC."
    )


@clock.command()
@_options
@click.argument("days", type=click.IntRange(LEAST_DAYS_AHEAD, MOST_DAYS_AHEAD))
@refusals
def limit(data_dir: Path | None, *, tenant: str, login: str, reason: str, days: int) -> None:
    """Set how many DAYS the clock may be ahead of the last entry of the books; 60 at first."""
    with opened_store(configured(data_dir)) as store:
        operator = _operator(store, tenant, login)
        service.set_limit(store, operator, days=days, reason=reason, now=utc_now())
    click.echo(f"The clock may be {days} days ahead of the last entry.")


def _operator(store: Store, tenant: str, login: str) -> Operator:
    found = find_active_operator(store, tenant, login=login)
    if found is None:
        raise UnknownOperatorError(login)
    return found
