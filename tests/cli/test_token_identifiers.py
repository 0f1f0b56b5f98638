"""Time and random bits come in at the command, and nowhere below it."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.cli.transcript import in_process

KEY = {"STS_DECODER_KEY": "929bd3a415c9420a05ec5ee9f3ce91c3"}
BASE = datetime(2014, 1, 1, tzinfo=UTC)
NOON = (datetime(2026, 7, 29, 12, tzinfo=UTC) - BASE) // timedelta(minutes=1)


def _field(words: list[str], name: str) -> int:
    outcome = in_process(["encode", "credit", "--amount", "1", "--json", *words], KEY)
    assert outcome.status == 0, outcome
    fields: list[dict[str, Any]] = json.loads(outcome.stdout)["fields"]
    return next(int(field["raw"]) for field in fields if field["name"] == name)


def test_without_a_time_it_is_now() -> None:
    before = (datetime.now(UTC) - BASE) // timedelta(minutes=1)
    tid = _field([], "tid")
    after = (datetime.now(UTC) - BASE) // timedelta(minutes=1)
    # In minute 00:01 the token gets the next one.
    assert before <= tid <= after + 1


def test_random_bits_are_drawn_over_their_whole_range() -> None:
    """The chance that 200 draws of 16 values leave one out is 1 in 25 000."""
    assert {_field(["--tid", "5"], "rnd") for _ in range(200)} == set(range(16))


def test_key_changes_are_checked_against_the_present_time() -> None:
    words = ["--meter", "00000000000", "--sgc", "201457", "--to-ti", "02", "--to-ken", "0"]
    outcome = in_process(
        ["key-change", "make", *words],
        {"STS_VENDING_KEY": "ABABABABABABABAB949494949494949401234567"},
    )
    assert "KEY_CHANGE_TO_EXPIRED_KEY" in outcome.stderr


def test_a_burst_of_tokens_runs_ahead_of_the_clock_up_to_the_cap() -> None:
    def issued(count: int) -> list[str]:
        return [word for tid in range(NOON, NOON + count) for word in ("--issued", str(tid))]

    noon = ["--at", "2026-07-29T12:00Z"]
    assert _field([*noon, *issued(49)], "tid") == NOON + 49
    # With a full store the meter refuses what is not above its smallest.
    ahead = [word for tid in range(NOON + 30, NOON + 80) for word in ("--issued", str(tid))]
    outcome = in_process(["encode", "credit", "--amount", "1", *noon, *ahead], KEY)
    assert outcome.status == 1
    assert outcome.stderr.startswith("error TID_AHEAD_OF_CLOCK: ")
