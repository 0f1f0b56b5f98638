"""``sts tables``: the STA tables that EA07 works with."""

from pathlib import Path
from typing import Final

import click

from sts.conformance import load_bundled, run
from sts.terminal import REFUSED, CodedGroup, json_option, print_json
from sts.terminal_keys import SAMPLE_MARK, read_tables

_FILE: Final = click.Path(dir_okay=False, path_type=Path)


@click.group(cls=CodedGroup)
def tables() -> None:
    """Show or verify a set of STA tables for EA07.

    The package holds only the SAMPLE tables printed in the standard, which open no real meter. The
    production tables are licensed by the STS Association to its members.

    \b
    Examples:
      sts tables show
      sts tables verify licensed.json
    """  # noqa: D301 - click's mark


@tables.command()
@click.argument("file", type=_FILE, required=False)
@json_option
def show(file: Path | None, *, as_json: bool) -> None:
    """Name a table file and print its fingerprint; without a file, the SAMPLE set."""
    loaded = read_tables(file)
    if as_json:
        facts = {"name": loaded.name, "sha256": loaded.fingerprint, "sample": loaded.is_sample}
        print_json(facts)
        return
    click.echo(f"name    {loaded.name}\nsha256  {loaded.fingerprint}")
    if loaded.is_sample:
        click.echo(SAMPLE_MARK)


@tables.command()
@click.argument("file", type=_FILE)
@json_option
@click.pass_context
def verify(ctx: click.Context, file: Path, *, as_json: bool) -> None:
    """Try a licensed table file on every official EA07 vector.

    Exit status 1 if any vector is not reproduced.
    """
    loaded = read_tables(file)
    report = run(load_bundled(), licensed_tables=loaded)
    licensed = [result for result in report.results if result.needs_licensed_tables]
    matched = sum(result.status == "passed" for result in licensed)
    if as_json:
        print_json(
            {
                "name": loaded.name,
                "sha256": loaded.fingerprint,
                "sample": loaded.is_sample,
                "matched": matched,
                "vectors": len(licensed),
            }
        )
    else:
        click.echo(f"name    {loaded.name}\nsha256  {loaded.fingerprint}")
        click.echo(f"{matched} of {len(licensed)} official EA07 vectors match")
        if loaded.is_sample:
            click.echo(SAMPLE_MARK)
    if matched != len(licensed):
        ctx.exit(REFUSED)
