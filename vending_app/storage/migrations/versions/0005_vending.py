"""Vending: requests, cases, bases, tokens, sales and their papers, the audit log.

Revision ID: 0005
Revises: 0004
"""

from typing import Final

from alembic import op

from vending_app.storage.migrations.building import (
    check,
    document,
    flag,
    key,
    large,
    moment,
    number,
    of,
    refuse_changes,
    tenant,
    text,
    unique,
)

revision: Final = "0005"
down_revision: Final = "0004"

_APPEND_ONLY: Final = (
    "audit_events",
    "bases",
    "credit_notes",
    "reconciliations",
    "reprints",
    "sale_lines",
    "sales",
    "token_marks",
    "tokens",
)


def upgrade() -> None:
    """Create the tables, then the triggers that keep what happened as it was."""
    _create_reasons()
    _create_tokens()
    _create_sales()
    _create_records()
    refuse_changes(_APPEND_ONLY)


def _create_reasons() -> None:
    op.create_table(
        "requests",
        tenant(),
        text("request_id", 64),
        text("kind", 32),
        text("content_hash", 64),
        text("state", 8),
        text("drn", 13, nullable=True),
        text("login", 64),
        document("plan", nullable=True),
        text("error_code", 64, nullable=True),
        text("error_message", 500, nullable=True),
        moment("received_at"),
        moment("ended_at", nullable=True),
        key("requests", "tenant", "request_id"),
        of("requests", "operators", "login"),
        of("requests", "tenants"),
        check("requests", "ended", "(state IN ('pending', 'unknown')) = (ended_at IS NULL)"),
        check("requests", "error", "(state = 'failed') = (error_code IS NOT NULL)"),
        check("requests", "state", "state IN ('pending', 'unknown', 'done', 'failed')"),
    )
    op.create_index("ix_requests_open", "requests", ["tenant", "state", "drn"])
    op.create_table(
        "cases",
        tenant(),
        large("case_number"),
        text("kind", 16),
        text("state", 16),
        text("drn", 13),
        large("sale_number", nullable=True),
        text("evidence_kind", 32, nullable=True),
        document("evidence"),
        text("evidence_hash", 64, nullable=True),
        text("reason", 500),
        document("document"),
        text("login", 64),
        moment("opened_at"),
        text("approved_login", 64, nullable=True),
        moment("decided_at", nullable=True),
        moment("ended_at", nullable=True),
        key("cases", "tenant", "case_number"),
        of("cases", "meters", "drn"),
        of("cases", "operators", "login"),
        check(
            "cases",
            "kind",
            "kind IN ('reversal', 'wrong_meter', 'exchange', 'free_issue', 'job_card')",
        ),
        check("cases", "second_person", "approved_login IS NULL OR approved_login <> login"),
        check("cases", "state", "state IN ('open', 'approved', 'refused', 'done')"),
    )
    op.create_table(
        "bases",
        tenant(),
        large("basis_number"),
        text("kind", 16),
        number("maximum_tokens"),
        text("request_id", 64),
        text("drn", 13),
        large("case_number", nullable=True),
        text("login", 64),
        text("reason", 500, default=""),
        moment("made_at"),
        key("bases", "tenant", "basis_number"),
        unique("bases", "tenant", "request_id", "kind"),
        of("bases", "cases", "case_number"),
        of("bases", "meters", "drn"),
        of("bases", "operators", "login"),
        of("bases", "requests", "request_id"),
        check(
            "bases",
            "case",
            "kind NOT IN ('free_issue', 'exchange', 'job_card') OR case_number IS NOT NULL",
        ),
        check(
            "bases",
            "kind",
            "kind IN ('sale', 'entitlement', 'free_issue', 'exchange', 'job_card', 'key_change', "
            "'withheld')",
        ),
        check("bases", "maximum_tokens", "maximum_tokens >= 0"),
    )


