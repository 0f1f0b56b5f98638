"""`sts-vend backup`, `restore` and `recover`: keeping what is there, finding out what happened."""

import os
import sys
from pathlib import Path
from typing import TypeGuard

import click

from vending_app import ledger_check
from vending_app.cli.options import REFUSED, configured, data_dir_option, opened_store, refusals
from vending_app.clock import utc_now
from vending_app.config import data_dir_of
from vending_app.domain.errors import VendingError
from vending_app.installation import prepare
from vending_app.module import open_installed_module
from vending_app.services.recovery import open_requests, recover_all
from vending_app.storage.backup import restore_backup, write_backup

_file = click.Path(path_type=Path, dir_okay=False)


@click.command()
@click.argument("file", type=_file)
@data_dir_option
@refusals
def backup(file: Path, data_dir: Path | None) -> None:
    """Write the database into a new FILE, as it is at one instant, while it is in use.

    The vault is not in it: copy `keys.vault` and keep its key elsewhere. The file holds tokens and
    names of customers; keep it as you keep the database.
    """
    with opened_store(configured(data_dir)) as store:
        summary = write_backup(store, file, now=utc_now())
    click.echo(f"{sum(summary.rows.values())} rows of {len(summary.rows)} tables are in {file}.")


@click.command()
@click.argument("file", type=_file)
@data_dir_option
@refusals
def restore(file: Path, data_dir: Path | None) -> None:
    """Fill the empty database of an installation from a backup, then prove its books.

    Make the installation with `sts-vend init` first. Exit status 1 if anything is wrong.
    """
    config = prepare(data_dir or data_dir_of(os.environ), os.environ)
    with opened_store(config) as store:
        summary = restore_backup(store, file)
    click.echo(
        f"{sum(summary.rows.values())} rows of {summary.written_at:%Y-%m-%d %H:%M} UTC are back."
    )
    reports = ledger_check.verify(config.database_url)
    for report in reports:
        for finding in report.findings:
            click.echo(str(finding), err=True)
        click.echo(f"{report.tenant}: {report.entries} entries, {len(report.findings)} findings")
    if any(report.findings for report in reports):
        sys.exit(REFUSED)


@click.command()
@data_dir_option
@refusals
def recover(data_dir: Path | None) -> None:
    """Find out what came of every request whose outcome is unknown, by asking the security module.

    Nothing is made and nothing guessed. Exit status 1 if something stays unknown.
    """
    config = configured(data_dir)
    module = open_installed_module(config, now=utc_now())
    unforeseen: list[Exception] = []
    with opened_store(config) as store:
        for tenant in store.tenant_codes():
            found = recover_all(store, module, now=utc_now(), tenant=tenant)
            for request_id, outcome in found.items():
                click.echo(f"{tenant} {request_id}: {_word(outcome)}")
            unforeseen += filter(_is_unforeseen, found.values())
        stays = any(open_requests(store, tenant, limit=1) for tenant in store.tenant_codes())
    if unforeseen:
        # All others had their turn; this one is for those who mend programs.
        raise unforeseen[0]
    if stays:
        sys.exit(REFUSED)


def _word(outcome: object) -> str:
    if isinstance(outcome, VendingError):
        return f"{outcome.code}: {outcome}"
    return f"unforeseen: {outcome!r}" if isinstance(outcome, Exception) else "done"


def _is_unforeseen(outcome: object) -> TypeGuard[Exception]:
    return isinstance(outcome, Exception) and not isinstance(outcome, VendingError)
