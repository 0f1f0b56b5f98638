"""`sts-vend reconcile`: the security module's own counters against the books."""

import sys
from datetime import datetime
from pathlib import Path

import click

from keys.module_home import ModuleHome
from vending_app.cli.options import REFUSED, configured, data_dir_option, opened_store, refusals
from vending_app.clock import utc_now
from vending_app.services.reconciliation import Reconciliation, day_before
from vending_app.services.reconciliation import reconcile as reconcile_day


@click.command()
@data_dir_option
@click.option(
    "--day",
    type=click.DateTime(["%Y-%m-%d"]),
    default=None,
    help="Of the utility's local calendar; the day that is over if not given.",
)
@refusals
def reconcile(data_dir: Path | None, day: datetime | None) -> None:
    """Compare what the security module says that it made with the books, token by token.

    To be run every day. Whatever one side has and the other has not is an incident in the audit
    log. Exit status 1 if there is any.
    """
    config, now = configured(data_dir), utc_now()
    log = ModuleHome(config.module_place).audit
    agree = True
    with opened_store(config) as store:
        for tenant in store.tenant_codes():
            chosen = day_before(store, tenant, now=now) if day is None else day.date()
            found = reconcile_day(store, tenant, log=log, day=chosen, now=now)
            agree = agree and found.agrees
            _show(found)
    if not agree:
        sys.exit(REFUSED)


def _show(found: Reconciliation) -> None:
    word = "agrees" if found.agrees else f"{len(found.gaps)} gaps"
    click.echo(f"{found.tenant} {found.day}: {word}")
    for key, counters in sorted(found.keys.items()):
        click.echo(
            f"    key {key}: {counters.module_tokens} tokens made, {counters.book_tokens} in the"
            " books"
        )
    for gap in found.gaps:
        click.echo(f"    {gap}", err=True)
