"""The liquid crystal display: four lines of twenty characters, shown page after page.

What is shown is a sequence of pages, each with the time for which it stands. Nothing here waits:
whoever draws the display says how much time has passed and is told which page it is.
"""

import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, TypeAlias

from sts.meter.errors import MeterStateError

LINES: Final = 4
COLUMNS: Final = 20
RESULT_SECONDS: Final = 3
"""How long the answer to a token stands; a make's practice."""
AMOUNT_SECONDS: Final = 5
"""How long after it the amount stands, and anything else that is to be read at leisure."""
IDLE_SECONDS: Final = 4
"""How long each page of the idle display stands."""
LONGEST_SECONDS: Final = 3600
ALL_SEGMENTS: Final = "8" * COLUMNS

Block: TypeAlias = tuple[str, ...]
"""Lines of any length that belong together and begin on a page of their own."""


@dataclass(frozen=True, slots=True)
class Page:
    """What the display shows at one time.

    Attributes:
        lines: Up to four, each of up to twenty characters.
        seconds: For how long.

    Raises:
        MeterStateError: More than the display has room for, or no time.
    """

    lines: tuple[str, ...]
    seconds: int

    def __post_init__(self) -> None:
        """Check that the page fits."""
        if not 0 < len(self.lines) <= LINES:
            raise MeterStateError("page", f"the display has {LINES} lines")
        if any(len(line) > COLUMNS or not line.isprintable() for line in self.lines):
            raise MeterStateError("page", f"a line has {COLUMNS} characters that can be shown")
        if not 0 < self.seconds <= LONGEST_SECONDS:
            raise MeterStateError("page", f"it stands for 1 to {LONGEST_SECONDS} seconds")

    @property
    def time(self) -> timedelta:
        """For how long it stands."""
        return timedelta(seconds=self.seconds)


def paginate(blocks: Iterable[Block], *, seconds: int) -> tuple[Page, ...]:
    """Lay out blocks on pages; what is too long goes on in the next line or on the next page."""
    return tuple(
        Page(tuple(lines[first : first + LINES]), seconds)
        for lines in map(_wrapped, blocks)
        for first in range(0, len(lines), LINES)
    )


def page_at(pages: Sequence[Page], elapsed: timedelta) -> Page | None:
    """Return the page that stands so long after the first one appeared; None when all are over."""
    for page in pages:
        if elapsed < page.time:
            return page
        elapsed -= page.time
    return None


def rotating_page(pages: Sequence[Page], elapsed: timedelta) -> Page:
    """Return the page of a sequence that begins again and again; there is at least one."""
    found = page_at(pages, elapsed % sum((page.time for page in pages), timedelta()))
    assert found is not None, "the remainder is less than the whole"
    return found


def two_ends(left: str, right: str) -> str:
    """Return a line with one text at its beginning and one at its end."""
    return f"{left} {right:>{COLUMNS - len(left) - 1}}"


def _wrapped(block: Block) -> list[str]:
    return [part for line in block for part in _parts(line)]


def _parts(line: str) -> list[str]:
    # A minus sign is not a place to break at.
    return textwrap.wrap(line, COLUMNS, break_on_hyphens=False) or [""]
