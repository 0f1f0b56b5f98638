"""What the commands of ``sts-keys batch`` share: options, the opened module, the progress bar."""

import importlib.util
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from keys.audited_module import AuditedModule
from keys.cli.common import Session, random_bytes, session_of, session_options
from keys.cli.key_options import tenant_option
from keys.client_errors import LabModuleOnlyError
from keys.clients import parse_credential
from keys.errors import KeysError
from keys.files import read_private
from keys.module_file import says_lab
from keys.module_home import ModuleHome
from keys.open import Caller, ModuleOptions, open_module, split_name
from sts.terminal_keys import FILE_PATH, TABLES_OPTION, read_tables

ATTRIBUTES: Final = {
    "sgc": "Supply group code.",
    "krn": "Key revision.",
    "ti": "Tariff index.",
    "kt": "Key type.",
    "ea": "Encryption algorithm: 07, 09 or 11.",
}
NEW_ATTRIBUTES: Final = {
    "to_sgc": "New supply group code.",
    "to_krn": "New key revision.",
    "to_ti": "New tariff index.",
}
_NEEDED: Final = ("numpy", "pyarrow")
_Command = TypeVar("_Command", bound=Callable[..., Any])


class BatchMissingError(KeysError):
    """The libraries for whole fleets are not installed."""

    code = "BATCH_MISSING"
    hint = 'pip install "sts-vending[batch]"'

    def __init__(self) -> None:
        """Say so."""
        super().__init__("whole fleets need NumPy and PyArrow")


def require_libraries() -> None:
    """Refuse to begin where the extra is not installed.

    Raises:
        BatchMissingError: It is not.
    """
    if any(importlib.util.find_spec(name) is None for name in _NEEDED):
        raise BatchMissingError


def attribute_options(attributes: dict[str, str]) -> Callable[[_Command], _Command]:
    """Return what adds options that stand for a column of the input."""

    def add(command: _Command) -> _Command:
        for name, text in reversed(attributes.items()):
            flag = f"--{name.replace('_', '-')}"
            command = click.option(flag, name, help=f"{text}  [default: a column]")(command)
        return command

    return add


def module_options(command: _Command) -> _Command:
    """Add the module and what opens it."""
    options: tuple[Callable[[_Command], _Command], ...] = (
        click.option("--module", required=True, help="The module, software:PATH."),
        tenant_option,
        click.option(
            "--credential", type=FILE_PATH, help="By which a production module knows its client."
        ),
        TABLES_OPTION,
    )
    command = session_options(command)
    for option in reversed(options):
        command = option(command)
    return command


def job_options(command: _Command) -> _Command:
    """Add input, output, and who does the work."""
    options: tuple[Callable[[_Command], _Command], ...] = (
        click.argument("source", metavar="INPUT", type=FILE_PATH),
        click.option(
            "--output", "-o", type=FILE_PATH, required=True, help="A new file: .csv, .parquet, .db."
        ),
        click.option("--table", default="meters", show_default=True, help="Of a SQLite input."),
        click.option("--purpose", help="What it is for, for the audit log."),
        click.option(
            "--processes", type=click.IntRange(1, 512), help="How many.  [default: one a core]"
        ),
        click.option("--dask", metavar="ADDRESS", help="A Dask scheduler whose workers do it."),
        attribute_options(ATTRIBUTES),
    )
    command = module_options(command)
    for option in reversed(options):
        command = option(command)
    return command


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A module that is open for a job.

    Attributes:
        module: The module.
        session: Who asks, and when.
        name: Its name.
        lab_mode: Whether it is a lab module.
        tables: The file of licensed tables.
    """

    module: AuditedModule
    session: Session
    name: str
    lab_mode: bool
    tables: Path | None


def open_for_batch(options: dict[str, Any]) -> Opened:
    """Open the module that the options, which are taken out, name.

    Raises:
        KeysError, StsError: It cannot be opened.
    """
    name, tables, credential = (options.pop(each) for each in ("module", "tables", "credential"))
    session = session_of(options)
    home = ModuleHome(split_name(name)[1])
    home.require_begun()
    lab_mode = says_lab(home.module)
    if session.at is not None and not lab_mode:
        raise LabModuleOnlyError("another time than the clock's")
    module = open_module(
        name,
        ModuleOptions(
            lab_mode=lab_mode,
            unlock=session.unlock_for(name),
            sta_tables=read_tables(tables),
            random_bytes=random_bytes,
        ),
        caller=Caller(
            actor=session.who,
            now=session.now,
            credential=None if credential is None else parse_credential(read_private(credential)),
        ),
    )
    return Opened(module=module, session=session, name=name, lab_mode=lab_mode, tables=tables)


@contextmanager
def progress_bar(what: str) -> Iterator[Callable[[int, int], None]]:
    """Yield what is told how many rows are done, and shows it if somebody watches."""
    if not sys.stderr.isatty():
        yield lambda _done, _rows: None
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.completed:,.0f} rows, {task.fields[rate]}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=None, rate="")

        def tell(done: int, rows: int) -> None:
            speed = bar.tasks[0].speed
            rate = "" if speed is None else f"{speed:,.0f}/s"
            bar.update(task, completed=done, total=rows, rate=rate)

        yield tell
