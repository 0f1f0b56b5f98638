"""What the commands share: how they refuse, where the data is."""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import Final, NoReturn, ParamSpec

import click

from keys import KeysError
from sts import StsError
from vending_app.config import Config, data_dir_of, load_config
from vending_app.domain.errors import VendingError
from vending_app.storage.engine import Store
from vending_app.storage.migrate import require_current

REFUSED: Final = 1

_P = ParamSpec("_P")

data_dir_option = click.option(
    "--data-dir",
    type=click.Path(path_type=Path, file_okay=False),
    default=None,
    help="Where the data is; STS_VEND_DATA or ./data if not given.",
)


def refusals(command: Callable[_P, None]) -> Callable[_P, None]:
    """Make one line and exit status 1 of everything that is refused."""

    @wraps(command)
    def run(*args: _P.args, **kwargs: _P.kwargs) -> None:
        try:
            command(*args, **kwargs)
        except (VendingError, KeysError, StsError) as error:
            _refuse(error.code, str(error), error.hint)

    return run


def configured(data_dir: Path | None) -> Config:
    """Return the settings of the installation in a folder.

    Raises:
        ConfigError: There is none, or its settings make no sense.
    """
    return load_config(data_dir or data_dir_of(os.environ), os.environ)


@contextmanager
def opened_store(config: Config) -> Iterator[Store]:
    """Open the database of an installation and close it again.

    Raises:
        DatabaseNotCurrentError: It has another form than this program's.
    """
    store = Store.open(config.database_url)
    try:
        require_current(store)
        yield store
    finally:
        store.close()


def _refuse(code: str, message: str, hint: str) -> NoReturn:
    advice = f" ({hint})" if hint else ""
    click.echo(f"error {code}: {message.removesuffix('.')}{advice}", err=True)
    sys.exit(REFUSED)
