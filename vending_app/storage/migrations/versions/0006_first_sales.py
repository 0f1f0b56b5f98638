"""The first form's sales come into the new tables and into the books.

Each was a sale of one token for cash under a tariff of one price. It keeps its number, which is now
its basis and its entry as well. The books begin with these sales, in their order.

Revision ID: 0006
Revises: 0005
"""

import json
from collections import defaultdict
from datetime import UTC, datetime
from fractions import Fraction
from hashlib import sha256
from typing import Any, Final
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from alembic import op

revision: Final = "0006"
down_revision: Final = "0005"

_LEGACY: Final = ("reprints", "sale_lines", "tokens", "sales", "tariffs")
_LOGIN: Final = "migration"
_FIRST_DAY: Final = "2014-01-01"
_ACCOUNTS: Final = {"energy": "sales:energy", "tax": "tax:vat"}
_CODES: Final = {"energy": "energy", "tax": "vat"}
_KINDS: Final = {"energy": "units", "tax": "tax"}
_BENEFICIARIES: Final = {"energy": "utility", "tax": "revenue-service"}
_PLAN: Final = '{"migrated":true}'
"""Tokens of before the second migration are in no journal: a request with a plan needs none."""
_MOMENT: Final = sa.DateTime(timezone=True)

Row = dict[str, Any]


def upgrade() -> None:
    """Bring tariffs and sales over, then drop what they lay in."""
    tenants = {row["tenant"]: row for row in _rows("tenants", created_at=_MOMENT)}
    _bring_tariffs(tenants)
    tokens = {(row["tenant"], row["sale_number"]): row for row in _rows("legacy_tokens")}
    lines = defaultdict(list)
    for row in sorted(_rows("legacy_sale_lines"), key=lambda row: row["line_number"]):
        lines[row["tenant"], row["sale_number"]].append(row)
    books: dict[str, _Books] = {}
    sales = _rows("legacy_sales", sold_at=_MOMENT)
    for sale in sorted(sales, key=lambda row: (row["tenant"], row["sale_number"])):
        key = (sale["tenant"], sale["sale_number"])
        if sale["tenant"] not in books:
            books[sale["tenant"]] = _Books(tenants[sale["tenant"]])
        _bring_sale(sale, tokens[key], lines=lines[key], books=books[sale["tenant"]])
    for book in books.values():
        book.close()
    _insert("reprints", [_reprint(row) for row in _rows("legacy_reprints", reprinted_at=_MOMENT)])
    for table in _LEGACY:
        op.drop_table(f"legacy_{table}")


class _Books:
    """The books of one tenant while its sales are entered."""

    def __init__(self, tenant: sa.RowMapping) -> None:
        self.tenant: str = tenant["tenant"]
        self._zone = ZoneInfo(tenant["time_zone"])
        self._length = 0
        self._hash = _digest({"chain": f"ledger/{self.tenant}"})
        self._last: datetime | None = None
        # There is no line without a head.
        head = {"tenant": self.tenant, "length": 0, "hash": self._hash}
        _insert("ledger_heads", [head])

    def enter(self, sale: Row, lines: list[Row], *, digest: dict[str, str]) -> None:
        """Enter a sale."""
        at = max(sale["sold_at"], self._last or sale["sold_at"])
        currency = sale["currency"]
        postings = [["cash", sale["tendered_minor"], currency]]
        postings += [
            [line["ledger_account"], -line["amount_minor"], currency]
            for line in lines
            if line["amount_minor"]
        ]
        for account in {posting[0] for posting in postings}:
            self._need(account)
        local = at.astimezone(self._zone)
        number = self._length + 1
        record = {
            "kind": "sale",
            "reference": f"sale {number}",
            "period": f"{local.year:04d}-{local.month:02d}",
            "login": sale["login"],
            "posted_at": _moment_text(at),
            "lines": postings,
            "document": {"rows": digest},
        }
        body = {"sequence": number, "previous": self._hash, "record": record}
        previous, self._hash = self._hash, _digest(body)
        self._length, self._last = number, at
        _insert(
            "ledger_lines",
            [
                {
                    "tenant": self.tenant,
                    "entry_number": number,
                    "line_number": place,
                    "account": account,
                    "amount_minor": amount,
                    "currency": unit,
                }
                for place, (account, amount, unit) in enumerate(postings, start=1)
            ],
        )
        entry = {name: record[name] for name in ("kind", "reference", "period", "login")}
        entry |= {
            "tenant": self.tenant,
            "entry_number": number,
            "record": _canonical(record).decode("ascii"),
            "previous_hash": previous,
            "hash": self._hash,
            "posted_at": at,
        }
        _insert("ledger_entries", [entry])

    def close(self) -> None:
        """Keep where the books end, and count on from there."""
        moved = sa.text(
            "UPDATE ledger_heads SET length = :length, hash = :hash, posted_at = :posted_at "
            "WHERE tenant = :tenant"
        ).bindparams(sa.bindparam("posted_at", type_=_MOMENT))
        op.get_bind().execute(
            moved,
            {
                "length": self._length,
                "hash": self._hash,
                "posted_at": self._last,
                "tenant": self.tenant,
            },
        )
        op.get_bind().execute(
            sa.text(
                "UPDATE counters SET last_number = :last "
                "WHERE tenant = :tenant AND name IN ('basis', 'sale')"
            ),
            {"last": self._length, "tenant": self.tenant},
        )

    def _need(self, account: str) -> None:
        kind = {"cash": "asset", "sales:energy": "income", "tax:vat": "liability"}[account]
        op.get_bind().execute(
            sa.text(
                "INSERT INTO ledger_accounts (tenant, account, kind, name) "
                "VALUES (:tenant, :account, :kind, :account) ON CONFLICT DO NOTHING"
            ),
            {"tenant": self.tenant, "account": account, "kind": kind},
        )


