"""What our commands can be told: decimals without floats, times with their zone."""

import re
from datetime import datetime

import click


class WholeUnits(click.ParamType[int]):
    """A decimal number that is a whole number of small units, read without a float."""

    name = "number"

    def __init__(self, decimals: int, *, signed: bool = False) -> None:
        """Allow ``decimals`` places behind the point, and a sign if ``signed``."""
        self.decimals = decimals
        sign = "(-?)" if signed else "()"
        self._pattern = re.compile(rf"{sign}(\d{{1,40}})(?:\.(\d{{1,{decimals}}}))?", re.ASCII)

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> int:
        """Return how many of the small units ``value`` is."""
        match = self._pattern.fullmatch(str(value))
        if match is None:
            places = f"{self.decimals} decimal place{'s' if self.decimals > 1 else ''}"
            self.fail(
                f"{value!r} is not a number with at most {places}",
                param,
                ctx,
            )
        sign, whole, fraction = match.groups(default="")
        units = int(whole + fraction.ljust(self.decimals, "0"))
        return -units if sign else units


class Moment(click.ParamType[datetime]):
    """An ISO 8601 time; whether it has a zone is for the library to say."""

    name = "time"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> datetime:
        """Return the datetime."""
        try:
            return datetime.fromisoformat(str(value))
        except ValueError:
            self.fail(f"{value!r} is not a time such as 2026-01-31T12:00Z", param, ctx)
