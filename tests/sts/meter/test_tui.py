"""A meter's screen, worked by keyboard and mouse as a person would."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import pytest
from textual.events import Paste
from textual.pilot import Pilot
from textual.widgets import Button, Label, Static, TabbedContent

from sts.identifiers import EncryptionAlgorithm
from sts.meter.device import open_meter
from sts.meter.errors import MeterBusyError, MeterFileDamagedError
from sts.meter.events import EventKind
from sts.meter.profiles import ReconnectPolicy
from sts.meter.tui import MeterApp
from sts.meter.tui_session import Session
from sts.meter.tui_widgets import Chart, Slider
from tests.pair import START, VendAndMeter
from tests.sts.meter.bench import credit_digits, meter_file

SMALL: Final = (80, 24)
TALL: Final = (120, 40)


class Stand:
    """A screen before a meter, and a clock that stands still until it is moved."""

    def __init__(self, folder: Path, pair: VendAndMeter) -> None:
        """Write the pair's meter to a file."""
        self.pair = pair
        self.path = meter_file(folder, pair)
        self.now: datetime = START

    def watch(
        self, use: Callable[[MeterApp, Pilot[None]], Awaitable[None]], size: tuple[int, int] = SMALL
    ) -> MeterApp:
        """Show the meter and let ``use`` work it."""

        async def show(screen: MeterApp) -> None:
            async with screen.run_test(size=size) as pilot:
                await pilot.pause()
                await use(screen, pilot)

        with open_meter(self.path) as meter:
            screen = MeterApp(Session(meter, lambda: self.now), tick_seconds=None)
            asyncio.run(show(screen))
        return screen

    def wait(self, screen: MeterApp, length: timedelta) -> None:
        """Let time pass until the screen has written it down."""
        self.now += length
        for _ in range(4):
            screen.tick()


@pytest.fixture
def stand(tmp_path: Path) -> Stand:
    return Stand(tmp_path, VendAndMeter())


def shown(screen: MeterApp, selector: str) -> str:
    """Return the text of one part of the screen."""
    return str(screen.query_one(selector, Static).render())


async def click_digits(pilot: Pilot[None], digits: str) -> None:
    buttons = {button.name: button for button in pilot.app.query(".key").results(Button)}
    for digit in digits:
        assert await pilot.click(buttons[digit])
    await pilot.pause()


def test_a_token_keyed_on_the_keyboard_adds_credit(stand: Stand) -> None:
    async def use(screen: MeterApp, pilot: Pilot[None]) -> None:
        digits = credit_digits(stand.pair, 59)
        await pilot.press(*digits[:6])
        assert "6/20" in shown(screen, "#display")
        await pilot.press("backspace")
        assert "5/20" in shown(screen, "#display")
        await pilot.press(*digits[5:])
        assert "ACCEPT" in shown(screen, "#display")
        stand.wait(screen, timedelta(seconds=4))
        assert "5.9 kWh" in shown(screen, "#display")
        assert "steady" in shown(screen, "#lamps")
        assert "✓ 5.9 kWh" in shown(screen, "#tokens-log")
        assert "relay closed" in shown(screen, "#events-log")

    stand.watch(use)


def test_a_token_keyed_with_the_mouse_adds_credit(stand: Stand) -> None:
    async def use(screen: MeterApp, pilot: Pilot[None]) -> None:
        await click_digits(pilot, credit_digits(stand.pair, 12))
        assert "ACCEPT" in shown(screen, "#display")

    stand.watch(use)
    with open_meter(stand.path) as meter:
        assert meter.snapshot(now=stand.now).credit_wh == 1200


def test_a_pasted_token_is_keyed(stand: Stand) -> None:
    async def use(screen: MeterApp, pilot: Pilot[None]) -> None:
        digits = credit_digits(stand.pair, 12)
        screen.post_message(Paste(f"{digits[:4]} {digits[4:8]}-{digits[8:]}\n"))
        await pilot.pause()
        assert "ACCEPT" in shown(screen, "#display")

    stand.watch(use)


