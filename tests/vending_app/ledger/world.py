"""A utility in miniature, whose rows are written as the services write them, without a module."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, insert, select, text, update

from keys.chain_seal import Ed25519SealKey
from keys.secret import Secret
from sts import DecoderReferenceNumber, MeterPan
from vending_app.domain.ledger import (
    Tender,
    deposit_entry,
    issue_entry,
    reversal_entry,
    sale_entry,
    sale_postings,
)
from vending_app.domain.ledger_rows import rows_digest, sale_digest
from vending_app.domain.parties import Operator
from vending_app.domain.roles import Role
from vending_app.services.checkpoints import seal_books
from vending_app.services.periods import close_period
from vending_app.storage import ledger, ledger_reading, tables
from vending_app.storage.engine import Store
from vending_app.storage.ledger import PostedEntry

TENANT: Final = "thabaneng"
START: Final = datetime(2026, 2, 27, 8, 15, 30, 123456, tzinfo=UTC)
DRN: Final = "00100001023"
LONG_DRN: Final = "0100200002010"
SEAL_KEY: Final = Ed25519SealKey(Secret(bytes(range(32))))
SUPERVISOR: Final = Operator(
    tenant=TENANT,
    login="botha",
    display_name="Hendrik Botha",
    role=Role.SUPERVISOR,
    password_hash="",
    active=True,
)
AUDITOR: Final = Operator(
    tenant=TENANT,
    login="okafor",
    display_name="Adaeze Okafor",
    role=Role.AUDITOR,
    password_hash="",
    active=True,
)

_CASH_LINES: Final = (("energy", "sales:energy", 8696), ("vat", "tax:vat", 1304))

Row = dict[str, Any]


@dataclass
class World:
    """One tenant, to which things happen, a minute apart.

    Attributes:
        store: Where.
        now: The time of the next thing that happens.
    """

    store: Store
    now: datetime = START
    tid: int = 6_000_000
    counted: dict[str, int] = field(default_factory=dict)

    def tick(self) -> datetime:
        """Let a minute pass and return the time before."""
        before, self.now = self.now, self.now + timedelta(minutes=1)
        return before

    def count(self, connection: Connection, name: str) -> int:
        self.counted[name] = self.counted.get(name, 0) + 1
        connection.execute(
            update(tables.counters)
            .where(tables.counters.c.tenant == TENANT, tables.counters.c.name == name)
            .values(last_number=self.counted[name])
        )
        return self.counted[name]

    def sell(
        self,
        *,
        lines: Sequence[tuple[str, str, int]] = _CASH_LINES,
        vendor_code: str | None = None,
        payment_method: str = "cash",
        tokens: int = 1,
        cash_rounding_minor: int = 0,
        commission_minor: int = 0,
        key_change: bool = False,
        drn: str = DRN,
        **changed: Any,
    ) -> PostedEntry:
        """Sell; ``changed`` are columns of the sale that are to be other than usual."""
        now = self.tick()
        login = "zanele" if vendor_code is None else "tshepo"
        with self.store.write() as connection:
            number = self.count(connection, "sale")
            bases, made = [], []
            request = self._request(connection, kind="sale", drn=drn, login=login, now=now)
            if key_change:
                change = self._basis(connection, "key_change", request, maximum=2)
                bases.append(change)
                made += self._tokens(connection, change, 2, key_change=True)
            basis = self._basis(connection, "sale", request, maximum=max(tokens, 1))
            bases.append(basis)
            sold = self._tokens(connection, basis, tokens)
            made += sold
            sale = _sale_row(number, basis, lines=lines, tokens=sold) | {
                "vendor_code": vendor_code,
                "payment_method": payment_method,
                "login": login,
                "sold_at": now,
            }
            sale |= changed
            line_rows = _line_rows(number, lines)
            tender = Tender(
                currency="ZAR",
                tendered_minor=sum(amount for _, _, amount in lines),
                payment_method=payment_method,
                vendor_code=vendor_code,
                cash_rounding_minor=cash_rounding_minor,
                commission_minor=commission_minor,
            )
            booked = [(account, amount) for _, account, amount in lines]
            posted = ledger.post(
                TENANT,
                connection,
                entry=sale_entry(
                    sale_number=number,
                    period=f"{now:%Y-%m}",
                    login=login,
                    postings=sale_postings(account_number="A1", tender=tender, lines=booked),
                    digest=sale_digest(sale=sale, lines=line_rows, bases=bases, tokens=made),
                ),
                now=now,
            )
            sale["ledger_entry"] = posted.entry_number
            connection.execute(insert(tables.sales).values(sale))
            connection.execute(insert(tables.sale_lines), line_rows)
        return posted

    def give(self, kind: str = "free_issue", *, withheld: bool = False) -> PostedEntry:
        """Make a token without money, by an approved case."""
        now = self.tick()
        with self.store.write() as connection:
            case = None if withheld else self._case(connection, kind)
            request = self._request(
                connection, kind="issue", drn=DRN, login="farai", now=now, failed=withheld
            )
            if withheld:
                kind = "withheld"
            basis = self._basis(connection, kind, request, maximum=1, case_number=case)
            made = self._tokens(connection, basis, 1)
            marks = [_mark_row(made[0], "withheld", login="farai", now=now)] if withheld else []
            if marks:
                connection.execute(insert(tables.token_marks), marks)
            return ledger.post(
                TENANT,
                connection,
                entry=issue_entry(
                    basis_number=basis["basis_number"],
                    period=f"{now:%Y-%m}",
                    login="farai",
                    issued={kind: 1},
                    digest=rows_digest({"bases": [basis], "tokens": made, "token_marks": marks}),
                ),
                now=now,
            )

    def reverse(self, sale: PostedEntry) -> PostedEntry:
        """Take a sale back by a credit note, and mark its token void."""
        now = self.tick()
        sale_number = int(sale.reference.removeprefix("sale "))
        with self.store.write() as connection:
            case = self._case(connection, "reversal", sale_number=sale_number)
            number = self.count(connection, "credit_note")
            basis_number, tendered = connection.execute(
                text("SELECT basis_number, tendered_minor FROM sales WHERE sale_number = :number"),
                {"number": sale_number},
            ).one()
            note: Row = {
                "tenant": TENANT,
                "credit_note_number": number,
                "sale_number": sale_number,
                "case_number": case,
                "amount_minor": tendered,
                "login": "botha",
                "made_at": now,
            }
            token = {"basis_number": basis_number, "token_number": 1}
            mark = _mark_row(token, "void", login="botha", now=now)
            connection.execute(insert(tables.token_marks).values(mark))
            posted = ledger.post(
                TENANT,
                connection,
                entry=reversal_entry(
                    credit_note_number=number,
                    period=f"{now:%Y-%m}",
                    login="botha",
                    sale=sale.postings,
                    sale_entry_number=sale.entry_number,
                    sale_period=sale.period,
                    digest=rows_digest({"credit_notes": [note], "token_marks": [mark]}),
                ),
                now=now,
            )
            note["ledger_entry"] = posted.entry_number
            connection.execute(insert(tables.credit_notes).values(note))
        return posted

    def deposit(self, amount_minor: int, *, code: str) -> PostedEntry:
        """Let the vendor pay in."""
        now = self.tick()
        entry = deposit_entry(
            reference=f"deposit {code}",
            period=f"{now:%Y-%m}",
            login="botha",
            vendor_code="SPAZA",
            amount_minor=amount_minor,
            currency="ZAR",
        )
        with self.store.write() as connection:
            return ledger.post(TENANT, connection, entry=entry, now=now)

    def entry(self, number: int) -> PostedEntry:
        """Return an entry of the books."""
        with self.store.read() as connection:
            return ledger_reading.find_entry(TENANT, connection, entry_number=number)

    def row(self, table: str, **key: int) -> Row:
        """Return a row of a table."""
        found = tables.metadata.tables[table]
        with self.store.read() as connection:
            return dict(connection.execute(select(found).filter_by(**key)).mappings().one())

    def _request(
        self,
        connection: Connection,
        *,
        kind: str,
        drn: str,
        login: str,
        now: datetime,
        failed: bool = False,
    ) -> Row:
        self.counted["request"] = self.counted.get("request", 0) + 1
        row: Row = {
            "tenant": TENANT,
            "request_id": f"r-{self.counted['request']}",
            "kind": kind,
            "content_hash": "0" * 64,
            "state": "failed" if failed else "done",
            "drn": drn,
            "login": login,
            "error_code": "TWIN_OLD_ERROR" if failed else None,
            "error_message": "The meter would refuse it." if failed else None,
            "received_at": now,
            "ended_at": now,
        }
        connection.execute(insert(tables.requests).values(row))
        return row

    def _basis(
        self,
        connection: Connection,
        kind: str,
        request: Mapping[str, Any],
        *,
        maximum: int,
        case_number: int | None = None,
    ) -> Row:
        row: Row = {
            "tenant": TENANT,
            "basis_number": self.count(connection, "basis"),
            "kind": kind,
            "maximum_tokens": maximum,
            "request_id": request["request_id"],
            "drn": request["drn"],
            "case_number": case_number,
            "login": request["login"],
            "reason": "",
            "made_at": request["received_at"],
        }
        connection.execute(insert(tables.bases).values(row))
        return row

    def _case(self, connection: Connection, kind: str, *, sale_number: int | None = None) -> int:
        number = self.count(connection, "case")
        connection.execute(
            insert(tables.cases).values(
                tenant=TENANT,
                case_number=number,
                kind=kind,
                state="done",
                drn=DRN,
                sale_number=sale_number,
                evidence="never delivered",
                reason="a wish",
                document="{}",
                login="farai",
                opened_at=self.now,
                approved_login="botha",
                decided_at=self.now,
                ended_at=self.now,
            )
        )
        return number

    def _tokens(
        self,
        connection: Connection,
        basis: Mapping[str, Any],
        count: int,
        *,
        key_change: bool = False,
    ) -> list[Row]:
        rows = []
        for number in range(1, count + 1):
            self.tid += 1
            rows.append(_token_row(basis, number, tid=None if key_change else self.tid))
        if rows:
            connection.execute(insert(tables.tokens), rows)
        name = f"{TENANT}/{basis['request_id']}"
        made = rows[:1] if key_change else rows
        for row in made:
            last = "key" if key_change else row["token_number"]
            connection.execute(insert(tables.issue_journal).values(_made(row, f"{name}/{last}")))
        return rows


def _sale_row(
    number: int,
    basis: Mapping[str, Any],
    *,
    lines: Sequence[tuple[str, str, int]],
    tokens: Sequence[Mapping[str, Any]],
) -> Row:
    return {
        "tenant": TENANT,
        "sale_number": number,
        "basis_number": basis["basis_number"],
        "drn": basis["drn"],
        "account_number": "A1",
        "customer_number": "C1",
        "customer_name": "Pieter Mokoena",
        "service": "electricity",
        "tariff_code": "home",
        "tariff_version": 1,
        "tariff_name": "Home",
        "currency": "ZAR",
        "currency_exponent": 2,
        "tendered_minor": sum(amount for _, _, amount in lines),
        "sold_tenths": sum(token["amount_tenths"] for token in tokens),
        "rounding": "61/137",
        "counters_before": None,
        "counters_after": '{"units":1}',
    }


def _line_rows(number: int, lines: Sequence[tuple[str, str, int]]) -> list[Row]:
    return [
        {
            "tenant": TENANT,
            "sale_number": number,
            "line_number": place,
            "code": code,
            "kind": "units" if code == "energy" else "tax",
            "label": code.title(),
            "units_tenths": "58" if code == "energy" else None,
            "rate": "137/40",
            "amount_minor": amount,
            "beneficiary": "municipality",
            "ledger_account": account,
        }
        for place, (code, account, amount) in enumerate(lines, start=1)
    ]


def _token_row(basis: Mapping[str, Any], number: int, *, tid: int | None) -> Row:
    return {
        "tenant": TENANT,
        "basis_number": basis["basis_number"],
        "token_number": number,
        "drn": basis["drn"],
        "kind": "TransferCredit" if tid else "Set1stSectionDecoderKey",
        "token_class": 0 if tid else 2,
        "subclass": 0 if tid else 3,
        "base_date": "2014",
        "tid": tid,
        "digits": f"{basis['basis_number'] * 100 + number:020d}",
        "amount_tenths": 59 if tid else None,
        "currency_units": None,
        "supply_group_code": "123457",
        "key_revision_number": 1,
        "key_type": 2,
        "tariff_index": 1,
        "encryption_algorithm": "11",
        "key_expiry_number": 255,
        "sample_tables": False,
        "description": "5.9 kWh",
        "made_at": basis["made_at"],
    }


def _mark_row(token: Mapping[str, Any], mark: str, *, login: str, now: datetime) -> Row:
    return {
        "tenant": TENANT,
        "basis_number": token["basis_number"],
        "token_number": token["token_number"],
        "mark": mark,
        "reason": "the meter would refuse it",
        "login": login,
        "marked_at": now,
    }


def _made(token: Mapping[str, Any], message_id: str) -> Row:
    pan = MeterPan.from_drn(DecoderReferenceNumber(token["drn"]))
    return {
        "tenant": TENANT,
        "message_id": message_id,
        "request_hash": "0" * 64,
        "meter_pan": pan.digits,
        "supply_group_code": token["supply_group_code"],
        "key_revision_number": token["key_revision_number"],
        "base_date": token["base_date"],
        "tid": token["tid"],
        "credit_units": "0",
        "sealed": b"sealed",
        "made_at": token["made_at"],
    }


def founded(store: Store) -> World:
    """Return a tenant with its people, two meters and no sale."""
    with store.write() as connection:
        for table, rows in _FOUNDATION:
            full = [{"tenant": TENANT, **row} for row in rows]
            connection.execute(insert(tables.metadata.tables[table]), full)
    return World(store)


def six_days(store: Store) -> World:
    """Return a tenant to which everything has happened that the books know of."""
    world = founded(store)
    first = world.sell()
    world.deposit(50_000, code="D1")
    world.sell(vendor_code="SPAZA", commission_minor=150)
    seal_books(store, TENANT, key=SEAL_KEY, now=world.now)
    world.sell(tokens=2, key_change=True, drn=LONG_DRN)
    world.give()
    world.give(withheld=True)
    world.now = datetime(2026, 3, 1, 9, tzinfo=UTC)
    close_period(store, "2026-02", operator=SUPERVISOR, now=world.tick())
    world.reverse(first)
    world.sell(
        lines=(("energy", "sales:energy", 8696), ("rest", "account-credit", 37)),
        cash_rounding_minor=-3,
    )
    world.sell(payment_method="mobile", lines=(("fee", "fee:basic", 500),), tokens=0)
    return world


_TARIFF: Final = '{"code":"home","first_day":"2026-01-01","number":1}'
_PLACES: Final = ((DRN, "P1"), (LONG_DRN, "P2"))
_FOUNDATION: Final[Sequence[tuple[str, Sequence[Row]]]] = (
    (
        "tenants",
        [
            {
                "name": "Thabaneng",
                "currency": "ZAR",
                "currency_exponent": 2,
                "time_zone": "Africa/Johannesburg",
                "cash_step_minor": 5,
                "created_at": START,
            }
        ],
    ),
    (
        "counters",
        [
            {"name": name, "last_number": 0}
            for name in ("sale", "basis", "credit_note", "case", "audit")
        ],
    ),
    (
        "vendors",
        [
            {
                "vendor_code": "SPAZA",
                "name": "Tshepo's Spaza",
                "limit_minor": 1000,
                "float_minor": 0,
                "active": True,
                "created_at": START,
            }
        ],
    ),
    (
        "operators",
        [
            {
                "login": login,
                "display_name": login,
                "role": "cashier",
                "password_hash": "",
                "active": True,
                "vendor_code": "SPAZA" if login == "tshepo" else None,
                "created_at": START,
            }
            for login in ("zanele", "botha", "farai", "okafor", "tshepo")
        ],
    ),
    ("customers", [{"customer_number": "C1", "name": "Pieter Mokoena"}]),
    ("tariffs", [{"tariff_code": "home", "name": "Home", "service": "electricity"}]),
    (
        "tariff_versions",
        [
            {
                "tariff_code": "home",
                "tariff_version": 1,
                "first_day": "2026-01-01",
                "document": _TARIFF,
                "document_hash": hashlib.sha256(_TARIFF.encode("ascii")).hexdigest(),
                "login": "farai",
                "approved_login": "botha",
                "added_at": START,
            }
        ],
    ),
    (
        "accounts",
        [
            {
                "account_number": number,
                "customer_number": "C1",
                "tariff_code": "home",
                "state": "open",
                "opened_at": START,
            }
            for number in ("A1", "A2")
        ],
    ),
    (
        "supply_groups",
        [{"supply_group_code": "123457", "utc_offset_minutes": 0, "lead_cap_minutes": 60}],
    ),
    (
        "service_points",
        [
            {
                "service_point_code": place,
                "account_number": "A1",
                "place": "12 Protea Street",
                "service": "electricity",
            }
            for _, place in _PLACES
        ],
    ),
    (
        "meters",
        [
            {
                "drn": drn,
                "life": "active",
                "service_point_code": place,
                "service": "electricity",
                "credit_kind": "unit",
                "phases": 1,
                "encryption_algorithm": "11",
                "token_carrier_type": "02",
                "supply_group_code": "123457",
                "tariff_index": 1,
                "key_revision_number": 1,
                "key_type": 2,
                "base_date": "2014",
                "key_expiry_number": 255,
                "added_at": START,
            }
            for drn, place in _PLACES
        ],
    ),
)
