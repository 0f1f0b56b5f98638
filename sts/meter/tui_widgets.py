"""What a meter's screen is made of: the display, lamps, keys, a slider and charts."""

from collections.abc import Sequence
from typing import Final

from rich.text import Text
from textual.events import Click
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Button, Static

from sts.meter.indicators import Indicators, SupplyLamp
from sts.meter.lcd import COLUMNS
from sts.meter.tui_chart import DOTS_WIDE, braille
from sts.meter.tui_words import BUZZER_WORDS, LAMP_WORDS, SYMBOL_WORDS

KEY_ROWS: Final = ("123C", "456*", "789#")
"""The keys as they lie; below them the 0 and the button."""
KEY_LABELS: Final = {"*": "⌫", "C": "CLR"}

_PUSHED: Final = frozenset({"key", "push"})
"""Kinds of buttons that look like keys; all others are one line high."""
_LIT: Final = "●"
_DARK: Final = "○"
_SYMBOL_WIDTH: Final = 7
_SYMBOLS_A_ROW: Final = 3


class Display(Static):
    """The liquid crystal display."""

    def show(self, lines: Sequence[str]) -> None:
        """Show four lines."""
        self.update(Text("\n".join(line.ljust(COLUMNS) for line in lines), no_wrap=True))


class Symbols(Static):
    """The fixed pictures of the display: all are there, those that are shown are dark."""

    def show(self, indicators: Indicators) -> None:
        """Show those that are lit."""
        text = Text(no_wrap=True)
        for place, (symbol, word) in enumerate(SYMBOL_WORDS.items()):
            lit = symbol in indicators.symbols
            if place and place % _SYMBOLS_A_ROW == 0:
                text.append("\n")
            text.append(word.center(_SYMBOL_WIDTH), "bold #10240f" if lit else "#a3b392")
        self.update(text)


class Lamps(Static):
    """The supply lamp, the rate lamp and the buzzer, each with a word for what it does."""

    def show(self, indicators: Indicators, *, pulses: int, unit: str, tick: int) -> None:
        """Show the lamps at one tick; what flashes is dark at every other one.

        Args:
            indicators: What they show.
            pulses: How often the rate lamp has flashed since the tick before.
            unit: For what it flashes once.
            tick: Counts up.
        """
        supply = indicators.supply
        flashing = supply is SupplyLamp.FLASHING
        lit = supply is SupplyLamp.STEADY or (flashing and tick % 2 == 0)
        buzzer = BUZZER_WORDS[indicators.buzzer]
        colour = "bold #ff5f57" if flashing else "bold #35d07f"
        text = Text(no_wrap=True)
        text.append(f"{_LIT if lit else _DARK} ", colour if lit else "#5c6773")
        text.append("SUPPLY\n", "bold")
        text.append(f"  {LAMP_WORDS[supply]}\n", "#8b97a3")
        text.append(f"{_LIT if pulses else _DARK} ", "bold #ff9f43" if pulses else "#5c6773")
        text.append("RATE\n", "bold")
        text.append(f"  1/{unit}\n", "#8b97a3")
        silent = buzzer == "silent"
        text.append("♪ ", "#5c6773" if silent else "bold #ffd166")
        text.append("BUZZER\n", "bold")
        text.append(f"  {buzzer}", "#8b97a3" if silent else "bold #ffd166")
        self.update(text)


class PanelButton(Button, can_focus=False):
    """A button for the mouse; the keyboard has keys of its own for all that these do."""

    def __init__(self, label: str, *, kind: str, value: str) -> None:
        """Make one that stands for ``value`` among the buttons of a kind."""
        super().__init__(label, name=value, classes=kind, compact=kind not in _PUSHED)
        # While that effect lasts a button is deaf, and a second 7 at once would be lost.
        self.active_effect_duration = 0


class Slider(Widget, can_focus=False):
    """A control with a number of stops, set by a click."""

    class Moved(Message):
        """Somebody has chosen a stop."""

        def __init__(self, place: int) -> None:
            """Say which."""
            super().__init__()
            self.place = place

    def __init__(self, stops: int, *, widget_id: str) -> None:
        """Make one with so many stops, at least two."""
        super().__init__(id=widget_id)
        self._stops: Final = stops
        self._place = 0

    def show(self, place: int) -> None:
        """Show a stop."""
        if place != self._place:
            self._place = place
            self.refresh()

    def render(self) -> Text:
        """Draw the slider."""
        at = self._place * (self.size.width - 1) // (self._stops - 1)
        text = Text("━" * at, "#ff9f43", no_wrap=True)
        text.append("●", "bold #ffffff")
        return text.append("─" * (self.size.width - 1 - at), "#44505c")

    def on_click(self, event: Click) -> None:
        """Go to the stop that is nearest to the click."""
        last = self._stops - 1
        width = max(self.size.width - 1, 1)
        self.post_message(self.Moved(min((event.x * last * 2 + width) // (2 * width), last)))


class Chart(Widget, can_focus=False):
    """The latest values of something, the newest at the right."""

    def __init__(self, *, widget_id: str, colour: str) -> None:
        """Make an empty one."""
        super().__init__(id=widget_id)
        self._colour: Final = colour
        self._values: Sequence[int] = ()

    def show(self, values: Sequence[int], *, title: str, note: str) -> None:
        """Show values, oldest first."""
        self._values = values
        self.border_title = title
        self.border_subtitle = note
        self.refresh()

    @property
    def capacity(self) -> int:
        """How many values there is room for."""
        return self.size.width * DOTS_WIDE

    def render(self) -> Text:
        """Draw the chart."""
        lines = braille(self._values, columns=self.size.width, rows=self.size.height)
        return Text("\n".join(lines), self._colour, no_wrap=True)
