"""A row comes out right, or it is in the side file with its line and a code."""

import csv
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from keys.bulk.job import Operation
from tests.keys.bulk.conftest import METERS, SHARED, Depot

Text = Callable[..., str]


def refused(output: Path) -> list[tuple[int, str]]:
    with output.with_name(f"{output.name}.errors.csv").open(encoding="ascii") as file:
        return [(int(row["line"]), row["code"]) for row in csv.DictReader(file)]


def rows(output: Path) -> list[dict[str, str]]:
    with output.open(encoding="ascii") as file:
        return list(csv.DictReader(file))


CHANGES = [
    ({"meter": "01000000012"}, "WRONG_CHECK_DIGIT"),
    ({"meter": "0100000000x"}, "NOT_DIGITS"),
    ({"meter": "0100000"}, "WRONG_LENGTH"),
    ({"meter": ""}, "WRONG_LENGTH"),
    ({"meter": "1" * 80}, "WRONG_LENGTH"),
    ({"meter": "500727010000000036"}, "UNKNOWN_IIN"),
    ({"sgc": "999999"}, "UNKNOWN_VENDING_KEY"),
    ({"sgc": "20145"}, "WRONG_LENGTH"),
    ({"sgc": "20145x"}, "NOT_DIGITS"),
    ({"krn": "0"}, "OUT_OF_RANGE"),
    ({"ti": "1"}, "WRONG_LENGTH"),
    ({"kt": "x"}, "UNKNOWN_CODE"),
    ({"kt": "7"}, "OUT_OF_RANGE"),
    ({"ea": "08"}, "UNKNOWN_CODE"),
    ({"ken": "256"}, "OUT_OF_RANGE"),
    ({"tct": "09"}, "UNKNOWN_CODE"),
    ({"kt": "1"}, "KEY_TYPE_MISMATCH"),
    ({"to_krn": "7"}, "ANOTHER_TENANTS_KEY"),
    ({"to_sgc": "999999"}, "UNKNOWN_VENDING_KEY"),
    ({"to_krn": "3"}, "KEY_CHANGE_TO_EXPIRED_KEY"),
    ({"to_krn": "4"}, "ISSUED_UNTIL_PASSED"),
    ({"to_krn": "5"}, "KEY_NOT_ACTIVE"),
    ({"to_krn": "8"}, "BEFORE_BASE_DATE"),
    ({"krn": "2", "to_krn": "2"}, "KEY_CHANGE_SAME"),
    ({"krn": "2", "to_krn": "9"}, "KEY_CHANGE_ALGORITHM"),
    ({"ea": "11"}, "KEY_CHANGE_ALGORITHM"),
]


@pytest.mark.parametrize(("change", "code"), CHANGES, ids=str)
def test_a_key_change_that_may_not_be_is_refused_alone(
    depot: Depot, csv_text: Text, change: dict[str, str], code: str
) -> None:
    wrong = {"meter": METERS[1], "to_krn": "2", **change}
    fine = {"meter": METERS[0], "to_krn": "2"}
    job = depot.job(depot.table(csv_text(wrong, fine)))
    summary = depot.done(job)
    assert (summary.rows, summary.right, summary.refused) == (2, 1, 1)
    assert refused(job.output) == [(2, code)]
    assert [row["line"] for row in rows(job.output)] == ["3"]


def test_a_change_of_algorithm_is_refused_where_the_supply_group_forbids_it(
    depot: Depot, csv_text: Text
) -> None:
    table = depot.table(csv_text({"meter": METERS[0], "to_krn": "2"}))
    job = depot.job(table, options={"forbid_dkga_change": "yes"})
    depot.done(job)
    assert refused(job.output) == [(2, "KEY_CHANGE_ALGORITHM")]


CREDITS = [
    ({"tenths": "x"}, "NOT_DIGITS"),
    ({"tenths": ""}, "NOT_DIGITS"),
    ({"tenths": "-5"}, "NOT_DIGITS"),
    ({"tenths": "1234567890123456"}, "NOT_DIGITS"),
    ({"tenths": "18201625"}, "AMOUNT_TOO_LARGE"),
    ({"tid": "-1"}, "NOT_DIGITS"),
    ({"tid": "0"}, "FIELD_RANGE"),
    ({"tid": "16777216"}, "FIELD_RANGE"),
    ({"tid": "1441"}, "RESERVED_MINUTE"),
    ({"krn": "3"}, "KEY_EXPIRED"),
    ({"krn": "4"}, "ISSUED_UNTIL_PASSED"),
    ({"krn": "5"}, "KEY_NOT_ACTIVE"),
    ({"krn": "6", "kt": "1"}, "CREDIT_UNDER_DEFAULT_KEY"),
    ({"krn": "1"}, "AFTER_LAST_MINUTE"),
    ({"krn": "9", "ea": "11"}, "UNSUPPORTED_ALGORITHM"),
]


