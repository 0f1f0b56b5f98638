"""The whole walk on the screen: from the factory to the cut, a loan, a token, a tamper, a clearing.

The tokens are those that ``sts`` would make. The first one is keyed digit by digit; the others are
pasted, which does the same and takes less time.
"""

import asyncio
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from textual.events import Paste
from textual.pilot import Pilot
from textual.widgets import Static

from sts.identifiers import KeyType
from sts.meter.device import open_meter
from sts.meter.profiles import PROFILES
from sts.meter.tui import MeterApp
from sts.meter.tui_session import Session
from tests.pair import START, VendAndMeter
from tests.sts.meter.bench import meter_file

SIZE: Final = (132, 42)


class Walk:
    """Somebody before the screen, with a clock that is moved by hand."""

    def __init__(self, pair: VendAndMeter, *, patience: int = 1) -> None:
        """Vend for the pair's meter; whoever has patience sees finer charts."""
        self.pair = pair
        self.patience = patience
        self.now: datetime = START
        self.screen: MeterApp
        self.pilot: Pilot[None]

    def clock(self) -> datetime:
        return self.now

    def text(self, selector: str) -> str:
        return str(self.screen.query_one(selector, Static).render())

    async def wait(self, length: timedelta, samples: int = 1) -> None:
        steps = samples if self.patience > 1 else 1
        for _ in range(steps):
            self.now += length / steps
            for _ in range(4):
                self.screen.tick()
        await self.pilot.pause()

    async def key(self, digits: str) -> None:
        """Key a token or a short code, and look at the answer."""
        await self.pilot.press(*digits)
        await self.pilot.pause()

    async def paste(self, digits: str) -> None:
        """Paste a token, and look at the answer."""
        self.screen.post_message(Paste(digits))
        await self.pilot.pause()


def _key_change(pair: VendAndMeter) -> Iterator[str]:
    """Give the set that brings the meter into service."""
    new = {"key_type": KeyType.UNIQUE}
    yield from pair.key_change_digits(new)
    pair.change_key(new)


async def walk(visit: Walk) -> None:
    """Go the whole way."""
    pair = visit.pair
    # Into service.
    first, *others = _key_change(pair)
    await visit.key(first)
    assert "Part 1 stored." in visit.text("#display")
    for digits in others:
        await visit.wait(timedelta(minutes=1))
        await visit.paste(digits)
    await visit.wait(timedelta(minutes=1))
    assert "KRN 1 TI 01" in visit.text("#plate")

    # To the cut, and the exact event.
    pair.now = visit.now
    pair.credit(40)
    await visit.paste(pair.digits)
    assert "ACCEPT" in visit.text("#display")
    await visit.pilot.press(*["up"] * 6)
    for load in (0, 3, -2, 1):
        await visit.pilot.press(*["up" if load > 0 else "down"] * abs(load))
        await visit.wait(timedelta(minutes=24), 24)
    await visit.wait(timedelta(hours=3), 30)
    assert "relay opened: credit exhausted  0.000 kWh" in visit.text("#events-log")
    assert "The credit is used up." in visit.text("#plate")

    # Emergency credit, and its repayment.
    await visit.key("#90#")
    assert "EMERGENCY CREDIT" in visit.text("#display")
    await visit.wait(timedelta(hours=1), 20)
    assert "to pay off" in visit.text("#plate")
    pair.now = visit.now
    pair.credit(120)
    await visit.paste(pair.digits)
    assert "emergency repaid" in visit.text("#events-log")
    await visit.wait(timedelta(minutes=40), 20)

    # A cover that is opened, and a token that clears it.
    await visit.pilot.press("o")
    assert "TAMPER" in visit.text("#symbols")
    assert "relay opened: tamper" in visit.text("#events-log")
    await visit.wait(timedelta(minutes=10), 8)
    pair.now = visit.now
    pair.clear_tamper()
    await visit.paste(pair.digits)
    assert "relay closed after tamper" in visit.text("#events-log")
    await visit.wait(timedelta(minutes=50), 22)
    assert "Supply is on." in visit.text("#plate")


def show(path: Path, visit: Walk) -> MeterApp:
    """Let somebody go the way before a screen, and leave it as it is at the end."""

    async def watch(screen: MeterApp) -> None:
        async with screen.run_test(size=SIZE) as pilot:
            visit.screen, visit.pilot = screen, pilot
            await pilot.pause()
            await walk(visit)

    with open_meter(path) as meter:
        screen = MeterApp(Session(meter, visit.clock), tick_seconds=None)
        asyncio.run(watch(screen))
    return screen


def test_the_whole_walk_on_the_screen(tmp_path: Path) -> None:
    pair = VendAndMeter(key_type=KeyType.INITIALISATION, profile=PROFILES["standard"])
    show(meter_file(tmp_path, pair), Walk(pair))
    with open_meter(tmp_path / "house.meter") as meter:
        kinds = [event.kind.name for event in reversed(meter.events())]
        # Three of the four sections, the key, two sales and a clearing.
        assert len(meter.history()) == 7
    assert kinds == [
        "KEY_CHANGED",
        "RELAY_CLOSED",
        "CUT_AHEAD",
        "RELAY_OPENED",
        "EMERGENCY_TAKEN",
        "RELAY_CLOSED",
        "EMERGENCY_REPAID",
        "TAMPER_DETECTED",
        "RELAY_OPENED",
        "TAMPER_CLEARED",
        "RELAY_CLOSED",
        "VERY_LOW_CREDIT",
    ]
