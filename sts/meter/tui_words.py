"""The rows of a screen's logs, its titles and readings, as plain words."""

from datetime import datetime
from typing import Final

from sts.codec import format_token
from sts.meter.buzzer import Buzzer
from sts.meter.display import credit_text
from sts.meter.events import Event, EventKind
from sts.meter.indicators import SupplyLamp, Symbol
from sts.meter.log_rows import HistoryEntry
from sts.meter.registers import MEASURES
from sts.meter.results import RESULTS, ResultCode
from sts.meter.run import reason_text
from sts.meter.snapshot import Snapshot
from sts.meter.spec import MeterSpec

SYMBOL_WORDS: Final = {
    Symbol.TAMPER: "TAMPER",
    Symbol.LOW_CREDIT: "LOW",
    Symbol.NO_CREDIT: "EMPTY",
    Symbol.EMERGENCY_CREDIT: "EMERG",
    Symbol.OVERLOAD: "LOAD",
    Symbol.RELAY_OPEN: "OPEN",
    Symbol.WAIT: "WAIT",
    Symbol.MUTED: "MUTED",
}
"""Every symbol of the display, in the order in which they stand there."""

LAMP_WORDS: Final = {
    SupplyLamp.DARK: "no power",
    SupplyLamp.STEADY: "steady",
    SupplyLamp.FLASHING: "flashing",
}
BUZZER_WORDS: Final = {
    Buzzer.SILENT: "silent",
    Buzzer.ONE_BEEP_A_MINUTE: "1 a min",
    Buzzer.TWO_BEEPS_A_MINUTE: "2 a min",
    Buzzer.FAST_BEEPS: "fast",
}

GOOD: Final = "#35d07f"
BAD: Final = "#ff7b72"
WARNING: Final = "#ffd166"

_EVENT_COLOURS: Final = {
    EventKind.RELAY_OPENED: BAD,
    EventKind.RELAY_CLOSED: GOOD,
    EventKind.LIMIT_LOCKED: BAD,
    EventKind.LOW_CREDIT: WARNING,
    EventKind.VERY_LOW_CREDIT: WARNING,
    EventKind.CUT_AHEAD: WARNING,
    EventKind.TAMPER_DETECTED: BAD,
    EventKind.LOCKED_OUT: BAD,
}
_THOUSAND: Final = 1000
_TAKEN: Final = frozenset(
    {
        ResultCode.ACCEPT,
        ResultCode.FIRST_KEY_CHANGE_TOKEN,
        ResultCode.SECOND_KEY_CHANGE_TOKEN,
    }
)


def load_text(spec: MeterSpec, load: int) -> str:
    """Return a load as people say it: ``60 W``, ``2.3 kW``, ``1500 litre/h``."""
    if not spec.measures_power:
        return f"{load} {MEASURES[spec.service].unit}/h"
    if abs(load) < _THOUSAND:
        return f"{load} W"
    sign, thousands, rest = "-" if load < 0 else "", *divmod(abs(load), _THOUSAND)
    decimals = f"{rest:03d}".rstrip("0")
    return f"{sign}{thousands}{'.' if decimals else ''}{decimals} kW"


def moment_text(moment: datetime) -> str:
    """Return a moment in UTC with its date."""
    return moment.strftime("%Y-%m-%d %H:%M:%S")


def title_text(snapshot: Snapshot) -> str:
    """Return which meter this is."""
    return (
        f"{snapshot.drn}  EA{snapshot.encryption_algorithm}  SGC {snapshot.supply_group_code}  "
        f"TI {snapshot.tariff_index}"
    )


def event_text(spec: MeterSpec, event: Event) -> str:
    """Return one row of the event log."""
    what = event.kind.replace("_", " ").lower()
    credit = credit_text(spec, event.credit)
    return f"{event.at.strftime('%m-%d %H:%M:%S')}  {what}{reason_text(event)}  {credit}"


def event_colour(event: Event) -> str:
    """Return the colour of a row of the event log: bad, good, a warning, or nothing special."""
    return _EVENT_COLOURS.get(event.kind, "")


def token_text(token: HistoryEntry) -> str:
    """Return one row of the token history."""
    mark = "✓" if was_taken(token) else "✗"
    came_of_it = token.amount or RESULTS[token.result].name
    return f"{token.at.strftime('%H:%M')} {format_token(token.digits)} {mark} {came_of_it}"


def token_colour(token: HistoryEntry) -> str:
    """Return the colour of a row of the token history."""
    return GOOD if was_taken(token) else BAD


def was_taken(token: HistoryEntry) -> bool:
    """Tell whether a token did something, or is part of a set that will."""
    return token.result in _TAKEN


def lasts_text(snapshot: Snapshot) -> str:
    """Return until when credit lasts at this load; empty if nobody can say."""
    ends = snapshot.credit_ends_at
    return "" if ends is None else f"lasts until {moment_text(ends)}"


def plate_text(snapshot: Snapshot) -> str:
    """Return what stands on the name plate, and the readings that the display shows in turn."""
    revision = "-" if snapshot.key_revision_number is None else snapshot.key_revision_number
    limit = "none" if snapshot.power_limit_w is None else f"{snapshot.power_limit_w} W"
    left, _, due = snapshot.emergency_text.partition(", ")
    lent = [("lent", left), ("", f"        {due}")] if due else []
    phases = [
        (f"L{number}", f"{watts} W")
        for number, watts in enumerate(snapshot.phase_loads_w, start=1)
        if snapshot.phases > 1
    ]
    rows = (
        ("number", snapshot.drn),
        ("built", f"{snapshot.service.name.lower()}, {snapshot.phases}-phase"),
        ("key", f"SGC {snapshot.supply_group_code} KRN {revision} TI {snapshot.tariff_index}"),
        ("credit", snapshot.credit_text),
        *lent,
        ("total", snapshot.total_text),
        *phases,
        ("limit", limit),
        ("", ""),
        ("", snapshot.supply_text),
    )
    return "\n".join(f"{name:<8}{value}" if name else value for name, value in rows)
