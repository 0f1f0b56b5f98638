"""``sts conformance``: the published vectors against this library."""

from pathlib import Path
from typing import Final

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from sts.ciphers import load_sta_tables
from sts.conformance import STATUSES, Report, load_bundled, load_file, run
from sts.terminal import REFUSED, json_option, print_json

_FILE: Final = click.Path(dir_okay=False, path_type=Path)
_SHOWN_PROBLEMS: Final = 20


@click.command()
@click.argument("files", type=_FILE, nargs=-1)
@click.option(
    "--tables",
    type=_FILE,
    envvar="STS_STA_TABLES",
    help="Licensed STA tables, for the vectors made with them (or STS_STA_TABLES).",
)
@json_option
@click.pass_context
def conformance(
    ctx: click.Context, files: tuple[Path, ...], *, tables: Path | None, as_json: bool
) -> None:
    """Run the STS 531 vectors that come with the package, or vector files of your own.

    Each case is built, decoded, and its key derived. Exit status 1 if a case fails or cannot be
    read. Vectors made with the licensed STA tables are skipped unless --tables is given.

    \b
    Examples:
      sts conformance
      sts conformance mine.json --json
    """  # noqa: D301 - click's mark
    licensed = None if tables is None else load_sta_tables(tables)
    cases = [case for file in files for case in load_file(file)] if files else list(load_bundled())
    report = run(cases, licensed_tables=licensed)
    if as_json:
        print_json(report.as_dict())
    else:
        _show(report)
    if not report.conforms:
        ctx.exit(REFUSED)


def _show(report: Report) -> None:
    table = Table(box=None, pad_edge=False)
    table.add_column("suite")
    table.add_column("test")
    for status in STATUSES:
        table.add_column(status, justify="right")
    for (suite, test), counts in report.groups().items():
        table.add_row(
            _plain(suite), _plain(test), *(str(counts[status] or "·") for status in STATUSES)
        )
    table.add_section()
    table.add_row("total", "", *(str(report.count(status)) for status in STATUSES))
    console = Console(highlight=False, soft_wrap=True)
    console.print(table)
    problems = [item for item in report.results if item.status in ("failed", "unreadable")]
    for result in problems[:_SHOWN_PROBLEMS]:
        console.print(_plain(f"{result.status} {result.identity}: {result.detail}"))
    if len(problems) > _SHOWN_PROBLEMS:
        console.print(f"… and {len(problems) - _SHOWN_PROBLEMS} more, see --json")
    if report.count("skipped"):
        console.print("skipped: tokens made with the licensed STA tables (their keys were checked)")


def _plain(text: str) -> Text:
    """Show what a file says as it is: no markup, no control characters, no line ends."""
    return Text("".join(character if character.isprintable() else "\ufffd" for character in text))
