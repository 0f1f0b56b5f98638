"""Bringing a database to the present form of its tables."""

from pathlib import Path
from typing import Final

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from vending_app.domain.errors import DatabaseNotCurrentError
from vending_app.storage.engine import Store

_FOLDER: Final = Path(__file__).with_name("migrations")


def upgrade(store: Store, *, revision: str = "head") -> None:
    """Run the migrations that the database has not seen, in one transaction.

    Raises:
        StoreBusyError: Another process held the database for too long.
    """
    with store.write() as connection:
        command.upgrade(_alembic_config(connection), revision)


def require_current(store: Store) -> None:
    """Refuse a database of another form than this program's.

    Raises:
        DatabaseNotCurrentError: Migrations are missing, or it has some that we do not know.
    """
    expected = head_revision()
    with store.read() as connection:
        found = MigrationContext.configure(connection).get_current_revision()
    if found != expected:
        raise DatabaseNotCurrentError(expected=expected, found=found)


def head_revision() -> str:
    """Return the form of the database that this program needs."""
    head = ScriptDirectory.from_config(_alembic_config(None)).get_current_head()
    assert head is not None
    return head


def _alembic_config(connection: Connection | None) -> Config:
    """Return Alembic's settings; it works on ``connection`` and needs no file of its own."""
    config = Config()
    # Alembic reads a per cent sign as the beginning of a variable.
    config.set_main_option("script_location", str(_FOLDER).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config