def test_a_wrong_token_is_refused_with_its_reason(stand: Stand) -> None:
    async def use(screen: MeterApp, pilot: Pilot[None]) -> None:
        await pilot.press(*"12345678901234567890")
        assert "REJECT" in shown(screen, "#display")
        await pilot.press("t")
        assert screen.query_one(TabbedContent).active == "tokens"
        assert "1234 5678 9012 3456 7890 ✗" in shown(screen, "#tokens-log")
        await pilot.press("t")
        assert screen.query_one(TabbedContent).active == "events"

    stand.watch(use)


def test_escape_clears_and_enter_says_what_is_missing(stand: Stand) -> None:
    async def use(screen: MeterApp, pilot: Pilot[None]) -> None:
        await pilot.press("1", "2", "enter")
        assert "18 digits missing" in shown(screen, "#display")
        await pilot.press("escape")
        assert "/20" not in shown(screen, "#display")
        await pilot.press("#", "1", "0", "#")
        assert "0100" in shown(screen, "#display")

    stand.watch(use)


def test_a_load_takes_the_credit_down_to_the_cut(stand: Stand) -> None:
    async def use(screen: MeterApp, pilot: Pilot[None]) -> None:
        await pilot.press(*credit_digits(stand.pair, 10))
        await pilot.click(list(screen.query(".load").results(Button))[1])
        assert shown(screen, "#load") == "500 W"
        stand.wait(screen, timedelta(hours=1))
        assert screen.query_one("#credit-chart", Chart).border_title == "Credit 0.500 kWh"
        assert "lasts until" in str(screen.query_one("#credit-chart", Chart).border_subtitle)
        stand.wait(screen, timedelta(hours=2))
        assert "flashing" in shown(screen, "#lamps")
        assert "relay opened: credit exhausted  0.000 kWh" in shown(screen, "#events-log")
        assert "10:00:00" in shown(screen, "#events-log")
        lit = set()
        for _ in range(4):
            screen.tick()
            lit.add("● SUPPLY" in shown(screen, "#lamps"))
        assert lit == {False, True}, "the lamp flashes"
        assert screen.query_one("#power-chart", Chart).border_title == "Power 0 W"

    stand.watch(use)


def test_every_way_to_set_the_load_leads_to_the_same_meter(stand: Stand) -> None:
    async def use(screen: MeterApp, pilot: Pilot[None]) -> None:
        await pilot.press("up", "up", "up", "down")
        assert shown(screen, "#load") == "100 W"
        await pilot.click(".step")
        assert shown(screen, "#load") == "60 W"
        slider = screen.query_one(Slider)
        await pilot.click(slider, offset=(slider.size.width - 1, 0))
        assert shown(screen, "#load") == "13.8 kW"
        await pilot.press("up")
        assert shown(screen, "#load") == "13.8 kW"
        await pilot.click(slider, offset=(0, 0))
        assert shown(screen, "#load") == "0 W"
        await pilot.press("down")
        assert shown(screen, "#load") == "0 W"

    stand.watch(use)


def test_time_goes_faster_but_not_while_somebody_keys(stand: Stand) -> None:
    async def use(screen: MeterApp, pilot: Pilot[None]) -> None:
        await pilot.press("s")
        stand.wait(screen, timedelta(seconds=2))
        assert "08:02:00 UTC   60×" in shown(screen, "#time")
        await pilot.press("1")
        stand.wait(screen, timedelta(seconds=5))
        assert "08:02:05 UTC    1×" in shown(screen, "#time")
        assert "1/20" in shown(screen, "#display")
        speeds = list(screen.query(".speed").results(Button))
        await pilot.click(speeds[3])
        assert speeds[3].has_class("chosen")
        await pilot.press("escape")
        stand.wait(screen, timedelta(seconds=1))
        assert "09:02:05 UTC 3600×" in shown(screen, "#time")

    stand.watch(use)


