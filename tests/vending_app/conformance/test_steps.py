"""The point-of-sale steps pass, and each of them fails at an engine that breaks its rule."""

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import pytest
from click.testing import CliRunner

from sts import DecoderReferenceNumber
from tests.vending_app.conftest import new_postgresql_database, opened
from vending_app import cli, conformance
from vending_app.conformance import STEPS, PointOfSale, StepResult, run, steps
from vending_app.conformance.point import open_point
from vending_app.domain.cases import CaseToken
from vending_app.domain.errors import MeterNumberError, StoreBusyError
from vending_app.domain.sales import MadeToken, Sale
from vending_app.storage.migrate import upgrade

COMMAND: Final = sys.modules["vending_app.cli.conformance"]
_SELL = PointOfSale.sell
_ENGINEER = PointOfSale.engineer_tokens
_CHANGE = PointOfSale.change_key


def _shifted(token: MadeToken) -> MadeToken:
    assert token.tid_minutes is not None
    return replace(token, tid_minutes=token.tid_minutes + 7)


def _later(point: PointOfSale, drn: DecoderReferenceNumber, **options: Any) -> Sale:
    """Sell with an identifier that the clock does not give."""
    sale = _SELL(point, drn, **options)
    return replace(sale, tokens=tuple(map(_shifted, sale.tokens)))


def _alone(point: PointOfSale, drn: DecoderReferenceNumber) -> Sale:
    """Sell without the key change that is due."""
    sale = _SELL(point, drn)
    return replace(sale, tokens=sale.tokens[-1:])


def _again(point: PointOfSale, drn: DecoderReferenceNumber, **_: object) -> Sale:
    """Sell a special token as often as anybody likes."""
    return _SELL(point, drn)


def _same(
    point: PointOfSale, drn: DecoderReferenceNumber, tokens: Sequence[CaseToken]
) -> tuple[MadeToken, ...]:
    """Give all tokens of a job card one identifier."""
    made = _ENGINEER(point, drn, tokens)
    return (made[0],) * len(made)


def _nothing(*_: object, **__: object) -> tuple[MadeToken, ...]:
    """Make nothing and refuse nothing."""
    return ()


_BROKEN: dict[str, tuple[str, Callable[..., object]]] = {
    "a token of midnight has the identifier 00:00": ("sell", _later),
    "a token of 00:01 is shifted to 00:02": ("sell", _later),
    "a special token has 00:01, once a day": ("sell", _again),
    "three credits of one minute differ": ("sell", _later),
    "three ClearCredits of one minute differ": ("engineer_tokens", _same),
    "no credit under an expired key": ("sell", _nothing),
    "no ClearCredit under an expired key": ("engineer_tokens", _nothing),
    "no key change to an expired key": ("change_key", _nothing),
    "a key change from an expired key": ("change_key", _nothing),
    "another tariff index changes the key": ("sell", _alone),
    "another key revision changes the key": ("sell", _alone),
    "another key expiry changes the key": ("sell", _alone),
    "another supply group changes the key": ("sell", _alone),
}


@pytest.fixture(scope="module")
def results() -> tuple[StepResult, ...]:
    return run()


def _only(title: str) -> conformance.Step:
    (step,) = (each for each in STEPS if each.title == title)
    return step


def test_every_step_passes(results: tuple[StepResult, ...]) -> None:
    assert [result for result in results if not result.passed] == []
    assert {step.test for step in STEPS} == {"CTSA09", "CTSA16", "CTSA17", "CTSA19"}
    assert len(results) == len(STEPS) == 14


@pytest.fixture(scope="module")
def empty_point(postgresql_server: str) -> str:
    """The name of a PostgreSQL database with the tables and nothing in them."""
    with opened(new_postgresql_database(postgresql_server, "point_empty")) as store:
        upgrade(store)
    return "point_empty"


@pytest.mark.postgres
@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.title)
def test_every_step_passes_on_postgresql_too(
    step: conformance.Step, empty_point: str, postgresql_server: str, tmp_path: Path
) -> None:
    url = new_postgresql_database(postgresql_server, "point", template=empty_point)
    with open_point(tmp_path, database_url=url) as point:
        assert list(step.check(point)) == []


@pytest.mark.parametrize("title", _BROKEN)
def test_a_step_fails_at_an_engine_that_breaks_its_rule(
    title: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    name, broken = _BROKEN[title]
    monkeypatch.setattr(PointOfSale, name, broken)
    monkeypatch.setattr(steps, "STEPS", (_only(title),))
    (result,) = run()
    assert not result.passed
    assert result.problems


@pytest.mark.parametrize("code", [None, "IDENTIFIER"])
def test_the_check_digit_step_fails_where_wrong_numbers_are_taken(
    code: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def taking(text: str) -> None:
        if code is not None:
            raise MeterNumberError(code, text, hint="")

    monkeypatch.setattr(steps, "parse_meter_number", taking)
    monkeypatch.setattr(steps, "STEPS", (_only("wrong check digits are refused"),))
    (result,) = run()
    assert len(result.problems) == 2


def test_every_step_is_shown_to_be_able_to_fail() -> None:
    assert {*_BROKEN, "wrong check digits are refused"} == {step.title for step in STEPS}


def _refusing(_: PointOfSale) -> Iterator[str]:
    raise StoreBusyError
    yield ""


def test_a_step_that_is_refused_has_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    step = replace(STEPS[0], check=_refusing)
    monkeypatch.setattr(steps, "STEPS", (step,))
    (result,) = run()
    assert result.problems == (
        "refused with STORE_BUSY: The system is busy. This step was not done.",
    )


def test_the_command_says_what_passed_and_what_did_not(
    results: tuple[StepResult, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(COMMAND, "run", lambda: results)
    done = CliRunner().invoke(cli.main, ["conformance"])
    assert done.exit_code == 0
    assert done.output.splitlines()[0] == f"CTSA09  passed  {STEPS[0].title}"
    assert done.output.splitlines()[-1] == "14 passed, 0 failed"
    wrong = (replace(results[0], problems=("identifier: 00:07, expected 00:00",)), *results[1:])
    monkeypatch.setattr(COMMAND, "run", lambda: wrong)
    failed = CliRunner().invoke(cli.main, ["conformance"])
    assert failed.exit_code == 1
    assert "CTSA09  FAILED" in failed.output
    assert "identifier: 00:07, expected 00:00" in failed.output
    assert "13 passed, 1 failed" in failed.output
    body = json.loads(CliRunner().invoke(cli.main, ["conformance", "--json"]).output)
    assert body[0] == {
        "test": "CTSA09",
        "title": STEPS[0].title,
        "passed": False,
        "problems": ["identifier: 00:07, expected 00:00"],
    }
    assert len(body) == 14
