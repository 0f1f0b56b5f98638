from datetime import timedelta

import pytest

from tests.vending_app.helpers import NOW
from vending_app.domain.errors import TooManyLoginsError
from vending_app.web import throttle as throttle_module
from vending_app.web.throttle import FAILURES_ALLOWED, WINDOW, LoginThrottle


def _fail(throttle: LoginThrottle, times: int) -> None:
    for _ in range(times):
        throttle.failed("zanele", "10.0.0.1", now=NOW)


def test_five_failures_close_the_door_for_five_minutes() -> None:
    throttle = LoginThrottle()
    _fail(throttle, FAILURES_ALLOWED - 1)
    throttle.require_allowed("zanele", "10.0.0.1", now=NOW)
    _fail(throttle, 1)
    with pytest.raises(TooManyLoginsError, match="300 seconds") as refusal:
        throttle.require_allowed("zanele", "10.0.0.1", now=NOW)
    assert refusal.value.code == "TOO_MANY_LOGINS"
    almost = NOW + WINDOW - timedelta(milliseconds=1)
    with pytest.raises(TooManyLoginsError, match=" 1 seconds"):
        throttle.require_allowed("zanele", "10.0.0.1", now=almost)
    throttle.require_allowed("zanele", "10.0.0.1", now=NOW + WINDOW)


def test_others_are_not_kept_waiting() -> None:
    throttle = LoginThrottle()
    _fail(throttle, FAILURES_ALLOWED)
    throttle.require_allowed("rehema", "10.0.0.1", now=NOW)
    throttle.require_allowed("zanele", "10.0.0.2", now=NOW)


def test_a_log_in_that_works_wipes_the_slate() -> None:
    throttle = LoginThrottle()
    _fail(throttle, FAILURES_ALLOWED - 1)
    throttle.succeeded("zanele", "10.0.0.1")
    _fail(throttle, FAILURES_ALLOWED - 1)
    throttle.require_allowed("zanele", "10.0.0.1", now=NOW)


def test_name_after_name_does_not_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(throttle_module, "_MOST_NAMES", 3)
    throttle = LoginThrottle()
    for number in range(10):
        throttle.failed(f"name-{number}", "10.0.0.1", now=NOW)
    assert len(throttle._failures) == 3  # noqa: SLF001 - what is measured is not to be seen
