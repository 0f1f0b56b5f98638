"""Listening: one process with threads for the demo, gunicorn for everything else."""

import logging
import os
import socket
from pathlib import Path
from typing import Any, Final

from flask import Flask
from gunicorn.app.base import BaseApplication  # type: ignore[import-untyped]  # it has no types
from werkzeug.serving import make_server

from vending_app import create_app
from vending_app.config import load_config
from vending_app.domain.errors import ConfigError

DEMO_HOST: Final = "127.0.0.1"


def listen(port: int) -> socket.socket:
    """Take a port of this machine, for this machine only.

    Raises:
        ConfigError: The port is taken, or not ours to take.
    """
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((DEMO_HOST, port))
        listener.listen()
    except OSError as error:
        listener.close()
        message = f"Port {port} cannot be used: {error.strerror}. Choose another with --port."
        raise ConfigError(message) from error
    return listener


def serve_demo(app: Flask, listener: socket.socket) -> None:
    """Serve until interrupted."""
    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    host, port = listener.getsockname()
    make_server(host, port, app, threaded=True, fd=listener.fileno()).serve_forever()


def serve(data_dir: Path, *, bind: str, workers: int) -> None:
    """Serve with gunicorn until told to stop.

    Raises:
        VendingError, KeysError, StsError: The application cannot be made; found before listening.
    """
    create_app(load_config(data_dir, os.environ)).extensions["sts_vend"].close()
    _Server(data_dir, bind=bind, workers=workers).run()


class _Server(BaseApplication):  # type: ignore[misc]  # as above
    """Gunicorn with its settings from arguments; every worker makes an application of its own."""

    def __init__(self, data_dir: Path, *, bind: str, workers: int) -> None:
        self._data_dir = data_dir
        self._settings: dict[str, Any] = {
            "bind": bind,
            "workers": workers,
            "threads": 4,
            "proc_name": "sts-vend",
        }
        super().__init__()

    def load_config(self) -> None:
        """Hand the settings to gunicorn."""
        for name, value in self._settings.items():
            self.cfg.set(name, value)

    def load(self) -> Flask:
        """Make the application, in the worker."""
        return create_app(load_config(self._data_dir, os.environ))
