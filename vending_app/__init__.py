"""The vending system around the token library: an application factory and nothing else."""

from datetime import timedelta
from typing import Final

from flask import Flask

from vending_app import web
from vending_app.clock import Clock, utc_now
from vending_app.config import Config
from vending_app.lab_meters import LabMeters
from vending_app.module import installed_tables, open_installed_module
from vending_app.storage.engine import Store
from vending_app.storage.migrate import require_current
from vending_app.web.context import EXTENSION, AppContext
from vending_app.web.throttle import LoginThrottle

__all__ = ["create_app"]

_LONGEST_REQUEST: Final = 64 * 1024
_SHIFT: Final = timedelta(hours=10)
_STATIC_AGE: Final = timedelta(minutes=10)
_LOCAL_HOSTS: Final = ["127.0.0.1", "localhost"]


def create_app(config: Config, *, clock: Clock = utc_now) -> Flask:
    """Make the web application of one installation.

    Args:
        config: The settings.
        clock: Returns the present time, aware; tests give one of their own.

    Raises:
        VendingError: The database is not of this program's form.
        KeysError, StsError: The security module cannot be opened.
    """
    tables = installed_tables(config)
    module = open_installed_module(config, now=clock())
    store = Store.open(config.database_url)
    try:
        require_current(store)
    except BaseException:
        store.close()
        raise
    app = Flask(__name__, static_folder="web/static", template_folder="web/templates")
    app.config.update(
        MAX_CONTENT_LENGTH=_LONGEST_REQUEST,
        PERMANENT_SESSION_LIFETIME=_SHIFT,
        SEND_FILE_MAX_AGE_DEFAULT=_STATIC_AGE,
        SECRET_KEY=config.secret_key,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_NAME="sts_vend",
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=config.secure_cookies,
        # A page elsewhere must not reach the demo under a name that resolves to this machine.
        TRUSTED_HOSTS=_LOCAL_HOSTS if config.demo_log_ins else None,
    )
    app.extensions[EXTENSION] = AppContext(
        config=config,
        store=store,
        module=module,
        clock=clock,
        throttle=LoginThrottle(),
        lab_meters=LabMeters(config.meters_dir, sta_tables=tables) if config.lab_mode else None,
    )
    web.register(app)
    return app
