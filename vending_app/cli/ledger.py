"""`sts-vend ledger`: check the books, seal them, close a month, read them."""

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

import click

from keys.chain_errors import CheckpointFormatError, SealMismatchError
from keys.chain_seal import format_checkpoint, parse_checkpoint
from keys.errors import FileExistsRefusedError, FileUnreadableError
from keys.files import write_new
from keys.hash_chain import Checkpoint
from vending_app import ledger_check
from vending_app.cli.options import REFUSED, configured, data_dir_option, opened_store, refusals
from vending_app.clock import utc_now
from vending_app.domain.errors import NotFoundError, UnknownTenantError
from vending_app.domain.ledger import CLOCK_UNIT, PERIOD_UNIT, TOKEN_UNIT
from vending_app.domain.money import format_minor
from vending_app.domain.parties import Operator
from vending_app.ledger_check import Evidence, Report
from vending_app.sealing import PUBLIC_FILE, public_bytes, read_public_key, seal_key
from vending_app.services.checkpoints import keep_checkpoint, seal_books
from vending_app.services.ledger import balances as read_balances
from vending_app.services.ledger import journal_csv
from vending_app.services.operators import find_active_operator
from vending_app.services.periods import close_period as close_month
from vending_app.storage import tenants
from vending_app.storage.engine import Store

_HASH_SHOWN: Final = 16
_COUNTED: Final = frozenset({CLOCK_UNIT, PERIOD_UNIT, TOKEN_UNIT})

_file = click.Path(path_type=Path, dir_okay=False)
_tenant_option = click.option("--tenant", required=True, help="The utility or landlord.")


@click.group()
def ledger() -> None:
    """Check the books, seal them, close a month, read them."""


@ledger.command()
@data_dir_option
@click.option("--database-url", default=None, help="Check this database, a copy for one.")
@click.option("--tenant", default=None, help="One utility; all if not given.")
@click.option("--since", multiple=True, type=_file, help="A checkpoint kept elsewhere.")
@click.option("--key-audit", multiple=True, type=_file, help="A key audit log.")
@click.option("--seal-key", type=_file, default=None, help="Public key; ledger-seal.pub.")
@click.option(
    "--module-key",
    multiple=True,
    type=_file,
    help="Identity of a security module, which seals the checkpoints of its audit log.",
)
@refusals
def verify(
    data_dir: Path | None,
    *,
    database_url: str | None,
    tenant: str | None,
    since: Sequence[Path],
    key_audit: Sequence[Path],
    seal_key: Path | None,
    module_key: Sequence[Path],
) -> None:
    """Prove the books from the tables alone; exit status 1 if anything is wrong.

    Every finding is one line: utility, table, key of the row, what is wrong.
    """
    if database_url is None:
        config = configured(data_dir)
        database_url = config.database_url
        beside = config.data_dir / PUBLIC_FILE
        seal_key = seal_key or (beside if beside.exists() else None)
    evidence = replace(
        _evidence(since, key_audit, seal_key),
        module_keys=tuple(map(public_bytes, module_key)),
    )
    reports = ledger_check.verify(database_url, tenant=tenant, evidence=evidence)
    if tenant is not None and not reports:
        raise UnknownTenantError(tenant)
    for report in reports:
        _print_report(report)
    if any(report.findings for report in reports):
        sys.exit(REFUSED)


@ledger.command()
@data_dir_option
@click.option("--tenant", "names", multiple=True, required=True, help="A utility or landlord.")
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    default=None,
    help="Write the checkpoints into this folder as well, to be carried elsewhere.",
)
@refusals
def checkpoint(data_dir: Path | None, names: Sequence[str], out: Path | None) -> None:
    """Seal the end of the books; once a day. Keep the files where the books are not."""
    config = configured(data_dir)
    key = seal_key(config.data_dir)
    with opened_store(config) as store:
        for name in names:
            sealed = seal_books(store, name, key=key, now=utc_now())
            click.echo(f"{name}: {sealed.head.length} entries, {sealed.head.hash.hex()}")
            if out is not None:
                _write(out / f"ledger-{name}-{sealed.head.length}.json", sealed)