@pytest.mark.parametrize(("change", "code"), CREDITS, ids=str)
def test_credit_that_may_not_be_is_refused_alone(
    depot: Depot, csv_text: Text, change: dict[str, str], code: str
) -> None:
    usual = {"krn": "2", "tenths": "125", "tid": "6400000"}
    table = depot.table(
        csv_text({"meter": METERS[0], **usual, **change}, {"meter": METERS[1], **usual})
    )
    job = depot.job(table, operation=Operation.CREDIT)
    depot.done(job)
    assert refused(job.output) == [(2, code)]
    assert [row["meter"] for row in rows(job.output)] == [METERS[1]]


def test_both_rows_of_a_meter_that_stands_there_twice_are_refused(
    depot: Depot, csv_text: Text
) -> None:
    meters = (METERS[0], METERS[1], METERS[0], METERS[2])
    table = depot.table(csv_text(*({"meter": meter, "to_krn": "2"} for meter in meters)))
    job = depot.job(table)
    depot.done(job)
    assert refused(job.output) == [(2, "DUPLICATE_METER"), (4, "DUPLICATE_METER")]


def test_a_meter_may_get_several_credit_tokens_but_not_one_identifier_twice(
    depot: Depot, csv_text: Text
) -> None:
    usual = {"meter": METERS[0], "krn": "2", "tenths": "5"}
    tids = ("6400000", "6400001", "6400000")
    job = depot.job(
        depot.table(csv_text(*({**usual, "tid": tid} for tid in tids))), operation=Operation.CREDIT
    )
    depot.done(job)
    assert refused(job.output) == [(2, "DUPLICATE_TID"), (4, "DUPLICATE_TID")]


def test_the_same_minute_of_two_base_dates_is_not_the_same_identifier(
    depot: Depot, csv_text: Text
) -> None:
    usual = {"meter": METERS[3], "tenths": "5", "tid": "6400000", "ea": "11"}
    job = depot.job(
        depot.table(csv_text({**usual, "krn": "2"}, {**usual, "krn": "8"})),
        operation=Operation.CREDIT,
        at=datetime(2036, 1, 1, tzinfo=UTC),
    )
    depot.done(job)
    assert refused(job.output) == []


def test_lines_with_too_few_or_too_many_columns_are_refused(depot: Depot, csv_text: Text) -> None:
    text = csv_text({"meter": METERS[0], "to_krn": "2"}) + "1,2\n" + "1,2,3,4,5,6,7,8\n"
    job = depot.job(depot.table(text))
    depot.done(job)
    assert refused(job.output) == [(3, "ROW_FORMAT"), (4, "ROW_FORMAT")]


def test_an_attribute_of_all_rows_may_be_given_instead_of_a_column(
    depot: Depot, csv_text: Text
) -> None:
    few = {name: SHARED[name] for name in ("sgc", "krn")}
    given = {**{name: SHARED[name] for name in ("ti", "kt", "ea")}, "to_krn": "2"}
    one = depot.job(depot.table(csv_text({"meter": METERS[0]}, common=few)), "one.csv", given=given)
    two = depot.job(
        depot.table(csv_text({"meter": METERS[0], "to_krn": "2"}), "two.csv"), "two.out.csv"
    )
    depot.done(one)
    depot.done(two)
    assert one.output.read_bytes() == two.output.read_bytes()


def test_an_amount_of_all_rows_may_be_given_instead_of_a_column(
    depot: Depot, csv_text: Text
) -> None:
    table = depot.table(csv_text({"meter": METERS[0], "krn": "2", "tid": "6400000"}))
    job = depot.job(table, operation=Operation.CREDIT, given={"tenths": "125"})
    depot.done(job)
    assert [row["tenths"] for row in rows(job.output)] == ["125"]
