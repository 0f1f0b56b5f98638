"""How the lock-out and what is on the keypad and the display stand in a row of memory."""

from typing import Final

from sts.meter.buzzer import Alarm, Mute
from sts.meter.forms import Form, Value, moment_of, read_text
from sts.meter.keypad import EMPTY, FRAME, Keypad
from sts.meter.lcd import Page
from sts.meter.lockout import Lockout

_NONE: Final = "-"


def _read_lockout(value: Value) -> Lockout:
    refusals, until = read_text(value).split()
    return Lockout(refusals=int(refusals), until=None if until == _NONE else moment_of(until))


def _write_lockout(lockout: Lockout) -> str:
    return f"{lockout.refusals} {_NONE if lockout.until is None else lockout.until.isoformat()}"


def _write_keypad(keypad: Keypad) -> str | None:
    if keypad.last_key_at is None:
        return None
    return f"{FRAME if keypad.framed else ''}{keypad.digits} {keypad.last_key_at.isoformat()}"


def _read_keypad(value: Value) -> Keypad:
    if value is None:
        return EMPTY
    keys, last_key_at = read_text(value).split()
    return Keypad(
        digits=keys.removeprefix(FRAME),
        framed=keys.startswith(FRAME),
        last_key_at=moment_of(last_key_at),
    )


def _write_pages(pages: tuple[Page, ...]) -> str:
    # A line of the display holds only what can be shown, so neither of the two separators.
    return "\n".join("\t".join((str(page.seconds), *page.lines)) for page in pages)


def _read_pages(value: Value) -> tuple[Page, ...]:
    rows = (row.split("\t") for row in read_text(value).splitlines())
    return tuple(Page(tuple(lines), int(seconds)) for seconds, *lines in rows)


def _write_mute(mute: Mute) -> str:
    return f"{mute.alarm:d} {mute.until.isoformat()}"


def _read_mute(value: Value) -> Mute:
    alarm, until = read_text(value).split()
    return Mute(Alarm(int(alarm)), moment_of(until))


LOCKOUT: Final = Form(_write_lockout, _read_lockout)
KEYPAD: Final = Form(_write_keypad, _read_keypad)
PAGES: Final = Form(_write_pages, _read_pages)
MUTE: Final = Form(_write_mute, _read_mute)