def _bring_tariffs(tenants: dict[str, sa.RowMapping]) -> None:
    rows = _rows("legacy_tariffs")
    for tenant in sorted({row["tenant"] for row in rows}):
        operator = {
            "tenant": tenant,
            "login": _LOGIN,
            "display_name": "Migration of the first form",
            "role": "administrator",
            "password_hash": "!",
            "active": False,
            "created_at": tenants[tenant]["created_at"],
        }
        _insert("operators", [operator])
    _insert("tariff_versions", [_version(row, tenants[row["tenant"]]) for row in rows])


def _version(row: sa.RowMapping, tenant: sa.RowMapping) -> Row:
    """Return a version of one price, with the tax that was in it."""
    price = Fraction(row["price_numerator"], row["price_denominator"])
    percent = Fraction(row["tax_basis_points"], 100)
    energy = {
        "kind": "units",
        "code": "energy",
        "label": "Electricity",
        "beneficiary": "utility",
        "ledger_account": "sales:energy",
        "schedules": [{"blocks": [{"rate": _figure(price)}]}],
    }
    tax = {
        "kind": "percent",
        "code": "vat",
        "label": f"{row['tax_name']} {_figure(percent)} %",
        "beneficiary": "revenue-service",
        "ledger_account": "tax:vat",
        "percent": _figure(percent),
        "basis": ["energy"],
        "included": True,
        "tax": True,
    }
    document = _canonical(
        {
            "code": row["tariff_code"],
            "number": 1,
            "name": row["name"],
            "service": "electricity",
            "currency": {"code": tenant["currency"], "decimals": tenant["currency_exponent"]},
            "first_day": _FIRST_DAY,
            "minimum_minor": row["minimum_minor"],
            "maximum_minor": row["maximum_minor"],
            "rounding": "up",
            "credit_account": "account-credit",
            "charges": [energy, tax] if percent else [energy],
        }
    )
    return {
        "tenant": row["tenant"],
        "tariff_code": row["tariff_code"],
        "tariff_version": 1,
        "first_day": _FIRST_DAY,
        "last_day": None,
        "document": document.decode("ascii"),
        "document_hash": sha256(document).hexdigest(),
        "login": _LOGIN,
        "approved_login": _LOGIN,
        "added_at": tenant["created_at"],
    }


def _figure(value: Fraction) -> str:
    """Return a figure in its one spelling: decimals where they end, else a fraction."""
    scaled = value * 10**9
    if scaled.denominator != 1:
        return str(value)
    whole, rest = divmod(scaled.numerator, 10**9)
    return f"{whole}.{rest:09d}".rstrip("0").rstrip(".")


def _bring_sale(
    old: sa.RowMapping, token: sa.RowMapping, *, lines: list[sa.RowMapping], books: _Books
) -> None:
    tenant, number, at = old["tenant"], old["sale_number"], _utc(old["sold_at"])
    request = {
        "tenant": tenant,
        "request_id": old["request_id"],
        "kind": "sale",
        "content_hash": old["request_hash"],
        "state": "done",
        "drn": old["drn"],
        "login": old["login"],
        "plan": _PLAN,
        "received_at": at,
        "ended_at": at,
    }
    basis: Row = {
        "tenant": tenant,
        "basis_number": number,
        "kind": "sale",
        "maximum_tokens": 1,
        "request_id": old["request_id"],
        "drn": old["drn"],
        "case_number": None,
        "login": old["login"],
        "reason": "",
        "made_at": at,
    }
    made, sale = _token(token, number, at=at), _sale(old, token, at=at)
    new_lines = [_line(line) for line in lines]
    _insert("requests", [request])
    _insert("bases", [basis])
    _insert("tokens", [made])
    digest = {f"sales {number}": _row_digest(sale), f"bases {number}": _row_digest(basis)}
    digest[f"tokens {number}/1"] = _row_digest(made)
    for line in new_lines:
        digest[f"sale_lines {number}/{line['line_number']}"] = _row_digest(line)
    books.enter(sale, new_lines, digest=digest)
    _insert("sales", [sale])
    _insert("sale_lines", new_lines)


