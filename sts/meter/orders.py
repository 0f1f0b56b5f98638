"""Tokens and keys for a meter that another program runs: asked for through its file.

Whoever wants something entered writes an order and waits for the answer, for a bounded time. The
program that has the claim does it at its own time, and writes the answer in the same transaction,
so an order is done once or not at all. An order that is not answered in time is taken back; if it
cannot be taken back, it has been answered.

Nothing is lost without such a program: then the order is done at once by whoever has it.
"""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from sts.errors import StsError
from sts.meter.claims import living_claim
from sts.meter.device import VirtualMeter
from sts.meter.errors import MeterBusyError, MeterOrderError
from sts.meter.report import entry_json, entry_lines
from sts.meter.snapshot import Snapshot
from sts.meter.state import TamperKind

WAIT_SECONDS: Final = 5
"""How long an answer is waited for."""
MOST_AT_ONCE: Final = 100
"""How many orders are done before time may pass again."""

_LOOK_SECONDS: Final = 0.02
_TIMELY: Final = timedelta(seconds=2 * WAIT_SECONDS)
"""An older order has nobody left who waits for it."""


class OrderKind(StrEnum):
    """What can be asked for."""

    ENTER = "enter"
    KEY = "key"
    PRESS = "press"
    TAMPER = "tamper"
    HOLD_TAMPER = "hold tamper"
    END_TAMPER = "end tamper"
    SUPPLY_OFF = "supply off"
    SUPPLY_ON = "supply on"
    POWER_OFF = "power off"
    POWER_ON = "power on"
    RESET_LOCKOUT = "reset lockout"


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """One thing to do.

    Attributes:
        kind: What.
        text: The token, the key, or the kind of tampering.
    """

    kind: OrderKind
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came of an order.

    Attributes:
        lines: For people.
        facts: For programs.
        refused: Whether the meter refused a token.
        error: Code, message and hint of an error; empty if there was none.
    """

    lines: tuple[str, ...] = ()
    facts: dict[str, Any] = field(default_factory=dict)
    refused: bool = False
    error: tuple[str, ...] = ()


def perform(meter: VirtualMeter, order: Order, *, now: datetime) -> Answer:
    """Do what an order asks for, here and now.

    Raises:
        StsError: The meter cannot do it; each error has a code of its own.
    """
    return _PERFORM[order.kind](meter, order.text, now)


def ask(
    meter: VirtualMeter,
    order: Order,
    *,
    now: datetime,
    sleep: Callable[[float], None] = time.sleep,
) -> Answer:
    """Have an order done by whoever runs the meter; do it oneself if nobody does.

    Args:
        meter: The open meter.
        order: What to do.
        now: The moment, if nobody runs the meter; whoever does has a time of their own.
        sleep: What waits.

    Raises:
        StsError: The meter cannot do it; each error has a code of its own.
        MeterBusyError: Whoever runs the meter did not answer; then nothing was done.
    """
    if living_claim(meter.memory) is None:
        return perform(meter, order, now=now)
    with meter.memory.exclusively() as database:
        row = {"at": datetime.now(UTC).isoformat(), "kind": str(order.kind), "text": order.text}
        number = database.table("orders").insert(row).last_pk
    until = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < until:
        sleep(_LOOK_SECONDS)
        answered = meter.memory.rows("orders", "id = ? AND answer IS NOT NULL", (number,))
        if answered or living_claim(meter.memory) is None:
            break
    with meter.memory.exclusively() as database:
        answered = meter.memory.rows("orders", "id = ?", (number,))
        database.table("orders").delete_where("id = ?", (number,))
    if answered and answered[0]["answer"] is not None:
        return _answer_of(answered[0]["answer"])
    if living_claim(meter.memory) is None:
        return perform(meter, order, now=now)
    raise MeterBusyError(meter.memory.path)


def attend(meter: VirtualMeter, *, now: datetime) -> int:
    """Do the orders that wait, each in one transaction with its answer; return how many.

    Args:
        meter: The meter that this program has claimed.
        now: Its time.
    """
    if not meter.memory.rows("orders", "answer IS NULL"):
        return 0
    for done in range(MOST_AT_ONCE):
        if not _do_next(meter, now):
            return done
    return MOST_AT_ONCE


def _do_next(meter: VirtualMeter, now: datetime) -> bool:
    with meter.memory.exclusively() as database:
        oldest = (datetime.now(UTC) - _TIMELY).isoformat()
        database.table("orders").delete_where("at < ?", (oldest,))
        waiting = meter.memory.rows("orders", "answer IS NULL ORDER BY id LIMIT 1")
        for row in waiting:
            try:
                order = Order(kind=OrderKind(row["kind"]), text=row["text"])
                # A transaction within ours: if it fails, it alone is undone.
                answer = perform(meter, order, now=now)
            except (StsError, ValueError) as error:
                code, hint = getattr(error, "code", "METER_ORDER"), getattr(error, "hint", "")
                answer = Answer(error=(code, str(error), hint))
            database.table("orders").update(row["id"], {"answer": json.dumps(asdict(answer))})
    return bool(waiting)


def _answer_of(text: str) -> Answer:
    found = json.loads(text)
    if found["error"]:
        code, message, hint = found["error"]
        raise MeterOrderError(code, message, hint)
    return Answer(lines=tuple(found["lines"]), facts=found["facts"], refused=found["refused"])


def _enter(meter: VirtualMeter, text: str, now: datetime) -> Answer:
    entry = meter.enter(text, now=now)
    return Answer(lines=tuple(entry_lines(entry)), facts=entry_json(entry), refused=entry.refused)


def _key(meter: VirtualMeter, text: str, now: datetime) -> Answer:
    reply = meter.key(text, now=now)
    indicators = reply.face.indicators
    return Answer(
        lines=reply.face.lines,
        facts={
            "key": text,
            "display": list(reply.face.lines),
            "supply_lamp": str(indicators.supply),
            "buzzer": str(indicators.buzzer),
            "entry": None if reply.entry is None else entry_json(reply.entry),
        },
        refused=reply.entry is not None and reply.entry.refused,
    )


def _seen(snapshot: Snapshot) -> Answer:
    line = f"Credit {snapshot.credit_text}. {snapshot.supply_text}"
    return Answer(lines=(line,), facts=snapshot.as_json())


_PERFORM: Final[Mapping[OrderKind, Callable[[VirtualMeter, str, datetime], Answer]]] = {
    OrderKind.ENTER: _enter,
    OrderKind.KEY: _key,
    OrderKind.PRESS: lambda meter, _, now: _seen(meter.press(now=now)),
    OrderKind.TAMPER: lambda meter, kind, now: _seen(meter.tamper(TamperKind(kind), now=now)),
    OrderKind.HOLD_TAMPER: lambda meter, kind, now: _seen(
        meter.tamper(TamperKind(kind), now=now, lasting=True)
    ),
    OrderKind.END_TAMPER: lambda meter, kind, now: _seen(
        meter.end_tamper(TamperKind(kind), now=now)
    ),
    OrderKind.SUPPLY_OFF: lambda meter, _, now: _seen(meter.supervise(on=False, now=now)),
    OrderKind.SUPPLY_ON: lambda meter, _, now: _seen(meter.supervise(on=True, now=now)),
    OrderKind.POWER_OFF: lambda meter, _, now: _seen(meter.power_off(now=now)),
    OrderKind.POWER_ON: lambda meter, _, now: _seen(meter.power_on(now=now)),
    OrderKind.RESET_LOCKOUT: lambda meter, _, now: _seen(meter.reset_lockout(now=now)),
}
