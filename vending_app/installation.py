"""Preparing a data directory: secret, security module, database. What is there is kept."""

import secrets
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

from sqlalchemy import make_url

from keys.errors import FileExistsRefusedError, FileUnreadableError
from keys.files import write_new
from vending_app.clock import Clock, utc_now
from vending_app.config import FILE_NAME, SECRET_FILE_NAME, Config, load_config
from vending_app.domain.errors import ConfigError
from vending_app.module import begin_module
from vending_app.storage.engine import Store
from vending_app.storage.migrate import upgrade

_DIRECTORY_MODE: Final = 0o700
_FILE_MODE: Final = 0o600
_LAB_SETTINGS: Final = "lab_mode = true\nsecure_cookies = false\n"
_SECRET_BYTES: Final = 32


def prepare(
    data_dir: Path, environ: Mapping[str, str], *, lab: bool = False, clock: Clock = utc_now
) -> Config:
    """Make what is missing of an installation and return its settings.

    Args:
        data_dir: Where it lies.
        environ: The environment.
        lab: Whether it is for trials, whatever the settings say.
        clock: Returns the present time, aware.

    Raises:
        ConfigError: The directory cannot be used, or the settings make no sense.
        KeysError: The security module cannot be made.
    """
    try:
        data_dir.mkdir(mode=_DIRECTORY_MODE, parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"{data_dir} cannot be used: {error.strerror}") from error
    _write_missing(data_dir / SECRET_FILE_NAME, f"{secrets.token_urlsafe(_SECRET_BYTES)}\n")
    if lab:
        # So that every command that works on this folder knows what it is.
        _write_missing(data_dir / FILE_NAME, _LAB_SETTINGS)
    config = load_config(data_dir, environ)
    if lab:
        config = replace(config, lab_mode=True)
    begin_module(config, now=clock())
    _make_private(config.database_url)
    store = Store.open(config.database_url)
    try:
        upgrade(store)
    finally:
        store.close()
    return config


def _write_missing(path: Path, content: str) -> None:
    """Write a private file unless there is one."""
    try:
        write_new(path, content.encode("utf-8"))
    except FileExistsRefusedError:
        return
    except FileUnreadableError as error:
        raise ConfigError(str(error)) from error


def _make_private(database_url: str) -> None:
    """Make the file of a SQLite database before SQLite does, which would let others read it."""
    url = make_url(database_url)
    if url.get_backend_name() == "sqlite" and url.database:
        try:
            Path(url.database).touch(mode=_FILE_MODE, exist_ok=True)
        except OSError as error:
            raise ConfigError(f"{url.database} cannot be used: {error.strerror}") from error
