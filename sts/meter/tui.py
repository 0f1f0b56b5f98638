"""A meter on the screen of a terminal: its front, its loads, charts and logs.

An edge: here time passes because a timer says so. What the screen can do is in ``tui_session``,
what it is made of in ``tui_widgets``, how it looks in ``tui.tcss``.
"""

from collections.abc import Callable, Iterable
from typing import ClassVar, Final

from rich.text import Text
from textual import on
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.events import Key, Paste
from textual.widgets import Button, Footer, Label, Static, TabbedContent, TabPane, Tabs

from sts.errors import StsError
from sts.meter.errors import MeterBusyError, MeterLoadError, MeterPowerError
from sts.meter.keypad import BACKSPACE, CLEAR, DIGITS, FRAME, KEYS
from sts.meter.registers import MEASURES
from sts.meter.tui_session import Frame, Session, nearest_step
from sts.meter.tui_time import SPEEDS
from sts.meter.tui_widgets import (
    KEY_LABELS,
    KEY_ROWS,
    Chart,
    Display,
    Lamps,
    PanelButton,
    Slider,
    Symbols,
)
from sts.meter.tui_words import (
    event_colour,
    event_text,
    lasts_text,
    load_text,
    moment_text,
    plate_text,
    title_text,
    token_colour,
    token_text,
)

TICK_SECONDS: Final = 0.25
TICKS_A_SAMPLE: Final = 4
"""Time is written down, and a sample taken, once a second."""

_KEYS_OF_THE_KEYBOARD: Final = {
    "backspace": BACKSPACE,
    "delete": CLEAR,
    "escape": CLEAR,
    "enter": FRAME,
}
_PRESETS: Final = (0, 500, 1000, 2300, 5000)
_PASSING: Final = (MeterBusyError, MeterLoadError, MeterPowerError)
"""Refusals after which the screen goes on."""