@ledger.command("keep-checkpoint")
@data_dir_option
@_tenant_option
@click.option(
    "--seal-key", required=True, type=_file, help="Identity, or public key, of who sealed it."
)
@click.argument("file", type=_file)
@refusals
def keep(data_dir: Path | None, *, tenant: str, seal_key: Path, file: Path) -> None:
    """Keep a checkpoint of another chain beside the books: of the key audit log."""
    sealed = parse_checkpoint(_content(file))
    key = read_public_key(seal_key)
    with opened_store(configured(data_dir)) as store:
        keep_checkpoint(store, tenant, checkpoint=sealed, keys=(key,))
    click.echo(f"{sealed.chain}: {sealed.head.length} entries are remembered.")


@ledger.command("close-period")
@data_dir_option
@_tenant_option
@click.option("--operator", "login", required=True, help="Who closes the month.")
@click.argument("period", metavar="MONTH")
@refusals
def close_period(data_dir: Path | None, *, tenant: str, login: str, period: str) -> None:
    """Close a month and every one before it, 2026-03 for one."""
    with opened_store(configured(data_dir)) as store:
        operator = _operator(store, tenant, login=login)
        closed = close_month(store, period, operator=operator, now=utc_now())
    click.echo(f"{closed.period} is closed by entry {closed.length}.")


@ledger.command()
@data_dir_option
@_tenant_option
@click.option("--period", default=None, help="One month; all if not given.")
@refusals
def balances(data_dir: Path | None, tenant: str, period: str | None) -> None:
    """Show what stands on each account: debit, credit, balance."""
    with opened_store(configured(data_dir)) as store:
        with store.read() as connection:
            exponent = tenants.find_tenant(tenant, connection).currency.exponent
        for balance in read_balances(store, tenant, period=period):
            decimals = 0 if balance.currency in _COUNTED else exponent
            amounts = (balance.debit_minor, balance.credit_minor, balance.balance_minor)
            columns = "".join(f"{format_minor(amount, decimals):>18}" for amount in amounts)
            click.echo(f"{balance.account:<32} {balance.kind:<10} {balance.currency}{columns}")


@ledger.command()
@data_dir_option
@_tenant_option
@click.option("--out", type=_file, default=None, help="A new file; the terminal if not given.")
@refusals
def export(data_dir: Path | None, tenant: str, out: Path | None) -> None:
    """Write the journal as CSV, a row for each line of each entry."""
    with opened_store(configured(data_dir)) as store:
        lines = journal_csv(store, tenant)
        if out is None:
            for line in lines:
                click.echo(line, nl=False)
        else:
            write_new(out, "".join(lines).encode("utf-8"))


def _evidence(since: Sequence[Path], key_audit: Sequence[Path], seal_key: Path | None) -> Evidence:
    """Read what was kept elsewhere; a checkpoint without the installation's seal is none."""
    key = None if seal_key is None else public_bytes(seal_key)
    heads, logs = [], {}
    for path in since:
        kept = ledger_check.read_checkpoint(_content(path))
        if kept is None:
            raise CheckpointFormatError(f"{path} is no checkpoint of the books")
        if key is not None and not kept.is_sealed_by(key):
            raise SealMismatchError(str(path))
        heads.append(kept.head)
    for path in key_audit:
        log = ledger_check.witnessed(_content(path))
        heads += log.heads
        logs[log.chain] = log.hashes
    return Evidence(public_key=key, heads=heads, logs=logs)


def _print_report(report: Report) -> None:
    entries = "1 entry" if report.entries == 1 else f"{report.entries} entries"
    for finding in report.findings:
        click.echo(str(finding))
    if report.findings:
        findings = "finding" if len(report.findings) == 1 else "findings"
        click.echo(f"{report.tenant}: {len(report.findings)} {findings} in {entries}")
    else:
        click.echo(f"{report.tenant}: {entries}, nothing wrong, up to {report.head[:_HASH_SHOWN]}…")


def _operator(store: Store, tenant: str, *, login: str) -> Operator:
    operator = find_active_operator(store, tenant, login=login)
    if operator is None:
        raise NotFoundError(f"There is no active operator {login} of {tenant}.")
    return operator


def _write(path: Path, sealed: Checkpoint) -> None:
    """Write the file of a checkpoint; the same one may be there from an earlier run."""
    content = format_checkpoint(sealed)
    try:
        write_new(path, content)
    except FileExistsRefusedError:
        if _content(path) != content:
            raise
    click.echo(f"  {path}")


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise FileUnreadableError(path, error.strerror) from error