def test_the_cover_and_the_power_leave_their_traces(stand: Stand) -> None:
    async def use(screen: MeterApp, pilot: Pilot[None]) -> None:
        await pilot.press(*credit_digits(stand.pair, 10))
        await pilot.click(".power")
        assert "no power" in shown(screen, "#lamps")
        await pilot.press("1")
        await pilot.pause()
        assert any("no power" in notice.message for notice in screen._notifications)  # noqa: SLF001 - there is no other way to see them
        await pilot.press("p", "o")
        assert str(screen.query_one(".cover", Button).label) == "Cover was opened"
        assert "tamper detected" in shown(screen, "#events-log")
        assert "power returned" in shown(screen, "#events-log")

    stand.watch(use)


def test_the_button_brings_supply_back(tmp_path: Path) -> None:
    stand = Stand(tmp_path, VendAndMeter(reconnect=ReconnectPolicy.BUTTON))

    async def use(screen: MeterApp, pilot: Pilot[None]) -> None:
        await pilot.press(*credit_digits(stand.pair, 10))
        assert "flashing" in shown(screen, "#lamps")
        await pilot.click(".push")
        assert "steady" in shown(screen, "#lamps")

    stand.watch(use)


@pytest.mark.parametrize("size", [SMALL, TALL])
def test_everything_is_inside_the_terminal(stand: Stand, size: tuple[int, int]) -> None:
    async def use(screen: MeterApp, pilot: Pilot[None]) -> None:
        width, height = size
        for widget in screen.query("*"):
            if widget.display and not widget.has_class("log"):
                assert widget.region.right <= width, widget
                assert widget.region.bottom <= height, widget
        assert screen.query_one("#plate").display == (size == TALL)
        await pilot.resize_terminal(*SMALL)
        await pilot.pause()
        lowest = list(screen.query(".push"))[-1].region
        assert lowest.height == 3
        assert lowest.bottom < SMALL[1]
        assert screen.query_one("#credit-chart").region.right <= SMALL[0]

    stand.watch(use, size)


def test_leaving_writes_down_the_time_that_has_passed(stand: Stand) -> None:
    async def use(screen: MeterApp, pilot: Pilot[None]) -> None:
        await pilot.press(*credit_digits(stand.pair, 10))
        screen.session.set_load(500)
        stand.now += timedelta(hours=1)
        await pilot.press("q")
        assert screen.failure is None

    stand.watch(use)
    with open_meter(stand.path) as meter:
        assert meter.snapshot(now=START).credit_wh == 500
        assert [event.kind for event in meter.events()] == [EventKind.RELAY_CLOSED]


def test_a_busy_meter_is_a_notice_and_a_broken_one_is_the_end(
    stand: Stand, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def use(screen: MeterApp, pilot: Pilot[None]) -> None:
        busy = refusing(MeterBusyError(stand.path))
        monkeypatch.setattr(screen.session, "press", busy)
        await pilot.press("b")
        assert screen.failure is None
        broken = refusing(MeterFileDamagedError(stand.path, "a test"))
        monkeypatch.setattr(screen.session, "press", broken)
        await pilot.press("b")

    assert isinstance(stand.watch(use).failure, MeterFileDamagedError)


def refusing(error: Exception) -> Callable[[], None]:
    def refuse() -> None:
        raise error

    return refuse


def test_sample_tables_are_marked_on_the_screen(tmp_path: Path) -> None:
    stand = Stand(tmp_path, VendAndMeter("00100001023", EncryptionAlgorithm.STA))

    async def use(screen: MeterApp, pilot: Pilot[None]) -> None:
        await pilot.pause()
        assert "SAMPLE TABLES" in str(screen.query_one("#title", Label).render())

    stand.watch(use)


def test_the_screen_draws_itself_while_time_passes(stand: Stand) -> None:
    """With a timer, as in life: it redraws without a key."""

    async def watch() -> None:
        with open_meter(stand.path) as meter:
            screen = MeterApp(Session(meter, lambda: stand.now), tick_seconds=0.01)
            async with screen.run_test(size=SMALL) as pilot:
                stand.now += timedelta(seconds=7)
                for _ in range(100):
                    await pilot.pause(0.02)
                    if "08:00:07" in shown(screen, "#time"):
                        return
                pytest.fail("the time on the screen stands still")

    asyncio.run(watch())
