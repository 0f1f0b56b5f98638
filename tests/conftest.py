"""What all tests share: Hypothesis profiles, and skips that are failures where nothing may skip.

Some tests need what a laptop may lack: Chromium, a PostgreSQL server, a PKCS#11 module. They carry
the mark of that name and skip themselves with a reason. The environment variable ``STS_REQUIRE``
(``browser,postgres,hsm`` in CI) names the marks for which a skip is a failure, so that a test
cannot silently cease to run.
"""

import os
import signal
from collections.abc import Generator
from typing import Final, NoReturn, Protocol

import pytest
from hypothesis import settings

from tests.journals import close_journals

OPTIONAL_MARKS: Final = frozenset({"browser", "hsm", "postgres"})

# One profile that says the same on every machine and every day, one that looks for news:
# `pytest --hypothesis-profile=long`.
settings.register_profile("gate", max_examples=100, deadline=None, derandomize=True)
settings.register_profile("long", max_examples=5_000, deadline=None, print_blob=True)
settings.load_profile("gate")

# A shell has what it runs in the background ignore Ctrl+C, and programs that are started pass that
# on; some tests press it.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


class Require(Protocol):
    """The type of the fixture `require`."""

    def __call__(self, mark: str, reason: str) -> NoReturn:
        """Skip the test, or fail it where ``mark`` is required."""
        ...


@pytest.fixture(autouse=True)
def journals() -> Generator[None]:
    """Close the issue journals of the test."""
    yield
    close_journals()


@pytest.fixture(scope="session")
def require() -> Require:
    """Give a function to call when what ``mark`` stands for is missing, with the reason."""

    def skip_or_fail(mark: str, reason: str) -> NoReturn:
        if mark not in OPTIONAL_MARKS:
            pytest.fail(f"no such optional mark: {mark}")
        if mark in _required():
            pytest.fail(f"{mark} is required here: {reason}")
        pytest.skip(reason)

    return skip_or_fail


def pytest_configure() -> None:
    """Refuse a misspelt ``STS_REQUIRE``, which would require nothing."""
    unknown = _required() - OPTIONAL_MARKS
    if unknown:
        message = f"STS_REQUIRE names unknown marks: {', '.join(sorted(unknown))}"
        raise pytest.UsageError(message)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Turn the skip of a test with a required mark into a failure, wherever it came from."""
    report = yield
    required = sorted(name for name in _required() if item.get_closest_marker(name))
    if report.skipped and required and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"{', '.join(required)} required here, but skipped: {_reason(report)}"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Turn the skip of a whole module into a failure where anything is required.

    A module that leaves at its first line cannot say which marks its tests would have had.
    """
    report = yield
    if report.skipped and _required():
        report.outcome = "failed"
        report.longrepr = f"a module may not skip itself here: {_reason(report)}"
    return report


def _required() -> frozenset[str]:
    names = (name.strip() for name in os.environ.get("STS_REQUIRE", "").split(","))
    return frozenset(name for name in names if name)


def _reason(report: pytest.TestReport | pytest.CollectReport) -> str:
    return report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
