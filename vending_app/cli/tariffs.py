"""`sts-vend tariff`: look at a tariff, let it be tried, put it in force."""

import sys
from pathlib import Path

import click

from vending_app.cli.options import REFUSED, configured, data_dir_option, opened_store, refusals
from vending_app.clock import utc_now
from vending_app.domain.errors import TariffFileError, UnknownOperatorError
from vending_app.domain.parties import Operator
from vending_app.domain.tariff import Finding, lint_document
from vending_app.services import tariffs
from vending_app.services.operators import find_active_operator
from vending_app.storage.engine import Store

_file = click.Path(path_type=Path, dir_okay=False, exists=True)


@click.group()
def tariff() -> None:
    """Look at a tariff, let it be tried, put it in force."""


@tariff.command()
@click.argument("file", type=_file)
@refusals
def lint(file: Path) -> None:
    """Search a tariff for what nobody may have meant, and show it with figures.

    Exit status 1 if customers could not buy, or not what the tariff says.
    """
    findings = lint_document(_text(file))
    _show(findings)
    if any(finding.level.value == "error" for finding in findings):
        sys.exit(REFUSED)


@tariff.command()
@click.argument("file", type=_file)
@data_dir_option
@click.option("--tenant", required=True, help="The utility or landlord.")
@click.option("--login", required=True, help="Who made the version.")
@click.option("--approver", required=True, help="The second person.")
@click.option("--accept", is_flag=True, help="The approver has seen all findings, and accepts.")
@refusals
def add(
    file: Path, data_dir: Path | None, *, tenant: str, login: str, approver: str, accept: bool
) -> None:
    """Add a version of a tariff; it is in force from its first day on and never changed."""
    document = _text(file)
    with opened_store(configured(data_dir)) as store:
        second = _operator(store, tenant, approver)
        _show(tariffs.review_version(store, second, document=document))
        version = tariffs.add_version(
            store,
            _operator(store, tenant, login),
            document=document,
            approver=second,
            now=utc_now(),
            accepted=accept,
        )
    click.echo(f"{version.code}, version {version.number}, is in force from {version.first_day}.")


def _show(findings: tuple[Finding, ...]) -> None:
    for finding in findings:
        where = f" {finding.path}" if finding.path else ""
        click.echo(f"{finding.level.value} {finding.code}{where}: {finding.message}")
    if not findings:
        click.echo("nothing odd found")


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise TariffFileError(str(file)) from error


def _operator(store: Store, tenant: str, login: str) -> Operator:
    found = find_active_operator(store, tenant, login=login)
    if found is None:
        raise UnknownOperatorError(login)
    return found
