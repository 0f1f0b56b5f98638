"""`sts-vend`: prepare an installation, serve it, try the demo.

Exit status: 0 done, 1 refused, 2 wrong usage.
"""

import os
from pathlib import Path
from typing import Final

import click

from vending_app import create_app, demo_story
from vending_app.cli.clock import clock
from vending_app.cli.conformance import conformance
from vending_app.cli.keeping import backup, recover, restore
from vending_app.cli.ledger import ledger
from vending_app.cli.options import data_dir_option, refusals
from vending_app.cli.reconcile import reconcile
from vending_app.cli.tariffs import tariff
from vending_app.clock import utc_now
from vending_app.config import data_dir_of
from vending_app.demo import prepare_demo
from vending_app.installation import prepare
from vending_app.server import DEMO_HOST, listen, serve_demo
from vending_app.server import serve as serve_installation

__all__ = ["main"]

_DEFAULT_PORT: Final = 8000
_MONTHS: Final = 6

_port = click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=_DEFAULT_PORT,
    show_default=True,
    help="Where to listen; 0 takes any free port.",
)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="sts-vending")
def main() -> None:
    """Sell prepaid electricity. Begin with `sts-vend demo`."""


@main.command()
@data_dir_option
@_port
@click.option("--prepare-only", is_flag=True, help="Make the demo's files and stop.")
@click.option(
    "--months",
    type=click.IntRange(0, 24),
    default=_MONTHS,
    show_default=True,
    help="How many months of sales a new demo has behind it.",
)
@refusals
def demo(data_dir: Path | None, port: int, *, prepare_only: bool, months: int) -> None:
    """Prepare three demo utilities and serve them on this machine.

    The keys are those of published test vectors. What an earlier run made is kept.
    """
    folder = data_dir or data_dir_of(os.environ)
    config = prepare_demo(folder, os.environ, now=utc_now(), months=months)
    click.echo(f"The demo is in {folder}.")
    if prepare_only:
        return
    app = create_app(config)
    with listen(port) as listener:
        _print_invitation(listener.getsockname()[1])
        serve_demo(app, listener)
    click.echo("Stopped.")


def _print_invitation(port: int) -> None:
    click.echo(f"\nOpen  http://{DEMO_HOST}:{port}/  and log in as one of\n")
    for operator in demo_story.DEMO_OPERATORS:
        login = f"{operator.login}@{operator.tenant}"
        click.echo(f"    {login:<20} {operator.role}, {operator.display_name}")
    click.echo(f"\nPassword of all: {demo_story.DEMO_PASSWORD}")
    click.echo("The keys are published test keys: no token made here opens a real meter.")
    click.echo("Stop with Ctrl-C.")


@main.command()
@data_dir_option
@refusals
def init(data_dir: Path | None) -> None:
    """Make a new installation: secret, vault, database. What is there is kept."""
    folder = data_dir or data_dir_of(os.environ)
    prepare(folder, os.environ)
    click.echo(f"The installation is in {folder}.")


@main.command()
@data_dir_option
@click.option(
    "--bind", default=f"{DEMO_HOST}:{_DEFAULT_PORT}", show_default=True, metavar="HOST:PORT"
)
@click.option("--workers", type=click.IntRange(1, 64), default=2, show_default=True)
@refusals
def serve(data_dir: Path | None, bind: str, workers: int) -> None:
    """Serve an installation with gunicorn, for a reverse proxy that speaks HTTPS."""
    serve_installation(data_dir or data_dir_of(os.environ), bind=bind, workers=workers)


for _command in (backup, clock, conformance, ledger, reconcile, recover, restore, tariff):
    main.add_command(_command)
