"""The checker finds books right that are right, and time that runs backwards wrong."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final

import pytest

from tests.vending_app.ledger.world import SEAL_KEY, SUPERVISOR, TENANT, World
from vending_app.domain.ledger import EntryKind, LedgerEntry, Posting
from vending_app.domain.ledger_rows import moment_text
from vending_app.ledger_check import Evidence, verify
from vending_app.storage import ledger


def _url(world: World) -> str:
    return world.store.engine.url.render_as_string(hide_password=False)


def test_books_that_are_right_have_no_findings(full_world: World) -> None:
    evidence = Evidence(public_key=SEAL_KEY.public_key)
    (report,) = verify(_url(full_world), evidence=evidence)
    assert [str(finding) for finding in report.findings] == []
    assert (report.tenant, report.entries) == (TENANT, 10)


_CLOCK: Final = (
    Posting(account="clock:set-back", amount_minor=1, currency="CLK"),
    Posting(account="clock", amount_minor=-1, currency="CLK"),
)
_TWICE: Final = tuple(replace(posting, amount_minor=2 * posting.amount_minor) for posting in _CLOCK)
_MONEY: Final = (
    Posting(account="cash", amount_minor=1, currency="ZAR"),
    Posting(account="suspense", amount_minor=-1, currency="ZAR"),
)
_LAST: Final = {"last": "2026-02-27T08:15:30.123456Z"}
_NOT_BEFORE: Final = "it sets the clock back, but was not made before the entry before it"
_NOT_LAST: Final = "it does not say when the entry before it was made"
_NOT_LINES: Final = "its lines do not count once that the clock was set back"
_RUNS_BACK: Final = "it was made before the entry before it"
_COUNTED: Final = "it counts that the clock was set back, but does not set it back"


@pytest.mark.parametrize(
    ("kind", "changed", "days", "found"),
    [
        (EntryKind.CLOCK_SET_BACK, {}, -1, []),
        (EntryKind.CLOCK_SET_BACK, {}, 0, [_NOT_BEFORE]),
        (EntryKind.CLOCK_SET_BACK, {}, 1, [_NOT_BEFORE]),
        (EntryKind.CLOCK_SET_BACK, {"facts": {}}, -1, [_NOT_LAST]),
        (EntryKind.CLOCK_SET_BACK, {"facts": {"last": _LAST["last"][:-2] + "Z"}}, -1, [_NOT_LAST]),
        (EntryKind.CLOCK_SET_BACK, {"postings": _MONEY}, -1, [_NOT_LINES]),
        (EntryKind.CLOCK_SET_BACK, {"postings": _TWICE}, -1, [_NOT_LINES]),
        (EntryKind.CLOCK_SET_BACK, {"postings": (*_CLOCK, *_MONEY)}, -1, [_NOT_LINES]),
        (EntryKind.CORRECTION, {"postings": _MONEY}, 1, []),
        (EntryKind.CORRECTION, {"postings": _MONEY}, -1, [_RUNS_BACK]),
        (EntryKind.CORRECTION, {}, 1, [_COUNTED]),
        (EntryKind.CORRECTION, {}, -1, [_RUNS_BACK, _COUNTED]),
        (
            EntryKind.CORRECTION,
            {"postings": tuple(replace(each, currency="ZAR") for each in _CLOCK)},
            1,
            [_COUNTED],
        ),
        (
            EntryKind.CORRECTION,
            {"postings": tuple(replace(each, currency="CLK") for each in _MONEY)},
            1,
            [_COUNTED],
        ),
    ],
)
def test_time_runs_backwards_only_where_an_entry_sets_the_clock_back(
    world: World,
    monkeypatch: pytest.MonkeyPatch,
    *,
    kind: EntryKind,
    changed: dict[str, Any],
    days: int,
    found: list[str],
) -> None:
    def believed(last: datetime | None, now: datetime) -> datetime:
        """Take any time, as a program would that tells lies."""
        del last
        return now

    monkeypatch.setattr(ledger, "posting_time", believed)
    sold_at = world.sell().posted_at
    assert moment_text(sold_at) == _LAST["last"]
    entry = LedgerEntry(
        kind=kind,
        reference="clock 2",
        period="2026-02",
        login=SUPERVISOR.login,
        postings=_CLOCK,
        facts=_LAST,
    )
    with world.store.write() as connection:
        ledger.post(
            TENANT,
            connection,
            entry=replace(entry, **changed),
            now=sold_at + timedelta(days=days),
        )
    (report,) = verify(_url(world))
    assert sorted(str(finding) for finding in report.findings) == sorted(
        f"{TENANT}: ledger_entries 2: {what}" for what in found
    )
