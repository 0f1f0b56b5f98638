"""The entries of a tenant: each balanced, each the link of the chain that it says it is."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import RowMapping

from vending_app.ledger_check.canonical import hash_of, moment_text, read_object, whole
from vending_app.ledger_check.database import BATCH, Tenant
from vending_app.ledger_check.findings import Finding

_COLUMNS: Final = ("kind", "reference", "period", "login")
_SET_BACK: Final = "clock set back"
_SET_BACK_LINES: Final = [("clock", -1, "CLK"), ("clock:set-back", 1, "CLK")]


@dataclass(frozen=True, slots=True, kw_only=True)
class BookedEntry:
    """An entry as it stands in the tables.

    Attributes:
        row: Its row.
        record: What was hashed; empty if that cannot be read.
        lines: Its lines, in their order.
    """

    row: RowMapping
    record: Mapping[str, Any]
    lines: Sequence[RowMapping]

    @property
    def number(self) -> int:
        """Its number."""
        return whole(self.row["entry_number"])

    @property
    def document(self) -> Mapping[str, Any]:
        """What the record says of the rows that the entry stands for."""
        document = self.record.get("document")
        return document if isinstance(document, dict) else {}

    @property
    def rows(self) -> Mapping[str, str]:
        """Name to hash of the rows that the entry stands for."""
        rows = self.document.get("rows")
        return rows if isinstance(rows, dict) else {}

    @property
    def booked(self) -> list[tuple[str, int, str]]:
        """Account, amount and currency of each line, sorted."""
        return sorted(
            (str(line["account"]), whole(line["amount_minor"]), str(line["currency"]))
            for line in self.lines
        )

    @property
    def sets_clock_back(self) -> bool:
        """Whether it says that from here on the books go by an earlier time."""
        return bool(self.row["kind"] == _SET_BACK)

    @property
    def counts_clock(self) -> bool:
        """Whether one of its lines counts how often the clock was set back."""
        return any(
            account.partition(":")[0] == "clock" or currency == "CLK"
            for account, _, currency in self.booked
        )


def batches(tenant: Tenant) -> Iterator[list[BookedEntry]]:
    """Yield all entries, some at a time, in the order of their numbers."""
    last = -1
    while True:
        rows = tenant.rows(
            "SELECT entry_number, kind, reference, period, login, record, previous_hash, hash, "
            "posted_at FROM ledger_entries WHERE tenant = :tenant AND entry_number > :last "
            "ORDER BY entry_number LIMIT :most",
            last=last,
            most=BATCH,
        )
        if not rows:
            return
        last = rows[-1]["entry_number"]
        lines: dict[Any, list[RowMapping]] = {}
        for line in tenant.rows(
            "SELECT entry_number, line_number, account, amount_minor, currency FROM ledger_lines "
            "WHERE tenant = :tenant AND entry_number BETWEEN :first AND :last "
            "ORDER BY entry_number, line_number",
            first=rows[0]["entry_number"],
            last=last,
        ):
            lines.setdefault(line["entry_number"], []).append(line)
        yield [
            BookedEntry(
                row=row,
                record=read_object(row["record"]),
                lines=lines.get(row["entry_number"], []),
            )
            for row in rows
        ]


@dataclass(slots=True)
class Chain:
    """Where the chain of a tenant has come to.

    Attributes:
        tenant: Whose.
        length: How many entries were looked at; the number that the last one should have.
        hash: The hash that the next entry must continue.
        posted_at: When the last entry was made.
        closed_through: The last month that an entry closed.
        balances: Account and currency to the sum of its lines.
        heads: The hash of each entry, by its number, for the numbers that are remembered.
    """

    tenant: Tenant
    length: int = 0
    hash: str = ""
    posted_at: str = ""
    closed_through: str = ""
    balances: dict[tuple[str, str], int] = field(default_factory=dict)
    remembered: dict[int, set[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Begin with the hash of the chain's name."""
        self.hash = hash_of({"chain": f"ledger/{self.tenant.name}"})

    def check(self, entry: BookedEntry) -> Iterator[Finding]:
        """Look at the next entry."""
        finding = self._of(entry)
        if entry.number != self.length + 1:
            yield finding(f"entries from {self.length + 1} on are missing before it")
        if entry.row["previous_hash"] != self.hash:
            yield finding("it does not continue the entry before it")
        if not entry.record:
            yield finding("its record cannot be read")
        expected = hash_of(
            {
                "sequence": entry.number,
                "previous": entry.row["previous_hash"],
                "record": entry.record,
            }
        )
        if entry.row["hash"] != expected:
            yield finding("its record does not have its hash")
        yield from self._columns(entry)
        yield from self._lines(entry)
        yield from self._time(entry)
        self.length, self.hash = entry.number, entry.row["hash"]
        if self.hash not in self.remembered.get(self.length, {self.hash}):
            yield finding("it is not the entry that a checkpoint remembers")

    def _of(self, entry: BookedEntry) -> "_Found":
        return _Found(self.tenant, str(entry.row["entry_number"]))

    def _columns(self, entry: BookedEntry) -> Iterator[Finding]:
        finding = self._of(entry)
        for column in _COLUMNS:
            if entry.row[column] != entry.record.get(column):
                yield finding(f"{column} is not what its record says")
        if moment_text(entry.row["posted_at"]) != entry.record.get("posted_at"):
            yield finding("posted_at is not what its record says")

    def _lines(self, entry: BookedEntry) -> Iterator[Finding]:
        finding = self._of(entry)
        recorded = entry.record.get("lines")
        said = {
            number: tuple(line)
            for number, line in enumerate(recorded if isinstance(recorded, list) else [], start=1)
        }
        sums: dict[str, int] = {}
        for line in entry.lines:
            number, account = line["line_number"], str(line["account"])
            amount, currency = whole(line["amount_minor"]), str(line["currency"])
            sums[currency] = sums.get(currency, 0) + amount
            place = (account, currency)
            self.balances[place] = self.balances.get(place, 0) + amount
            if said.pop(number, None) != (line["account"], line["amount_minor"], line["currency"]):
                yield self.tenant.finding(
                    "ledger_lines", f"{entry.number}/{number}", "it is not what its record says"
                )
        for number in said:
            yield self.tenant.finding("ledger_lines", f"{entry.number}/{number}", "it is missing")
        if any(sums.values()):
            yield finding(f"its lines do not balance: {sums}")
        if len(entry.lines) < 2:  # noqa: PLR2004 - money comes from somewhere and goes somewhere
            yield finding("it has fewer than two lines")

    def _time(self, entry: BookedEntry) -> Iterator[Finding]:
        finding = self._of(entry)
        posted_at = moment_text(entry.row["posted_at"])
        if entry.sets_clock_back:
            yield from self._set_back(entry, posted_at)
        else:
            if posted_at < self.posted_at:
                yield finding("it was made before the entry before it")
            if entry.counts_clock:
                yield finding("it counts that the clock was set back, but does not set it back")
        self.posted_at = posted_at
        period = str(entry.row["period"])
        if period <= self.closed_through:
            yield finding(f"it is booked in {period}, which was closed before")
        if entry.row["kind"] == "period close":
            self.closed_through = max(self.closed_through, period)

    def _set_back(self, entry: BookedEntry, posted_at: str) -> Iterator[Finding]:
        """Look at the one kind of entry that may be earlier: time runs on from it."""
        finding = self._of(entry)
        if posted_at >= self.posted_at:
            yield finding("it sets the clock back, but was not made before the entry before it")
        if entry.document.get("last") != self.posted_at:
            yield finding("it does not say when the entry before it was made")
        if entry.booked != _SET_BACK_LINES:
            yield finding("its lines do not count once that the clock was set back")

    def end(self) -> Iterator[Finding]:
        """Compare the end of the chain with what the head and the checkpoints say."""
        heads = self.tenant.rows(
            "SELECT length, hash, posted_at, closed_through FROM ledger_heads "
            "WHERE tenant = :tenant"
        )
        if not heads and self.length:
            yield self.tenant.finding("ledger_heads", self.tenant.name, "it is missing")
        for head in heads:
            posted_at = head["posted_at"]
            pairs = {
                "length": (head["length"], self.length),
                "hash": (head["hash"], self.hash),
                "posted_at": ("" if posted_at is None else moment_text(posted_at), self.posted_at),
                "closed_through": (head["closed_through"], self.closed_through),
            }
            for column, (said, found) in pairs.items():
                if said != found:
                    yield self.tenant.finding(
                        "ledger_heads", self.tenant.name, f"{column} is {said}, not {found}"
                    )
        for length in sorted(self.remembered):
            if length > self.length:
                yield self.tenant.finding(
                    "ledger_entries", length, "a checkpoint remembers it, but it was cut off"
                )
        yield from self.tenant.found(
            "ledger_lines",
            "SELECT entry_number, line_number FROM ledger_lines AS line WHERE tenant = :tenant "
            "AND NOT EXISTS (SELECT 1 FROM ledger_entries AS entry "
            "WHERE entry.tenant = line.tenant AND entry.entry_number = line.entry_number)",
            "it has no entry",
        )


@dataclass(frozen=True, slots=True)
class _Found:
    """Makes findings about one entry."""

    tenant: Tenant
    key: str

    def __call__(self, what: str) -> Finding:
        return self.tenant.finding("ledger_entries", self.key, what)
