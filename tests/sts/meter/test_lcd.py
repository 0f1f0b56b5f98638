"""The display: whatever is to be shown, no line is longer than the glass."""

from datetime import timedelta
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sts.meter.errors import MeterStateError
from sts.meter.lcd import (
    COLUMNS,
    LINES,
    LONGEST_SECONDS,
    Block,
    Page,
    page_at,
    paginate,
    rotating_page,
    two_ends,
)

ONE: Final = Page(("ONE",), 3)
TWO: Final = Page(("TWO",), 5)
MICROSECOND: Final = timedelta(microseconds=1)

_printable: Final = st.text(st.characters(categories=["L", "N", "P", "S"], include_characters=" "))
_blocks: Final = st.lists(st.lists(_printable, min_size=1, max_size=9).map(tuple), max_size=5)


@pytest.mark.parametrize(
    ("lines", "seconds"),
    [
        ((), 1),
        (("",) * (LINES + 1), 1),
        (("x" * (COLUMNS + 1),), 1),
        (("a\nb",), 1),
        (("\x1b[31m",), 1),
        (("ok",), 0),
        (("ok",), -1),
        (("ok",), LONGEST_SECONDS + 1),
    ],
)
def test_the_display_cannot_show_it(lines: tuple[str, ...], seconds: int) -> None:
    with pytest.raises(MeterStateError) as refused:
        Page(lines, seconds)
    assert refused.value.field == "page"


def test_what_is_too_long_goes_on_in_the_next_line_and_on_the_next_page() -> None:
    words = "Wrong digits, or a token for another meter. Look at the receipt and try again."
    assert paginate((("REJECT 13", words),), seconds=3) == (
        Page(("REJECT 13", "Wrong digits, or a", "token for another", "meter. Look at the"), 3),
        Page(("receipt and try", "again."), 3),
    )


def test_each_block_begins_a_page() -> None:
    assert paginate((("ONE",), ("TWO", "")), seconds=1) == (
        Page(("ONE",), 1),
        Page(("TWO", ""), 1),
    )


def test_a_number_too_long_for_a_line_keeps_its_sign() -> None:
    (page,) = paginate((("-9223372036854775.807 kWh",),), seconds=1)
    assert page.lines == ("-9223372036854775.80", "7 kWh")


@given(_blocks)
def test_nothing_is_lost_and_nothing_overflows(blocks: list[Block]) -> None:
    pages = paginate(blocks, seconds=1)
    shown = "".join("".join(page.lines) for page in pages)
    asked = "".join("".join(block) for block in blocks)
    assert shown.replace(" ", "") == asked.replace(" ", "")


@pytest.mark.parametrize(
    ("elapsed", "page"),
    [
        (timedelta(), ONE),
        (timedelta(seconds=3) - MICROSECOND, ONE),
        (timedelta(seconds=3), TWO),
        (timedelta(seconds=8) - MICROSECOND, TWO),
        (timedelta(seconds=8), None),
        (timedelta(days=9), None),
    ],
)
def test_pages_follow_each_other(elapsed: timedelta, page: Page | None) -> None:
    assert page_at((ONE, TWO), elapsed) == page
    assert page_at((), elapsed) is None


@pytest.mark.parametrize(
    ("seconds", "page"), [(0, ONE), (2, ONE), (3, TWO), (8, ONE), (11, TWO), (8 * 10**6, ONE)]
)
def test_the_idle_display_begins_again_and_again(seconds: int, page: Page) -> None:
    assert rotating_page((ONE, TWO), timedelta(seconds=seconds)) == page


def test_a_line_has_two_ends() -> None:
    assert two_ends("ENTER TOKEN", "10/20") == "ENTER TOKEN    10/20"
    assert two_ends("left", "a very long right end") == "left a very long right end"
