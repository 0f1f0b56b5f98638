"""The operators' pages: parse, call one use case, render."""

from flask import Flask

from vending_app.web import auth, errors, lab, meters, numbers, rendering, sales, security, sell


def register(app: Flask) -> None:
    """Put the pages and what guards them into ``app``."""
    security.register(app)
    errors.register(app)
    numbers.register(app)
    rendering.register(app)
    app.register_blueprint(auth.blueprint)
    app.register_blueprint(sell.blueprint)
    app.register_blueprint(sales.blueprint)
    app.register_blueprint(meters.blueprint)
    app.register_blueprint(lab.blueprint)
