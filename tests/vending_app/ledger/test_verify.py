"""The checker finds books right that are right, and time that runs backwards wrong."""

from datetime import datetime, timedelta

import pytest

from tests.vending_app.ledger.world import SEAL_KEY, SUPERVISOR, TENANT, World
from vending_app.domain.ledger import EntryKind, LedgerEntry, Posting
from vending_app.ledger_check import Evidence, verify
from vending_app.storage import ledger


def _url(world: World) -> str:
    return world.store.engine.url.render_as_string(hide_password=False)


def test_books_that_are_right_have_no_findings(full_world: World) -> None:
    evidence = Evidence(public_key=SEAL_KEY.public_key)
    (report,) = verify(_url(full_world), evidence=evidence)
    assert [str(finding) for finding in report.findings] == []
    assert (report.tenant, report.entries) == (TENANT, 10)


@pytest.mark.parametrize(
    ("kind", "found"),
    [
        (EntryKind.CLOCK_SET_BACK, []),
        (
            EntryKind.CORRECTION,
            [f"{TENANT}: ledger_entries 2: it was made before the entry before it"],
        ),
    ],
)
def test_time_runs_backwards_only_where_an_entry_sets_the_clock_back(
    world: World, monkeypatch: pytest.MonkeyPatch, kind: EntryKind, found: list[str]
) -> None:
    def believed(last: datetime | None, now: datetime) -> datetime:
        """Take any time, as a program would that tells lies."""
        del last
        return now

    monkeypatch.setattr(ledger, "posting_time", believed)
    before = world.sell().posted_at - timedelta(days=1)
    entry = LedgerEntry(
        kind=kind,
        reference="clock 2",
        period="2026-02",
        login=SUPERVISOR.login,
        postings=(
            Posting(account="clock:set-back", amount_minor=1, currency="CLK"),
            Posting(account="clock", amount_minor=-1, currency="CLK"),
        ),
    )
    with world.store.write() as connection:
        ledger.post(TENANT, connection, entry=entry, now=before)
    (report,) = verify(_url(world))
    assert [str(finding) for finding in report.findings] == found