def _sale(old: sa.RowMapping, token: sa.RowMapping, *, at: datetime) -> Row:
    price = Fraction(old["price_numerator"], old["price_denominator"])
    sold = token["energy_tenths_kwh"]
    kept = ("tenant", "sale_number", "drn", "customer_name", "tariff_code", "tariff_name", "login")
    money = ("currency", "currency_exponent", "tendered_minor")
    customer = op.get_bind().scalar(
        sa.text(
            "SELECT customer_number FROM accounts WHERE tenant = :tenant AND account_number = :drn"
        ),
        {"tenant": old["tenant"], "drn": old["drn"]},
    )
    return {name: old[name] for name in (*kept, *money)} | {
        "basis_number": old["sale_number"],
        "account_number": old["drn"],
        "customer_number": customer,
        "service": "electricity",
        "tariff_version": 1,
        "vendor_code": None,
        "payment_method": "cash",
        "sold_tenths": sold,
        "rounding": str(sold - old["tendered_minor"] / price * 10),
        "counters_before": None,
        "counters_after": None,
        "ledger_entry": old["sale_number"],
        "sold_at": at,
    }


def _line(old: sa.RowMapping) -> Row:
    kept = ("tenant", "sale_number", "line_number", "label", "amount_minor")
    return {name: old[name] for name in kept} | {
        "code": _CODES[old["kind"]],
        "kind": _KINDS[old["kind"]],
        "units_tenths": None,
        "rate": None,
        "beneficiary": _BENEFICIARIES[old["kind"]],
        "ledger_account": _ACCOUNTS[old["kind"]],
    }


def _token(old: sa.RowMapping, number: int, *, at: datetime) -> Row:
    kept = (
        *("tenant", "drn", "base_date", "tid", "digits", "supply_group_code"),
        *("key_revision_number", "key_type", "tariff_index", "encryption_algorithm"),
        "key_expiry_number",
    )
    whole, tenth = divmod(old["energy_tenths_kwh"], 10)
    return {name: old[name] for name in kept} | {
        "basis_number": number,
        "token_number": 1,
        "kind": "TransferCredit",
        "token_class": 0,
        "subclass": 0,
        "amount_tenths": old["energy_tenths_kwh"],
        "currency_units": None,
        "sample_tables": bool(old["sample_tables"]),
        "description": f"Credit {whole}.{tenth} kWh",
        "made_at": at,
    }


def _reprint(old: sa.RowMapping) -> Row:
    kept = ("tenant", "reprint_number", "login")
    return {name: old[name] for name in kept} | {
        "basis_number": old["sale_number"],
        "reprinted_at": _utc(old["reprinted_at"]),
    }


def _rows(table: str, **types: sa.types.TypeEngine[Any]) -> list[sa.RowMapping]:
    """Return all rows of a table; columns whose type SQLite does not keep are named."""
    query = sa.text(f"SELECT * FROM {table}")  # noqa: S608 - names of our own
    found = op.get_bind().execute(query.columns(**types) if types else query)
    return list(found.mappings())


def _insert(table: str, rows: list[Row]) -> None:
    if rows:
        columns = [sa.column(name, _MOMENT if name.endswith("_at") else None) for name in rows[0]]
        op.get_bind().execute(sa.insert(sa.table(table, *columns)), rows)


def _utc(moment: datetime) -> datetime:
    """Return a moment in UTC; SQLite keeps no zone, so there it is UTC."""
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _moment_text(moment: datetime) -> str:
    return f"{_utc(moment).replace(tzinfo=None).isoformat(timespec='microseconds')}Z"


def _row_digest(row: Row) -> str:
    """Return what the books say of a row; see `docs/ledger.md`."""
    left_out = ("tenant", "ledger_entry")
    body = {name: value for name, value in row.items() if name not in left_out}
    for name, value in body.items():
        if isinstance(value, datetime):
            body[name] = _moment_text(value)
        elif name == "digits":
            body[name] = sha256(value.encode("ascii")).hexdigest()
    return _digest(body)


def _digest(body: object) -> str:
    return sha256(_canonical(body)).hexdigest()


def _canonical(body: object) -> bytes:
    text = json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return text.encode("ascii")
