"""What an entry says of the rows that it stands for."""

from datetime import UTC, datetime, timedelta, timezone
from hashlib import sha256
from zoneinfo import ZoneInfo

import pytest

from keys.canonical_json import CanonicalJsonError
from sts.errors import NaiveDatetimeError
from vending_app.domain.ledger_errors import LedgerRowError
from vending_app.domain.ledger_rows import moment_text, row_digest, row_name, rows_digest

MOMENT = datetime(2026, 3, 2, 8, 15, 30, tzinfo=UTC)
MARK = {
    "tenant": "thabaneng",
    "basis_number": 40,
    "token_number": 1,
    "mark": "void",
    "reason": "wrong meter – Ärger",
    "login": "botha",
    "marked_at": MOMENT,
}


def test_the_hash_of_a_row_is_that_of_its_canonical_form() -> None:
    written = (
        '{"basis_number":40,"login":"botha","mark":"void","marked_at":"2026-03-02T08:15:30.000000Z"'
        ',"reason":"wrong meter \\u2013 \\u00c4rger","token_number":1}'
    )
    assert row_digest("token_marks", MARK) == sha256(written.encode("ascii")).hexdigest()
    assert rows_digest({"token_marks": [MARK]}) == {
        "token_marks 40/1/void": row_digest("token_marks", MARK)
    }
    assert row_name("token_marks", MARK) == "token_marks 40/1/void"


def test_a_row_that_lacks_a_column_or_has_another_is_refused() -> None:
    lacking = {name: value for name, value in MARK.items() if name != "reason"}
    for row, column in ((lacking, "reason"), ({**MARK, "colour": "red"}, "colour")):
        with pytest.raises(LedgerRowError, match=column) as refusal:
            row_digest("token_marks", row)
        assert refusal.value.code == "LEDGER_ROW"


def test_a_value_without_a_canonical_form_is_refused() -> None:
    with pytest.raises(CanonicalJsonError):
        row_digest("token_marks", {**MARK, "reason": 0.5})


def test_the_hour_that_comes_twice_is_two_hours() -> None:
    # To Python these two are equal, as both have the same zone and the same digits.
    first = datetime(2026, 10, 25, 2, 30, tzinfo=ZoneInfo("Europe/Berlin"))
    second = first.replace(fold=1)
    assert first == second
    assert [moment_text(first), moment_text(second), moment_text(first)] == [
        "2026-10-25T00:30:00.000000Z",
        "2026-10-25T01:30:00.000000Z",
        "2026-10-25T00:30:00.000000Z",
    ]


def test_a_moment_is_written_in_utc_whatever_its_zone() -> None:
    local = MOMENT.astimezone(timezone(timedelta(hours=2)))
    assert moment_text(local) == moment_text(MOMENT) == "2026-03-02T08:15:30.000000Z"
    with pytest.raises(NaiveDatetimeError):
        moment_text(MOMENT.replace(tzinfo=None))
