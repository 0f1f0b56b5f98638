"""A program that kills processes which sell: see ``tests/vending_app/vend/test_crashes.py``.

    python sale_kills.py points   URL VAULT KEY [JOURNAL]
    python sale_kills.py kills    URL VAULT KEY KILLS SEED
    python sale_kills.py parallel URL VAULT KEY PROCESSES SALES

All modules are loaded once; every process that sells is a fork of this one. Connections are closed
before a fork, because one serves one process only. With a journal the security module is one
elsewhere, which keeps its answers in a file of its own.
"""

import os
import random
import signal
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, Final

from sqlalchemy import ColumnElement, case, func, select, text

from keys import FileJournal, SecurityModule, Vault
from keys.files import read_key_file
from keys.software import SoftwareModule
from sts.meter.outcomes import Accepted
from tests.vending_app.helpers import NOW
from tests.vending_app.vend.shop import Elsewhere, RealMeter, findings, meter_of, request
from vending_app.domain.errors import VendingError
from vending_app.services.recovery import PATIENCE, recover
from vending_app.services.vending import VendRequest, vend
from vending_app.storage import tables
from vending_app.storage.engine import Store

LONGEST_LIFE: Final = 0.03
AT_ONCE: Final = (
    "sale.begin",
    "sale.locked",
    "sale.quoted",
    "sale.issued",
    "sale.twinned",
    "sale.tokens",
    "sale.sale",
    "sale.ledger",
    "sale.request",
    "sale.before_commit",
    "sale.after_commit",
)
"""The steps of a sale whose tokens are made in the transaction, in their order."""
BY_STEPS: Final = (
    "sale.begin",
    "sale.locked",
    "sale.quoted",
    "remote.planned",
    "remote.asked",
    "sale.twinned",
    "sale.tokens",
    "sale.sale",
    "sale.ledger",
    "sale.request",
    "remote.answered",
)
"""The steps of a sale whose tokens are made elsewhere."""
_OTHERS: Final = text(
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
    "AND backend_type = 'client backend' AND pid <> pg_backend_pid()"
)
_LOOKS: Final = 3_000
_BETWEEN_LOOKS: Final = 0.01
_STARTED: Final = b"o"
_SOLD: Final = b"+"
_PATIENCE: Final = 4
"""A process is left alone until it has reported less than so often, and then for an instant."""


@dataclass(frozen=True, kw_only=True)
class Shop:
    """Where is sold, and by which module.

    Attributes:
        store: The database. No connection to it outlives a fork; what SQLAlchemy has learnt does.
        module: The security module.
        is_elsewhere: Whether that has a journal of its own.
    """

    store: Store
    module: SecurityModule
    is_elsewhere: bool

    @classmethod
    def opened(cls, url: str, vault: str, key: str, *, journal: str | None = None) -> "Shop":
        """Open database and module."""
        keys, store = Vault.open(Path(vault), read_key_file(Path(key))), Store.open(url)
        if journal is None:
            return cls(store=store, module=SoftwareModule(keys, lab_mode=True), is_elsewhere=False)
        answers = FileJournal.open(Path(journal))
        module = SoftwareModule(keys, lab_mode=True, journal=answers)
        return cls(store=store, module=Elsewhere(module), is_elsewhere=True)

    def sell(self, request_id: str, *, now: datetime = NOW) -> bool:
        """Sell, and tell whether the sale had been there."""
        return vend(self.store, self.module, now=now, request=asked(request_id)).replay

    def in_child(self, work: Callable[[], None]) -> int:
        """Do something in a process of its own; return its id."""
        self.store.close()
        child = os.fork()
        if child == 0:
            try:
                work()
            except BaseException:  # noqa: BLE001 - whatever it is, it is printed here
                traceback.print_exc()
            finally:
                os._exit(1)
        return child

    def wait_for_the_server(self) -> None:
        """Wait until nobody else is served: for one who is gone, a commit may be on its way."""
        if self.store.engine.dialect.name == "sqlite":
            return
        for _ in range(_LOOKS):
            with self.store.read() as connection:
                if connection.execute(_OTHERS).scalar_one() == 0:
                    return
            time.sleep(_BETWEEN_LOOKS)
        raise AssertionError("the server goes on serving somebody")

    def books(self) -> "Books":
        """Count what there is."""
        self.wait_for_the_server()
        lines, entries = tables.ledger_lines.c, tables.ledger_entries.c
        cash = func.sum(case((lines.account == "cash", lines.amount_minor), else_=0))
        sale = func.sum(case((entries.kind == "sale", 1), else_=0))
        with self.store.read() as connection:

            def value(column: ColumnElement[Any]) -> int:
                return int(connection.execute(select(column)).scalar_one() or 0)

            return Books(
                sales=value(func.count(tables.sales.c.sale_number)),
                tokens=value(func.count(tables.tokens.c.token_number)),
                tendered_minor=value(func.sum(tables.sales.c.tendered_minor)),
                cash_minor=value(cash),
                entries=value(sale),
                requests=value(func.count(tables.requests.c.request_id)),
            )

    def require_sound(self) -> None:
        """Have the books checked by the one who shares no code with whoever wrote them."""
        assert findings(self.store) == []


@dataclass(frozen=True, kw_only=True)
class Books:
    """What there is of sales: each has one token and one entry, or nothing of it is there."""

    sales: int
    tokens: int
    tendered_minor: int
    cash_minor: int
    entries: int
    requests: int

    def require_whole(self, *, opened: int = 0) -> None:
        """Check that every sale is wholly there, besides requests that are not decided."""
        assert self.sales == self.tokens == self.entries == self.requests - opened, self
        assert self.tendered_minor == self.cash_minor, self