class MeterApp(App[None]):
    """The screen of one meter.

    Attributes:
        failure: Why it ended by itself; None if it was left.
    """

    CSS_PATH = "tui.tcss"
    TITLE = "STS Vend meter"
    ENABLE_COMMAND_PALETTE = False
    VERTICAL_BREAKPOINTS = [  # noqa: RUF012 - textual has it as an instance variable
        (0, "-low"),
        (34, "-tall"),
    ]
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "load(1)", "Load+"),
        Binding("down", "load(-1)", "Load−"),
        Binding("s", "speed", "Speed"),
        Binding("b", "press", "Button"),
        Binding("o", "cover", "Cover"),
        Binding("p", "power", "Power"),
        Binding("t", "log", "Log"),
        Binding("q", "leave", "Quit"),
    ]

    def __init__(self, session: Session, *, tick_seconds: float | None = TICK_SECONDS) -> None:
        """Make a screen for a session.

        Args:
            session: Somebody before an open meter.
            tick_seconds: How often to draw; None leaves it to whoever calls ``tick``.
        """
        super().__init__()
        self.session: Final = session
        self.failure: StsError | None = None
        self._tick_seconds: Final = tick_seconds
        self._ticks = 0
        self._logged: tuple[object, ...] = ()

    def compose(self) -> ComposeResult:
        """Lay out the screen."""
        with Horizontal(id="head"):
            yield Label("", id="title", markup=False)
            yield Label("", id="time", markup=False)
        with Horizontal(id="body"):
            with Vertical(id="front"):
                yield from self._front()
            with Vertical(id="bench"):
                yield from self._bench()
        yield Footer()

    def on_mount(self) -> None:
        """Draw the meter, and begin to let time pass."""
        self.query_one("#front").border_title = "Meter"
        self.query_one("#controls").border_title = "Bench"
        self.query_one(Tabs).can_focus = False
        for log in self.query(VerticalScroll):
            log.can_focus = False
        self._do(self.session.pass_time)
        if self._tick_seconds is not None:
            self.set_interval(self._tick_seconds, self.tick)

    def tick(self) -> None:
        """Let the screen catch up with time, unless it is being taken down."""
        if not self.query("#title"):
            return
        self._ticks += 1
        writes = self._ticks % TICKS_A_SAMPLE == 0
        self._do(self.session.pass_time if writes else self.session.look)

    # --- what somebody does -------------------------------------------------------------------

    def on_key(self, event: Key) -> None:
        """Take what the keypad has from the keyboard."""
        symbol = _KEYS_OF_THE_KEYBOARD.get(event.key, (event.character or "").upper())
        if symbol in KEYS:
            event.stop()
            self._do(lambda: self.session.key(symbol))

    def on_paste(self, event: Paste) -> None:
        """Key the digits of a pasted token one by one."""
        for digit in filter(DIGITS.__contains__, event.text):
            self._do(lambda symbol=digit: self.session.key(symbol))  # type: ignore[misc]  # mypy cannot infer a lambda with a default

    @on(Button.Pressed)
    def _pressed(self, event: Button.Pressed) -> None:
        value = event.button.name or ""
        if event.button.has_class("key"):
            self._do(lambda: self.session.key(value))
        elif event.button.has_class("load"):
            self._do(lambda: self.session.set_load(int(value)))
        elif event.button.has_class("step"):
            self.action_load(int(value))
        elif event.button.has_class("speed"):
            self._do(lambda: self.session.set_speed(int(value)))
        else:
            {"press": self.action_press, "cover": self.action_cover, "power": self.action_power}[
                value
            ]()

    @on(Slider.Moved)
    def _moved(self, event: Slider.Moved) -> None:
        self._do(lambda: self.session.set_load(self.session.load_steps[event.place]))

    def action_load(self, steps: int) -> None:
        """Go up or down with the load."""
        self._do(lambda: self.session.step_load(steps))

    def action_speed(self) -> None:
        """Let time go faster; after the fastest comes the slowest."""
        self._do(self.session.next_speed)

    def action_press(self) -> None:
        """Press the button that closes the relay."""
        self._do(self.session.press)

    def action_cover(self) -> None:
        """Open the cover."""
        self._do(self.session.open_cover)

    def action_power(self) -> None:
        """Switch the network off or on."""
        self._do(self.session.switch_power)

    def action_log(self) -> None:
        """Show the other log."""
        tabs = self.query_one(TabbedContent)
        tabs.active = "tokens" if tabs.active == "events" else "events"

    def action_leave(self) -> None:
        """Write down the time that has passed, and leave."""
        self._do(self.session.pass_time)
        self.exit()

    # --- what one sees ------------------------------------------------------------------------

    def _front(self) -> ComposeResult:
        with Horizontal(id="glass"):
            with Vertical(id="screen"):
                yield Display(id="display", markup=False)
                yield Symbols(id="symbols", markup=False)
            yield Lamps(id="lamps", markup=False)
        for row in KEY_ROWS:
            with Horizontal(classes="key-row"):
                for symbol in row:
                    label = KEY_LABELS.get(symbol, symbol)
                    yield PanelButton(label, kind="key", value=symbol)
        with Horizontal(classes="key-row"):
            yield PanelButton("0", kind="key", value="0").add_class("wide")
            yield PanelButton("BUTTON", kind="push", value="press").add_class("wide")
        yield Static(id="plate", markup=False)

    def _bench(self) -> ComposeResult:
        spec, steps = self.session.meter.spec, self.session.load_steps
        with Vertical(id="controls"):
            with Horizontal(classes="row"):
                yield PanelButton("−", kind="step", value="-1")
                yield Slider(len(steps), widget_id="slider")
                yield PanelButton("+", kind="step", value="1")
                yield Label("", id="load", markup=False)
            with Horizontal(classes="row"):
                for load in (load for load in _PRESETS if load <= steps[-1]):
                    yield PanelButton(load_text(spec, load), kind="load", value=str(load))
            with Horizontal(classes="row"):
                yield Label("Speed")
                for speed in SPEEDS:
                    yield PanelButton(f"{speed}×", kind="speed", value=str(speed))
            with Horizontal(classes="row"):
                yield PanelButton("Open the cover", kind="cover", value="cover")
                yield PanelButton("Power off", kind="power", value="power")
        yield Chart(widget_id="power-chart", colour="#ff9f43")
        yield Chart(widget_id="credit-chart", colour="#35d07f")
        with TabbedContent(initial="events"):
            for name in ("events", "tokens"):
                with TabPane(name.capitalize(), id=name), VerticalScroll(classes="log"):
                    yield Static(id=f"{name}-log", markup=False)

    def _do(self, deed: Callable[[], Frame]) -> None:
        """Do something before the meter and draw it as it is then."""
        try:
            frame = deed()
            self._draw(frame)
        except _PASSING as error:
            self.notify(str(error), title=error.code, severity="warning", markup=False)
        except StsError as error:
            self.failure = error
            self.exit()

    def _draw(self, frame: Frame) -> None:
        snapshot, spec = frame.snapshot, self.session.meter.spec
        sample_mark = "  SAMPLE TABLES" if self.session.meter.uses_sample_tables else ""
        self.query_one("#title", Label).update(title_text(snapshot) + sample_mark)
        pace = f"{frame.speed}×"
        self.query_one("#time", Label).update(f"{moment_text(snapshot.at)} UTC {pace:>5}")
        indicators, unit = frame.face.indicators, MEASURES[spec.service].unit
        self.query_one(Display).show(frame.face.lines)
        self.query_one(Symbols).show(indicators)
        self.query_one(Lamps).show(
            indicators, pulses=frame.pulses, unit=unit, tick=self._ticks // 2
        )
        self.query_one(Slider).show(nearest_step(self.session.load_steps, snapshot.load_w))
        self.query_one("#load", Label).update(load_text(spec, snapshot.load_w))
        self._mark("load", str(snapshot.load_w))
        self._mark("speed", str(self.session.time.speed))
        cover, power = self.query_one(".cover", Button), self.query_one(".power", Button)
        cover.label = "Cover was opened" if snapshot.tampered else "Open the cover"
        cover.set_class(snapshot.tampered, "alarm")
        power.label = "Power off" if snapshot.powered else "Power on"
        power.set_class(not snapshot.powered, "alarm")
        self.query_one("#plate", Static).update(plate_text(snapshot))
        self._draw_charts(frame)
        self._draw_logs()

    def _mark(self, kind: str, value: str) -> None:
        for button in self.query(f".{kind}").results(Button):
            button.set_class(button.name == value, "chosen")

    def _draw_charts(self, frame: Frame) -> None:
        snapshot, spec = frame.snapshot, self.session.meter.spec
        power, credit = (
            self.query_one("#power-chart", Chart),
            self.query_one("#credit-chart", Chart),
        )
        samples = list(self.session.samples)
        powers = [sample.power_w for sample in samples[-power.capacity :]]
        most = load_text(spec, max(map(abs, powers), default=0))
        since = samples[-power.capacity :][0].at if samples else snapshot.at
        power.show(
            powers,
            title=f"Power {load_text(spec, frame.power_w)}",
            note=f"since {since:%m-%d %H:%M:%S}  most {most}",
        )
        credit.show(
            [sample.credit for sample in samples],
            title=f"Credit {snapshot.credit_text}",
            note=lasts_text(snapshot),
        )

    def _draw_logs(self) -> None:
        events, tokens = self.session.events(), self.session.tokens()
        if self._logged == (events, tokens):
            return
        self._logged = (events, tokens)
        spec = self.session.meter.spec
        self.query_one("#events-log", Static).update(
            _rows((event_text(spec, event), event_colour(event)) for event in events)
        )
        self.query_one("#tokens-log", Static).update(
            _rows((token_text(token), token_colour(token)) for token in tokens)
        )


def _rows(rows: Iterable[tuple[str, str]]) -> Text:
    return Text("\n", no_wrap=True).join(Text(text, style) for text, style in rows)


def run_screen(session: Session) -> None:
    """Show a session until somebody leaves.

    Raises:
        StsError: The meter could not be operated any longer.
    """
    screen = MeterApp(session)
    screen.run()
    if screen.failure is not None:
        raise screen.failure
