"""A clock to turn, and words that several tests use."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from vending_app.demo_story import DEMO_PASSWORD

NOW: Final = datetime(2026, 3, 2, 8, 15, 30, tzinfo=UTC)
PIETER: Final = "00100001023"
NEEMA: Final = "0100200002010"
MILL: Final = "0100200002028"


@dataclass
class SetClock:
    """A clock that stands until it is turned."""

    now: datetime = NOW

    def __call__(self) -> datetime:
        return self.now

    def pass_time(self, **amount: float) -> None:
        """Turn the clock on."""
        self.now += timedelta(**amount)


@dataclass
class Browser:
    """A test client that fills in the CSRF token as a browser does: from the page it shows."""

    client: FlaskClient

    def get(self, path: str) -> TestResponse:
        return self.client.get(path)

    def post(self, path: str, *, page: str = "/sell", **fields: str) -> TestResponse:
        """Fill in a form that stands on ``page`` and send it to ``path``."""
        form = {"csrf_token": self.csrf_token(page)} | fields
        return self.client.post(path, data=form)

    def csrf_token(self, page: str) -> str:
        found = re.search(r'name="csrf_token" value="([^"]+)"', self.get(page).text)
        assert found
        return found[1]

    def log_in(self, login: str = "zanele@thabaneng", password: str = DEMO_PASSWORD) -> None:
        answer = self.post("/login", page="/login", login=login, password=password)
        assert answer.status_code == 303

    def sell(self, drn: str, amount: str) -> str:
        """Sell through the two forms and return the page of the sale."""
        quote = self.post("/sell", meter=drn, amount=amount)
        request_id = re.search(r'name="request_id" value="([^"]+)"', quote.text)
        assert request_id, quote.text
        sold = self.post("/sell/confirm", meter=drn, amount=amount, request_id=request_id[1])
        assert sold.status_code == 303, sold.text
        return sold.headers["Location"]


def token_on(page: str) -> str:
    """Return the 20 digits that stand on the page of a sale."""
    found = re.search(r'<p class="token">([\d ]{24})</p>', page)
    assert found, page
    return found[1].replace(" ", "")