def killed(child: int) -> None:
    """Wait for a process that is killed."""
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status), f"it ended by itself: {status}"
    assert os.WTERMSIG(status) == signal.SIGKILL, f"it ended by itself: {status}"


def asked(request_id: str) -> VendRequest:
    """Return a request; all are alike."""
    return request(request_id=request_id, minor=150_00)


def points(shop: Shop) -> None:
    """Kill a sale at each named step; then the same request completes, or is there already."""
    for number, point in enumerate(BY_STEPS if shop.is_elsewhere else AT_ONCE):
        request_id = f"point-{number}"
        before = shop.books()

        killed(shop.in_child(partial(_die_at, shop, point, request_id)))
        after = shop.books()
        is_planned = shop.is_elsewhere and number >= BY_STEPS.index("remote.planned")
        after.require_whole(opened=int(is_planned))
        sold = after.sales - before.sales
        assert sold == int(point == "sale.after_commit"), (point, sold)
        assert shop.sell(request_id) == bool(sold), point
        shop.books().require_whole()
    if shop.is_elsewhere:
        _recovered(shop)
    shop.require_sound()


def _die_at(shop: Shop, point: str, request_id: str) -> None:
    """Sell, and be killed at a step."""

    def fail(name: str) -> None:
        if name == point:
            os.kill(os.getpid(), signal.SIGKILL)

    shop.store.fail_point = fail
    shop.sell(request_id)


def _recovered(shop: Shop) -> None:
    """Kill sales before and after the module was asked, and find out what came of them."""
    for point, made in (("remote.planned", False), ("remote.asked", True)):
        request_id = point.replace(".", "-")
        killed(shop.in_child(partial(_die_at, shop, point, request_id)))
        found = "made"
        try:
            recover(
                shop.store,
                shop.module,
                now=NOW + PATIENCE,
                tenant="thabaneng",
                request_id=request_id,
            )
        except VendingError as error:
            found = error.code
        assert found == ("made" if made else "TOKEN_NOT_MADE"), (point, found)


def kills(shop: Shop, number_of_kills: int, seed: int) -> None:
    """Kill selling processes at random instants; print how often something was under way."""
    dice = random.Random(seed)  # noqa: S311 - instants that can be had again, no secrets
    # The first sale teaches SQLAlchemy all statements, for the processes to come.
    shop.sell("kill-0")
    done, moved, unreported = 1, 0, 0
    for number in range(number_of_kills):
        reported = _kill_one(shop, done, dice)
        found = shop.books()
        found.require_whole()
        sold = found.sales - done
        # Whatever was reported is there; of what was not, at most the one sale on its way.
        assert sold in {reported, reported + 1}, (number, reported, sold)
        moved += sold > 0
        unreported += sold > reported
        done = found.sales
    for number in range(max(done - 3, 0), done):
        assert shop.sell(f"kill-{number}", now=_time(number))
    shop.require_sound()
    print(number_of_kills, done, moved, unreported)


def _kill_one(shop: Shop, first: int, dice: random.Random) -> int:
    """Let a process sell from the request ``first`` on, kill it; return what it had reported."""
    reading, report = os.pipe()

    def work() -> None:
        os.write(report, _STARTED)
        for number in range(first, first + 1_000_000):
            assert not shop.sell(f"kill-{number}", now=_time(number))
            os.write(report, _SOLD)

    child = shop.in_child(work)
    os.close(report)
    # Pace is set by what it reports, so that a slow machine is tested as well as a fast one.
    sold = b"".join(os.read(reading, 1) for _ in range(dice.randrange(1, _PATIENCE)))
    time.sleep(dice.random() * LONGEST_LIFE)
    os.kill(child, signal.SIGKILL)
    killed(child)
    while part := os.read(reading, 4096):
        sold += part
    os.close(reading)
    return sold.count(_SOLD)


def parallel(shop: Shop, processes: int, sales: int) -> None:
    """Sell to one meter from several processes at once; each sends the same request as well."""

    def work(process: int) -> None:
        for name in ("same", *(f"p{process}-{number}" for number in range(sales))):
            shop.sell(name)
        os._exit(0)

    children = [shop.in_child(partial(work, process)) for process in range(processes)]
    for child in children:
        _, status = os.waitpid(child, 0)
        assert status == 0, status
    found = shop.books()
    found.require_whole()
    assert found.sales == processes * sales + 1, found
    meter = RealMeter.of(meter_of(shop.store))
    with shop.store.read() as connection:
        digits = connection.execute(select(tables.tokens.c.digits)).scalars().all()
    for each in digits:
        assert isinstance(meter.enter(each), Accepted)
    shop.require_sound()


def _time(number: int) -> datetime:
    return NOW + timedelta(minutes=number)


def main() -> None:
    """Do what the command line says."""
    mode, url, vault, key, *rest = sys.argv[1:]
    match mode, rest:
        case "points", []:
            points(Shop.opened(url, vault, key))
        case "points", [journal]:
            points(Shop.opened(url, vault, key, journal=journal))
        case "kills", [number, seed]:
            kills(Shop.opened(url, vault, key), int(number), int(seed))
        case "parallel", [processes, sales]:
            parallel(Shop.opened(url, vault, key), int(processes), int(sales))
        case _:
            raise SystemExit(__doc__)


if __name__ == "__main__":
    main()
