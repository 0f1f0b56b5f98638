"""Entries of the books as values: what balances, what is refused, what a sale books."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from sts.errors import NaiveDatetimeError
from vending_app.domain.chart import AccountKind, account_kind, party_of
from vending_app.domain.ledger import (
    EntryKind,
    LedgerEntry,
    Posting,
    Tender,
    cash_due,
    deposit_entry,
    issue_entry,
    reversal_entry,
    sale_entry,
    sale_postings,
)
from vending_app.domain.ledger_errors import (
    FewPostingsError,
    FloatDepositError,
    LedgerAccountError,
    LedgerError,
    PeriodFormatError,
    PostingError,
    UnbalancedEntryError,
)
from vending_app.domain.money import LARGEST_MINOR
from vending_app.domain.periods import next_period, open_period, period_of

LINES = (("sales:energy", 8696), ("tax:vat", 1304))


def _post(account: str, amount: int, currency: str = "ZAR") -> Posting:
    return Posting(account=account, amount_minor=amount, currency=currency)


def _entry(*postings: Posting, period: str = "2026-03", original: str | None = None) -> LedgerEntry:
    return LedgerEntry(
        kind=EntryKind.CORRECTION,
        reference="correction 1",
        period=period,
        login="botha",
        postings=postings,
        original_period=original,
    )


def _sale(tender: Tender, lines: tuple[tuple[str, int], ...] = LINES) -> list[tuple[str, int]]:
    entry = sale_entry(
        sale_number=12,
        period="2026-03",
        login="zanele",
        postings=sale_postings(account_number="A1", tender=tender, lines=lines),
        digest={},
    )
    assert (entry.kind, entry.reference) == ("sale", "sale 12")
    return [(posting.account, posting.amount_minor) for posting in entry.postings]


def _tender(amount: int = 10000, method: str = "cash", **more: int | str) -> Tender:
    return Tender(currency="ZAR", tendered_minor=amount, payment_method=method, **more)  # type: ignore[arg-type]  # names and numbers of a test


@pytest.mark.parametrize(
    ("account", "kind"),
    [
        ("cash", AccountKind.ASSET),
        ("vendor-float:SPAZA", AccountKind.LIABILITY),
        ("sales:energy", AccountKind.INCOME),
        ("commission:Tshepo's Spaza", AccountKind.EXPENSE),
        ("rounding:cash", AccountKind.INCOME),
        ("suspense", AccountKind.LIABILITY),
    ],
)
def test_the_first_word_of_an_account_says_its_kind(account: str, kind: AccountKind) -> None:
    assert account_kind(account) is kind


@pytest.mark.parametrize(
    "account",
    [
        "",
        "money",
        "Cash",
        "cash:",
        ":cash",
        "sales: energy",
        "sales:energy ",
        "sales:\n",
        "tax:" + 61 * "x",
    ],
)
def test_what_the_chart_does_not_have_is_no_account(account: str) -> None:
    with pytest.raises(LedgerAccountError) as refusal:
        _post(account, 1)
    assert refusal.value.code == "LEDGER_ACCOUNT"


@pytest.mark.parametrize(
    ("amount", "currency"),
    [(0, "ZAR"), (LARGEST_MINOR + 1, "ZAR"), (1, "ZA"), (1, "zar"), (1, "ZÄR"), (1, "")],
)
def test_a_line_of_nothing_or_in_no_currency_is_refused(amount: int, currency: str) -> None:
    with pytest.raises(PostingError) as refusal:
        _post("cash", amount, currency)
    assert refusal.value.code == "LEDGER_POSTING"


@pytest.mark.parametrize("count", [0, 1])
def test_an_entry_has_two_lines_or_more(count: int) -> None:
    with pytest.raises(FewPostingsError) as refusal:
        _entry(*[_post("cash", 5)] * count)
    assert refusal.value.code == "LEDGER_FEW_POSTINGS"


@pytest.mark.parametrize(
    "postings",
    [
        (_post("cash", 5), _post("suspense", -4)),
        (_post("cash", 5), _post("suspense", -5, "TZS")),
        (
            _post("cash", 5),
            _post("suspense", -5),
            _post("cash", 1, "TZS"),
            _post("bank", -2, "TZS"),
        ),
    ],
    ids=str,
)
def test_an_entry_that_does_not_balance_in_every_currency_cannot_be_built(
    postings: tuple[Posting, ...],
) -> None:
    with pytest.raises(UnbalancedEntryError, match="left over") as refusal:
        _entry(*postings)
    assert refusal.value.code == "LEDGER_UNBALANCED"


@given(
    st.lists(
        st.integers(-LARGEST_MINOR // 99, LARGEST_MINOR // 99).filter(bool), min_size=1, max_size=9
    )
)
def test_whatever_is_balanced_by_a_last_line_is_an_entry(amounts: list[int]) -> None:
    postings = [_post("cash", amount) for amount in amounts]
    assume(sum(amounts))
    last = _post("suspense", -sum(amounts))
    assert _entry(*postings, last).postings == (*postings, last)
    with pytest.raises(LedgerError):
        _entry(*postings)


@pytest.mark.parametrize(
    "period", ["", "2026", "2026-13", "2026-00", "26-01", "2026-1", "2026-01-01"]
)
def test_a_period_is_a_month(period: str) -> None:
    lines = (_post("cash", 5), _post("suspense", -5))
    for wrong in ({"period": period}, {"original": period}):
        with pytest.raises(PeriodFormatError) as refusal:
            _entry(*lines, **wrong)
        assert refusal.value.code == "PERIOD_FORMAT"


def test_a_cash_sale_books_cash_against_each_line() -> None:
    assert _sale(_tender()) == [("cash", 10000), ("sales:energy", -8696), ("tax:vat", -1304)]


def test_a_card_sale_books_the_clearing_account() -> None:
    assert _sale(_tender(method="card"))[0] == ("card", 10000)


def test_a_vendors_sale_takes_from_the_float_whatever_the_customer_paid_with() -> None:
    assert _sale(_tender(method="card", vendor_code="SPAZA"))[0] == ("vendor-float:SPAZA", 10000)


def test_a_commission_goes_back_into_the_vendors_float() -> None:
    booked = _sale(_tender(vendor_code="SPAZA", commission_minor=150))
    assert booked[-2:] == [("commission:SPAZA", 150), ("vendor-float:SPAZA", -150)]


def test_nobody_earns_a_commission_on_a_sale_without_a_vendor() -> None:
    with pytest.raises(LedgerAccountError):
        _sale(_tender(commission_minor=150))


@pytest.mark.parametrize(("amount", "due"), [(10, 10), (12, 10), (13, 15), (14, 15), (17, 15)])
def test_cash_is_rounded_to_the_nearest_coin(amount: int, due: int) -> None:
    assert cash_due(amount, step_minor=5) == due
    rounding = due - amount
    booked = dict(_sale(_tender(amount, cash_rounding_minor=rounding), (("sales:energy", amount),)))
    assert booked["cash"] == due
    assert booked.get("rounding:cash", 0) == -rounding


@pytest.mark.parametrize(
    ("amount", "step", "due"), [(5, 10, 0), (15, 10, 10), (7, 1, 7), (6, 10, 10)]
)
def test_half_a_coin_is_the_customers(amount: int, step: int, due: int) -> None:
    assert cash_due(amount, step_minor=step) == due


def test_what_is_left_over_is_the_buyers_credit_and_lines_of_nothing_book_nothing() -> None:
    lines = (("sales:energy", 9963), ("fee:basic", 0), ("account-credit", 37))
    assert _sale(_tender(), lines) == [
        ("cash", 10000),
        ("sales:energy", -9963),
        ("account-credit:A1", -37),
    ]


def test_credit_that_is_used_up_and_subsidies_are_debits() -> None:
    lines = (("sales:energy", 10500), ("account-credit", -200), ("subsidy:treasury", -300))
    assert _sale(_tender(), lines)[2:] == [("account-credit:A1", 200), ("subsidy:treasury", 300)]


def test_lines_that_are_not_the_money_are_refused() -> None:
    with pytest.raises(UnbalancedEntryError):
        _sale(_tender(9999))


def test_tokens_without_money_are_counted() -> None:
    entry = issue_entry(
        basis_number=7,
        period="2026-03",
        login="farai",
        issued={"key_change": 2, "free_issue": 1},
        digest={},
    )
    assert (entry.kind, entry.reference) == ("issue", "basis 7")
    assert {posting.account: posting.amount_minor for posting in entry.postings} == {
        "tokens:key_change": 2,
        "tokens:free_issue": 1,
        "tokens": -3,
    }
    with pytest.raises(FewPostingsError):
        issue_entry(basis_number=7, period="2026-03", login="f", issued={}, digest={})


@pytest.mark.parametrize(("sale_period", "original"), [("2026-02", "2026-02"), ("2026-03", None)])
def test_a_credit_note_takes_every_line_back(sale_period: str, original: str | None) -> None:
    sale = (_post("cash", 5), _post("sales:energy", -5))
    entry = reversal_entry(
        credit_note_number=3,
        period="2026-03",
        login="botha",
        sale=sale,
        sale_entry_number=4,
        sale_period=sale_period,
        digest={},
    )
    assert entry.postings == (_post("cash", -5), _post("sales:energy", 5))
    record = entry.record(period="2026-03", posted_at="2026-03-02T08:15:30.000000Z")
    assert record.get("original_period") == original
    assert record["document"] == {"reverses": 4, "rows": {}}


def test_a_deposit_raises_the_float() -> None:
    deposit = {"reference": "deposit 1", "period": "2026-03", "login": "botha", "currency": "ZAR"}
    entry = deposit_entry(vendor_code="SPAZA", amount_minor=5, **deposit)
    assert entry.postings == (_post("bank", 5), _post("vendor-float:SPAZA", -5))
    for amount in (0, -5):
        with pytest.raises(FloatDepositError) as refusal:
            deposit_entry(vendor_code="SPAZA", amount_minor=amount, **deposit)
        assert refusal.value.code == "FLOAT_DEPOSIT"


def test_what_is_booked_elsewhere_than_it_belongs_says_so() -> None:
    lines = (_post("cash", 5), _post("suspense", -5))
    moment = "2026-03-02T08:15:30.000000Z"
    assert _entry(*lines).record(period="2026-04", posted_at=moment)["original_period"] == "2026-03"
    assert "original_period" not in _entry(*lines).record(period="2026-03", posted_at=moment)
    corrected = _entry(*lines, original="2026-01").record(period="2026-04", posted_at=moment)
    assert corrected["original_period"] == "2026-01"


@pytest.mark.parametrize(
    ("account", "party"),
    [
        ("vendor-float:SPAZA", ("vendor", "SPAZA")),
        ("account-credit:A1", ("account", "A1")),
        ("account-credit", None),
        ("cash", None),
    ],
)
def test_a_float_and_a_credit_have_owners(account: str, party: tuple[str, str] | None) -> None:
    assert party_of(account) == party


def test_a_month_is_that_of_the_local_calendar() -> None:
    zone = ZoneInfo("Africa/Johannesburg")
    assert period_of(datetime(2026, 2, 28, 21, 59, tzinfo=UTC), zone) == "2026-02"
    assert period_of(datetime(2026, 2, 28, 22, 0, tzinfo=UTC), zone) == "2026-03"
    with pytest.raises(NaiveDatetimeError):
        period_of(datetime(2026, 2, 28, 22, 0), zone)  # noqa: DTZ001 - that is the point


def test_after_december_comes_january() -> None:
    assert [next_period(month) for month in ("2026-02", "2026-12")] == ["2026-03", "2027-01"]


@pytest.mark.parametrize(
    ("closed", "wanted", "booked"),
    [
        ("", "2026-01", "2026-01"),
        ("2026-01", "2026-02", "2026-02"),
        ("2026-01", "2026-01", "2026-02"),
        ("2026-12", "2025-03", "2027-01"),
    ],
)
def test_what_belongs_to_a_closed_month_is_booked_in_the_first_open_one(
    closed: str, wanted: str, booked: str
) -> None:
    assert open_period(wanted, closed_through=closed) == booked
