"""Six months of the demo's sales, as if the utilities had sold all the time.

The same months come out the same way: what is bought is drawn from a generator with a fixed seed,
and every sale goes through the engine with its clock set to its own moment.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from keys import SecurityModule
from vending_app import demo_story as story
from vending_app.domain.errors import VendorLimitError
from vending_app.domain.parties import Operator
from vending_app.domain.sales import PaymentMethod
from vending_app.domain.tariff import local_day
from vending_app.services.quoting import Amount
from vending_app.services.vending import VendRequest, vend
from vending_app.services.vendors import Deposit, deposit
from vending_app.storage import operators
from vending_app.storage.engine import Store

SEED: Final = 2014
DAYS_A_MONTH: Final = 30
_METHODS: Final = (PaymentMethod.CASH, PaymentMethod.CASH, PaymentMethod.MOBILE, PaymentMethod.CARD)
_VENDOR_SELLS_EVERY: Final = 5
_TOP_UP_MINOR: Final = 1_500_00
_OPENING_HOUR: Final = 6
_MINUTES_OPEN: Final = 12 * 60
_BEFORE_NOW: Final = timedelta(minutes=10)


@dataclass(frozen=True, slots=True, kw_only=True)
class Habit:
    """How somebody buys.

    Attributes:
        every_days: How many days lie between two purchases, about.
        amounts_minor: What is bought for.
        until_days_ago: When it ended; 0 if it goes on.
        begins_every_month: Whether the present month has a purchase in any case, so that its basic
            charge is paid.
    """

    every_days: int
    amounts_minor: tuple[int, ...]
    until_days_ago: int = 0
    begins_every_month: bool = False


HABITS: Final = {
    "00100001015": Habit(every_days=9, amounts_minor=(20_00, 30_00, 50_00)),
    "00100001023": Habit(every_days=12, amounts_minor=(120_00,), begins_every_month=True),
    "00100001031": Habit(every_days=14, amounts_minor=(150_00, 200_00)),
    "00100001049": Habit(every_days=10, amounts_minor=(150_00, 250_00), until_days_ago=120),
    "0100200002010": Habit(
        every_days=4, amounts_minor=(2_000_00, 3_000_00, 5_000_00), until_days_ago=45
    ),
    "0100200002028": Habit(every_days=3, amounts_minor=(20_000_00, 40_000_00, 65_000_00)),
    "0100300003017": Habit(every_days=7, amounts_minor=(8_000_00, 12_000_00)),
    "0100300003025": Habit(every_days=6, amounts_minor=(300_00, 500_00)),
    "0100300003033": Habit(every_days=15, amounts_minor=(100_00, 200_00)),
}
"""Who buys how; a meter in stock does not."""

_SELLERS: Final = {story.THABANENG: "zanele", story.MWANGA: "rehema", story.BAOBAB: "naledi"}
_SUPERVISORS: Final = {story.THABANENG: "botha", story.MWANGA: "mshana", story.BAOBAB: "venter"}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Purchase:
    at: datetime
    request: VendRequest


def sell_history(store: Store, module: SecurityModule, *, months: int, now: datetime) -> int:
    """Sell as the demo's customers bought in the months before now; return how many sales.

    Args:
        store: The database of the demo, in which nothing was sold yet.
        module: The security module.
        months: How many months of 30 days.
        now: The present time, aware; the last sale comes before it.
    """
    purchases = sorted(_purchases(months, now), key=lambda each: (each.at, each.request.request_id))
    for purchase in purchases:
        _sell(store, module, purchase)
    return len(purchases)


def history_start(months: int, now: datetime) -> datetime:
    """Return the moment before the first sale of a history."""
    return now - timedelta(days=months * DAYS_A_MONTH)


def _sell(store: Store, module: SecurityModule, purchase: _Purchase) -> None:
    """Sell; a vendor whose float is empty pays in first."""
    try:
        vend(store, module, now=purchase.at, request=purchase.request)
    except VendorLimitError:
        tenant = purchase.request.tenant
        paid = Deposit(
            vendor_code="tshepo",
            bank_reference=f"demo-{purchase.request.request_id}",
            amount_minor=_TOP_UP_MINOR,
        )
        supervisor = _operator(store, tenant, _SUPERVISORS[tenant])
        deposit(store, supervisor, paid=paid, now=purchase.at)
        vend(store, module, now=purchase.at, request=purchase.request)


def _purchases(months: int, now: datetime) -> Iterator[_Purchase]:
    for supply in story.SUPPLIES:
        drn = str(supply.meter.drn)
        if drn in HABITS:
            yield from _purchases_of(supply, HABITS[drn], months=months, now=now)


def _purchases_of(
    supply: story.DemoSupply, habit: Habit, *, months: int, now: datetime
) -> Iterator[_Purchase]:
    """Yield the purchases of one customer, each in the opening hours of its day."""
    draw = random.Random(f"{SEED}/{supply.meter.drn}")  # noqa: S311 - a story, not a secret
    tenant = supply.meter.tenant
    for number, at in enumerate(_moments(supply, habit, draw, months=months, now=now), start=1):
        amount, method = draw.choice(habit.amounts_minor), draw.choice(_METHODS)
        at_vendor = tenant == story.THABANENG and number % _VENDOR_SELLS_EVERY == 0
        yield _Purchase(
            at=at,
            request=VendRequest(
                tenant=tenant,
                request_id=f"history-{supply.meter.drn}-{number}",
                drn=supply.meter.drn,
                amount=Amount(minor=amount),
                login="tshepo" if at_vendor else _SELLERS[tenant],
                payment_method=PaymentMethod.CASH if at_vendor else method,
            ),
        )


def _moments(
    supply: story.DemoSupply,
    habit: Habit,
    draw: random.Random,
    *,
    months: int,
    now: datetime,
) -> Iterator[datetime]:
    zone = next(each.time_zone for each in story.TENANTS if each.code == supply.meter.tenant)
    day = history_start(months, now).replace(hour=0, minute=0, second=0, microsecond=0)
    end = now - timedelta(days=habit.until_days_ago) - _BEFORE_NOW
    last = day
    while True:
        day += timedelta(days=max(1, habit.every_days + draw.choice((-2, -1, 0, 0, 1, 2))))
        at = day + timedelta(hours=_OPENING_HOUR, minutes=draw.randrange(_MINUTES_OPEN))
        if at >= end:
            break
        last = at
        yield at
    if habit.begins_every_month and local_day(last, zone).month != local_day(end, zone).month:
        yield end


def _operator(store: Store, tenant: str, login: str) -> Operator:
    with store.read() as connection:
        found = operators.find_operator(tenant, connection, login=login)
    assert found is not None
    return found