def _create_tokens() -> None:
    op.create_table(
        "tokens",
        tenant(),
        large("basis_number"),
        number("token_number"),
        text("drn", 13),
        text("kind", 48),
        number("token_class"),
        number("subclass"),
        text("base_date", 4),
        number("tid", nullable=True),
        text("digits", 20),
        large("amount_tenths", nullable=True),
        text("currency_units", 40, nullable=True),
        text("supply_group_code", 6),
        number("key_revision_number"),
        number("key_type"),
        number("tariff_index"),
        text("encryption_algorithm", 2),
        number("key_expiry_number"),
        flag("sample_tables"),
        text("description", 120),
        moment("made_at"),
        key("tokens", "tenant", "basis_number", "token_number"),
        unique("tokens", "tenant", "drn", "base_date", "tid"),
        of("tokens", "bases", "basis_number"),
        of("tokens", "meters", "drn"),
        check("tokens", "amount", "amount_tenths > 0"),
        check("tokens", "digits", "length(digits) = 20"),
        check("tokens", "number", "token_number > 0"),
        check("tokens", "tid", "tid BETWEEN 1 AND 16777215"),
    )
    op.create_index("ix_tokens_digits", "tokens", ["tenant", "drn", "digits"])
    op.create_table(
        "token_marks",
        tenant(),
        large("basis_number"),
        number("token_number"),
        text("mark", 16),
        text("reason", 500),
        text("login", 64),
        moment("marked_at"),
        key("token_marks", "tenant", "basis_number", "token_number", "mark"),
        of("token_marks", "tokens", "basis_number", "token_number"),
        of("token_marks", "operators", "login"),
        check("token_marks", "mark", "mark IN ('withheld', 'void')"),
    )
    op.create_table(
        "reprints",
        tenant(),
        large("basis_number"),
        number("reprint_number"),
        text("login", 64),
        moment("reprinted_at"),
        key("reprints", "tenant", "basis_number", "reprint_number"),
        of("reprints", "bases", "basis_number"),
        of("reprints", "operators", "login"),
        check("reprints", "number", "reprint_number > 0"),
    )


def _create_sales() -> None:
    op.create_table(
        "sales",
        tenant(),
        large("sale_number"),
        large("basis_number"),
        text("drn", 13),
        text("account_number", 32),
        text("customer_number", 32),
        text("customer_name", 120),
        text("service", 16),
        text("tariff_code", 32),
        number("tariff_version"),
        text("tariff_name", 120),
        text("vendor_code", 32, nullable=True),
        text("login", 64),
        text("payment_method", 16),
        text("currency", 3),
        number("currency_exponent"),
        large("tendered_minor"),
        large("sold_tenths"),
        document("rounding"),
        document("counters_before", nullable=True),
        document("counters_after", nullable=True),
        large("ledger_entry"),
        moment("sold_at"),
        key("sales", "tenant", "sale_number"),
        unique("sales", "tenant", "basis_number"),
        unique("sales", "tenant", "ledger_entry"),
        of("sales", "accounts", "account_number"),
        of("sales", "bases", "basis_number"),
        of("sales", "meters", "drn"),
        of("sales", "operators", "login"),
        of("sales", "tariff_versions", "tariff_code", "tariff_version"),
        of("sales", "vendors", "vendor_code"),
        check("sales", "number", "sale_number > 0"),
        check("sales", "payment_method", "payment_method IN ('cash', 'card', 'mobile', 'bank')"),
        check("sales", "service", "service IN ('electricity', 'water', 'gas', 'time')"),
        check("sales", "sold", "sold_tenths >= 0"),
        check("sales", "tendered", "tendered_minor > 0"),
    )
    op.create_index("ix_sales_account", "sales", ["tenant", "account_number", "sale_number"])
    op.create_index("ix_sales_meter", "sales", ["tenant", "drn", "sale_number"])
    op.create_table(
        "sale_lines",
        tenant(),
        large("sale_number"),
        number("line_number"),
        text("code", 64),
        text("kind", 32),
        text("label", 120),
        document("units_tenths", nullable=True),
        document("rate", nullable=True),
        large("amount_minor"),
        text("beneficiary", 120),
        text("ledger_account", 64),
        key("sale_lines", "tenant", "sale_number", "line_number"),
        of("sale_lines", "sales", "sale_number"),
        check("sale_lines", "number", "line_number > 0"),
    )
    op.create_table(
        "credit_notes",
        tenant(),
        large("credit_note_number"),
        large("sale_number"),
        large("case_number"),
        large("amount_minor"),
        text("login", 64),
        large("ledger_entry"),
        moment("made_at"),
        key("credit_notes", "tenant", "credit_note_number"),
        unique("credit_notes", "tenant", "ledger_entry"),
        unique("credit_notes", "tenant", "sale_number"),
        of("credit_notes", "cases", "case_number"),
        of("credit_notes", "operators", "login"),
        of("credit_notes", "sales", "sale_number"),
        check("credit_notes", "amount", "amount_minor > 0"),
        check("credit_notes", "number", "credit_note_number > 0"),
    )


def _create_records() -> None:
    op.create_table(
        "audit_events",
        tenant(),
        large("event_number"),
        text("kind", 32),
        text("login", 64),
        text("code", 64),
        text("message", 500),
        document("document"),
        moment("happened_at"),
        key("audit_events", "tenant", "event_number"),
        of("audit_events", "tenants"),
        check("audit_events", "number", "event_number > 0"),
    )
    op.create_table(
        "reconciliations",
        tenant(),
        text("day", 10),
        number("attempt"),
        flag("agrees"),
        document("document"),
        moment("made_at"),
        key("reconciliations", "tenant", "day", "attempt"),
        of("reconciliations", "tenants"),
    )
