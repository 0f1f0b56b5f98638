"""The habits of a make as rows of a meter's memory.

A field of the profile is a row beside those of the specification; only its name is called
``profile`` there. Records in it are packed into one text each.

    field      example                                  means
    ---------  ---------------------------------------  --------------------------------------
    a limit    ``30 3 120 1800 1800``                   its five numbers in their order
    levels     ``20000 5000 5000 5000 10000``           a dash for a warning that is not given
    friendly   ``01234=16:00:00/08:00:00 12-25 2026-4-3``  windows with their days, and holidays
"""

from collections.abc import Mapping
from dataclasses import fields
from datetime import time
from typing import Final

from sts.meter.calendars import FriendlyHours, FriendlyWindow, Holiday
from sts.meter.forms import (
    DIGITS,
    TEXT,
    WHOLE,
    Form,
    Rows,
    Value,
    make_record,
    named,
    packed,
    read_fields,
    read_text,
    write_record,
)
from sts.meter.profiles import (
    CreditLevels,
    LimitHabit,
    MeterProfile,
    ReconnectPolicy,
    ReverseEnergy,
)

_NAME_ROW: Final = "profile"
_EVERY_YEAR: Final = 2


def _write_friendly(hours: FriendlyHours) -> str:
    windows = (
        f"{''.join(map(str, sorted(window.weekdays)))}={window.starts}/{window.ends}"
        for window in hours.windows
    )
    holidays = (
        "-".join(str(part) for part in (day.year, day.month, day.day) if part is not None)
        for day in hours.holidays
    )
    return " ".join((*windows, *holidays))


def _read_friendly(value: Value) -> FriendlyHours:
    parts = read_text(value).split()
    return FriendlyHours(
        windows=tuple(_read_window(part) for part in parts if "=" in part),
        holidays=tuple(_read_holiday(part) for part in parts if "=" not in part),
    )


def _read_window(text: str) -> FriendlyWindow:
    weekdays, hours = text.split("=")
    starts, ends = map(time.fromisoformat, hours.split("/"))
    return FriendlyWindow(weekdays=frozenset(map(int, weekdays)), starts=starts, ends=ends)


def _read_holiday(text: str) -> Holiday:
    numbers = [int(part) for part in text.split("-")]
    if len(numbers) == _EVERY_YEAR:
        numbers.insert(0, 0)
    year, month, day = numbers
    return Holiday(month=month, day=day, year=year or None)


_LIMIT: Final = packed(LimitHabit, {field.name: DIGITS for field in fields(LimitHabit)})
_LEVELS: Final = packed(CreditLevels, {field.name: DIGITS for field in fields(CreditLevels)})
_FORMS: Final[Mapping[str, Form]] = {
    "name": TEXT,
    "reverse_energy": named(ReverseEnergy),
    "reverse_tamper_s": WHOLE,
    "reconnect": named(ReconnectPolicy),
    "power_limit": _LIMIT,
    "phase_unbalance": _LIMIT,
    "over_current": _LIMIT,
    "unit_levels": _LEVELS,
    "currency_levels": _LEVELS,
    "cut_alarm_s": WHOLE,
    "friendly": Form(_write_friendly, _read_friendly),
    "load_switch_test_s": WHOLE,
    "tid_store_size": WHOLE,
    "short_codes": TEXT,
}
PROFILE_ROWS: Final = frozenset(_FORMS) - {"name"} | {_NAME_ROW}
"""The names of the rows."""


def profile_to_rows(profile: MeterProfile) -> Rows:
    """Return the rows of a profile."""
    rows = write_record(profile, _FORMS)
    return {_NAME_ROW if name == "name" else name: value for name, value in rows.items()}


def profile_from_rows(rows: Rows) -> MeterProfile:
    """Return the profile of rows.

    Raises:
        MeterStateError: The rows are not those of a profile.
        MeterSpecError: They are those of one that cannot be.
    """
    renamed = {"name" if name == _NAME_ROW else name: value for name, value in rows.items()}
    return make_record(MeterProfile, read_fields(renamed, _FORMS))
